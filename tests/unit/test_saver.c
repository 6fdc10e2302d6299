/* When an input's progress is saved, against a store in memory. */
#include "collect/saver.h"

#include "fake_store.h"
#include "scene.h"
#include "settle.h"

#define NOW INT64_C(1000000)

struct fixture {
    struct scene      scene;
    struct fake_store fake;
    struct saver      saver;
    int64_t           now_ms;
};

static void ignore(void *ctx UNUSED)
{
}

static void compose(void *ctx, struct buf *text)
{
    saver_compose(&((struct fixture *)ctx)->saver, text);
}

static void saved(void *ctx, bool ok, const struct err *err)
{
    struct fixture *f = ctx;

    saver_saved(&f->saver, ok, err, f->now_ms);
}

static const struct claim_owner owner = { .claimed = ignore, .compose = compose, .saved = saved };

/* A window up to this time was read; its last event ends at pos. */
static void read_up_to(struct fixture *f, const char *text, uint64_t pos)
{
    struct progress *progress = &f->scene.feed.progress;
    struct window window = { progress->cursor.watermark, TICKS_OPEN };
    ticks time = scene_time(text);

    dedup_add(progress->dedup, (struct dedup_entry){ .key = dedup_key(text, strlen(text), time), .time = time,
                                                      .pos = pos });
    f->scene.feed.event_pos = pos;
    progress_read(progress, WORKER_LIVE, &window, &(struct page_stats){ .count = 1, .oldest = time, .newest = time }, 0, time, pos,
                  f->now_ms += 5000);
}

static bool tick(struct fixture *f, uint64_t settled, int64_t now_ms)
{
    int before = f->fake.saves;

    f->now_ms = now_ms;
    saver_tick(&f->saver, settled, now_ms);
    settle(&f->fake.store, &f->fake.claim);
    return f->fake.saves > before;
}

/* The watermark that is stored. */
static ticks stored(struct fixture *f)
{
    struct checkpoint checkpoint = { .imported_count = 0 };
    struct dedup *dedup = dedup_new();
    struct err err;
    ticks ret = 0;

    if (f->fake.text.len) {
        CHECK(checkpoint_parse(buf_text(&f->fake.text), f->fake.text.len, &checkpoint, dedup, &err), "%s", err.text);
        ret = checkpoint.cursor.watermark;
    }
    checkpoint_release(&checkpoint);
    dedup_free(dedup);
    return ret;
}

#define T1 SCENE_DAY "01:00:00Z"
#define T2 SCENE_DAY "02:00:00Z"
#define T3 SCENE_DAY "03:00:00Z"

/* Nothing counts as read before splunkd has safely taken its events. */
static void test_saves_what_is_safe(void **state)
{
    struct fixture *f = *state;

    read_up_to(f, T1, 100);
    read_up_to(f, T2, 200);
    CHECK(!tick(f, 0, NOW), "saved although nothing is safe");
    tick(f, 99, NOW);
    CHECK(stored(f) <= scene_time(SCENE_BEGIN) && !strstr(buf_text(&f->fake.text), T1), "half an event is safe");
    CHECK(tick(f, 100, NOW + 120000), "not saved");
    CHECK(stored(f) == scene_time(T1), "the cursor is ahead of its events");
    CHECK(f->fake.durability == STORE_SYNCED, "a regular save survives the host");
    CHECK(dedup_has(f->scene.feed.progress.dedup, dedup_key(T2, strlen(T2), scene_time(T2))),
          "a version that was not saved yet is forgotten");
    CHECK(!strstr(buf_text(&f->fake.text), T2), "a version whose event is not safe is saved");
}

static void test_not_more_often_than_every_two_minutes(void **state)
{
    struct fixture *f = *state;

    read_up_to(f, T1, 100);
    CHECK(tick(f, 100, NOW), "the first one at once");
    read_up_to(f, T2, 200);
    CHECK(!tick(f, 200, NOW + 119999), "too soon");
    CHECK(tick(f, 200, NOW + 120000), "not saved");
    CHECK(stored(f) == scene_time(T2), "something older is stored");
}

static void test_when_to_look(void **state)
{
    struct fixture *f = *state;

    CHECK(saver_look_ms(&f->saver) == INT64_MAX, "nothing was read");
    read_up_to(f, T1, 100);
    CHECK(saver_look_ms(&f->saver) <= NOW, "the first save is due at once");
    CHECK(tick(f, 100, NOW) && saver_look_ms(&f->saver) == INT64_MAX, "everything is saved");
    read_up_to(f, T2, 200);
    CHECK(saver_look_ms(&f->saver) == NOW + SAVER_EVERY_MS, "no save comes before then");
    CHECK(tick(f, 200, NOW + SAVER_EVERY_MS) && saver_look_ms(&f->saver) == INT64_MAX, "everything is saved again");
    f->saver.changed = true;
    CHECK(saver_look_ms(&f->saver) == NOW + 2 * SAVER_EVERY_MS, "something besides the cursor has changed");
}

