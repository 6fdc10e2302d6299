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

/* promise: Completeness: The ledger has each version by the text of its ID and update time that the event holds */
static void test_ledger(void **state)
{
    struct fixture *f = *state;
    struct ledger *ledger = f->scene.feed.ledger = ledger_new("graph/all");
    static const struct {
        const char *record, *id, *time; /* NULL: it is not in the ledger */
    } rows[] = {
        { RECORD("a", "01:00:00Z"), "a", SCENE_DAY "01:00:00Z" },
        { RECORD("a", "01:00:00Z"), NULL, NULL },
        { RECORD("a<b>&amp;&", "01:00:00.1230000Z"), "a<b>&amp;&", SCENE_DAY "01:00:00.1230000Z" },
        { RECORD("\\u0026lt;\\/\\\"\\u00e4", "01:00:00Z"), "&lt;/\"\xC3\xA4", SCENE_DAY "01:00:00Z" },
        { RECORD("b", "01:00:00.5\\u002b00:00"), "b", SCENE_DAY "01:00:00.5+00:00" },
        { RECORD("\xFF", "01:00:00Z"), "\xEF\xBF\xBD", SCENE_DAY "01:00:00Z" },
        { RECORD("", "01:00:00Z"), NULL, NULL },
        { "{\"id\":\"c\"}", NULL, NULL },
        { "{\"x\":{\"id\":\"no\"},\"id\":12,\"lastUpdateDateTime\":\"" SCENE_DAY "01:00:00Z\"}", "12",
          SCENE_DAY "01:00:00Z" },
    };
    char bytes[8];
    uint64_t key;
    size_t len;

    ledger_place(ledger, "/nowhere");
    ledger_begin(ledger, 1, true);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ledger_job job;

        read_response(f, rows[i].record);
        ledger_prepare(ledger, f->scene.feed.event_pos, scene_time(SCENE_BEGIN));
        ledger_make_job(ledger, false, &job);
        len = (size_t)ledger_end(ledger);
        CHECK(len == (rows[i].id ? 24u : 0u), "%s: %zu bytes", rows[i].record, len);
        key = rows[i].id ? ledger_key(rows[i].id, strlen(rows[i].id), rows[i].time, strlen(rows[i].time)) : 0;
        for (int n = 0; n < 8; n++)
            bytes[n] = (char)(key >> 8 * n);
        CHECK(!len || !memcmp(job.bytes.data + job.bytes.len - 8, bytes, 8), "%s: another key", rows[i].record);
        job.error = 1;
        ledger_ended(ledger, &job, true); /* forgets them */
        ledger_job_release(&job);
    }
    f->scene.feed.ledger = NULL;
    ledger_free(ledger);
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

