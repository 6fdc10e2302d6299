/* What happens before an input's workers start, against a store in memory and without splunkd. */
#include "collect/opening.h"

#include "auth/token_source_private.h"
#include "base/clock.h"
#include "fake_store.h"
#include "scene.h"
#include "settle.h"

#define CURSOR_AT SCENE_DAY "06:00:00Z"

struct fixture {
    struct scene        scene;
    struct fake_store   fake;
    struct saver        saver;
    struct opening      opening;
    struct principal    principal;
    struct token_source source;
    int                 waits, news, opened;
    struct err          waited_for;
    const struct quarantine *stored;     /* of store_checkpoint(); NULL: empty */
};

/* The claim's owner does what the tenant does. */

static void claimed(void *ctx)
{
    opening_claimed(&((struct fixture *)ctx)->opening);
}

static void busy(void *ctx, const struct err *err)
{
    opening_busy(&((struct fixture *)ctx)->opening, err);
}

static void loaded(void *ctx, enum store_found found, const struct buf *text, const struct err *err)
{
    opening_loaded(&((struct fixture *)ctx)->opening, found, text, err);
}

static void compose(void *ctx, struct buf *text)
{
    saver_compose(&((struct fixture *)ctx)->saver, text);
}

static void saved(void *ctx, bool ok, const struct err *err)
{
    struct fixture *f = ctx;

    saver_saved(&f->saver, ok, err, clock_ms());
    opening_saved(&f->opening);
}

static const struct claim_owner claim_owner = { .claimed = claimed, .busy = busy, .loaded = loaded, .compose = compose,
                                                .saved = saved };

/* The opening's owner. */

static void waits(void *ctx, const struct err *err, bool is_news)
{
    struct fixture *f = ctx;

    f->waits++;
    f->news += is_news;
    f->waited_for = *err;
    f->scene.feed.problem = *err;
}

static void opened(void *ctx)
{
    ((struct fixture *)ctx)->opened++;
}

static const struct opening_owner opening_owner = { .waits = waits, .changed = scene_changed, .opened = opened };

static void pump(struct fixture *f)
{
    do
        settle(&f->fake.store, &f->fake.claim);
    while (store_asked(&f->fake.claim));
}

/* The timer fires; it must be due within most_ms. */
static void wait_passes(struct fixture *f, int64_t most_ms)
{
    struct timer *timer = &f->opening.timer;

    CHECK(timer_is_set(timer) && timer->due_ms <= clock_ms() + most_ms, "it does not try again");
    timer_cancel(f->scene.env.loop, timer);
    timer->fire(timer->ctx, clock_ms());
    pump(f);
}

/* Stores a checkpoint of this tenant and API whose cursor is at CURSOR_AT, with one written version. */
static void store_checkpoint(struct fixture *f, const char *tenant_id, const char *api)
{
    struct checkpoint checkpoint = { .imported_count = 0 };
    struct dedup *dedup = dedup_new();
    struct cursor cursor;

    cursor_start(&cursor, scene_time(SCENE_BEGIN));
    cursor.watermark = scene_time(CURSOR_AT);
    dedup_add(dedup, (struct dedup_entry){ .key = dedup_key("a", 1, 0), .time = cursor.watermark });
    checkpoint_assign(&checkpoint, tenant_id, api);
    buf_clear(&f->fake.text);
    checkpoint_format(&checkpoint, &cursor, f->stored ? f->stored : &checkpoint.quarantine, dedup, 0, 900, &f->fake.text);
    f->fake.found = STORE_FOUND;
    checkpoint_release(&checkpoint);
    dedup_free(dedup);
}

static struct progress *progress_of(struct fixture *f)
{
    return &f->scene.feed.progress;
}

/* CLAIM. */

/* promise: Checkpoints: A second process waits. It never runs beside the first. */
static void test_waits_for_another_process(void **state)
{
    struct fixture *f = *state;

    f->fake.busy = true;
    f->fake.err = (struct err){ .kind = ERR_RETRY, .text = "process 7 still works on this input", .wait_ms = 250 };
    opening_start(&f->opening);
    pump(f);
    for (int i = 1; i <= 4; i++) {
        CHECK(f->opening.state == OPENING_CLAIM && f->waits == i, "state %d, %d waits", f->opening.state, f->waits);
        CHECK(f->news == 1, "the same reason is news %d times", f->news);
        CHECK_TEXT(f->waited_for.text, "process 7 still works on this input");
        CHECK_TEXT(opening_waits_for(&f->opening), "another process still works on this input");
        if (i < 4)
            wait_passes(f, 250);
    }
    f->fake.busy = false;
    wait_passes(f, 250);
    CHECK(f->opening.state == OPENING_SECRETS, "state %d", f->opening.state);
}

