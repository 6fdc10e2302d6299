/* command/check_look.h - looks for the newest alert of one input, as `check` does: page by page further back, and in
 * simpler forms where the service does not understand. Nothing is written anywhere. */
#pragma once

#include "microsoft/api.h"
#include "net/http.h"

struct look_spec {
    struct http             *http;
    const struct http_route *route;
    const struct api        *api;
    const char              *base, *filter;     /* filter: NULL for none */
    const char              *authorization;     /* secret; copied */
    int64_t                  clock_offset_ms;   /* service minus ours */
};

enum look_end {
    LOOK_DONE,
    LOOK_REFUSED,       /* *result is the service's answer, a 4xx that a person must mend */
    LOOK_FAILED         /* passes by itself; *err says why */
};

struct look_found {
    bool  has_newest;
    ticks newest;
    ticks service_now;      /* to reckon its age from */
    int   looked_back_h;    /* no alert is within these hours, unless has_newest */
};

struct look;
typedef void look_done_fn(void *ctx, enum look_end end, const struct look_found *found,
                          const struct http_result *result, const struct err *err);

/* Begins. The strings and the route of *spec must stay. done comes once, from the loop; the look stays until
 * look_free(), which also ends one under way. */
struct look *look_start(const struct look_spec *spec, look_done_fn *done, void *ctx);
void look_free(struct look *look);      /* before the transport; NULL is fine */
