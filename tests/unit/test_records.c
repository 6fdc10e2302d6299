#include "collect/records.h"

#include "scene.h"

struct fixture {
    struct scene   scene;
    struct reading reading;
};

/* The next response is read from here on. */
static void begin(struct fixture *f)
{
    f->reading = (struct reading){ .feed = &f->scene.feed, .answer.stats = page_stats_none() };
    f->reading.window = (struct window){ scene_time(SCENE_BEGIN), TICKS_OPEN };
}

/* Reads a response with these records; returns how many events it brought. */
static int read_response(struct fixture *f, const char *records)
{
    struct feed *feed = &f->scene.feed;
    struct buf *out = outbox_buffer(f->scene.env.outbox);
    struct page_handler handler = records_handler(&f->reading);
    CLEANUP(mem_freep) char *text = mem_format("{\"value\":[%s]}", records);
    struct page *page = page_new(&feed->api->shape, &handler);
    const char *at;
    int events = 0;

    buf_clear(out);
    page_feed(page, text, strlen(text), out);
    page_free(page);
    for (at = buf_text(out); (at = strstr(at, "</event>")); at++)
        events++;
    return events;
}

/* promise: Events: An alert is known by its id and its update time. */
static void test_new_and_known(void **state)
{
    struct fixture *f = *state;

    CHECK(read_response(f, RECORD("a", "01:00:00Z") "," RECORD("b", "02:00:00Z")) == 2, "two new ones");
    CHECK(strstr(buf_text(outbox_buffer(f->scene.env.outbox)), "<time>1793494800."), "with their times");
    CHECK(f->reading.answer.stats.count == 2, "what the answer held");
    CHECK(f->reading.answer.stats.newest - f->reading.answer.stats.oldest == 3600 * TICKS_PER_SECOND, "and from when to when");
    CHECK(read_response(f, RECORD("a", "01:00:00Z") "," RECORD("b", "02:00:00Z")) == 0, "known now");
    CHECK(read_response(f, RECORD("a", "01:00:00.0000001Z")) == 1, "another version of it");
    CHECK(read_response(f, RECORD("c", "03:00:00Z") "," RECORD("c", "03:00:00Z")) == 1, "twice in one answer");
    CHECK(f->scene.feed.tally.new_events == 4 && f->scene.feed.tally.repeats == 3, "%llu new, %llu repeats",
          (unsigned long long)f->scene.feed.tally.new_events, (unsigned long long)f->scene.feed.tally.repeats);
    CHECK(f->scene.feed.event_pos <= outbox_end(f->scene.env.outbox), "the position of the last event");
}

/* A coarse filter brings records from outside of the window. They are written unless they are known, older than the
 * input, or out of the dedup set's reach. */
/* promise: Events: Nothing is lost or repeated by a filter that is coarser than the times, up to a minute. */
static void test_outside_of_the_window(void **state)
{
    struct fixture *f = *state;
    struct cursor *cursor = &f->scene.feed.progress.cursor;

    f->reading.window = (struct window){ scene_time(SCENE_DAY "10:00:00Z"), scene_time(SCENE_DAY "11:00:00Z") };
    cursor->dedup_floor = scene_time(SCENE_DAY "09:59:00Z");
    CHECK(read_response(f, RECORD("below", "09:59:00Z") "," RECORD("above", "11:00:01Z")) == 2, "nothing is known");
    CHECK(read_response(f, RECORD("below", "09:59:00Z") "," RECORD("above", "11:00:01Z")) == 0, "known now");
    CHECK(read_response(f, RECORD("far", "09:58:59.9999999Z")) == 0, "the set does not reach there");
    /* The live worker's part ends far above the backfill's: what is between was written and is forgotten. */
    cursor->backfill.active = true;
    cursor->backfill.dedup_floor = cursor->dedup_floor;
    cursor->backfill.end = f->reading.window.hi;
    cursor->dedup_floor = scene_time(SCENE_DAY "12:00:00Z");
    CHECK(read_response(f, RECORD("seam", "11:00:59Z")) == 1, "a minute above the seam is still known");
    CHECK(read_response(f, RECORD("between", "11:01:00Z")) == 0, "not beyond it");
}

/* What a coarse filter brings with a quarantined window may be far below the live worker's part of the dedup set, and
 * comes with no other window. */