static void test_a_step_while_the_store_is_asked(void **state)
{
    struct fixture *f = *state;

    opening_start(&f->opening);
    opening_step(&f->opening, clock_ms());      /* must not ask twice */
    pump(f);
    CHECK(f->opening.state == OPENING_SECRETS, "state %d", f->opening.state);
}

/* LOAD. */

static void test_a_new_input(void **state)
{
    struct fixture *f = *state;

    opening_start(&f->opening);
    pump(f);
    CHECK(f->opening.state == OPENING_SECRETS && !progress_of(f)->begun, "state %d", f->opening.state);
    CHECK_TEXT(f->saver.checkpoint.tenant_id, "tenant");
    CHECK_TEXT(f->saver.checkpoint.api, "graph");
    CHECK(!f->fake.set_asides && !f->waits, "it waits");
    CHECK_TEXT(opening_waits_for(&f->opening), "its secrets are read from Splunk's password store");
}

static void test_goes_on_at_its_checkpoint(void **state)
{
    struct fixture *f = *state;

    store_checkpoint(f, "tenant", "graph");
    opening_start(&f->opening);
    pump(f);
    CHECK(f->opening.state == OPENING_SECRETS && progress_of(f)->begun, "state %d", f->opening.state);
    CHECK(progress_of(f)->cursor.watermark == scene_time(CURSOR_AT), "another place");
    CHECK(dedup_has(progress_of(f)->dedup, dedup_key("a", 1, 0)), "what was written is forgotten");
    CHECK(!saver_has_news(&f->saver, 0), "what is stored is news");
}

/* Another tenant's, or another API's: the cursor goes on, less the overlap, and nothing counts as written. */
static void test_carries_another_checkpoint_over(void **state)
{
    static const struct { const char *name, *tenant_id, *api; bool cursor; } rows[] = {
        { "another tenant", "other", "graph", true },
        { "another API of the same records", "tenant", "siem", true },
        { "another API with other records", "tenant", "incidents", false },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        progress_release(progress_of(f));
        progress_init(progress_of(f), 900);
        store_checkpoint(f, rows[i].tenant_id, rows[i].api);
        opening_start(&f->opening);
        pump(f);
        CHECK(f->opening.state == OPENING_SECRETS, "%s: state %d", rows[i].name, f->opening.state);
        CHECK(progress_of(f)->begun == rows[i].cursor, "%s: the cursor", rows[i].name);
        CHECK(!dedup_count(progress_of(f)->dedup), "%s: something counts as written", rows[i].name);
        CHECK_TEXT(f->saver.checkpoint.tenant_id, "tenant");
        CHECK_TEXT(f->saver.checkpoint.api, "graph");
        if (rows[i].cursor)
            CHECK(progress_of(f)->cursor.watermark == scene_time(CURSOR_AT) &&
                  progress_of(f)->cursor.dedup_floor == ticks_back(scene_time(CURSOR_AT), 900), "%s: another place",
                  rows[i].name);
        store_release(&f->fake.claim);
    }
}

/* promise: Parameters: A move from `endpoint` to `graph` writes no version again that both give one ID and time. */
/* ... whatever else the checkpoint says stays, too. Of another tenant nothing does. */
static void test_moves_on_where_the_ids_are_the_same(void **state)
{
    struct fixture *f = *state;

    store_checkpoint(f, "tenant", "endpoint");
    opening_start(&f->opening);
    pump(f);
    CHECK(f->opening.state == OPENING_SECRETS && progress_of(f)->begun, "state %d", f->opening.state);
    CHECK(progress_of(f)->cursor.watermark == scene_time(CURSOR_AT), "another place");
    CHECK(dedup_has(progress_of(f)->dedup, dedup_key("a", 1, 0)), "what was written is forgotten");
    CHECK_TEXT(f->saver.checkpoint.api, "graph");
    CHECK(saver_has_news(&f->saver, 0), "the new API is not saved");
    store_release(&f->fake.claim);

    progress_release(progress_of(f));
    progress_init(progress_of(f), 900);
    store_checkpoint(f, "other", "endpoint");
    opening_start(&f->opening);
    pump(f);
    CHECK(!dedup_count(progress_of(f)->dedup), "something of another tenant counts as written");
}

