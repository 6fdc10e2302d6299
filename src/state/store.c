#include "state/store.h"

#include <assert.h>

#include "base/clock.h"
#include "base/text.h"

#define SAME_NAME_RETRY_MS 10000

void store_init(struct store *store, const struct store_ops *ops, const struct store_watcher *watcher)
{
    store->ops = ops;
    store->watcher = watcher ? *watcher : (struct store_watcher){ .ctx = NULL };
    store->claims = store->questions = NULL;
    store->questions_end = &store->questions;
}

void store_free(struct store *store)
{
    if (store)
        store->ops->free(store);
}

/* Puts a question into the queue. */
static void ask(struct claim *claim, enum claim_question question)
{
    struct store *store = claim->store;

    assert(claim->question == CLAIM_NOTHING);
    claim->question = question;
    claim->next_question = NULL;
    *store->questions_end = claim;
    store->questions_end = &claim->next_question;
    if (store->watcher.asked)
        store->watcher.asked(store->watcher.ctx);
}

void store_claim(struct claim *claim)
{
    ask(claim, CLAIM_CLAIM);
}

void store_load(struct claim *claim)
{
    ask(claim, CLAIM_LOAD);
}

void store_save(struct claim *claim, enum store_durability durability)
{
    claim->durability = durability;
    ask(claim, CLAIM_SAVE);
}

bool store_asked(const struct claim *claim)
{
    return claim->question != CLAIM_NOTHING;
}

void store_cancel(struct claim *claim)
{
    struct store *store = claim->store;
    struct claim **slot = &store->questions;

    if (!store_asked(claim))
        return;
    while (*slot != claim)
        slot = &(*slot)->next_question;
    *slot = claim->next_question;
    if (!*slot)
        store->questions_end = slot;
    claim->question = CLAIM_NOTHING;
}

void store_release(struct claim *claim)
{
    if (!claim->store)
        return;
    store_cancel(claim);
    if (!claim->held)
        return;
    claim->held = false;
    *claim->slot = claim->next;
    if (claim->next)
        claim->next->slot = claim->slot;
    claim->store->ops->release(claim);
}

/* Returns true if another claim of this process holds the name. */
static bool is_held_here(const struct claim *claim, struct err *err)
{
    const struct claim *other;

    for (other = claim->store->claims; other; other = other->next)
        if (text_same(other->name, claim->name)) {
            err_set(err, ERR_RETRY, "another input of this process has the same name");
            err->wait_ms = SAME_NAME_RETRY_MS;
            return true;
        }
    return false;
}

static void answer_claim(struct claim *claim)
{
    struct store *store = claim->store;
    struct err err;

    if (is_held_here(claim, &err) || !store->ops->claim(store, claim, &err)) {
        claim->owner->busy(claim->ctx, &err);
        return;
    }
    claim->held = true;
    claim->next = store->claims;
    claim->slot = &store->claims;
    if (claim->next)
        claim->next->slot = &claim->next;
    store->claims = claim;
    claim->owner->claimed(claim->ctx);
}

static void answer_load(struct claim *claim)
{
    struct buf text = BUF_INIT(claim->store->ops->text_most);
    struct err err;
    enum store_found found = claim->store->ops->load(claim, &text, &err);

    claim->stored = found == STORE_FOUND;
    claim->owner->loaded(claim->ctx, found, &text, &err);
    buf_free(&text);
}

static void answer_save(struct claim *claim)
{
    struct buf text = BUF_INIT(claim->store->ops->text_most);
    struct err err;
    bool ok;

    claim->owner->compose(claim->ctx, &text);
    ok = claim->store->ops->save(claim, &text, claim->durability, &err);
    buf_free(&text);
    claim->stored = claim->stored || ok;
    claim->owner->saved(claim->ctx, ok, ok ? NULL : &err);
}

static void answer_first(struct store *store)
{
    struct claim *claim = store->questions;
    enum claim_question question = claim->question;

    store->questions = claim->next_question;
    if (!store->questions)
        store->questions_end = &store->questions;
    claim->question = CLAIM_NOTHING;        /* its owner may ask again from inside of the answer */
    switch (question) {
    case CLAIM_CLAIM:
        answer_claim(claim);
        break;
    case CLAIM_LOAD:
        answer_load(claim);
        break;
    case CLAIM_SAVE:
        answer_save(claim);
        break;
    case CLAIM_NOTHING:
        break;
    }
}

bool store_pump(struct store *store, int64_t most_ms)
{
    int64_t until_ms = clock_ms() + most_ms;

    do {
        if (!store->questions)
            return false;
        answer_first(store);
    } while (clock_ms() < until_ms);
    return store->questions != NULL;
}

bool store_writable(struct claim *claim, const char *bytes, size_t len, struct err *err)
{
    return claim->store->ops->writable(claim, bytes, len, err);
}

bool store_set_aside(struct claim *claim, struct err *err)
{
    return claim->store->ops->set_aside(claim, err);
}

void store_look(struct store *store)
{
    store->ops->look(store);
}
