/* microsoft/api.h - the alert APIs: one constant struct each.
 *
 * No code outside the api_*.c files asks which API it is. Facts are from Microsoft's reference page of each API; limits
 * are the published ones. */
#pragma once

#include "base/buf.h"
#include "microsoft/page.h"

/* What to request. */
struct api_query {
    const char *base;   /* scheme://host[:port] */
    ticks lo, hi;       /* update time; hi TICKS_OPEN: no upper bound */
    size_t top;         /* most records in a response; 0: the service's choice */
    size_t skip;        /* at most what the API skips */
    int variant;        /* 0: the best query; higher: simpler ones, after a 400 */
    const char *filter; /* the user's OData expression; NULL: none */
    bool only_id;       /* ID and update time are wanted, nothing else of a record */
};

/* The clouds: commercial, gcc, gcc_high, dod. And the kinds of API: graph, endpoint, siem, incidents. The indexes are
 * those of the parameters `cloud` and `api`; collect/target.c asserts that they match. */
/* The IDs of Defender's alerts: an alert of Defender for Endpoint has one ID ("da638..._-1364969609") in both, since its
 * portal has, too. */
#define API_IDS_DEFENDER "defender"

#define API_CLOUDS 4
#define API_KINDS  4

struct api {
    const char *name; /* the word in the parameter `api` */
    const char *sourcetype;
    struct page_shape shape;
    const char *host[API_CLOUDS];
    const char *resource[API_CLOUDS]; /* audience of the token */
    const char *const *headers;       /* sent with every request; NULL-terminated, or NULL */
    bool v1_token;                    /* token from the v1 endpoint */
    bool has_skip;
    size_t skips;     /* most records that a request may skip; 0: none */
    bool sorts;       /* takes $orderby and $count */
    size_t top;       /* most records in a response; 0: the whole window comes at once */
    size_t top_first; /* records that a poll asks for: most polls find few */
    size_t capacity;  /* records that a window is sized for if top is 0 */
    int variants;
    int whole_variants;       /* variants below this one bring all that an alert has; the others leave some out */
    int per_minute, per_hour; /* published limits for each app and tenant; 0: none */
    const char *family;       /* APIs of one family share their limits */
    const char *permission;   /* the one that the app needs, for messages */
    const char *permissions;  /* any one of these words in the token is enough; NULL: tokens do not tell */
    const char *ids;  /* APIs of one word give an alert the same ID; NULL: IDs are the API's own, or there are none */
    const char *ends; /* the day (UTC) from which on Microsoft no longer serves it; NULL: no end is announced */

    /* Appends the URL. Returns the number of records that it asks for; 0: the service's choice. */
    size_t (*url)(const struct api_query *query, struct buf *ret);
    ticks (*resolution)(int variant); /* finest step of the time filter in that variant */
};

extern const struct api api_graph, api_incidents, api_endpoint, api_siem;

/* Returns true if this variant of the query leaves out some of what an alert has. */
static inline bool api_is_partial(const struct api *api, int variant)
{
    return variant >= api->whole_variants;
}

/* Returns true if Microsoft has announced the API's end, and sets *ret to the days until it, rounded up: 1 on the last
 * day, 0 or less once it has ended. */
bool api_days_left(const struct api *api, ticks now, int64_t *ret);
/* Returns true if the two give an alert the same ID, so that versions written from one are known to the other. other: a
 * name in any case, as a parameter may have it. */
bool api_same_ids(const struct api *api, const char *other);

/* Append to a URL of an API that sorts: ascending order of update time; the count of all that match. */
void api_add_order(const struct api *api, struct buf *url);
void api_add_count(struct buf *url);
/* Appends that only ID and update time are wanted. Not in the reference of any of the APIs: a service may refuse or ignore
 * it. */
void api_add_select(const struct api *api, struct buf *url);

/* Returns the API of an index below API_KINDS. */
const struct api *api_at(int kind);
/* Returns the sign-in service ("https://host") of the cloud with an index below API_CLOUDS. */
const char *login_host(int cloud);

/* For api_*.c: appends $filter with "<field> ge <lo> and <field> lt <hi> and (<filter>)". digits: fraction digits of
 * the times. */
void api_add_filter(struct buf *ret, const struct api_query *query, const char *field, int digits);
/* Round down and up to the resolution, so that a coarse filter asks for a little more, never for less. */
ticks api_floor(ticks time, ticks resolution);
ticks api_ceil(ticks time, ticks resolution);