/* promise: Checkpoints: An unreadable or unknown checkpoint is kept as .bad. It replaces an older one there. */
static void test_puts_a_bad_checkpoint_aside(void **state)
{
    static const char *const texts[] = { "", "{", "{\"version\":7}" };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        buf_clear(&f->fake.text);
        buf_add_text(&f->fake.text, texts[i]);
        f->fake.found = STORE_FOUND;
        opening_start(&f->opening);
        pump(f);
        CHECK(f->fake.set_asides == (int)i + 1 && f->opening.state == OPENING_SECRETS, "'%s': state %d", texts[i],
              f->opening.state);
        CHECK(!progress_of(f)->begun && !f->waits, "'%s': it begins anew", texts[i]);
        CHECK_TEXT(f->saver.checkpoint.tenant_id, "tenant");
        store_release(&f->fake.claim);
    }
}

static void test_puts_aside_what_can_never_be_read(void **state)
{
    struct fixture *f = *state;

    f->fake.found = STORE_FAILED;
    f->fake.err = (struct err){ .kind = ERR_INPUT, .text = "it is larger than 268435456 bytes" };
    opening_start(&f->opening);
    pump(f);
    CHECK(f->fake.set_asides == 1 && f->opening.state == OPENING_SECRETS, "state %d", f->opening.state);
}

/* A loss of power left an empty file: the one before it was kept. */
static void test_the_checkpoint_before_a_bad_one(void **state)
{
    struct fixture *f = *state;
    CLEANUP(mem_freep) char *good = NULL;

    store_checkpoint(f, "tenant", "graph");
    good = mem_text(buf_text(&f->fake.text));
    buf_clear(&f->fake.text);
    f->fake.kept = good;
    opening_start(&f->opening);
    pump(f);
    CHECK(f->fake.set_asides == 1 && f->opening.state == OPENING_SECRETS, "state %d", f->opening.state);
    CHECK(progress_of(f)->begun && progress_of(f)->cursor.watermark == scene_time(CURSOR_AT), "it begins at start_time");

    f->fake.kept = "{"; /* that one is bad, too */
    store_release(&f->fake.claim);
    progress_release(progress_of(f));
    progress_init(progress_of(f), 900);
    buf_clear(&f->fake.text);
    opening_start(&f->opening);
    pump(f);
    CHECK(f->fake.set_asides == 3 && f->opening.state == OPENING_SECRETS && !progress_of(f)->begun, "state %d, %d",
          f->opening.state, f->fake.set_asides);
}

/* A checkpoint that cannot be read now may be a good one: it is waited for. */
static void test_waits_for_a_checkpoint_that_cannot_be_read_now(void **state)
{
    struct fixture *f = *state;

    store_checkpoint(f, "tenant", "graph");
    f->fake.found = STORE_FAILED;
    f->fake.err = (struct err){ .kind = ERR_RETRY, .text = "Input/output error", .wait_ms = 10000 };
    opening_start(&f->opening);
    pump(f);
    CHECK(f->opening.state == OPENING_LOAD && f->waits == 1 && !f->fake.set_asides, "state %d", f->opening.state);
    wait_passes(f, 10000);
    CHECK(f->opening.state == OPENING_LOAD && f->waits == 2 && f->news == 1, "state %d", f->opening.state);
    f->fake.found = STORE_FOUND;
    wait_passes(f, 10000);
    CHECK(f->opening.state == OPENING_SECRETS && progress_of(f)->cursor.watermark == scene_time(CURSOR_AT), "state %d",
          f->opening.state);
}

