#include "state/store.h"

#include <assert.h>

#include "base/clock.h"
#include "base/text.h"

#define SAME_NAME_RETRY_MS 10000

void store_init(struct store *store, const struct store_ops *ops, const struct store_watcher *watcher)
{
    store->ops = ops;
    store->watcher = watcher ? *watcher : (struct store_watcher){ .ctx = NULL };
    store->claims = store->saving = NULL;
    store->questions = store->saves = (struct claim_queue){ .first = NULL };
    store->directly = false;
}

void store_free(struct store *store)
{
    if (store)
        store->ops->free(store);
}

static struct claim_queue *queue_of(const struct claim *claim)
{
    return claim->question == CLAIM_SAVE ? &claim->store->saves : &claim->store->questions;
}

/* Puts a question into its queue. */
static void ask(struct claim *claim, enum claim_question question)
{
    struct store *store = claim->store;
    struct claim_queue *queue;

    assert(claim->question == CLAIM_NOTHING);
    claim->question = question;
    claim->next_question = NULL;
    queue = queue_of(claim);
    *(queue->first ? queue->end : &queue->first) = claim;
    queue->end = &claim->next_question;
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
    struct claim_queue *queue = queue_of(claim);
    struct claim **slot = &queue->first;

    if (!store_asked(claim))
        return;
    if (store->saving == claim) {
        store->ops->save_give_up(store);
        store->saving = NULL;
        claim->question = CLAIM_NOTHING;
        return;
    }
    claim->question = CLAIM_NOTHING;
    while (*slot && *slot != claim)
        slot = &(*slot)->next_question;
    if (!*slot) /* memory ran out while it was being answered */
        return;
    *slot = claim->next_question;
    if (!*slot)
        queue->end = slot;
}

/* Takes the claim out of the list of those that are held. */
static void let_go(struct claim *claim)
{
    claim->held = false;
    *claim->slot = claim->next;
    if (claim->next)
        claim->next->slot = claim->slot;
}

void store_release(struct claim *claim)
{
    if (!claim->store)
        return;
    store_cancel(claim);
    if (!claim->held)
        return;
    let_go(claim);
    claim->store->ops->release(claim);
}

void store_lose(struct claim *claim)
{
    store_cancel(claim);
    let_go(claim);
    ask(claim, CLAIM_LOST);
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

/* Takes the first question out of its queue. */
static struct claim *take_first(struct claim_queue *queue)
{
    struct claim *claim = queue->first;

    queue->first = claim->next_question;
    return claim;
}

static void saved(struct claim *claim, bool ok, const struct err *err)
{
    claim->question = CLAIM_NOTHING; /* its owner may ask again from inside of the answer */
    claim->stored = claim->stored || ok;
    if (ok)
        claim->unsynced = claim->durability != STORE_SYNCED;
    claim->owner->saved(claim->ctx, ok, ok ? NULL : err);
}

/* Starts the first save that waits. */
static void begin_save(struct store *store)
{
    struct claim *claim = store->saves.first;
    struct buf text = BUF_INIT(store->ops->text_most);
    struct err err;
    bool ok;

    if (!store->ops->holds(claim)) /* it is out of the queue */
        return;
    take_first(&store->saves);
    claim->owner->compose(claim->ctx, &text);
    if (store->directly || text.full) {
        ok = store->ops->save(claim, &text, claim->durability, &err);
        buf_free(&text);
        saved(claim, ok, &err);
        return;
    }
    store->saving = claim;
    store->ops->save_begin(claim, &text, claim->durability);
}

static bool can_save(const struct store *store)
{
    return store->saves.first && !store->saving && (store->directly || store->ops->save_ready((struct store *)store));
}

/* Tells the owner of the save in flight, if that has ended. */
static void end_save(struct store *store)
{
    struct claim *claim = store->saving;
    struct err err;
    bool ok;

    if (!store->ops->save_ended(store, &ok, &err) || !claim)
        return;
    store->saving = NULL;
    saved(claim, ok, &err);
}

static void answer_first(struct store *store)
{
    struct claim *claim = take_first(&store->questions);
    enum claim_question question = claim->question;

    claim->question = CLAIM_NOTHING;
    if (question == CLAIM_CLAIM)
        answer_claim(claim);
    else if (question == CLAIM_LOAD)
        answer_load(claim);
    else
        claim->owner->lost(claim->ctx);
}

bool store_pump(struct store *store, int64_t most_ms)
{
    int64_t until_ms = clock_ms() + most_ms;

    do {
        end_save(store);
        if (can_save(store))
            begin_save(store);
        else if (store->questions.first)
            answer_first(store);
        else
            return false;
    } while (clock_ms() < until_ms);
    return store->questions.first || can_save(store);
}

int store_fd(const struct store *store)
{
    return store->ops->fd(store);
}

bool store_settle(struct store *store, int64_t until_ms)
{
    while (store->saving) {
        if (!store->ops->save_wait(store, until_ms))
            return false;
        end_save(store);
    }
    return true;
}

void store_save_directly(struct store *store)
{
    store->directly = true;
}

bool store_writable(struct claim *claim, const char *bytes, size_t len, struct err *err)
{
    bool ok = claim->store->ops->writable(claim, bytes, len, err);

    return claim->held ? ok : err_set(err, ERR_RETRY, "another process works on this input");
}

bool store_set_aside(struct claim *claim, struct err *err)
{
    return claim->store->ops->set_aside(claim, err);
}

void store_look(struct store *store)
{
    store->ops->look(store);
}
