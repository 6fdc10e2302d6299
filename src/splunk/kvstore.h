/* splunk/kvstore.h - the records of one collection of Splunk's KV store, by splunkd's REST interface.
 *
 * A record is a JSON object; its member "_key" names it. Records belong to the app, not to a user.
 *
 * Calls are asynchronous, several may be in flight, and each is tried once: the caller decides what a failure means for
 * it. Give the collection a connection in a hurry (rest_hurry()), so that one that hangs ends within seconds. Bodies are
 * bounded by what the caller passes, answers by HTTP_BODY_MAX.
 *
 * Facts about the store: saving a batch replaces whole records and never says that a key is taken; inserting does. There is
 * no compare-and-set. By default it takes 1,000 records or 50 MB a batch, and returns 50,000 rows. It may be off, and it
 * starts later than splunkd: 503. */
#pragma once

#include "base/buf.h"
#include "base/json.h"
#include "splunk/rest.h"

enum { KVSTORE_BATCH_MOST = 500 }; /* records in a batch; half of what the store takes */

enum kvstore_fault {
    KVSTORE_OK,
    KVSTORE_TAKEN,         /* a record with this key exists: only of an insert */
    KVSTORE_MISSING,       /* no record has this key */
    KVSTORE_NO_COLLECTION, /* the app or its collection is not installed there */
    KVSTORE_OFF,           /* off, or still starting */
    KVSTORE_READ_ONLY,     /* an administrator has stopped all writes, as for an upgrade */
    KVSTORE_SESSION,       /* the session key or token is not valid */
    KVSTORE_RIGHTS,
    KVSTORE_REFUSED, /* the request: too large, a query that is none */
    KVSTORE_AWAY,    /* no connection, no answer in time, an error of splunkd */
    KVSTORE_GARBAGE, /* the answer is not what the store sends, or too large */
    KVSTORE_FAULTS
};

/* Valid during the call of done(). */
struct kvstore_answer {
    enum kvstore_fault fault;
    const struct err *err; /* why it failed, and who has to act; no secrets */
    const cJSON *rows;     /* of kvstore_find(): an array of records; of kvstore_find_each(): of such arrays. NULL on
                               failure */
    const cJSON *record;   /* of kvstore_get(). NULL on failure */
};
typedef void kvstore_done_fn(void *ctx, const struct kvstore_answer *answer);

struct kvstore;

/* Copies the texts. rest must outlive it. Never returns NULL. */
struct kvstore *kvstore_new(struct rest *rest, const char *app, const char *collection);
/* Before the rest; NULL is allowed. Calls in flight get no answer. */
void kvstore_free(struct kvstore *store);

/* Inserts or replaces each record of a JSON array of at most KVSTORE_BATCH_MOST. Takes the bytes out of *records. */
void kvstore_save(struct kvstore *store, struct buf *records, kvstore_done_fn *done, void *ctx);
/* Inserts a record, which is copied: KVSTORE_TAKEN if its key exists. */
void kvstore_insert(struct kvstore *store, const char *record, kvstore_done_fn *done, void *ctx);
/* Replaces a record that exists by a copy of this one. */
void kvstore_update(struct kvstore *store, const char *key, const char *record, kvstore_done_fn *done, void *ctx);
void kvstore_get(struct kvstore *store, const char *key, kvstore_done_fn *done, void *ctx);
void kvstore_delete(struct kvstore *store, const char *key, kvstore_done_fn *done, void *ctx);

struct kvstore_query {
    const char *query;  /* JSON, as MongoDB has it; NULL: all records */
    const char *fields; /* names, separated by commas; NULL: all. The key comes in any case. */
    const char *sort;   /* names, separated by commas, each with ":-1" for downward; NULL: no order */
    int skip, limit;    /* limit: at least 1 */
};
void kvstore_find(struct kvstore *store, const struct kvstore_query *what, kvstore_done_fn *done, void *ctx);
/* Asks many queries in one call, at most KVSTORE_BATCH_MOST: a JSON array of {"query", "fields", "sort", "skip", "limit"},
 * of which all but "query" may be missing. It is copied. */
void kvstore_find_each(struct kvstore *store, const char *queries, kvstore_done_fn *done, void *ctx);
/* Deletes the records that a query finds, which must not be empty: without one the store would delete all. */
void kvstore_delete_where(struct kvstore *store, const char *what, kvstore_done_fn *done, void *ctx);