/* One that cannot be put aside would be overwritten: nothing is collected before a person has looked. */
static void test_waits_if_it_cannot_be_put_aside(void **state)
{
    struct fixture *f = *state;

    f->fake.found = STORE_FOUND;
    f->fake.stuck = true;
    buf_add_text(&f->fake.text, "{\"version\":7}");
    opening_start(&f->opening);
    pump(f);
    CHECK(f->opening.state == OPENING_LOAD && f->waits == 1, "state %d", f->opening.state);
    CHECK(strstr(f->waited_for.text, "version 7"), "%s", f->waited_for.text);
    f->fake.stuck = false;
    wait_passes(f, 10000);
    CHECK(f->opening.state == OPENING_SECRETS && f->fake.set_asides == 2, "state %d", f->opening.state);
}

/* TOKEN and BEGIN. */

/* The secrets are in place, and the token has this clock offset. */
static void give_token(struct fixture *f, int64_t clock_offset_ms)
{
    f->source.token.authorization = mem_text("Bearer x");
    f->source.token.expires_ms = clock_ms() + 3600000;
    f->source.token.lifetime_ms = 3600000;
    f->source.has_clock = true;
    f->source.clock_offset_ms = clock_offset_ms;
    f->source.principal = &f->principal;
    f->scene.feed.source = &f->source;
    f->opening.state = OPENING_TOKEN;
    opening_step(&f->opening, clock_ms());
}

/* The service's clock differs from the host's: it is believed when a second token says the same. */
static void have_token(struct fixture *f, int64_t clock_offset_ms)
{
    give_token(f, clock_offset_ms);
    if (f->opening.state == OPENING_TOKEN)
        give_token(f, clock_offset_ms);
}

static int64_t offset_to(const char *text)
{
    return scene_time(text) / TICKS_PER_MS - clock_wall_ms();
}

/* A token comes, at that time by the service's clock. */
static void token_comes_at(struct fixture *f, const char *text)
{
    token_release(&f->source.token);
    f->scene.feed.clock = (struct service_clock){ .known = true, .good_ms = scene_time(text) / TICKS_PER_MS - clock_ms() };
    have_token(f, offset_to(text));
    pump(f);
}

/* promise: Parameters: start_time bounds exactly. Overlaps do not reach before it. */
static void test_a_relative_start_time_is_saved(void **state)
{
    struct fixture *f = *state;
    struct cursor cursor;

    f->scene.input.start_time = (struct start_time){ .relative = true, .back_s = 3600 };
    opening_start(&f->opening);
    pump(f);
    have_token(f, offset_to(SCENE_DAY "12:00:00Z"));
    cursor = progress_of(f)->cursor;
    CHECK(cursor.begin >= scene_time(SCENE_DAY "11:00:00Z") && cursor.begin < scene_time(SCENE_DAY "11:01:00Z"),
          "an hour before the service's clock");
    CHECK(f->opening.state == OPENING_BEGIN && !f->scene.feed.open, "it is open before that is saved");
    pump(f);
    CHECK(f->opening.state == OPENING_OPEN && f->scene.feed.open && f->opened == 1, "state %d", f->opening.state);
    CHECK(f->fake.saves == 1 && f->fake.durability == STORE_WRITTEN && strstr(buf_text(&f->fake.text), "T11:00:0"),
          "saved: %s", buf_text(&f->fake.text));
}

/* What is stored was not synced when the last process ended. Replaced by another text that is not, it would be gone after a
 * loss of power, and only the one before it, which may be of hours ago, would be left. */
static void test_the_first_save_is_synced_after_one_that_was_not(void **state)
{
    struct fixture *f = *state;

    f->scene.input.start_time = (struct start_time){ .relative = true, .back_s = 3600 };
    opening_start(&f->opening);
    pump(f);
    f->fake.claim.unsynced = true;
    have_token(f, offset_to(SCENE_DAY "12:00:00Z"));
    pump(f);
    CHECK(f->fake.saves == 1 && f->fake.durability == STORE_SYNCED, "%d saves", f->fake.saves);
}

/* The disk is full: the input opens all the same, and its events are held back. */
static void test_opens_without_a_first_save(void **state)
{
    struct fixture *f = *state;

    f->fake.full = true;
    opening_start(&f->opening);
    pump(f);
    have_token(f, offset_to(SCENE_DAY "12:00:00Z"));
    pump(f);
    CHECK(f->opening.state == OPENING_OPEN && f->saver.fails && f->saver.changed, "state %d", f->opening.state);
}