/* promise: Events: Nothing is lost or repeated by a filter that is coarser than the times, up to a minute. */
static void test_outside_of_a_quarantined_window(void **state)
{
    struct fixture *f = *state;
    struct progress *progress = &f->scene.feed.progress;
    struct window window = { scene_time(SCENE_DAY "10:00:00.9999999Z"), scene_time(SCENE_DAY "10:00:01Z") };

    progress->cursor.dedup_floor = scene_time(SCENE_DAY "20:00:00Z");
    f->reading.window = window;
    CHECK(read_response(f, RECORD("below", "10:00:00.5Z")) == 0, "without a quarantine the set does not reach there");
    quarantine_add(&progress->quarantine, &window, 1);
    CHECK(read_response(f, RECORD("below", "10:00:00.5Z") "," RECORD("above", "10:01:00Z")) == 2, "they are new");
    CHECK(read_response(f, RECORD("below", "10:00:00.5Z") "," RECORD("above", "10:01:00Z")) == 0, "known now");
    CHECK(read_response(f, RECORD("far", "10:01:02Z")) == 0, "more than a minute away");
    progress->cursor.begin = scene_time(SCENE_DAY "10:00:00Z");
    CHECK(read_response(f, RECORD("old", "09:59:59Z")) == 0, "older than the input");
}

/* Older than the input's beginning. */
static void test_before_the_beginning(void **state)
{
    struct fixture *f = *state;

    CHECK(read_response(f, "{\"id\":\"old\",\"lastUpdateDateTime\":\"2026-10-31T23:59:59.9999999Z\"}") == 0,
          "older");
    CHECK(read_response(f, RECORD("edge", "00:00:00Z")) == 1, "exactly at its beginning");
    CHECK(f->reading.answer.stats.count == 2, "both count as held by the answer");
}

/* promise: Events: A record without id or time is written with a WARN. It has no <time>. */
/* promise: Events: Broken UTF-8 becomes U+FFFD with a WARN. */
static void test_odd(void **state)
{
    struct fixture *f = *state;
    static const char *const records[] = {
        "{\"id\":\"no time\"}", "{\"lastUpdateDateTime\":\"" SCENE_DAY "05:00:00Z\"}", "{}", "{\"id\":\"\",\"x\":1}",
        "{\"id\":\"t\",\"lastUpdateDateTime\":\"yesterday\"}",
    };

    for (size_t i = 0; i < COUNT_OF(records); i++) {
        CHECK(read_response(f, records[i]) == 1, "%s is written", records[i]);
        CHECK(f->reading.answer.malformed == i + 1, "%s counts as odd", records[i]);
        CHECK(read_response(f, records[i]) == 0, "%s is known by its content", records[i]);
    }
    CHECK(read_response(f, "{\"id\":\"\xff\",\"lastUpdateDateTime\":\"" SCENE_DAY "06:00:00Z\"}") == 1 &&
          f->reading.answer.replaced == 1,
          "replaced characters are counted");
}

static bool is_needed(void *ctx, const struct dedup_entry *entry)
{
    return cursor_needs(ctx, entry->time, 900);
}

/* promise: Events: A record without a time is written once, for as long as it keeps coming. */
static void test_without_a_time_it_stays_known(void **state)
{
    struct fixture *f = *state;
    struct feed *feed = &f->scene.feed;
    struct cursor *cursor = &feed->progress.cursor;

    feed->clock = (struct service_clock){ .known = true, .good_ms = scene_time(SCENE_DAY "01:00:00Z") / TICKS_PER_MS -
                                                                    clock_ms() };
    CHECK(read_response(f, "{\"id\":\"no time\"}") == 1, "it is written");
    for (int poll = 0; poll < 10; poll++) {
        cursor->watermark = feed_service_now(feed);
        feed->clock.good_ms += 800 * 1000;
        CHECK(read_response(f, "{\"id\":\"no time\"}") == 0, "it is known at poll %d", poll);
        cursor->watermark = feed_service_now(feed);
        dedup_prune(feed->progress.dedup, is_needed, cursor);
    }
    feed->clock.good_ms -= INT64_C(2) * 86400 * 1000;        /* the service's clock is wrong */
    read_response(f, "{\"id\":\"no time\"}");
    dedup_prune(feed->progress.dedup, is_needed, cursor);
    CHECK(read_response(f, "{\"id\":\"no time\"}") == 0, "a clock that goes back changes nothing");
    cursor->watermark = ticks_ahead(cursor->watermark, 961);
    dedup_prune(feed->progress.dedup, is_needed, cursor);
    CHECK(!dedup_count(feed->progress.dedup), "once it comes no more, it is forgotten");
}