/* What the shared store should know between two saves, once a minute at most. */
static void test_share(void **state)
{
    static const struct {
        int64_t ms; /* after the first save */
        bool reads, shares, saves;
    } rows[] = {
        { 30000, true, false, false },   { 59999, false, false, false }, { 60000, false, true, false },
        { 70000, true, false, false },   { 119999, true, false, false }, { 120000, false, false, true },
        { 179999, true, false, false },  { 180000, false, true, false }, { 240000, false, false, true },
        { 300000, false, false, false }, { 310000, true, true, false },
        { 360000, false, false, true },
    };
    struct fixture *f = *state;
    size_t i;

    read_up_to(f, T1, 100);
    CHECK(tick(f, 100, NOW), "the first one at once");
    for (i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(mem_freep) char *time = mem_format(SCENE_DAY "02:%02zu:00Z", i);
        struct buf text = BUF_INIT(1 << 16);
        uint64_t pos = 200 + i;

        if (rows[i].reads)
            read_up_to(f, time, pos);
        if (!rows[i].saves)
            CHECK(saver_share(&f->saver, pos, NOW + rows[i].ms, &text) == rows[i].shares, "row %zu", i);
        CHECK(!rows[i].shares == !text.len && (!text.len || strstr(buf_text(&text), "02:")), "row %zu: '%s'", i,
              buf_text(&text));
        CHECK(tick(f, pos, NOW + rows[i].ms) == rows[i].saves, "row %zu: a save", i);
        buf_free(&text);
    }
}

static void test_not_without_news(void **state)
{
    struct fixture *f = *state;

    CHECK(!saver_has_news(&f->saver, 0) && !tick(f, 0, NOW), "nothing was read");
    read_up_to(f, T1, 100);
    CHECK(tick(f, 100, NOW), "the first one");
    CHECK(!saver_has_news(&f->saver, 100) && !tick(f, 100, NOW + 500000), "nothing was read since");
    CHECK(!tick(f, 900, NOW + 600000), "other inputs wrote");
    f->saver.changed = true;
    CHECK(tick(f, 900, NOW + 700000), "something besides the cursor has changed");
    CHECK(!f->saver.changed && !tick(f, 900, NOW + 900000), "saved once");
}

/* An event without a new watermark: the version must be remembered all the same. */
static void test_a_late_alert_is_news(void **state)
{
    struct fixture *f = *state;
    struct progress *progress = &f->scene.feed.progress;
    struct hash128 key = dedup_key("late", 4, 0);

    read_up_to(f, T1, 100);
    CHECK(tick(f, 100, NOW), "the first one");
    dedup_add(progress->dedup, (struct dedup_entry){ .key = key, .time = scene_time(SCENE_DAY "00:55:00Z"),
                                                      .pos = 300 });
    f->scene.feed.event_pos = 300;
    CHECK(!saver_has_news(&f->saver, 100), "its event is not safe");
    CHECK(tick(f, 300, NOW + 200000), "not saved");
    CHECK(strstr(buf_text(&f->fake.text), "00:55:00"), "it is not in the checkpoint");
}

static void test_a_save_that_fails(void **state)
{
    struct fixture *f = *state;

    read_up_to(f, T1, 100);
    CHECK(tick(f, 100, NOW), "the first one");
    f->saver.changed = true;
    read_up_to(f, T2, 200);
    f->fake.full = true;
    CHECK(!tick(f, 200, NOW + 200000) && f->saver.fails, "it fails");
    CHECK(f->saver.changed && saver_has_news(&f->saver, 200), "its news are news again");
    CHECK(dedup_has(f->scene.feed.progress.dedup, dedup_key(T1, strlen(T1), scene_time(T1))),
          "a version that the stored checkpoint needs is forgotten");
    f->fake.full = false;
    CHECK(!tick(f, 200, NOW + 204999), "too soon after the failure");
    CHECK(tick(f, 200, NOW + 205000), "it is not tried again");
    CHECK(!f->saver.fails && !f->saver.changed && stored(f) == scene_time(T2), "it recovers");
    CHECK(!dedup_has(f->scene.feed.progress.dedup, dedup_key(T1, strlen(T1), scene_time(T1))), "nothing is pruned");
}