static void test_an_old_input_has_nothing_to_save(void **state)
{
    struct fixture *f = *state;

    store_checkpoint(f, "tenant", "graph");
    opening_start(&f->opening);
    pump(f);
    have_token(f, offset_to(SCENE_DAY "12:00:00Z"));
    CHECK(f->opening.state == OPENING_OPEN && f->opened == 1 && !f->fake.saves, "state %d", f->opening.state);
    CHECK(progress_of(f)->cursor.watermark == scene_time(CURSOR_AT), "another place");
}

/* Written while a clock was wrong: everything up to its times would never be asked for. */
static void test_a_checkpoint_of_the_future(void **state)
{
    static const struct { const char *name, *clock; bool ahead; } rows[] = {
        { "by less than a day", "2026-10-31T12:00:00Z", false }, { "by more than a day", "2026-10-31T05:00:00Z", true },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        progress_release(progress_of(f));
        progress_init(progress_of(f), 900);
        f->scene.input.start_time.time = scene_time("2026-10-30T00:00:00Z");
        store_checkpoint(f, "tenant", "graph");
        opening_start(&f->opening);
        pump(f);
        progress_of(f)->cursor.begin = scene_time("2026-10-01T00:00:00Z");
        token_comes_at(f, rows[i].clock);
        CHECK(f->opening.state == OPENING_OPEN, "%s: state %d", rows[i].name, f->opening.state);
        CHECK((progress_of(f)->cursor.watermark == scene_time("2026-10-30T00:00:00Z")) == rows[i].ahead, "%s",
              rows[i].name);
        store_release(&f->fake.claim);
    }
}

/* The host's clock is behind the checkpoint, or it is the checkpoint's times that are wrong: two Dates that agree tell. */
static void test_a_checkpoint_and_a_clock_that_is_wrong(void **state)
{
    enum { DAY_MS = 86400000 };
    static const struct { const char *name; int dates[3]; bool ahead; } rows[] = { /* days after the host's clock */
        { "the host's clock is wrong", { 10, 10, 10 }, false },
        { "and so is the first Date", { -40, 10, 10 }, false },
        { "and so is the second", { 10, -40, 10 }, false },
        { "and so is each Date", { -40, 20, -10 }, false },
        { "the checkpoint is wrong", { 0, 0, 0 }, true },
        { "and so is the first Date: 40 days ago", { -40, 0, 0 }, true },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ticks at = ticks_from_ms(clock_wall_ms() + INT64_C(10) * DAY_MS);

        progress_release(progress_of(f));
        progress_init(progress_of(f), 900);
        f->scene.feed.clock = (struct service_clock){ .known = false };
        f->scene.input.start_time.time = scene_time("2026-10-30T00:00:00Z");
        store_checkpoint(f, "tenant", "graph");
        opening_start(&f->opening);
        pump(f);
        f->opening.opinions = 0;
        progress_of(f)->cursor.watermark = at;
        for (int n = 0; n < 20 && (!n || f->opening.state == OPENING_TOKEN); n++) {
            token_release(&f->source.token);
            give_token(f, (int64_t)rows[i].dates[n % 3] * DAY_MS);
            pump(f);
        }
        CHECK(f->opening.state == OPENING_OPEN, "%s: state %d", rows[i].name, f->opening.state);
        CHECK((progress_of(f)->cursor.watermark != at) == rows[i].ahead, "%s", rows[i].name);
        store_release(&f->fake.claim);
    }
}

/* The time at which the checkpoint was saved confirms no Date: one that is hours ahead would fit, too. */
static void test_a_date_after_the_checkpoint(void **state)
{
    enum { HOUR_MS = 3600000 };
    struct fixture *f = *state;
    static const char name[] = "\"saved\": \"";
    char saved[TICKS_TEXT_MAX], *at;

    store_checkpoint(f, "tenant", "graph");
    ticks_text(ticks_from_ms(clock_wall_ms() + 3 * HOUR_MS), saved); /* since then the host's clock was set back */
    at = strstr(f->fake.text.data, name);
    if (!at)
        fail_msg("no time in '%s'", f->fake.text.data);
    memcpy(at + strlen(name), saved, strlen("2026-11-01T12:00:00"));
    opening_start(&f->opening);
    pump(f);
    give_token(f, 10 * HOUR_MS);
    pump(f);
    CHECK(f->opening.state == OPENING_OPEN && !f->scene.feed.clock.known, "state %d", f->opening.state);
    CHECK(f->scene.feed.clock.doubts == 1, "it is doubted");
}

