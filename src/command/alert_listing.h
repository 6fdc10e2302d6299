/* command/alert_listing.h - the IDs of all alerts that one service lists for a span of update times.
 *
 * A response that does not hold all of its window is asked for again in halves, the newer one first, whatever the
 * service says of further pages: so what was listed is whole from one time on. A listing that ends early says from when.
 * Requests follow each other; a throttled one waits as the service asks. Answers are judged as a running input judges
 * them (collect/classify.h). Nothing is written. */
#pragma once

#include "microsoft/api.h"
#include "net/http.h"

struct alert_listing_spec {
    struct loop *loop;
    struct http *http;
    const struct http_route *route;
    const struct api *api;
    const char *base, *filter; /* filter: NULL for none */
    const char *authorization; /* secret; copied */
    ticks from, to;            /* of the service's clock; [from, to) */
};

struct listed {
    char *id;
    ticks time; /* the latest that was seen of this ID */
};

struct listed_alerts {
    struct listed *list; /* sorted by ID, each once */
    size_t count;
    size_t nameless; /* records without an ID */
    ticks from;      /* all from this time on are here; the span's end: none are known to be */
};
void listed_alerts_release(struct listed_alerts *alerts);

enum alert_listing_end {
    ALERT_LISTING_WHOLE,
    ALERT_LISTING_CUT,     /* *alerts is whole from `from` on; *err says why not further back */
    ALERT_LISTING_REFUSED, /* a person has to act; *err says so */
    ALERT_LISTING_FAILED   /* transient, and nothing is known; *err says why */
};

struct alert_listing;
/* The owner takes *alerts by emptying it. result: of the last request. */
typedef void alert_listing_done_fn(void *ctx, enum alert_listing_end end, struct listed_alerts *alerts,
                                   const struct http_result *result, const struct err *err);

/* Starts. The strings and the route of *spec must outlive it. done is called once, from the loop. */
struct alert_listing *alert_listing_start(const struct alert_listing_spec *spec, alert_listing_done_fn *done,
                                          void *ctx);
/* Ends it early, for a caller whose time is up: calls done with what is known, unless that has happened. result is NULL
 * then. */
void alert_listing_stop(struct alert_listing *listing, const struct err *why);
void alert_listing_free(struct alert_listing *listing); /* before http; NULL is allowed */
