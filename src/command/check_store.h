/* command/check_store.h - Splunk's password store as `check` uses it: read once with a limit of time, and asked whether
 * it would take the successor of a refresh token before that token is redeemed. */
#pragma once

#include "splunk/config.h"
#include "splunk/passwords.h"

struct check_store;

struct check_store_calls {
    void (*read)(void *ctx);        /* the store was read, or could not be: once */
    void (*proved)(void *ctx);      /* a proof is there that check_store_prove() was waiting for */
    void  *ctx;
};

struct check_store *check_store_new(struct loop *loop, struct http *http, const struct config *config,
                                    const struct check_store_calls *calls);
void check_store_free(struct check_store *store);       /* NULL is fine */
struct passwords *check_store_passwords(const struct check_store *store);

/* Begins to read it; calls.read may come before this returns. */
void check_store_load(struct check_store *store, const struct config *config);

/* Could it be read? Else why not. */
bool check_store_known(const struct check_store *store, struct err *err);
/* NULL: none of that name, or the store could not be read. Borrowed. */
const char *check_store_secret(const struct check_store *store, const char *name);

enum proof_state { PROOF_WAIT, PROOF_OK, PROOF_FAILED };
/* Writes the stored refresh token over itself, once: a store that takes this takes the next one. */
enum proof_state check_store_prove(struct check_store *store, const char *name, const char *value, struct err *err);