/* Quarantined windows go on with the cursor. Where reading begins at start_time they go, since nothing before it is ever
 * read. */
static void test_the_quarantine_follows_the_cursor(void **state)
{
    static const struct { const char *name, *tenant, *api, *clock; size_t want; } rows[] = {
        { "the same feed", "tenant", "graph", "2026-11-01T12:00:00Z", 1 },
        { "another tenant", "other", "graph", "2026-11-01T12:00:00Z", 1 },
        { "another API for alerts", "tenant", "siem", "2026-11-01T12:00:00Z", 1 },
        { "another kind of record", "tenant", "incidents", "2026-11-01T12:00:00Z", 0 },
        { "times that are still to come", "tenant", "graph", "2026-10-30T05:00:00Z", 0 },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct quarantine quarantine = { .count = 0 };

        progress_release(progress_of(f));
        progress_init(progress_of(f), 900);
        f->scene.input.start_time.time = scene_time("2026-10-29T00:00:00Z");
        quarantine_add(&quarantine, &(struct window){ scene_time(CURSOR_AT) - 5, scene_time(CURSOR_AT) }, 0);
        f->stored = &quarantine;
        store_checkpoint(f, rows[i].tenant, rows[i].api);
        f->stored = NULL;
        opening_start(&f->opening);
        pump(f);
        if (progress_of(f)->begun)
            progress_of(f)->cursor.begin = scene_time("2026-10-01T00:00:00Z");
        token_comes_at(f, rows[i].clock);
        CHECK(f->opening.state == OPENING_OPEN, "%s: state %d", rows[i].name, f->opening.state);
        CHECK(progress_of(f)->quarantine.count == rows[i].want, "%s: %zu windows", rows[i].name,
              progress_of(f)->quarantine.count);
        store_release(&f->fake.claim);
        quarantine_release(&quarantine);
    }
}

static int open_fixture(void **state)
{
    static const struct secret_watch_owner nobody = { .ctx = NULL };
    static struct fixture fixture;
    struct fixture *f = &fixture;

    fixture = (struct fixture){ .waits = 0 };
    scene_open(&f->scene, &api_graph);
    f->scene.env.loop = loop_new();
    f->scene.env.secrets = secret_watch_new(f->scene.env.loop, NULL, &nobody);
    f->scene.feed.open = false;
    progress_release(progress_of(f));
    progress_init(progress_of(f), f->scene.input.overlap);
    f->source.token_number = 1;
    fake_store_init(&f->fake, &claim_owner, f);
    saver_init(&f->saver, &f->scene.feed, &f->fake.claim);
    f->opening = (struct opening){ .feed = &f->scene.feed, .input = &f->scene.input, .saver = &f->saver,
                                   .owner = &opening_owner, .ctx = f };
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;

    opening_release(&f->opening);
    fake_store_free(&f->fake);
    saver_release(&f->saver);
    token_release(&f->source.token);
    secret_watch_free(f->scene.env.secrets);
    loop_free(f->scene.env.loop);
    scene_close(&f->scene);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

static const struct CMUnitTest cases[] = {
    CASE(test_waits_for_another_process),
    CASE(test_a_step_while_the_store_is_asked),
    CASE(test_a_new_input),
    CASE(test_goes_on_at_its_checkpoint),
    CASE(test_carries_another_checkpoint_over),
    CASE(test_moves_on_where_the_ids_are_the_same),
    CASE(test_puts_a_bad_checkpoint_aside),
    CASE(test_puts_aside_what_can_never_be_read),
    CASE(test_the_checkpoint_before_a_bad_one),
    CASE(test_waits_for_a_checkpoint_that_cannot_be_read_now),
    CASE(test_waits_if_it_cannot_be_put_aside),
    CASE(test_a_relative_start_time_is_saved),
    CASE(test_the_first_save_is_synced_after_one_that_was_not),
    CASE(test_opens_without_a_first_save),
    CASE(test_an_old_input_has_nothing_to_save),
    CASE(test_a_checkpoint_of_the_future),
    CASE(test_a_checkpoint_and_a_clock_that_is_wrong),
    CASE(test_a_date_after_the_checkpoint),
    CASE(test_the_quarantine_follows_the_cursor),
};

UNIT(opening, cases, NULL, NULL)
