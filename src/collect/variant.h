/* collect/variant.h - which variant of the query an input uses: the full one, or for a while a simpler one.
 *
 * A service that refuses a query with 400 may take a simpler one. The first 400s are repeated unchanged
 * (worker_retry.h); then the search goes from each variant to the next simpler one until one works. That one is
 * temporary: after 10 minutes, doubling to 4 hours, the search begins again with the full query.
 *
 * Each worker has its own, since what a service refuses may be the size of its pages. Times are monotonic
 * milliseconds. */
#pragma once

#include "base/compiler.h"

enum variant_state {
    VARIANT_FULL,    /* the full query is used */
    VARIANT_SIMPLER, /* a simpler one is used: the search begins again at retry_ms */
    VARIANT_SEARCH   /* each 400 leads to the next simpler variant, without repetitions */
};

struct variant {
    enum variant_state state;
    int current; /* 0: the full query; higher: simpler */
    int settled; /* worked last */
    int returns; /* searches that did not end with the full query since it worked last */
    int64_t retry_ms;
};

/* Begins the search with the full query, which works for the other worker again. */
void variant_search(struct variant *variant);

/* Returns the variant for the next request. Begins the search again if that is due. */
int variant_choose(struct variant *variant, int64_t now_ms);

/* A request with this variant was answered. Returns true if the full query works again after a simpler one. */
bool variant_worked(struct variant *variant, int used, int64_t now_ms);

/* A request with this variant was refused with 400, for longer than the repetitions take. count: of the API's variants.
 * Returns true if the next request is another one; false if none is left: the next one is then the full one again. */
bool variant_refused(struct variant *variant, int used, int count);

/* A request with this variant failed otherwise. Nothing is learned from that: a search for the full query ends, and the
 * variant that worked is used for another while. */
void variant_failed(struct variant *variant, int used, int64_t now_ms);
