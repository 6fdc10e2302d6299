/* A store in memory that does as it is told, for tests of what uses one. One claim. */
#pragma once

#include "base/mem.h"
#include "check.h"
#include "state/store.h"

struct fake_store {
    struct store store;
    struct claim claim;
    struct buf   text;                  /* what is stored under the name */
    enum store_found found;             /* what a load says; err is below */
    bool   busy, full, stuck;           /* claims, saves and trials, set_aside() fail */
    struct err err;
    int    saves, trials, set_asides;
    size_t trial_len;                   /* of the last trial */
    const char *kept;                   /* what comes in the place of a text that is put aside; NULL: nothing */
    enum store_durability durability;   /* of the last save */
    bool         saved_ok;      /* the result of the save in flight */
    struct err   saved_err;
};

static inline struct fake_store *fake_store_of(struct claim *claim)
{
    return (struct fake_store *)claim->store;       /* its first member */
}

static bool fake_claim(struct store *store, struct claim *claim UNUSED, struct err *err)
{
    struct fake_store *fake = (struct fake_store *)store;

    *err = fake->err;
    return !fake->busy;
}

static void fake_release(struct claim *claim UNUSED)
{
}

static enum store_found fake_load(struct claim *claim, struct buf *text, struct err *err)
{
    struct fake_store *fake = fake_store_of(claim);

    *err = fake->err;
    if (fake->found == STORE_FOUND)
        buf_add(text, fake->text.data, fake->text.len);
    return fake->found;
}

static bool fake_save(struct claim *claim, const struct buf *text, enum store_durability durability, struct err *err)
{
    struct fake_store *fake = fake_store_of(claim);

    if (fake->full)
        return err_set(err, ERR_RETRY, "the disk is full");
    fake->saves++;
    fake->durability = durability;
    fake->found = STORE_FOUND;
    buf_clear(&fake->text);
    return buf_add(&fake->text, text->data, text->len);
}

static bool fake_holds(struct claim *claim UNUSED)
{
    return true;
}

static bool fake_save_ready(struct store *store UNUSED)
{
    return true;
}

static void fake_save_begin(struct claim *claim, struct buf *text, enum store_durability durability)
{
    struct fake_store *fake = fake_store_of(claim);

    fake->saved_ok = fake_save(claim, text, durability, &fake->saved_err);
    buf_free(text);
}

static bool fake_save_ended(struct store *store, bool *ok, struct err *err)
{
    const struct fake_store *fake = (const struct fake_store *)store;

    *ok = fake->saved_ok;
    *err = fake->saved_err;
    return true;
}

static bool fake_save_wait(struct store *store UNUSED, int64_t until_ms UNUSED)
{
    return true;
}

static void fake_save_give_up(struct store *store UNUSED)
{
}

static int fake_fd(const struct store *store UNUSED)
{
    return -1;
}

static bool fake_writable(struct claim *claim, const char *bytes UNUSED, size_t len, struct err *err)
{
    struct fake_store *fake = fake_store_of(claim);

    fake->trials++;
    fake->trial_len = len;
    return !fake->full || err_set(err, ERR_RETRY, "the disk is full");
}

static bool fake_set_aside(struct claim *claim, struct err *err)
{
    struct fake_store *fake = fake_store_of(claim);

    fake->set_asides++;
    err_prefix(err, "checkpoint cannot be used");
    if (fake->stuck)
        return false;
    fake->found = fake->kept ? STORE_FOUND : STORE_NONE;
    if (fake->kept) {
        buf_clear(&fake->text);
        buf_add_text(&fake->text, fake->kept);
    }
    fake->kept = NULL;
    return true;
}

static void fake_look(struct store *store UNUSED)
{
}

static void fake_free(struct store *store)
{
    buf_free(&((struct fake_store *)store)->text);
}

/* Puts it where it is to stay. The claim is still to be made. */
static inline void fake_store_init(struct fake_store *fake, const struct claim_owner *owner, void *ctx)
{
    static const struct store_ops ops = {
        .claim = fake_claim, .release = fake_release, .load = fake_load, .holds = fake_holds, .save = fake_save,
        .save_ready = fake_save_ready, .save_begin = fake_save_begin, .save_ended = fake_save_ended,
        .save_wait = fake_save_wait, .save_give_up = fake_save_give_up, .fd = fake_fd, .writable = fake_writable,
        .set_aside = fake_set_aside, .look = fake_look, .free = fake_free, .text_most = 1 << 20 };

    *fake = (struct fake_store){ .text = BUF_INIT(1 << 20), .found = STORE_NONE };
    store_init(&fake->store, &ops, NULL);
    fake->claim = (struct claim){ .store = &fake->store, .name = "c", .owner = owner, .ctx = ctx };
}

static inline void fake_store_free(struct fake_store *fake)
{
    store_release(&fake->claim);
    store_free(&fake->store);
}