static void test_a_canceled_save_is_news_again(void **state)
{
    struct fixture *f = *state;

    read_up_to(f, T1, 100);
    CHECK(tick(f, 100, NOW), "the first one");
    f->saver.changed = true;
    read_up_to(f, T2, 200);
    CHECK(saver_save(&f->saver, 200, STORE_SYNCED) && !f->saver.changed, "under way");
    CHECK(!saver_save(&f->saver, 200, STORE_SYNCED), "a second one beside it");
    saver_cancel(&f->saver);
    settle(&f->fake.store, &f->fake.claim);
    CHECK(f->fake.saves == 1 && stored(f) == scene_time(T1), "%d saves", f->fake.saves);
    CHECK(f->saver.changed && saver_has_news(&f->saver, 200), "its news are lost");
    saver_cancel(&f->saver);
    CHECK(saver_save(&f->saver, 200, STORE_WRITTEN), "the last save");
    settle(&f->fake.store, &f->fake.claim);
    CHECK(stored(f) == scene_time(T2) && f->fake.durability == STORE_WRITTEN, "something older is stored");
}

/* What is read between the question and its turn waits for the next save, if its events are not safe. */
static void test_composed_in_turn(void **state)
{
    struct fixture *f = *state;

    read_up_to(f, T1, 100);
    CHECK(saver_save(&f->saver, 100, STORE_SYNCED), "under way");
    read_up_to(f, T2, 200);
    settle(&f->fake.store, &f->fake.claim);
    CHECK(stored(f) == scene_time(T1) && f->saver.saved_pos == 100, "saved up to %llu",
          (unsigned long long)f->saver.saved_pos);
    CHECK(saver_has_news(&f->saver, 200), "the rest is news");
}

static void test_nothing_may_be_saved_before_the_beginning(void **state)
{
    struct fixture *f = *state;

    progress_release(&f->scene.feed.progress);
    progress_init(&f->scene.feed.progress, 900);
    f->saver.changed = true;
    CHECK(!saver_has_news(&f->saver, 100) && !saver_save(&f->saver, 100, STORE_SYNCED), "no cursor is set");
    CHECK(f->saver.changed && !store_asked(&f->fake.claim), "the change is lost");
}

/* A checkpoint that somebody deletes is written again. */
static void test_vanished(void **state)
{
    struct fixture *f = *state;

    read_up_to(f, T1, 100);
    CHECK(tick(f, 100, NOW), "the first one");
    saver_vanished(&f->saver);
    CHECK(tick(f, 100, NOW + 1), "it is not written again at once");
}

/* promise: Checkpoints: While a checkpoint cannot be written, events are held back. None is lost. */
static void test_writable(void **state)
{
    struct fixture *f = *state;
    struct err err = { .text = "" };

    CHECK(saver_writable(&f->saver, &err) && f->fake.trial_len == 4096, "a block is tried: %zu", f->fake.trial_len);
    f->fake.full = true;
    CHECK(!saver_writable(&f->saver, &err) && f->saver.fails && !strcmp(err.text, "the disk is full"), "%s", err.text);
    f->fake.full = false;
    for (int i = 0; i < 300; i++)
        dedup_add(f->scene.feed.progress.dedup, (struct dedup_entry){ .key = dedup_key((char *)&i, sizeof(i), 1),
                                                                      .time = scene_time(T1), .pos = 0 });
    CHECK(saver_writable(&f->saver, &err) && f->fake.trial_len > 300 * 50, "after a failure all of it is tried: %zu",
          f->fake.trial_len);
    read_up_to(f, T1, 100);
    CHECK(tick(f, 100, NOW) && !f->saver.fails, "a save ends it");
    CHECK(saver_writable(&f->saver, &err) && f->fake.trial_len == 4096, "a block is enough again: %zu",
          f->fake.trial_len);
}

static int open_fixture(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){ .now_ms = 0 };
    scene_open(&fixture.scene, &api_graph);
    fake_store_init(&fixture.fake, &owner, &fixture);
    store_claim(&fixture.fake.claim);
    settle(&fixture.fake.store, &fixture.fake.claim);
    saver_init(&fixture.saver, &fixture.scene.feed, &fixture.fake.claim);
    checkpoint_assign(&fixture.saver.checkpoint, "tenant", "graph");
    saver_starts_from(&fixture.saver, &fixture.scene.feed.progress.cursor);
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;

    fake_store_free(&f->fake);
    saver_release(&f->saver);
    scene_close(&f->scene);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

static const struct CMUnitTest cases[] = {
    CASE(test_saves_what_is_safe),
    CASE(test_not_more_often_than_every_two_minutes),
    CASE(test_when_to_look),
    CASE(test_share),
    CASE(test_not_without_news),
    CASE(test_a_late_alert_is_news),
    CASE(test_a_save_that_fails),
    CASE(test_a_canceled_save_is_news_again),
    CASE(test_composed_in_turn),
    CASE(test_nothing_may_be_saved_before_the_beginning),
    CASE(test_vanished),
    CASE(test_writable),
};

UNIT(saver, cases, NULL, NULL)
