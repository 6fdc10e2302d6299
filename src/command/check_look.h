/* command/check_look.h - looks for the newest alert of one input: one request for each window of time, further back
 * each time, with simpler queries if the service refuses one. Writes nothing.
 *
 * Answers are judged as a running input judges them (collect/classify.h), so *err has the words of the log. A service
 * that has answered for one window works, so time that ends after that is no failure: `whole` is false then. */
#pragma once

#include "microsoft/api.h"
#include "net/http.h"

struct look_spec {
    struct http *http;
    const struct http_route *route;
    const struct api *api;
    const char *base, *filter; /* filter: NULL for none */
    const char *authorization; /* secret; copied */
    int64_t clock_offset_ms;   /* service minus ours */
    bool one_record;           /* asks once, for one record of the last hour: only whether the service takes it */
};

enum look_end {
    LOOK_DONE,
    LOOK_REFUSED, /* *result is a 4xx that a person has to act on; *err says so */
    LOOK_FAILED   /* transient; *err says why */
};

struct look_found {
    bool has_newest;
    ticks newest;
    ticks service_now; /* to compute its age */
    int looked_back_h; /* hours searched; without has_newest they have no alert */
    bool whole;        /* there was time for all of the search */
};

struct look;
typedef void look_done_fn(void *ctx, enum look_end end, const struct look_found *found,
                          const struct http_result *result, const struct err *err);

/* Starts. The strings and the route of *spec must outlive it. done is called once, from the loop. The look lives until
 * look_free(), which also cancels it. */
struct look *look_start(const struct look_spec *spec, look_done_fn *done, void *ctx);
/* Copies what was found so far, for a caller whose time is up. Returns false if there was no answer yet. */
bool look_found_so_far(const struct look *look, struct look_found *ret);
void look_free(struct look *look); /* before http; NULL is allowed */
