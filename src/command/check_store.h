/* command/check_store.h - Splunk's password store for `check`: read once, with a time limit, and tested for whether it
 * would take the successor of a refresh token before that token is redeemed. */
#pragma once

#include "splunk/config.h"
#include "splunk/passwords.h"

struct check_store;

struct check_store_calls {
    void (*read)(void *ctx);   /* called once: the store was read, or could not be */
    void (*proved)(void *ctx); /* a result of check_store_prove() is there */
    void *ctx;
};

/* Never returns NULL. Copies *calls. loop and http must outlive it. */
struct check_store *check_store_new(struct loop *loop, struct http *http, const struct config *config,
                                    const struct check_store_calls *calls);
void check_store_free(struct check_store *store); /* NULL is allowed */
struct passwords *check_store_passwords(const struct check_store *store);

/* Starts to read it. calls.read may be called before this returns. */
void check_store_load(struct check_store *store, const struct config *config);

/* Returns true if it was read; otherwise err says why not. */
bool check_store_known(const struct check_store *store, struct err *err);
/* Returns a secret, or NULL if there is none or the store could not be read. Borrowed. */
const char *check_store_secret(const struct check_store *store, const char *name);

enum proof_state { PROOF_WAIT, PROOF_OK, PROOF_FAILED };
/* Stores the refresh token again, once: a store that takes it takes its successor. */
enum proof_state check_store_prove(struct check_store *store, const char *name, const char *value, struct err *err);
