/* The store of files as its owners see it: questions, answers, saves in flight, and a name that another process
 * takes. */
#include "state/store_file.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "check.h"
#include "state/lock.h"

static char dir[] = "/tmp/test_store_saving_XXXXXX";
static char lock_path[80];

struct owner {
    struct claim claim;
    struct buf   log;
    const char  *text;      /* what it saves; NULL: more than fits */
    bool         again;     /* it saves once more when a save has ended */
};

static void note(struct owner *owner, const char *word)
{
    buf_add_format(&owner->log, "%s%s", owner->log.len ? " " : "", word);
}

static void claimed(void *ctx)
{
    note(ctx, "claimed");
}

static void busy(void *ctx, const struct err *err)
{
    CHECK(err->kind == ERR_RETRY && err->wait_ms > 0, "%s", err->text);
    note(ctx, "busy");
}

static void loaded(void *ctx, enum store_found found, const struct buf *text, const struct err *err UNUSED)
{
    note(ctx, found == STORE_FOUND ? buf_text(text) : found == STORE_NONE ? "none" : "failed");
}

static void compose(void *ctx, struct buf *text)
{
    const struct owner *owner = ctx;

    if (owner->text)
        buf_add_text(text, owner->text);
    else
        text->full = true;
}

static void saved(void *ctx, bool ok, const struct err *err)
{
    struct owner *owner = ctx;

    CHECK(ok == !err, "an error without a failure");
    note(owner, ok ? "saved" : strstr(err->text, "would be larger") ? "larger" : "unsaved");
    if (!owner->again)
        return;
    owner->again = false;
    store_save(&owner->claim, STORE_WRITTEN);
}

static void vanished(void *ctx)
{
    note(ctx, "vanished");
}

static void lost(void *ctx)
{
    note(ctx, "lost");
}

static const struct claim_owner owner_calls = { claimed, busy, loaded, compose, saved, vanished, lost };

static void owner_init(struct owner *owner, struct store *store, const char *name)
{
    *owner = (struct owner){ .log = BUF_INIT(4096), .text = "first" };
    owner->claim = (struct claim){ .store = store, .name = name, .owner = &owner_calls, .ctx = owner };
}

static void owner_free(struct owner *owner)
{
    store_release(&owner->claim);
    buf_free(&owner->log);
}

/* Pumps as the loop does until nothing is left to be answered. */
static void settle(struct store *store, const struct owner *owner)
{
    struct pollfd pfd = { .fd = store_fd(store), .events = POLLIN };
    int64_t until_ms = clock_ms() + 10000;

    while (store_asked(&owner->claim) && clock_ms() < until_ms)
        if (!store_pump(store, 10))
            poll(&pfd, 1, 100);
    CHECK(!store_asked(&owner->claim), "no answer");
}

static void check_log(struct owner *owner, const char *want)
{
    CHECK_TEXT(buf_text(&owner->log), want);
    buf_clear(&owner->log);
}

/* promise: Checkpoints: A checkpoint that could not be read back is not written */
static void test_save_and_load(void **state UNUSED)
{
    struct store *store = store_file_new(dir, NULL);
    struct owner a, b;

    owner_init(&a, store, "a");
    owner_init(&b, store, "b");
    store_claim(&a.claim);
    store_claim(&b.claim);
    settle(store, &b);
    store_load(&a.claim);
    settle(store, &a);
    check_log(&a, "claimed none");
    a.again = true;
    store_save(&a.claim, STORE_SYNCED);
    CHECK(store_asked(&a.claim), "it waits");
    store_save(&b.claim, STORE_SYNCED);
    settle(store, &a);
    settle(store, &b);
    check_log(&a, "saved saved");
    check_log(&b, "claimed saved");
    a.text = NULL;
    store_save(&a.claim, STORE_SYNCED);
    settle(store, &a);
    store_load(&a.claim);
    settle(store, &a);
    check_log(&a, "larger first");
    owner_free(&a);
    owner_free(&b);
    store_free(store);
}

/* Nothing of a save that was given up reaches the disk later, and the claim is free for another question at once. */
static void test_cancel_and_directly(void **state UNUSED)
{
    struct store *store = store_file_new(dir, NULL);
    struct owner a;
    int i;

    owner_init(&a, store, "a");
    store_claim(&a.claim);
    settle(store, &a);
    for (i = 0; i < 20; i++) {
        a.text = "given up";
        store_save(&a.claim, STORE_SYNCED);
        store_pump(store, 0);
        store_cancel(&a.claim);
        CHECK(!store_asked(&a.claim), "given up");
        a.text = "last";
        store_save(&a.claim, STORE_SYNCED);
        settle(store, &a);
        store_load(&a.claim);
        settle(store, &a);
    }
    buf_clear(&a.log);
    a.text = "in flight";
    store_save(&a.claim, STORE_SYNCED);
    store_pump(store, 0);
    store_cancel(&a.claim);
    store_save_directly(store);
    a.text = "directly";
    store_save(&a.claim, STORE_WRITTEN);
    store_pump(store, 0);
    CHECK(store_settle(store, clock_ms() + 10000), "nothing is in flight");
    store_load(&a.claim);
    settle(store, &a);
    check_log(&a, "saved directly");
    owner_free(&a);
    store_free(store);
}

