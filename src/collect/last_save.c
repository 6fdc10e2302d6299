#include "collect/last_save.h"

#include "base/clock.h"

/* Saves one input. */
static void save_one(struct store *store, struct tenant *tenant, uint64_t taken, int64_t sync_until_ms)
{
    enum store_durability durability = clock_ms() < sync_until_ms ? STORE_SYNCED : STORE_WRITTEN;

    if (durability == STORE_WRITTEN)
        store_save_directly(store);
    tenant_save_last(tenant, taken, durability);
    store_pump(store, 0);
    if (store_settle(store, sync_until_ms))
        return;
    store_save_directly(store);
    tenant_ends(tenant);
    tenant_save_last(tenant, taken, STORE_WRITTEN);
    store_pump(store, 0);
}

/* Returns the position up to which splunkd has the stream. If it closed its end and asked nobody to stop, it crashed,
 * and what it took within the last minute may be lost with it. */
static uint64_t kept_by_splunkd(const struct outbox *outbox)
{
    bool crashed = !loop_signaled() && outbox_reader_gone(outbox);

    return crashed ? outbox_settled(outbox, clock_ms()) : outbox_taken(outbox);
}

static void end_all(const struct last_save *save)
{
    size_t i;

    for (i = 0; i < save->count; i++)
        tenant_ends(save->tenants[i]);
}

void last_save_all(const struct last_save *save, int64_t sync_until_ms)
{
    struct store *store = save->env->store;
    uint64_t taken = kept_by_splunkd(save->env->outbox);
    size_t i;

    store_settle(store, sync_until_ms);
    end_all(save);
    store_look(store);
    for (i = 0; i < save->count; i++)
        save_one(store, save->tenants[i], taken, sync_until_ms);
}

/* Of an input only what a checkpoint may hold is certain to be consistent. */
void last_save_now(const struct last_save *save, int wait_ms)
{
    struct store *store = save->env->store;
    uint64_t taken;
    size_t i;

    outbox_break_off(save->env->outbox, wait_ms);
    taken = outbox_taken(save->env->outbox);
    store_save_directly(store);
    end_all(save);
    for (i = 0; i < save->count; i++) {
        tenant_save_last(save->tenants[i], taken, STORE_WRITTEN);
        store_pump(store, 0);
    }
}