/* promise: Events: A record that is not JSON gives an ERROR with its place. All others arrive. */
static void test_bad(void **state)
{
    struct fixture *f = *state;
    uint64_t before = f->scene.feed.tally.bad_records;

    CHECK(read_response(f, "{\"id\":nonsense}," RECORD("behind", "07:00:00Z")) == 1,
          "what is behind it comes");
    CHECK(f->reading.answer.bad == 1 && f->scene.feed.tally.bad_records == before, "asked for again before it is given up");
    f->reading.answer.bad = 0;
    f->reading.unreadable.tries = READING_BAD_TRIES;
    read_response(f, "{\"id\":nonsense}");
    CHECK(f->scene.feed.tally.bad_records == before + 1, "given up, once");
}

/* While the checkpoint cannot be written nothing goes out, and nothing is taken for known. */
/* promise: Checkpoints: While a checkpoint cannot be written, events are held back. None is lost. */
static void test_held_back(void **state)
{
    struct fixture *f = *state;
    struct feed *feed = &f->scene.feed;

    f->scene.not_writable = true;
    CHECK(read_response(f, RECORD("held", "08:00:00Z") "," RECORD("too", "08:00:00Z")) == 0, "held back");
    CHECK(f->reading.answer.held_back && !f->reading.pages.fresh, "it says so");
    CHECK_TEXT(f->reading.answer.held_why, "the disk is full");
    CHECK(f->scene.asked == 1, "the owner was asked %d times", f->scene.asked);
    CHECK(!feed->tally.repeats && !feed->tally.new_events && !dedup_count(feed->progress.dedup), "it is no repeat");
    begin(f);
    f->scene.not_writable = false;
    CHECK(read_response(f, RECORD("held", "08:00:00Z")) == 1, "it comes when it can be remembered");
}

/* Without anything new the store is left alone: a full disk does not matter to a poll that finds only known alerts. */
static void test_asks_only_before_an_event(void **state)
{
    struct fixture *f = *state;

    CHECK(read_response(f, RECORD("a", "01:00:00Z")) == 1 && f->scene.asked == 1, "asked %d times", f->scene.asked);
    begin(f);
    f->scene.not_writable = true;
    CHECK(read_response(f, RECORD("a", "01:00:00Z")) == 0 && f->scene.asked == 1, "asked %d times", f->scene.asked);
    CHECK(!f->reading.answer.held_back, "nothing is held back");
    CHECK(f->scene.feed.tally.repeats == 1, "%llu repeats", (unsigned long long)f->scene.feed.tally.repeats);
}

/* Records from outside of the window show that a service ignores the filter; a minute more is a coarser filter. */
static void test_outside(void **state)
{
    static const struct { const char *time; size_t outside; } rows[] = {
        { "09:59:00Z", 0 }, { "09:58:59Z", 1 }, { "10:30:00Z", 0 }, { "11:01:00Z", 0 }, { "11:01:01Z", 1 }
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(mem_freep) char *record = mem_format("{\"id\":\"%zu\",\"lastUpdateDateTime\":\"" SCENE_DAY "%s\"}", i,
                                                     rows[i].time);

        begin(f);
        f->reading.window = (struct window){ scene_time(SCENE_DAY "10:00:00Z"), scene_time(SCENE_DAY "11:00:00Z") };
        read_response(f, record);
        CHECK(f->reading.answer.outside == rows[i].outside, "%s", rows[i].time);
    }
}

static int open_fixture(void **state)
{
    static struct fixture fixture;

    scene_open(&fixture.scene, &api_graph);
    begin(&fixture);
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    scene_close(&((struct fixture *)*state)->scene);
    return 0;
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test_setup_teardown(test_new_and_known, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_outside_of_the_window, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_outside_of_a_quarantined_window, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_before_the_beginning, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_without_a_time_it_stays_known, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_odd, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_bad, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_held_back, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_asks_only_before_an_event, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_outside, open_fixture, close_fixture),
};

UNIT(records, cases, NULL, NULL)