/* A probe of a record that was written and forgotten since then. */
static void test_a_probe(void **state)
{
    struct fixture *f = *state;
    struct cursor *cursor = &f->scene.feed.progress.cursor;

    cursor->dedup_floor = scene_time(SCENE_DAY "20:00:00Z");
    f->reading.window = (struct window){ scene_time(SCENE_DAY "10:00:00Z"), scene_time(SCENE_DAY "10:00:00.0000001Z") };
    f->reading.suspicion.state = SUSPICION_PROBE;
    CHECK(read_response(f, RECORD("known", "10:00:00Z")) == 0, "it is not written again");
    f->reading.window = (struct window){ scene_time(SCENE_DAY "21:00:00Z"), TICKS_OPEN };
    CHECK(read_response(f, RECORD("new", "21:00:00Z")) == 1, "one that the set tells to be new is written");
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

/* The response that was requested again as often as it has to be. */
static void begin_last_try(struct fixture *f)
{
    begin(f);
    f->reading.bad_tries = READING_BAD_TRIES;
}

/* promise: Events: A record that is not JSON gives an ERROR with its place. All others arrive. */
static void test_bad(void **state)
{
    struct fixture *f = *state;
    const struct tally *tally = &f->scene.feed.tally;

    CHECK(read_response(f, "{\"id\":01}," RECORD("behind", "07:00:00Z")) == 1, "what is behind it comes");
    CHECK(f->reading.answer.bad_new == 1 && !tally->bad_records, "asked for again before it is given up");
    begin_last_try(f);
    CHECK(read_response(f, "{\"id\":01}") == 1 && tally->bad_records == 1, "written, once");
    CHECK(tally->new_events == 1, "it is no alert");
}

/* promise: Events: A record that is not JSON is written as it came, as an event of its own source type */
static void test_event_of_a_bad_one(void **state)
{
    static const struct { const char *record, *want; } rows[] = {
        { "{\"id\":\"a\\\"&<\",\"lastUpdateDateTime\":\"" SCENE_DAY "05:00:00Z\",\"x\":tru,  "
          "\"y\":\"\x01\x1f\x7f\xff\xed\xa0\x80\xef\xbf\xbe\xe2\x80\xae<\\\\\xc3\xa9\"}",
          "<event stanza=\"defender_alerts://c\" unbroken=\"1\"><time>1793509200.0000000</time>"
          "<sourcetype>ms:defender:unreadable</sourcetype><data>{\"reason\":\"a word that is not true, false or null\","
          "\"api\":\"graph\",\"record\":0,\"offset\":10,\"bytes\":93,\"from\":\"2026-11-01T00:00:00.0000000Z\","
          "\"to\":\"1970-01-01T00:00:00.0000000Z\",\"id\":\"a\\\"&amp;&lt;\",\"time\":\"2026-11-01T05:00:00.0000000Z\","
          "\"raw\":\"{\\\"id\\\":\\\"a\\\\\\\"&amp;&lt;\\\",\\\"lastUpdateDateTime\\\":\\\"2026-11-01T05:00:00Z\\\","
          "\\\"x\\\":tru,  \\\"y\\\":\\\"\\u0001\\u001f\\u007f\\udcff\\udced\\udca0\\udc80\\ufffe\\u202e&lt;"
          "\\\\\\\\\xc3\xa9\\\"}\"}</data><done/></event>\n" },
        { "-", "<event stanza=\"defender_alerts://c\" unbroken=\"1\"><sourcetype>ms:defender:unreadable</sourcetype>"
          "<data>{\"reason\":\"a malformed number\",\"api\":\"graph\",\"record\":0,\"offset\":10,\"bytes\":1,"
          "\"from\":\"2026-11-01T00:00:00.0000000Z\",\"to\":\"1970-01-01T00:00:00.0000000Z\",\"raw\":\"-\"}</data>"
          "<done/></event>\n" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        begin_last_try(f);
        CHECK(read_response(f, rows[i].record) == 1, "row %zu", i);
        CHECK_TEXT(buf_text(outbox_buffer(f->scene.env.outbox)), rows[i].want);
    }
}

/* promise: Events: A record that is not JSON is written once, over polls and restarts; healed, it is an alert */
static void test_a_bad_one_is_known(void **state)
{
    static const char bad[] = "{\"id\":\"a\",\"lastUpdateDateTime\":\"" SCENE_DAY "05:00:00Z\",\"x\":01}";
    struct fixture *f = *state;
    struct feed *feed = &f->scene.feed;
    struct cursor *cursor = &feed->progress.cursor;

    begin_last_try(f);
    CHECK(read_response(f, "{\"x\":01},{\"x\":01},{\"x\":02}") == 2, "twice in one response");
    begin_last_try(f);
    CHECK(read_response(f, bad) == 1, "it is written");
    for (int poll = 0; poll < 10; poll++) {
        begin(f);
        cursor->watermark = ticks_ahead(cursor->watermark, 800);
        CHECK(read_response(f, bad) == 0 && !f->reading.answer.bad_new, "it is known at poll %d", poll);
        dedup_prune(feed->progress.dedup, is_needed, cursor);
    }
    CHECK(read_response(f, RECORD("a", "05:00:00Z")) == 1, "when the service has healed it, it is an alert");
    begin_last_try(f);
    CHECK(read_response(f, "{\"lastUpdateDateTime\":\"2026-10-31T23:59:59Z\",\"x\":01}") == 0, "older than the input");
    CHECK(!f->reading.answer.bad_new, "it is not asked for again");
    f->scene.not_writable = true;
    begin_last_try(f);
    CHECK(read_response(f, "{\"x\":03}") == 0 && f->reading.answer.held_back, "held back");
    f->scene.not_writable = false;
    begin_last_try(f);
    CHECK(read_response(f, "{\"x\":03}") == 1, "and written later");
}

/* Quotes that do not match may hide other records: nothing is written before the window has been searched. */
static void test_a_bad_one_with_odd_quotes(void **state)
{
    static const char odd[] = "{\"id\":\"a\",\"x\":oops}";
    struct fixture *f = *state;
    ticks lo = scene_time(SCENE_DAY "05:00:00Z");

    begin_last_try(f);
    CHECK(read_response(f, odd) == 0 && !f->scene.feed.tally.bad_records, "the window is searched first");
    begin(f);
    f->reading.kind = WORKER_QUARANTINE;
    f->reading.window = (struct window){ lo, lo + 2 };
    CHECK(read_response(f, odd) == 0, "it can be halved");
    f->reading.window.hi = lo + 1;
    CHECK(read_response(f, odd) == 1 && read_response(f, odd) == 0, "it was found, and is written once");
    CHECK(read_response(f, "{\"id\":\"a\",\"x\":\"oops}") == 0, "without an end it is not");
    CHECK(!f->scene.feed.tally.bad_records, "they count with their window");
}

/* promise: Events: A record that is not JSON has at most 16 MiB in its event, escapes included */
static void test_a_bad_one_of_control_characters(void **state)
{
    struct fixture *f = *state;
    const struct buf *out = outbox_buffer(f->scene.env.outbox);
    size_t len = 4u << 20;
    CLEANUP(mem_freep) char *record = mem_alloc(len + 16);

    memcpy(record, "{\"x\":\"", 6);
    memset(record + 6, '\x01', len);
    memcpy(record + 6 + len, "\"}", 3);
    begin_last_try(f);
    CHECK(read_response(f, record) == 1 && out->len < 7 * PAGE_BAD_KEPT, "%zu bytes", out->len);
    CHECK(strstr(buf_text(out), "\\u0001\",\"cut\":true}</data>"), "it says that it is cut");
}

/* While the checkpoint cannot be written nothing goes out, and nothing is taken for known. */
/* promise: Sharing: Nothing is written once another forwarder may read the input */
static void test_elsewhere(void **state)
{
    struct fixture *f = *state;

    f->scene.elsewhere = true;
    CHECK(read_response(f, RECORD("a", "08:00:00Z") "," RECORD("b", "08:00:00Z")) == 0, "nothing is written");
    CHECK(f->reading.answer.held_back && !f->reading.pages.fresh, "the response does not count as read");
    CHECK(f->reading.answer.elsewhere && !f->scene.asked, "for that reason alone");
    begin(f);
    f->scene.elsewhere = false;
    CHECK(read_response(f, RECORD("a", "08:00:00Z")) == 1, "it comes when it is this one's turn again");
}

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

/* A quarantined record of long ago was written in part. When its time is read again, what the dedup set does not reach
 * any more is not new: only that record is. */
static void test_long_ago(void **state)
{
    struct fixture *f = *state;
    struct progress *progress = &f->scene.feed.progress;
    const ticks floor = scene_time(SCENE_DAY "05:00:00Z");
    struct api api = api_graph;

    api.whole_variants = 1;
    f->scene.feed.api = &api;
    f->reading.kind = WORKER_QUARANTINE;
    f->reading.variant = 1; /* leaves something out */
    CHECK(read_response(f, RECORD("p", "01:00:00Z")) == 1, "written in part");
    CHECK(progress->cursor.partial_from == scene_time(SCENE_DAY "01:00:00Z"), "it is to be read again");
    progress->cursor.dedup_floor = progress->cursor.backfill.dedup_floor = floor;
    progress->cursor.watermark = scene_time(SCENE_DAY "06:00:00Z");
    CHECK(cursor_needs_part(&progress->cursor, scene_time(SCENE_DAY "01:00:00Z"), 60), "it is remembered");
    CHECK(!cursor_needs_part(&progress->cursor, scene_time(SCENE_DAY "00:59:00Z"), 60), "others are not");
    CHECK(cursor_read_again(&progress->cursor, 60), "there is nothing to read again");
    begin(f);
    f->reading.kind = WORKER_BACKFILL;
    f->reading.variant = 1;
    CHECK(read_response(f, RECORD("p", "01:00:00Z") "," RECORD("old", "02:00:00Z")) == 0, "in part they are known");
    f->reading.variant = 0;
    CHECK(read_response(f, RECORD("p", "01:00:00Z") "," RECORD("old", "02:00:00Z")) == 1, "it comes in full, and alone");
    CHECK(read_response(f, RECORD("new", "05:30:00Z")) == 1, "what the dedup set reaches is new");
    f->reading.kind = WORKER_QUARANTINE;
    CHECK(read_response(f, RECORD("bad", "03:00:00Z")) == 1, "so is a quarantined one");
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
    cmocka_unit_test_setup_teardown(test_ledger, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_outside_of_the_window, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_outside_of_a_quarantined_window, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_a_probe, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_before_the_beginning, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_without_a_time_it_stays_known, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_odd, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_bad, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_event_of_a_bad_one, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_a_bad_one_is_known, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_a_bad_one_with_odd_quotes, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_a_bad_one_of_control_characters, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_elsewhere, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_long_ago, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_held_back, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_asks_only_before_an_event, open_fixture, close_fixture),
    cmocka_unit_test_setup_teardown(test_outside, open_fixture, close_fixture),
};

UNIT(records, cases, NULL, NULL)
