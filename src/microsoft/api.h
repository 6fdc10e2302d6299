/* microsoft/api.h - what a back-end offers.
 *
 * One constant struct an API; nothing outside asks which API it is. Facts are from Microsoft's reference pages of each
 * API; limits are the published ones. */
#pragma once

#include "base/buf.h"
#include "microsoft/page.h"

/* What to ask for. */
struct api_query {
    const char *base;       /* scheme://host[:port] */
    ticks       lo, hi;     /* update time; hi TICKS_OPEN: no upper bound */
    size_t      top;        /* records an answer may hold; 0: the service's own choice */
    size_t      skip;       /* only where the API has it and no next link came */
    int         variant;       /* 0: as wanted; higher: forms that ask less of the service, after a 400 */
    const char *filter;     /* the user's OData expression; NULL: none */
};

/* The clouds: commercial, gcc, gcc_high, dod. And the kinds of API: graph, endpoint, siem, incidents. The indexes are
 * those of the parameters `cloud` and `api`; collect/target.c asserts that they match. */
#define API_CLOUDS 4
#define API_KINDS  4

struct api {
    const char *name;           /* the word in the parameter `api` */
    const char *sourcetype;
    struct page_shape shape;
    const char *host[API_CLOUDS];
    const char *resource[API_CLOUDS];   /* audience of the token */
    const char *const *headers; /* sent with every request; NULL-terminated, or NULL */
    bool        v1_token;       /* token from the v1 endpoint */
    bool        has_skip;
    size_t      top;            /* most records an answer may hold; 0: everything in the span comes at once */
    size_t      top_first;      /* asked for by polls: most hold little, and a first page is a guess */
    size_t      capacity;           /* records a span is sized for when top is 0 */
    int         variants;
    int         per_minute, per_hour;   /* published limits an app and tenant; 0: none */
    const char *family;         /* APIs of one family share their limits */
    const char *permission;     /* what the app needs, for messages */
    const char *permissions;    /* words of which one in the token will do; NULL: tokens do not tell */

    /* Returns how many records the answer may hold: what was asked for in that form; 0: the service's own choice. */
    size_t (*url)(const struct api_query *query, struct buf *ret);
    ticks (*resolution)(int variant);   /* finest step of the time filter in that form */
};

extern const struct api api_graph, api_incidents, api_endpoint, api_siem;

/* Returns the API of an index below API_KINDS. */
const struct api *api_at(int kind);
/* Returns the sign-in service ("https://host") of the cloud with an index below API_CLOUDS. */
const char *login_host(int cloud);

/* For the back-ends: "<field> ge <lo> and <field> lt <hi> and (<filter>)", times with so many digits, as the value of
 * $filter. */
void api_add_filter(struct buf *ret, const struct api_query *query, const char *field, int digits);
/* Rounds down and up to the grain, so that a coarser filter asks for a little more, never less. */
ticks api_floor(ticks time, ticks resolution);
ticks api_ceil(ticks time, ticks resolution);
