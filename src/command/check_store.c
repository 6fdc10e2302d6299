#include "command/check_store.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define MOST_MS 5000

struct proof {
    struct proof *next;
    struct check_store *store;
    char *name;
    enum proof_state state;
    struct err err;
};

struct check_store {
    struct loop *loop;
    struct rest *rest;
    struct passwords *passwords;
    struct check_store_calls calls;
    struct timer timer;
    bool read, known;
    struct err err;
    struct proof *proofs;
};

static void store_loaded(void *ctx, bool ok, const struct err *err)
{
    struct check_store *store = ctx;

    if (store->read)
        return;
    store->read = true;
    rest_hurry(store->rest, 0); /* a renewed refresh token must not be lost */
    timer_cancel(store->loop, &store->timer);
    store->known = ok;
    if (!ok) {
        err_set(&store->err, err->kind, "Splunk's password store could not be read: %s", err->text);
        err_blame(&store->err, err);
    }
    store->calls.read(store->calls.ctx);
}

static void store_late(void *ctx, int64_t now_ms UNUSED)
{
    struct err err;

    err_set(&err, ERR_RETRY, "splunkd did not answer within %d s", MOST_MS / 1000);
    diagnosis_blame(&err, DIAGNOSIS_SPLUNKD_BUSY);
    store_loaded(ctx, false, &err);
}

struct check_store *check_store_new(struct loop *loop, struct http *http, const struct config *config,
                                    const struct check_store_calls *calls)
{
    struct check_store *store = mem_alloc(sizeof(*store));

    *store = (struct check_store){ .loop = loop, .calls = *calls, .timer = { .fire = store_late, .ctx = store } };
    store->rest = rest_new(loop, http, config->server_uri, config->session_key, getenv("SPLUNK_HOME"));
    store->passwords = passwords_new(store->rest);
    return store;
}

void check_store_free(struct check_store *store)
{
    struct proof *proof;

    if (!store)
        return;
    while ((proof = store->proofs)) {
        store->proofs = proof->next;
        free(proof->name);
        free(proof);
    }
    passwords_free(store->passwords);
    rest_free(store->rest);
    free(store);
}

struct passwords *check_store_passwords(const struct check_store *store)
{
    return store->passwords;
}

void check_store_load(struct check_store *store, const struct config *config)
{
    struct err err;

    if (text_empty(config->session_key) || text_empty(config->server_uri)) {
        err_set(&err, ERR_INPUT, "the XML on stdin has no session key");
        store_loaded(store, false, &err);
        return;
    }
    timer_set(store->loop, &store->timer, clock_ms() + MOST_MS);
    rest_hurry(store->rest, MOST_MS / 1000);
    passwords_load(store->passwords, store_loaded, store);
}

bool check_store_known(const struct check_store *store, struct err *err)
{
    if (!store->known)
        *err = store->err;
    return store->known;
}

const char *check_store_secret(const struct check_store *store, const char *name)
{
    return store->known ? passwords_get(store->passwords, name) : NULL;
}

static void proof_stored(void *ctx, bool ok, const struct err *err)
{
    struct proof *proof = ctx;

    proof->state = ok ? PROOF_OK : PROOF_FAILED;
    if (!ok)
        proof->err = *err;
    proof->store->calls.proved(proof->store->calls.ctx);
}

static struct proof *proof_get(struct check_store *store, const char *name, const char *value)
{
    struct proof *proof;

    for (proof = store->proofs; proof; proof = proof->next)
        if (text_same(proof->name, name))
            return proof;
    proof = mem_alloc(sizeof(*proof));
    *proof = (struct proof){ .store = store, .name = mem_text(name), .state = PROOF_WAIT, .next = store->proofs };
    store->proofs = proof;
    passwords_rotate(store->passwords, name, value, value, NULL, proof_stored, proof);
    return proof;
}

enum proof_state check_store_prove(struct check_store *store, const char *name, const char *value, struct err *err)
{
    const struct proof *proof = proof_get(store, name, value);

    if (proof->state == PROOF_FAILED)
        *err = proof->err;
    return proof->state;
}