/* The ledger is written before the text, and holds nothing up. */
static void test_ledger(void **state UNUSED)
{
    struct store *store = store_file_new(dir, NULL);
    CLEANUP(mem_freep) char *path = store_file_ledger_path(dir, "a"), *folder = mem_format("%s/ledger", dir);
    ticks now = ledger_day_begin(20000);
    uint64_t versions = 0, sum;
    struct owner a;
    struct err err = { .text = "" };

    for (int directly = 0; directly < 2; directly++) {
        struct ledger *ledger = ledger_new("x");

        owner_init(&a, store, "a");
        a.claim.ledger = ledger;
        store_claim(&a.claim);
        settle(store, &a);
        ledger_begin(ledger, now, true);
        for (uint64_t i = 1; i <= 3; i++) {
            ledger_add(ledger, i << 32, now, i);
            ledger_prepare(ledger, i, now);
            store_save(&a.claim, STORE_SYNCED);
            settle(store, &a);
        }
        check_log(&a, "claimed saved saved saved");
        CHECK(ledger_sum(ledger, 20000, &versions, &sum, &err) && versions == 3 && sum == 6, "%s", err.text);
        unlink(path);
        rmdir(folder);
        store_save(&a.claim, STORE_SYNCED);
        settle(store, &a);
        CHECK(ledger_trouble(ledger, &err) && ledger_unsaved(ledger), "its folder is gone");
        store_save(&a.claim, STORE_SYNCED);
        settle(store, &a);
        check_log(&a, "saved saved");
        CHECK(!ledger_unsaved(ledger) && !access(path, F_OK), "and is made again");
        owner_free(&a);
        ledger_free(ledger);
        unlink(path);
        rmdir(folder);
        store_save_directly(store);
    }
    store_free(store);
}

/* promise: Checkpoints: A process that has lost its lock file stops reading until it owns the lock */
static void test_lost(void **state UNUSED)
{
    struct store *store = store_file_new(dir, NULL), *other;
    struct owner a, b, thief;
    struct err err;

    owner_init(&a, store, "a");
    owner_init(&b, store, "b");
    store_claim(&a.claim);
    store_claim(&b.claim);
    settle(store, &b);
    unlink(lock_path);
    other = store_file_new(dir, NULL);
    owner_init(&thief, other, "a");
    store_claim(&thief.claim);
    settle(other, &thief);
    check_log(&thief, "claimed");       /* of the open file: this process counts as another one */
    CHECK(!store_writable(&a.claim, "x", 1, &err) && strstr(err.text, "another process"), "%s", err.text);
    CHECK(store_writable(&b.claim, "x", 1, &err), "%s", err.text);
    settle(store, &a);
    check_log(&a, "claimed lost");
    check_log(&b, "claimed vanished");
    store_claim(&a.claim);
    settle(store, &a);
    owner_free(&thief);
    store_free(other);
    store_claim(&a.claim);
    settle(store, &a);
    check_log(&a, "busy claimed");
    owner_free(&a);
    owner_free(&b);
    store_free(store);
}

/* A save that waits, or is in flight, when the name is lost goes no further. */
static void test_lost_while_saving(void **state UNUSED)
{
    struct store *store = store_file_new(dir, NULL), *other;
    struct owner a, thief;

    owner_init(&a, store, "a");
    store_claim(&a.claim);
    settle(store, &a);
    unlink(lock_path);
    other = store_file_new(dir, NULL);
    owner_init(&thief, other, "a");
    store_claim(&thief.claim);
    settle(other, &thief);
    thief.text = "of the thief";
    store_save(&thief.claim, STORE_SYNCED);
    settle(other, &thief);
    a.text = "out of date";
    store_save(&a.claim, STORE_SYNCED);
    settle(store, &a);
    check_log(&a, "claimed lost");
    store_load(&thief.claim);
    settle(other, &thief);
    check_log(&thief, "claimed saved of the thief");
    owner_free(&a);
    owner_free(&thief);
    store_free(store);
    store_free(other);
}

static int set_up(void **state UNUSED)
{
    if (!mkdtemp(dir))
        return -1;
    snprintf(lock_path, sizeof(lock_path), "%s/defender_alerts.lock", dir);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    static const char *const names[] = { "a.json", "b.json", "a.json.tmp", "a.json.last", "b.json.tmp" };
    char path[128];
    size_t i;

    for (i = 0; i < COUNT_OF(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    unlink(lock_path);
    rmdir(dir);
    return 0;
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_save_and_load),
    cmocka_unit_test(test_cancel_and_directly),
    cmocka_unit_test(test_ledger),
    cmocka_unit_test(test_lost),
    cmocka_unit_test(test_lost_while_saving),
};

UNIT(store_saving, cases, set_up, tear_down)
