/* splunk/splunkd_private.h - what the files of the splunkd client share; nobody else includes it. */
#pragma once

#include "base/buf.h"
#include "base/json.h"
#include "splunk/splunkd.h"

/* One REST request, tried again for a minute while splunkd starts. Lives inside its owner. */
struct call;

/* ok: a 2xx answer. Otherwise err says why, and result->status may tell more (404, 409). The call may be started
 * again, and its owner freed, from here. */
typedef void call_fn(void *ctx, const struct http_result *result, bool ok, const struct err *err);

struct call {
    struct splunkd      *splunkd;
    struct http_request *request;       /* NULL: none under way */
    struct timer         timer;
    const char          *method;        /* NULL: GET, or POST with a form */
    char                *url;
    char                *form;          /* secret; NULL: none */
    struct buf          *body;          /* where a large answer goes; NULL: into the result */
    int64_t              give_up_ms;
    int                  failures;
    call_fn             *done;
    void                *ctx;
};

/* Takes url and form over. splunkd, done and ctx are set before. */
void call_start(struct call *call, const char *method, char *url, char *form);
void call_stop(struct call *call);      /* drops what is under way; fine if nothing is */

/* An answer's JSON, whose texts are secrets. */
cJSON *secret_json(const char *bytes, size_t len);
void secret_json_freep(cJSON **tree);   /* for CLEANUP(); overwrites every text first */

/* Names with their secrets, sorted. */
struct secret {
    char *name;
    char *value;
};
struct secrets {
    struct secret *list;
    size_t count, capacity;
};
const char *secrets_get(const struct secrets *secrets, const char *name);       /* NULL: none */
void secrets_set(struct secrets *secrets, const char *name, const char *value);
void secrets_remove(struct secrets *secrets, const char *name);
void secrets_clear(struct secrets *secrets);

enum cutting { CUTS_UNKNOWN, CUTS_NOT, CUTS };

struct store;
struct load;
struct edit;

struct splunkd {
    struct loop      *loop;
    struct http      *http;
    struct http_route route;
    char             *ca_file;          /* owned, for the route */
    char             *server_uri;       /* without a slash at its end */
    char             *authorization;    /* secret */
    struct secrets    whole;            /* our secrets, put together */
    struct secrets    entries;          /* every entry of our realm, pieces too; values only while they load */
    enum cutting      cutting;          /* does the store cut secrets? */
    bool              probing;          /* one store is finding that out */
    struct store     *stores;           /* in the order in which they were asked for */
    struct load      *load;             /* NULL: none under way */
    struct edit      *edits;
};

#define PART_INFIX   ".part."
#define PROBE_NAME   "length_probe"
#define CUT_LENGTH   255                /* what old versions keep of a secret */

/* URLs of the password store; caller frees. */
char *store_url(const struct splunkd *splunkd);
char *entry_url(const struct splunkd *splunkd, const char *name);

/* What a main entry says about its pieces; false for a plain secret. */
struct manifest {
    char     generation[17];
    unsigned count;
    size_t   length;
    char     sha256[65];
};
bool manifest_read(const char *value, struct manifest *ret);
char *manifest_text(const struct manifest *note);
struct manifest manifest_of(const char *value);     /* with a new generation */
char *part_name(const char *name, const struct manifest *note, unsigned number);      /* caller frees */

char *part_of(const char *value, unsigned number);     /* the piece itself: secret, caller frees */

/* Puts a secret together from its entries. NULL: pieces are missing or damaged. Caller frees with
 * mem_free_secret(). */
char *parts_join(const struct secrets *entries, const char *name, const struct manifest *note);

void stores_free(struct splunkd *splunkd);
