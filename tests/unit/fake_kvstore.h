/* A KV store in memory, in place of the transport (fake_http.h): what splunkd answers to kvstore.c's requests. Requests
 * are answered one at a time, and timers fire when no request is in flight, without a wait. One exists at a time. */
#pragma once

#include "base/json.h"
#include "net/loop.h"

struct fake_kvstore {
    cJSON *records; /* key -> record; of both collections, as their keys differ */

    /* How it departs from what Splunk's store does. */
    bool overwrites;    /* an insert whose key is taken replaces */
    bool forgets;       /* what is written is not there afterwards */
    bool adds_only;     /* a batch replaces nothing */
    bool keeps;         /* nothing is deleted */
    bool finds_nothing; /* by queries for a group */
    bool wants_plain;   /* queries of a batch with order or limit are refused */
    int lags;           /* so many reads by key see nothing */
    int doubles;        /* so many inserts are sent twice by the transport */

    /* What is answered in its place: to requests that begin with this URL ... */
    const char *at;     /* NULL: to none */
    const char *method; /* ... and are of this operation: "batch_save", "batch_find", "query", "insert", "delete"; NULL: any */
    int skip;           /* ... but for the first ones */
    int times;          /* ... so often; 0: always */
    int status;         /* 0: no answer */
    bool applied;       /* the store does what was asked all the same */
    const char *body;
    size_t answer_most; /* bytes of an answer; a larger one is broken off, as by the transport; 0: any */

    /* What was asked. */
    int calls, saves, finds;
    size_t saved_records, saved_bytes; /* of batches that were answered with 200 */
    size_t largest_batch;
    char last_url[1024], last_authorization[256];
};

/* Begins: from now on http_start() asks this one. */
void fake_kvstore_begin(struct fake_kvstore *store);
void fake_kvstore_end(struct fake_kvstore *store);
/* Answers and fires until there is nothing left. */
void fake_kvstore_settle(void);
/* Fires the timer that is due first. Returns false if none is set. */
bool fake_kvstore_fire(void);
/* Returns when that timer is due; INT64_MAX: none is set. */
int64_t fake_kvstore_due_ms(void);
/* Answers one request. Returns false if none is in flight. */
bool fake_kvstore_answer(void);
/* Returns a text member of a record; NULL: there is none. */
const char *fake_kvstore_text(const struct fake_kvstore *store, const char *key, const char *member);
size_t fake_kvstore_count(const struct fake_kvstore *store, const char *kind);
