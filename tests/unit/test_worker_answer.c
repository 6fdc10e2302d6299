/* What a response settles. A small service answers from a list of records; nothing is sent anywhere. */
#include "collect/worker_answer.h"

#include "base/backoff.h"
#include "collect/classify.h"
#include "collect/records.h"
#include "collect/worker_request.h"
#include "scene.h"

#define RECORDS_MAX 200

/* The service: its records, how many fit a response, and what is wrong with it. */
struct service {
    ticks  times[RECORDS_MAX];
    size_t count, most;
    size_t broken;              /* number of a record that breaks its response; 0: none */
    size_t fails_above;         /* a response with more records is a 500; 0: no limit */
    bool   poisoned[RECORDS_MAX];   /* a response with this record is a 500 */
    bool   truncates;           /* every response ends inside of a record */
    bool   cuts;                /* ... every one that has any */
    bool   has_link;            /* a response that is not all has a next-page link */
    bool   ends_as_asked;       /* a response has as many as were asked for, and no link */
    bool   unfiltered;          /* the window is ignored */
};

static int open_fixture(void **state);
static int close_fixture(void **state);

struct fixture {
    struct scene   scene;
    struct service service;
    struct reading reading;
    struct api     api;
    struct page_handler handler;
    struct buf     url;
    int64_t        now_ms;
    size_t         requests;
    struct window  isolated;    /* that failed last in read_quarantine() */
};

/* The service's clock shows this, plus what the test itself takes. */
static void set_service_clock(struct fixture *f, const char *text)
{
    f->scene.feed.clock.known = true;
    f->scene.feed.clock.good_ms = scene_time(text) / TICKS_PER_MS - clock_ms();
}

static struct next respond_with(struct fixture *f, struct http_result result, const char *body)
{
    struct buf *out = outbox_buffer(f->scene.env.outbox);
    struct page *page;
    struct classified classified;
    struct next next;

    worker_request_prepare(&f->reading, f->now_ms);
    buf_clear(&f->url);
    worker_request_url(&f->reading, &f->url);
    f->requests++;
    page = page_new(&f->api.shape, &f->handler);
    if (body && !page_feed(page, body, strlen(body), out))
        result.fault = HTTP_STOPPED;
    result.reason[0] = '\0';
    result.body = result.body ? result.body : "";
    result.body_len = strlen(result.body);
    result.content_type = "application/json";
    result.request_id = result.authenticate = "";
    result.retry_after_ms = result.retry_after_ms ? result.retry_after_ms : -1;
    classified = classify(&result, &(struct classify_facts){
        .page = page, .bad_records = f->reading.answer.bad > 0, .rejected = f->reading.attempts.rejected,
        .can_simplify = f->reading.variant + 1 < f->api.variants, .permission = f->api.permission });
    next = worker_answer(&f->reading, page, &classified, ++f->now_ms);
    page_free(page);
    return next;
}

static struct next respond_status(struct fixture *f, int status, int64_t retry_after_ms)
{
    return respond_with(f, (struct http_result){ .status = status, .retry_after_ms = retry_after_ms }, NULL);
}

static struct next respond(struct fixture *f, const char *body)
{
    return respond_with(f, (struct http_result){ .status = 200 }, body);
}

/* The service's own response to the window that the reading asks for. A link is "https://api.example/skip=N". */
static struct next serve(struct fixture *f)
{
    const struct service *service = &f->service;
    CLEANUP(buf_free) struct buf body = BUF_INIT(1 << 20);
    const struct window *window = &f->reading.window;
    size_t i, most, skip = 0, matching = 0, sent = 0;
    bool fails = false;
    char time[TICKS_TEXT_MAX];
    const char *at;

    worker_request_prepare(&f->reading, f->now_ms);     /* to see the window; respond() prepares the same again */
    if (f->reading.pages.link && (at = strstr(f->reading.pages.link, "skip=")))
        skip = strtoul(at + 5, NULL, 10);
    most = service->ends_as_asked ? f->reading.answer.top : service->most;
    buf_add_text(&body, "{\"value\":[");
    for (i = 0; i < service->count; i++) {
        bool inside = service->times[i] >= window->lo && service->times[i] < window->hi;

        if ((!inside && !service->unfiltered) || matching++ < skip)
            continue;
        if (most && sent == most)
            continue;
        fails = fails || service->poisoned[i];
        ticks_text(service->times[i], time);
        if (i + 1 == service->broken) {
            buf_add_format(&body, "%s{\"id\":\"%zu\", \"x", sent ? "," : "", i);
            return respond(f, buf_text(&body));
        }
        buf_add_format(&body, "%s{\"id\":\"%zu\",\"lastUpdateDateTime\":\"%s\"}", sent ? "," : "", i, time);
        sent++;
    }
    if (fails || (service->fails_above && sent > service->fails_above))
        return respond_status(f, 500, 0);
    if (service->truncates || (service->cuts && sent)) {
        buf_add_text(&body, sent ? ",{\"id\":" : "{\"id\":");
        return respond(f, buf_text(&body));
    }
    buf_add_text(&body, "]");
    if (service->has_link && matching > skip + sent)
        buf_add_format(&body, ",\"@odata.nextLink\":\"https://api.example/skip=%zu\"", skip + sent);
    buf_add_text(&body, "}");
    return respond(f, buf_text(&body));
}

/* Reads until the worker has caught up. Returns the number of requests. */
static size_t catch_up(struct fixture *f, size_t most)
{
    size_t requests = f->requests;
    struct next next;

    do
        next = serve(f);
    while (next.kind != NEXT_POLL && f->requests - requests < most);
    CHECK(next.kind == NEXT_POLL, "not caught up after %zu requests: %s", most, next.err.text);
    return f->requests - requests;
}

static void time_passes(struct fixture *f, int64_t seconds)
{
    struct service_clock *clock = &f->scene.feed.clock;

    if (!clock->known)
        *clock = (struct service_clock){ .known = true, .good_ms = clock_wall_ms() - clock_ms() };
    clock->good_ms += seconds * 1000;
    f->now_ms += seconds * 1000;
}

static const struct quarantined *due(struct fixture *f)
{
    return quarantine_due(&f->scene.feed.progress.quarantine, feed_service_now(&f->scene.feed) / TICKS_PER_SECOND);
}

/* Requests what is due of the quarantine. Returns the number of requests. */
static size_t read_quarantine(struct fixture *f, size_t most)
{
    size_t requests = f->requests;
    struct next next = { .kind = NEXT_NOW };
    struct reading live = f->reading;

    f->reading.kind = WORKER_QUARANTINE;
    f->reading.suspicion = (struct suspicion){ .state = SUSPICION_NONE };
    while (due(f) && next.kind == NEXT_NOW && f->requests - requests < most)
        next = serve(f);
    CHECK(!due(f) || next.kind == NEXT_RETRY, "something is due after %zu requests", most);
    pages_forget(&f->reading.pages);
    f->isolated = f->reading.suspicion.window;
    f->reading = live;
    return f->requests - requests;
}

static size_t waiting(struct fixture *f)
{
    return quarantine_waiting(&f->scene.feed.progress.quarantine);
}

/* Returns true if the next request is a probe. */
static bool probes(const struct fixture *f)
{
    return f->reading.suspicion.state == SUSPICION_PROBE;
}

/* Records a minute apart, from this time on. */
static void add_records(struct fixture *f, const char *from, size_t count)
{
    for (ticks time = scene_time(from); count--; time += 60 * TICKS_PER_SECOND)
        f->service.times[f->service.count++] = time;
}

static void begin_at(struct fixture *f, const char *text)
{
    struct cursor cursor;

    cursor_start(&cursor, scene_time(text));
    progress_begin(&f->scene.feed.progress, &cursor, 0);
}

static struct progress *progress_of(struct fixture *f)
{
    return &f->scene.feed.progress;
}

#define POLL1 "{\"value\":[" RECORD("a", "11:10:00Z") "," RECORD("b", "11:20:00Z") "]}"

/* What is read completely. */

static void test_a_window_is_read(void **state)
{
    struct fixture *f = *state;
    struct next next = respond(f, POLL1);
    struct pending_cursor *last;

    CHECK(next.kind == NEXT_POLL && !next.tries && !next.wake_others && !next.backfill_done, "kind %d", next.kind);
    CHECK(progress_of(f)->cursor.watermark == scene_time(SCENE_DAY "11:20:00Z"), "the watermark is the newest one's");
    CHECK(dedup_count(progress_of(f)->dedup) == 2 && f->scene.feed.tally.new_events == 2, "two events");
    last = &progress_of(f)->acks.pending[progress_of(f)->acks.count - 1];
    CHECK(last->pos == outbox_end(f->scene.env.outbox), "the cursor may only be saved once its events are safe");
    CHECK(f->scene.feed.tally.ok == 1 && f->scene.feed.evidence.proven == scene_time(SCENE_DAY "11:20:00Z"), "counts");
    f->scene.feed.evidence.unproven = 3;
    respond(f, "{\"value\":[]}");
    CHECK(f->scene.feed.tally.ok == 2 && f->scene.feed.evidence.unproven == 3, "an empty response proves nothing");
    respond(f, POLL1);
    CHECK(!f->scene.feed.evidence.unproven, "one with records does");
}

/* Two clocks differ, and no third says which one is wrong: what is written is remembered, and asked for again. */
static void test_a_time_that_is_not_certain(void **state)
{
    struct fixture *f = *state;

    f->reading.timeless = true;
    respond(f, POLL1);
    CHECK(dedup_count(progress_of(f)->dedup) == 2 && f->scene.feed.tally.new_events == 2, "two events");
    CHECK(progress_of(f)->cursor.watermark < scene_time(SCENE_DAY "11:20:00Z"), "the watermark moves all the same");
    f->reading.timeless = false;
    respond(f, POLL1);
    CHECK(progress_of(f)->cursor.watermark == scene_time(SCENE_DAY "11:20:00Z"), "it does not move");
    CHECK(f->scene.feed.tally.new_events == 2, "written again");
}

/* The host's clock is an hour and more ahead. What the live worker asked for when nothing else was known, and whose response
 * comes with another Date, may not move the watermark beyond the service's clock. */
static void test_a_clock_that_is_known_meanwhile(void **state)
{
    static const struct { const char *name; int64_t service_s, date_s; bool known, timeless; } rows[] = {
        { "another response told the time, and the Date is wrong", -5900, 86400 * 20, true, false },
        { "another response told the time, and there is no Date", -5900, 0, true, false },
        { "the Date is the one that is known", -5900, -5900, true, false },
        { "nothing is known, and the Date is doubted", -5900, 86400 * 20, false, true },
    };
    struct fixture *f = *state;
    struct reading *reading = &f->reading;
    struct service_clock *clock = &f->scene.feed.clock;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t host_ms = clock_wall_ms(), took_ms = 2000, sent_ms = host_ms + rows[i].service_s * 1000 - took_ms;

        *clock = (struct service_clock){ .known = false };
        worker_request_prepare(reading, f->now_ms);
        CHECK(reading->sent_at >= ticks_from_ms(host_ms), "%s: by the host's clock", rows[i].name);
        clock->known = rows[i].known;
        clock->good_ms = host_ms + rows[i].service_s * 1000 - clock_ms();
        worker_request_dated(reading, rows[i].date_s ? host_ms + rows[i].date_s * 1000 : 0, took_ms);
        CHECK(reading->timeless == rows[i].timeless, "%s: timeless", rows[i].name);
        CHECK(rows[i].timeless || reading_limit(reading) <= ticks_from_ms(sent_ms + took_ms + 1000),
              "%s: %lld s beyond the service's clock", rows[i].name,
              (long long)((reading_limit(reading) - ticks_from_ms(sent_ms)) / TICKS_PER_SECOND));
    }
    *clock = (struct service_clock){ .known = false };
    reading->timeless = false;
}

/* The first request asks from the beginning, the next one from the watermark less the overlap. */
static void test_what_is_asked_for(void **state)
{
    struct fixture *f = *state;

    respond(f, POLL1);
    CHECK(strstr(buf_text(&f->url), "lastUpdateDateTime%20ge%202026-11-01T11%3A00%3A00"), "%s", buf_text(&f->url));
    respond(f, POLL1);
    CHECK(strstr(buf_text(&f->url), "lastUpdateDateTime%20ge%202026-11-01T11%3A05%3A00"), "%s", buf_text(&f->url));
}

/* promise: Trouble: A page that keeps failing is asked for in smaller pieces. */
static void test_a_window_is_split(void **state)
{
    struct fixture *f = *state;
    struct next next;

    add_records(f, SCENE_DAY "11:01:00Z", 50);
    f->service.most = f->api.top = f->api.top_first = 10;
    next = serve(f);
    CHECK(next.kind == NEXT_NOW && next.wake_others, "kind %d", next.kind);
    CHECK(progress_of(f)->cursor.watermark == scene_time(SCENE_DAY "11:00:00Z"), "nothing counts as read");
    CHECK(f->scene.feed.tally.new_events == 10, "but its records are written");
    CHECK(progress_of(f)->plans[WORKER_LIVE].active, "smaller windows are planned");
    catch_up(f, 50);
    CHECK(f->scene.feed.tally.new_events == 50, "%llu events", (unsigned long long)f->scene.feed.tally.new_events);
    CHECK(progress_of(f)->cursor.watermark == scene_time(SCENE_DAY "11:50:00Z"), "all is read");
}

/* An input with 100 records of the past and five new ones, and responses that hold ten. */
static void begin_with_a_past(struct fixture *f)
{
    begin_at(f, SCENE_BEGIN);
    add_records(f, SCENE_DAY "01:00:00Z", 100);
    add_records(f, SCENE_DAY "11:50:00Z", 5);
    f->service.most = f->api.top = f->api.top_first = 10;
}

/* What the present is has to be known for that: a backfill up to a false one would raise the watermark to it. */
static void test_a_long_window_at_no_known_time(void **state)
{
    struct fixture *f = *state;
    ticks before;

    begin_with_a_past(f);
    before = progress_of(f)->cursor.watermark;
    f->reading.timeless = true;
    serve(f);
    CHECK(!progress_of(f)->cursor.backfill.active && progress_of(f)->plans[WORKER_LIVE].active, "it is split");
    CHECK(progress_of(f)->cursor.watermark == before, "the watermark stays");
    f->reading.timeless = false;
}

/* A window that reaches far back goes to the backfill; new alerts do not wait for it. */
static void test_a_long_window_becomes_a_backfill(void **state)
{
    struct fixture *f = *state;
    struct next next;

    begin_with_a_past(f);
    next = serve(f);
    CHECK(next.kind == NEXT_NOW && next.wake_others && progress_of(f)->cursor.backfill.active, "it begins");
    CHECK(catch_up(f, 5) == 1, "the live worker reads the last stretch");
    CHECK(dedup_has(progress_of(f)->dedup, dedup_key("104", 3, f->service.times[104])), "the newest one is there");
    f->reading.kind = WORKER_BACKFILL;
    do
        next = serve(f);
    while (next.kind == NEXT_NOW && f->requests < 100);
    CHECK(next.kind == NEXT_POLL && next.backfill_done, "kind %d after %zu requests", next.kind, f->requests);
    CHECK(f->scene.feed.tally.new_events == 105, "%llu events", (unsigned long long)f->scene.feed.tally.new_events);
    CHECK(!progress_of(f)->cursor.backfill.active, "the cursor has one watermark again");
}

/* More alerts of one moment than a response holds: page after page, until two passes agree. */
static void test_a_burst_is_read_in_pages(void **state)
{
    struct fixture *f = *state;

    for (f->service.count = 0; f->service.count < 25; f->service.count++)
        f->service.times[f->service.count] = scene_time(SCENE_DAY "11:30:00Z");
    f->service.most = f->api.top = f->api.top_first = 10;
    f->service.has_link = true;
    catch_up(f, 30);
    CHECK(f->scene.feed.tally.new_events == 25, "%llu events", (unsigned long long)f->scene.feed.tally.new_events);
    CHECK(!f->reading.pages.chained && !f->reading.pages.link, "the chain is forgotten");
}

/* After failures pages are small. One that has all that was asked for, and no link, does not tell what is left. */
static void test_a_page_as_small_as_asked(void **state)
{
    static const struct { const char *name; bool unfiltered; size_t old, at_once, size; } rows[] = {
        { "records of one moment", false, 0, 5, 2 },
        { "one at a time", false, 0, 5, 1 },
        { "a filter that is ignored", true, 40, 3, 16 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture *f = *state;

        add_records(f, SCENE_DAY "09:00:00Z", rows[i].old);
        for (size_t n = 0; n < rows[i].at_once; n++)
            f->service.times[f->service.count++] = scene_time(SCENE_DAY "11:30:00Z");
        f->service.ends_as_asked = true;
        f->service.unfiltered = rows[i].unfiltered;
        f->reading.page_size.size = rows[i].size;
        catch_up(f, 80);
        CHECK(f->scene.feed.tally.new_events == rows[i].at_once, "%s: %llu events", rows[i].name,
              (unsigned long long)f->scene.feed.tally.new_events);
        close_fixture(state);
        open_fixture(state);
    }
}

/* A filter that is ignored, in answers that end where the largest page does: what is left cannot be had, so nothing counts
 * as read. */
static void test_a_filter_that_is_ignored_for_good(void **state)
{
    struct fixture *f = *state;
    struct next next;

    f->api.top = f->api.top_first = 20;
    add_records(f, SCENE_DAY "09:00:00Z", 40);
    f->service.ends_as_asked = f->service.unfiltered = true;
    next = serve(f);
    CHECK(next.kind == NEXT_RETRY && strstr(next.err.text, "ignores the filter"), "kind %d: %s", next.kind, next.err.text);
    CHECK(progress_of(f)->cursor.watermark == scene_time(SCENE_DAY "11:00:00Z"), "the watermark moved");
    f->service.unfiltered = false;
    catch_up(f, 20);
}

/* Of a chain nothing counts as read before its end: a failure in the middle begins it again. */
static void test_a_chain_that_fails_in_the_middle(void **state)
{
    struct fixture *f = *state;
    struct next next;
    ticks watermark;

    for (f->service.count = 0; f->service.count < 25; f->service.count++)
        f->service.times[f->service.count] = scene_time(SCENE_DAY "11:30:00Z");
    f->service.most = f->api.top = f->api.top_first = 10;
    f->service.has_link = true;
    while (!f->reading.pages.link && f->requests < 60)
        serve(f);
    watermark = progress_of(f)->cursor.watermark;
    next = respond_status(f, 500, 0);
    CHECK(next.kind == NEXT_RETRY && !f->reading.pages.link, "kind %d", next.kind);
    CHECK(progress_of(f)->cursor.watermark == watermark && watermark < scene_time(SCENE_DAY "11:30:00Z"), "it moved");
    catch_up(f, 30);
    CHECK(f->scene.feed.tally.new_events == 25, "%llu events", (unsigned long long)f->scene.feed.tally.new_events);
}

/* What breaks. */

/* promise: Events: A record that is not JSON gives an ERROR with its place. All others arrive. */
static void test_a_broken_record_is_quarantined(void **state)
{
    struct fixture *f = *state;
    const struct quarantined *entry;

    add_records(f, SCENE_DAY "11:01:00Z", 50);
    f->service.broken = 20;
    catch_up(f, 4);
    read_quarantine(f, 60);
    CHECK(f->scene.feed.tally.new_events == 49, "%llu events", (unsigned long long)f->scene.feed.tally.new_events);
    CHECK(f->scene.feed.tally.bad_records == 1 && waiting(f) == 1, "%zu windows", waiting(f));
    entry = quarantine_find(&progress_of(f)->quarantine, &f->isolated);
    CHECK(entry && entry->search == SEARCH_LOGGED && entry->window.lo == f->service.times[19] &&
          entry->window.hi == f->service.times[19] + 1 && !due(f), "it is alone");
    time_passes(f, 15);
    CHECK(due(f) && read_quarantine(f, 3) <= 2, "it is tried again soon, perhaps with a probe");
    time_passes(f, 15 * 60 - 5);
    CHECK(!due(f), "the slow schedule");
    time_passes(f, 6);
    CHECK(due(f), "forever");
}

/* A 5xx may pass: the window is searched down to a second at once, and on when it fails again after 15 s. */
static void test_a_poisoned_record_is_quarantined(void **state)
{
    struct fixture *f = *state;

    add_records(f, SCENE_DAY "11:01:00Z", 50);
    f->service.poisoned[19] = true;
    catch_up(f, 4);
    read_quarantine(f, 40);
    CHECK(f->scene.feed.tally.new_events == 49 && waiting(f) == 1, "%llu events",
          (unsigned long long)f->scene.feed.tally.new_events);
    CHECK(f->isolated.hi - f->isolated.lo <= TICKS_PER_SECOND && !due(f), "it waits");
    time_passes(f, 15);
    read_quarantine(f, 60);
    CHECK(waiting(f) == 1 && f->scene.feed.tally.bad_records == 1, "it was logged once");
    CHECK(f->isolated.hi - f->isolated.lo == 1, "%lld ticks", (long long)(f->isolated.hi - f->isolated.lo));
}

/* The record is complete again one day: it comes. */
static void test_a_quarantined_window_is_still_read(void **state)
{
    struct fixture *f = *state;

    add_records(f, SCENE_DAY "11:01:00Z", 50);
    f->service.poisoned[49] = true;
    catch_up(f, 4);
    read_quarantine(f, 40);
    f->service.poisoned[49] = false;
    time_passes(f, 15);
    CHECK(read_quarantine(f, 2) == 1 && !waiting(f), "one request");
    CHECK(f->scene.feed.tally.new_events == 50, "%llu events", (unsigned long long)f->scene.feed.tally.new_events);
    CHECK(progress_of(f)->quarantine.count > 0, "they stay in the saved list until splunkd has taken the events");
    CHECK(!progress_settle(progress_of(f), outbox_end(f->scene.env.outbox), feed_service_now(&f->scene.feed)) &&
          !progress_of(f)->quarantine.count, "%zu are left", progress_of(f)->quarantine.count);
}

/* promise: Trouble: A window that fails while others are answered is set aside. New alerts keep arriving. */
static void test_a_window_that_fails_alone(void **state)
{
    struct fixture *f = *state;
    struct next next;

    add_records(f, SCENE_DAY "11:50:00Z", 1);
    f->service.poisoned[0] = true;
    next = serve(f);
    CHECK(next.kind == NEXT_RETRY && next.tries == 1, "it is requested once more: kind %d", next.kind);
    next = serve(f);
    CHECK(next.kind == NEXT_NOW && probes(f) && !waiting(f), "without evidence, a probe");
    next = serve(f);
    CHECK(f->reading.window.lo > scene_time(SCENE_DAY "11:59:50Z"), "the newest second is asked for");
    CHECK(next.kind == NEXT_POLL && next.wake_others && next.tries == 1, "kind %d", next.kind);
    CHECK(waiting(f) == 1 && !f->reading.attempts.failures, "it is quarantined");
    CHECK(progress_of(f)->cursor.watermark == scene_time(SCENE_DAY "11:00:00Z"), "nothing was read");
    time_passes(f, 60);
    f->service.times[f->service.count++] = scene_time(SCENE_DAY "12:00:30Z");
    CHECK(catch_up(f, 1) == 1 && f->scene.feed.tally.new_events == 1, "the next poll is as usual");
}

/* Pages of one record are too much, and the part with the poisoned one fails each time after the backfill has read the rest:
 * an answer that is too much does not clear the part. */
static void test_a_part_of_what_is_too_much(void **state)
{
    struct fixture *f = *state;
    struct reading backfill = f->reading;

    backfill.kind = WORKER_BACKFILL;
    begin_at(f, SCENE_BEGIN);
    add_records(f, SCENE_DAY "01:00:00Z", 3);
    add_records(f, SCENE_DAY "11:50:00Z", 1);
    f->service.poisoned[3] = true;
    f->service.has_link = f->service.ends_as_asked = true;
    f->reading.page_size = (struct page_size){ .size = 1, .too_large = 2 };
    while (!waiting(f) && f->requests < 40) {
        bool backfills = progress_of(f)->cursor.backfill.active;

        serve(f);
        if (backfills) {
            struct reading live = f->reading;

            f->reading = backfill;
            serve(f);
            backfill = f->reading;
            f->reading = live;
        }
    }
    CHECK(waiting(f) == 1, "nothing is quarantined after %zu requests", f->requests);
}

/* The service's clock was set back by days: the probe does not ask for what was written and forgotten since then. */
static void test_a_probe_by_a_clock_that_is_behind(void **state)
{
    struct fixture *f = *state;
    ticks watermark;

    add_records(f, SCENE_DAY "11:20:00Z", 1);
    catch_up(f, 1);
    watermark = progress_of(f)->cursor.watermark;
    CHECK(watermark > progress_of(f)->cursor.begin, "something was read");
    add_records(f, SCENE_DAY "11:50:00Z", 1);
    f->service.poisoned[f->service.count - 1] = true;
    time_passes(f, 60);
    serve(f);
    serve(f);
    CHECK(probes(f), "a probe");
    f->scene.feed.clock.good_ms -= INT64_C(10) * 86400 * 1000;
    serve(f);
    CHECK(f->reading.window.lo == watermark && f->reading.window.hi == TICKS_OPEN, "from the watermark on");
}

/* A record that breaks its response is dated in the future, so that each open window has it, the probe as well. A probe
 * that ends at the present shows that the service works. */
static void test_a_bad_record_of_the_future(void **state)
{
    struct fixture *f = *state;
    bool ended = false;

    add_records(f, SCENE_DAY "11:20:00Z", 1);
    catch_up(f, 1);
    add_records(f, SCENE_DAY "11:50:00Z", 1);
    add_records(f, SCENE_DAY "23:50:00Z", 1);
    f->service.poisoned[f->service.count - 1] = true;
    for (int i = 0; i < 40 && !waiting(f); i++) {
        bool is_probe = probes(f);

        time_passes(f, 10);
        serve(f);
        ended = ended || (is_probe && f->reading.window.hi != TICKS_OPEN);
    }
    CHECK(ended && waiting(f), "a probe ends at the present, and the window is set aside");
    read_quarantine(f, 20);
    CHECK(f->scene.feed.tally.new_events == 2, "%llu events", (unsigned long long)f->scene.feed.tally.new_events);
}

/* With evidence there is no probe: another window was answered a moment ago. */
static void test_evidence(void **state)
{
    static const struct { const char *name; int64_t age_s; enum next_kind want; } rows[] = {
        { "another window was answered just now", 0, NEXT_POLL },
        { "9 s ago", 9, NEXT_POLL },
        { "11 s ago", 11, NEXT_NOW },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct next next;

        begin_at(f, SCENE_DAY "11:00:00Z");
        CHECK(respond(f, "{\"value\":[]}").kind == NEXT_POLL, "an answer");
        time_passes(f, rows[i].age_s);
        respond_status(f, 500, 0);
        next = respond_status(f, 500, 0);
        CHECK(next.kind == rows[i].want, "%s: kind %d", rows[i].name, next.kind);
        CHECK(probes(f) == (next.kind == NEXT_NOW), "%s: a probe", rows[i].name);
        if (probes(f))
            CHECK(respond(f, "{\"value\":[]}").kind == NEXT_POLL, "%s: answered", rows[i].name);
    }
}

/* The probe fails as well: the service fails. Nothing is set aside, however long it takes. */
static void test_a_service_that_fails(void **state)
{
    struct fixture *f = *state;
    int tries = 0;

    for (int i = 0; i < 100; i++) {
        struct next next = respond_status(f, 500, 0);

        CHECK(next.kind == NEXT_RETRY || probes(f), "kind %d", next.kind);
        tries = next.kind == NEXT_RETRY ? next.tries : tries;
    }
    CHECK(!progress_of(f)->quarantine.count && tries == 50, "%d failures", tries);
    CHECK(respond(f, POLL1).kind == NEXT_POLL, "it recovers");
}

/* A response came, but it is of no use. */
static void test_failures_of_a_window(void **state)
{
    static const struct { const char *name; struct http_result result; const char *body; bool alone; } rows[] = {
        { "a 500", { .status = 500 }, NULL, true },
        { "a 502", { .status = 502 }, NULL, true },
        { "a 504", { .status = 504 }, NULL, true },
        { "a body that ends early", { .status = 200, .fault = HTTP_CUT }, "{\"value\":[", true },
        { "a body that never ends", { .status = 200, .fault = HTTP_TIMEOUT }, "{\"value\":[", true },
        { "garbled compression", { .status = 200, .fault = HTTP_GARBLED }, "", true },
        { "JSON that breaks among the records", { .status = 200 }, "{\"value\":[" RECORD("a", "11:10:00Z") ",{\"i", true },
        { "JSON that breaks before them", { .status = 200 }, "{\"val", true },
        { "no list", { .status = 200 }, "{\"value\":7}", true },
        { "a part of the answer", { .status = 206 }, "{\"value\":[]}", true },
        { "no connection", { .fault = HTTP_NO_CONNECTION }, NULL, false },
        { "throttled", { .status = 429 }, NULL, false },
        { "refused", { .status = 403 }, NULL, false },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct next next;

        quarantine_release(&progress_of(f)->quarantine);
        f->reading.suspicion = (struct suspicion){ .state = SUSPICION_NONE };
        begin_at(f, SCENE_DAY "11:00:00Z");
        CHECK(respond(f, "{\"value\":[]}").kind == NEXT_POLL, "%s: evidence", rows[i].name);
        respond_with(f, rows[i].result, rows[i].body);
        next = respond_with(f, rows[i].result, rows[i].body);
        CHECK((next.kind == NEXT_POLL) == rows[i].alone && waiting(f) == rows[i].alone, "%s: kind %d, %zu waiting",
              rows[i].name, next.kind, waiting(f));
    }
}

/* 29 of 30 records over 30 days, within 60 requests. */
static void test_a_poisoned_record_in_the_past(void **state)
{
    for (size_t poisoned = 0; poisoned < 30; poisoned += poisoned < 2 || poisoned > 26 ? 1 : 6) {
        struct fixture *f = *state;

        f->service.count = 0;
        f->requests = 0;
        f->scene.feed.tally = (struct tally){ .new_events = 0 };
        f->scene.feed.evidence.unproven = 0;
        f->scene.feed.evidence.proven = 0;
        quarantine_release(&progress_of(f)->quarantine);
        progress_forget_written(progress_of(f));
        memset(progress_of(f)->plans, 0, sizeof(progress_of(f)->plans));
        begin_at(f, "2026-10-02T00:00:00Z");
        for (size_t i = 0; i < 30; i++)
            f->service.times[f->service.count++] = scene_time("2026-10-02T03:07:09.1234567Z") +
                                                   (ticks)i * 86411 * TICKS_PER_SECOND;
        memset(f->service.poisoned, 0, sizeof(f->service.poisoned));
        f->service.poisoned[poisoned] = true;
        catch_up(f, 5);
        read_quarantine(f, 100);
        CHECK(f->scene.feed.tally.new_events == 29 && f->requests <= 60, "record %zu: %llu events, %zu requests",
              poisoned, (unsigned long long)f->scene.feed.tally.new_events, f->requests);
    }
}

/* A response of more than 60 records is a 500. */
static void test_responses_that_are_too_much(void **state)
{
    struct fixture *f = *state;

    add_records(f, SCENE_DAY "09:00:00Z", 150);
    begin_at(f, SCENE_BEGIN);
    f->service.fails_above = 60;
    catch_up(f, 5);
    read_quarantine(f, 30);
    CHECK(f->scene.feed.tally.new_events == 150 && !waiting(f), "%llu events, %zu windows wait",
          (unsigned long long)f->scene.feed.tally.new_events, waiting(f));
    CHECK(!f->scene.feed.tally.bad_records, "nothing is bad");
}

/* The backfill continues past a window that fails, and ends. */
static void test_the_backfill_continues(void **state)
{
    struct fixture *f = *state;
    struct next next;

    begin_with_a_past(f);
    f->service.poisoned[50] = true;
    while (!progress_of(f)->cursor.backfill.active && f->requests < 10)
        serve(f);
    if (!progress_of(f)->cursor.backfill.active)
        fail_msg("no backfill");
    catch_up(f, 5);
    f->reading.kind = WORKER_BACKFILL;
    do
        next = serve(f);
    while (next.kind != NEXT_POLL && f->requests < 100);
    CHECK(next.backfill_done && waiting(f) == 1, "kind %d, %zu windows", next.kind, waiting(f));
    read_quarantine(f, 100);
    CHECK(f->scene.feed.tally.new_events == 104, "%llu events", (unsigned long long)f->scene.feed.tally.new_events);
}

/* Something on the way truncates every response with records. It is not the records' fault. */
static void test_nothing_proves_that_records_get_through(void **state)
{
    struct fixture *f = *state;
    size_t cuts;
    struct next next;

    respond(f, POLL1);      /* a record that was read: the probe of it fails, too */
    f->service.times[f->service.count++] = scene_time(SCENE_DAY "11:20:00Z");
    add_records(f, SCENE_DAY "11:21:00Z", 20);
    f->service.cuts = true;
    for (int i = 0; i < 3; i++)
        serve(f);
    read_quarantine(f, 100);
    cuts = progress_of(f)->quarantine.count;
    CHECK(cuts <= FEED_UNPROVEN_MOST + 1 && feed_is_unproven(&f->scene.feed), "%zu windows", cuts);
    add_records(f, SCENE_DAY "12:00:00Z", 1);
    time_passes(f, 60);
    for (int i = 0; i < 8 && !probes(f); i++)
        serve(f);
    CHECK(probes(f), "a probe");
    next = serve(f);
    CHECK(next.kind == NEXT_RETRY && f->reading.window.lo == scene_time(SCENE_DAY "11:20:00Z"), "of a known record");
    CHECK(progress_of(f)->quarantine.count == cuts, "nothing more is quarantined");
    for (int i = 0; i < 40 && progress_of(f)->quarantine.count == cuts; i++)
        serve(f);
    CHECK(progress_of(f)->quarantine.count == cuts + 1, "it takes half an hour until the record may be to blame");
    f->service.cuts = false;
    f->service.times[f->service.count++] = scene_time(SCENE_DAY "12:00:30Z");
    catch_up(f, 3);
    read_quarantine(f, 100);
    CHECK(!waiting(f) && dedup_count(progress_of(f)->dedup) == 25, "%zu versions, %zu windows wait",
          dedup_count(progress_of(f)->dedup), waiting(f));
}

/* Two poisoned records with nothing good between them: a quiet customer is not blind after the second. */
static void test_poisoned_records_of_a_quiet_customer(void **state)
{
    struct fixture *f = *state;
    uint64_t before;

    for (int begun = 0; begun < 2; begun++) {
        if (begun)
            respond(f, "{\"value\":[" RECORD("a", "12:01:30Z") "]}");
        for (int i = 0; i < 3; i++) {
            f->service.count = 1;
            memset(f->service.poisoned, 0, sizeof(f->service.poisoned));
            f->service.poisoned[0] = true;
            f->service.times[0] = feed_service_now(&f->scene.feed) - 10 * TICKS_PER_SECOND;
            catch_up(f, 10);
            read_quarantine(f, 100);
            time_passes(f, 15);
            read_quarantine(f, 100);
            time_passes(f, 45);
        }
        f->service.times[f->service.count++] = feed_service_now(&f->scene.feed) - TICKS_PER_SECOND;
        f->service.poisoned[f->service.count - 1] = false;
        before = f->scene.feed.tally.new_events;
        catch_up(f, 10);
        CHECK(f->scene.feed.tally.new_events == before + 1, "round %d: it does not arrive", begun);
    }
}

/* A record that is not JSON, in a response that goes on after it: it is requested again twice, then given up. */
static void test_a_bad_record_is_requested_again(void **state)
{
    static const char body[] = "{\"value\":[" RECORD("a", "11:10:00Z") ",{\"id\":01}," RECORD("b", "11:20:00Z") "]}";
    static const char other[] = "{\"value\":[{\"id\":01},{\"id\":02}]}";
    struct fixture *f = *state;
    ticks begin = progress_of(f)->cursor.watermark;

    for (int i = 0; i < READING_BAD_TRIES; i++) {
        CHECK(respond(f, body).kind == NEXT_RETRY, "try %d", i);
        CHECK(progress_of(f)->cursor.watermark == begin, "the cursor moved");
        CHECK(!f->scene.feed.tally.bad_records, "given up after %d tries", i);
    }
    CHECK(respond(f, body).kind == NEXT_POLL, "then the others count as read");
    CHECK(f->scene.feed.tally.bad_records == 1 && f->scene.feed.tally.new_events == 2, "%llu given up, %llu events",
          (unsigned long long)f->scene.feed.tally.bad_records, (unsigned long long)f->scene.feed.tally.new_events);
    CHECK(respond(f, body).kind == NEXT_POLL && f->scene.feed.tally.bad_records == 1, "the same one again is known");
    CHECK(respond(f, other).kind == NEXT_RETRY && f->scene.feed.tally.bad_records == 1, "another one is requested again");
    CHECK(respond(f, body).kind == NEXT_POLL && f->scene.feed.tally.bad_records == 1, "and may heal");
}

/* Quotes that do not match may have swallowed good records, so the window is searched, not accepted. */
static void test_unbalanced_quotes_are_searched(void **state)
{
    static const char body[] = "{\"value\":[{\"id\":nonsense}," RECORD("b", "11:20:00Z") "]}";
    struct fixture *f = *state;
    ticks begin = progress_of(f)->cursor.watermark;

    CHECK(respond(f, "{\"value\":[]}").kind == NEXT_POLL, "evidence");
    CHECK(respond(f, body).kind == NEXT_RETRY && !waiting(f), "once more");
    CHECK(respond(f, body).kind == NEXT_POLL && waiting(f) == 1, "%zu windows", waiting(f));
    CHECK(progress_of(f)->cursor.watermark == begin && f->scene.feed.tally.ok == 1, "it counts as read");
}

/* promise: Checkpoints: While a checkpoint cannot be written, events are held back. None is lost. */
static void test_held_back(void **state)
{
    struct fixture *f = *state;
    ticks begin = progress_of(f)->cursor.watermark;
    struct next next;

    f->scene.not_writable = true;
    for (int i = 1; i <= 10; i++) {
        next = respond(f, POLL1);
        CHECK(next.kind == NEXT_RETRY && next.tries == i && next.wait_ms > 0, "kind %d", next.kind);
        CHECK(strstr(next.err.text, "held back") && strstr(next.err.text, "the disk is full"), "%s", next.err.text);
        CHECK(progress_of(f)->cursor.watermark == begin && !dedup_count(progress_of(f)->dedup), "it counts as read");
    }
    CHECK(!progress_of(f)->plans[WORKER_LIVE].active, "smaller windows would not help");
    f->scene.not_writable = false;
    next = respond(f, POLL1);
    CHECK(next.kind == NEXT_POLL && next.tries == 10, "kind %d after %d", next.kind, next.tries);
    CHECK(f->scene.feed.tally.new_events == 2, "%llu events", (unsigned long long)f->scene.feed.tally.new_events);
}

/* The same for a response that breaks: it is not the broken record's fault. */
static void test_held_back_and_broken(void **state)
{
    struct fixture *f = *state;

    f->scene.not_writable = true;
    for (int i = 0; i < 100; i++) {
        struct next next = respond(f, "{\"value\":[" RECORD("a", "11:10:00Z") ",{\"id\":");

        CHECK(next.kind == NEXT_RETRY && strstr(next.err.text, "held back"), "%s", next.err.text);
    }
    CHECK(!f->scene.feed.tally.bad_records && !progress_of(f)->quarantine.count, "a search began");
    CHECK(f->reading.suspicion.state == SUSPICION_NONE, "the window is suspected");
}

/* What is refused or fails. */

static void test_throttled(void **state)
{
    struct fixture *f = *state;
    struct next next = respond_status(f, 429, 60000);

    CHECK(next.kind == NEXT_THROTTLED && next.wait_ms >= 60000 && next.wait_ms <= 66000, "kind %d, %lld ms", next.kind,
          (long long)next.wait_ms);
    CHECK(f->scene.feed.tally.throttled == 1 && f->reading.attempts.failures == 1, "counts");
    CHECK(!progress_of(f)->plans[WORKER_LIVE].active, "smaller windows would not help");
    next = respond(f, POLL1);
    CHECK(next.kind == NEXT_POLL && next.tries == 1 && !f->reading.attempts.failures, "it recovers");
}

/* promise: Trouble: A refusal that lasts seconds costs seconds. */
static void test_refused(void **state)
{
    static const struct { enum next_kind kind; int tries; int64_t wait_ms; } rows[] = {
        { NEXT_RETRY, 1, 2000 }, { NEXT_RETRY, 2, 10000 }, { NEXT_RETRY, 3, 60000 },
        { NEXT_REFUSED, 1, 15 * 60000 }, { NEXT_REFUSED, 2, 30 * 60000 }, { NEXT_REFUSED, 3, 60 * 60000 },
    };
    static const int statuses[] = { 403, 404, 410 };
    struct fixture *f = *state;

    for (size_t s = 0; s < COUNT_OF(statuses); s++) {
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            struct next next = respond_status(f, statuses[s], 0);

            CHECK(next.kind == rows[i].kind && next.tries == rows[i].tries && next.wait_ms == rows[i].wait_ms &&
                  next.err.kind == ERR_AUTH, "%d, %zu: kind %d, %lld ms", statuses[s], i, next.kind,
                  (long long)next.wait_ms);
            CHECK(f->reading.attempts.fresh_token, "the next try has a fresh token");
        }
        CHECK(respond(f, POLL1).tries == COUNT_OF(rows), "it recovers");
        CHECK(!f->reading.attempts.refusals && !f->reading.attempts.fresh_token && !reading_variant(&f->reading)->current,
              "nothing remains");
    }
    CHECK(f->scene.feed.tally.refused == COUNT_OF(statuses) * COUNT_OF(rows), "counts");
}

static void test_401(void **state)
{
    struct fixture *f = *state;

    CHECK(respond_status(f, 401, 0).kind == NEXT_NEW_TOKEN, "once more with a new token");
    CHECK(respond(f, POLL1).kind == NEXT_POLL, "that works");
    CHECK(respond_status(f, 401, 0).kind == NEXT_NEW_TOKEN, "and again later");
    for (int i = 0; i < BACKOFF_QUICK_TRIES; i++) {
        CHECK(respond_status(f, 401, 0).kind == NEXT_RETRY, "a new token that is not accepted either");
        CHECK(f->reading.attempts.fresh_token, "each repetition has a fresh one");
    }
    CHECK(respond_status(f, 401, 0).kind == NEXT_REFUSED, "for longer than a minute");
    CHECK(respond(f, POLL1).kind == NEXT_POLL && respond_status(f, 401, 0).kind == NEXT_NEW_TOKEN, "as at first");
}

/* Variants of the query. */

/* Answers 400 until the repetitions are over. */
static void refuse_repetitions(struct fixture *f)
{
    for (int i = 1; i <= BACKOFF_QUICK_TRIES; i++) {
        struct next next = respond_status(f, 400, 0);

        CHECK(next.kind == NEXT_RETRY && next.wait_ms == backoff_quick_ms(i), "kind %d, %lld ms", next.kind,
              (long long)next.wait_ms);
        CHECK(!f->reading.variant && !f->reading.attempts.fresh_token, "the same request");
        CHECK(strstr(next.err.text, "HTTP 400"), "%s", next.err.text);
    }
}

/* promise: Trouble: A 400 is repeated first. Then simpler forms are tried. After the last form it is a refusal. */
static void test_variants(void **state)
{
    struct fixture *f = *state;
    struct next next;

    refuse_repetitions(f);
    for (int variant = 1; variant < f->api.variants; variant++) {
        next = respond_status(f, 400, 0);
        CHECK(next.kind == NEXT_VARIANT && reading_variant(&f->reading)->current == variant, "kind %d, form %d", next.kind,
              f->scene.feed.variants[WORKER_LIVE].current);
        CHECK(strstr(next.err.text, "HTTP 400"), "%s", next.err.text);
    }
    next = respond_status(f, 400, 0);
    CHECK(next.kind == NEXT_REFUSED && next.wait_ms == BACKOFF_REFUSED_MS && strstr(next.err.text, "administrator"),
          "kind %d: %s", next.kind, next.err.text);
    for (int i = 1; i <= f->api.variants; i++)     /* the slow retry: each once, nothing to say */
        next = respond_status(f, 400, 0);
    CHECK(next.kind == NEXT_REFUSED && next.wait_ms == 2 * BACKOFF_REFUSED_MS, "kind %d", next.kind);
    CHECK(respond(f, POLL1).kind == NEXT_POLL && !f->reading.variant, "the full query comes first after that");
}

/* Comes to the variant by 400s. */
static void simplify(struct fixture *f, int variant)
{
    refuse_repetitions(f);
    for (int i = 0; i < variant; i++)
        respond_status(f, 400, 0);
}

/* promise: Trouble: A simpler form is temporary. The full one is tried again after 10 minutes to 4 hours. */
static void test_a_simpler_variant_is_temporary(void **state)
{
    static const int64_t minutes[] = { 10, 20, 40, 80, 160, 240, 240 };
    struct fixture *f = *state;
    struct next next;

    simplify(f, 2);
    CHECK(respond(f, POLL1).kind == NEXT_POLL && f->reading.variant == 2, "variant %d", f->reading.variant);
    for (size_t i = 0; i < COUNT_OF(minutes); i++) {
        f->now_ms += minutes[i] * 60000 - 10;
        CHECK(respond(f, POLL1).kind == NEXT_POLL && f->reading.variant == 2, "too soon");
        f->now_ms += 10;
        for (int variant = 0; variant < 2; variant++) {
            next = respond_status(f, 400, 0);
            CHECK(next.kind == NEXT_NOW && f->reading.variant == variant, "kind %d, form %d", next.kind,
                  f->reading.variant);
        }
        CHECK(respond(f, POLL1).kind == NEXT_POLL && f->reading.variant == 2, "back at what works");
    }
    f->now_ms += 240 * 60000;
    next = respond_status(f, 500, 0);
    CHECK(next.kind == NEXT_RETRY && !f->reading.variant, "a failure says nothing about the query");
    CHECK(respond(f, POLL1).kind == NEXT_POLL && f->reading.variant == 2, "variant %d", f->reading.variant);
    f->now_ms += 240 * 60000;
    next = respond(f, POLL1);
    CHECK(next.kind == NEXT_POLL && next.full_again && !f->reading.variant, "the full query works again");
    CHECK(!respond(f, POLL1).full_again && !f->scene.feed.variants[WORKER_LIVE].returns, "that is said once");
    refuse_repetitions(f);
}

/* The polls' query is refused for long: the backfill need not find that out by repetitions. When the polls are back at
 * the full query, so is the backfill. */
static void test_what_the_other_worker_knows(void **state)
{
    struct fixture *f = *state;
    struct variant *backfill = &f->scene.feed.variants[WORKER_BACKFILL];

    simplify(f, 1);
    respond(f, POLL1);
    cursor_backfill_begins(&progress_of(f)->cursor, scene_time(SCENE_BEGIN), scene_time(SCENE_DAY "10:00:00Z"));
    f->reading.kind = WORKER_BACKFILL;
    CHECK(respond_status(f, 400, 0).kind == NEXT_VARIANT && backfill->current == 1, "no repetition");
    respond_status(f, 400, 0);
    respond(f, "{\"value\":[]}");
    CHECK(backfill->settled == 2, "it may need another variant than the polls");
    f->reading.kind = WORKER_LIVE;
    f->now_ms += BACKOFF_FULL_QUERY_MS - 3;
    CHECK(respond(f, POLL1).full_again && !backfill->current && backfill->state == VARIANT_SEARCH, "it goes back, too");
}

/* A 400 that comes and goes costs nothing but the repetition. */
static void test_a_passing_400(void **state)
{
    struct fixture *f = *state;

    for (int round = 0; round < 5; round++) {
        refuse_repetitions(f);
        CHECK(respond(f, POLL1).kind == NEXT_POLL && !f->reading.variant, "the query is still the full one");
    }
}

/* The query by whole seconds asks for all of a second, whatever part of it is wanted. */
static void test_parts_of_a_second(void **state)
{
    struct fixture *f = *state;
    struct variant *variant = &f->scene.feed.variants[WORKER_QUARANTINE];
    ticks second = scene_time(SCENE_DAY "11:01:00Z");

    time_passes(f, 0);
    for (int i = 0; i < 20; i++) {
        f->service.times[f->service.count++] = second + 10 * i;
        quarantine_add(&progress_of(f)->quarantine, &(struct window){ second + 10 * i, second + 10 * i + 1 }, 0);
    }
    *variant = (struct variant){ .state = VARIANT_SIMPLER, .current = 1, .settled = 1, .retry_ms = INT64_MAX };
    CHECK(read_quarantine(f, 30) == 1 && !waiting(f), "%zu requests", f->requests);
    CHECK(f->scene.feed.tally.new_events == 20, "%llu events", (unsigned long long)f->scene.feed.tally.new_events);
}

/* The windows of a plan were narrower than a second before the query got simpler. */
static void test_a_plan_of_parts_of_a_second(void **state)
{
    static const struct { const char *name; enum worker_kind kind; int variant; bool whole; } rows[] = {
        { "polls", WORKER_LIVE, 1, true },          { "polls by parts of a second", WORKER_LIVE, 0, false },
        { "a backfill", WORKER_BACKFILL, 1, true }, { "a backfill by parts of a second", WORKER_BACKFILL, 0, false },
    };
    struct fixture *f = *state;
    ticks from = scene_time(SCENE_DAY "11:01:00Z") + 3;

    f->api.sorts = false;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct window_plan *plan = &progress_of(f)->plans[rows[i].kind];

        *plan = (struct window_plan){ .active = rows[i].kind == WORKER_LIVE, .next = from, .width = 2, .resolution = 1,
                                      .end = scene_time(SCENE_DAY "11:30:00Z") };
        cursor_backfill_begins(&progress_of(f)->cursor, from, plan->end);
        f->scene.feed.variants[rows[i].kind] = (struct variant){ .state = rows[i].variant ? VARIANT_SIMPLER : VARIANT_FULL,
                                                                 .current = rows[i].variant, .settled = rows[i].variant,
                                                                 .retry_ms = INT64_MAX };
        f->reading.kind = rows[i].kind;
        worker_request_prepare(&f->reading, f->now_ms);
        CHECK(f->reading.window.lo == from && (f->reading.window.hi - from >= TICKS_PER_SECOND) == rows[i].whole,
              "%s: %lld ticks", rows[i].name, (long long)(f->reading.window.hi - from));
    }
}

/* promise: Trouble: What a simpler form left out of an alert is read again, and nothing else. */
static void test_what_was_left_out_is_read_again(void **state)
{
    struct fixture *f = *state;
    struct progress *progress = progress_of(f);
    struct next next;

    f->api.whole_variants = 3;          /* the last one leaves something out */
    add_records(f, SCENE_DAY "11:01:00Z", 20);
    catch_up(f, 5);
    CHECK(f->scene.feed.tally.new_events == 20 && !progress->cursor.partial_from, "all in full");
    simplify(f, 3);
    add_records(f, SCENE_DAY "11:21:00Z", 30);
    catch_up(f, 5);
    CHECK(f->scene.feed.tally.new_events == 50, "%llu events", (unsigned long long)f->scene.feed.tally.new_events);
    CHECK(progress->cursor.partial_from == scene_time(SCENE_DAY "11:21:00Z"), "from the first one in part");
    CHECK(dedup_count(progress->dedup) == 20 && dedup_count(dedup_partial(progress->dedup)) == 30, "two kinds");
    catch_up(f, 5);
    CHECK(f->scene.feed.tally.new_events == 50, "in part they count as written");
    progress_saved(progress, &progress->cursor);
    CHECK(dedup_has(progress->dedup, dedup_key("19", 2, f->service.times[19])) || f->service.times[19] <
          progress->cursor.partial_from, "what is needed to read again is kept");

    f->now_ms += BACKOFF_FULL_QUERY_MS;
    next = serve(f);                    /* the overlap: 11:35 to 11:50 */
    CHECK(next.kind == NEXT_POLL && next.full_again && next.wake_others &&
          next.again_from == scene_time(SCENE_DAY "11:21:00Z"), "kind %d", next.kind);
    CHECK(f->scene.feed.tally.new_events == 66, "%llu events", (unsigned long long)f->scene.feed.tally.new_events);
    CHECK(progress->cursor.backfill.active && progress->cursor.backfill.end == scene_time(SCENE_DAY "11:35:00Z"),
          "the rest is the backfill's");
    f->reading.kind = WORKER_BACKFILL;
    catch_up(f, 5);
    CHECK(f->scene.feed.tally.new_events == 80, "each of the 30 once more: %llu events",
          (unsigned long long)f->scene.feed.tally.new_events);
    CHECK(progress->cursor.partial_from == scene_time(SCENE_DAY "11:35:00Z"), "as far as the backfill came");
    f->reading.kind = WORKER_LIVE;
    catch_up(f, 5);
    CHECK(!progress->cursor.partial_from && !progress->cursor.backfill.active, "nothing remains");
    begin_at(f, SCENE_DAY "11:21:00Z");     /* older ones are no longer known */
    catch_up(f, 5);
    CHECK(f->scene.feed.tally.new_events == 80, "nothing comes again: %llu events",
          (unsigned long long)f->scene.feed.tally.new_events);
}

/* Variants that only ask for less at once, or with coarser times, leave nothing out. */
static void test_nothing_is_read_again_without_need(void **state)
{
    struct fixture *f = *state;

    add_records(f, SCENE_DAY "11:01:00Z", 20);
    simplify(f, 3);
    catch_up(f, 5);
    f->now_ms += BACKOFF_FULL_QUERY_MS;
    CHECK(serve(f).full_again && !progress_of(f)->cursor.backfill.active, "a backfill begins");
    CHECK(f->scene.feed.tally.new_events == 20, "%llu events", (unsigned long long)f->scene.feed.tally.new_events);
}

/* A service that fails altogether may take a smaller page. Each try after the first is followed by a probe. */
static void test_failures_ask_for_less(void **state)
{
    struct fixture *f = *state;
    struct next next = { 0 };

    for (int i = 1; i <= 3; i++) {
        next = respond_status(f, 500, 0);
        if (probes(f))
            next = respond_status(f, 500, 0);
        CHECK(next.kind == NEXT_RETRY && next.tries == i, "try %d: kind %d", i, next.kind);
        CHECK(!f->reading.page_size.size == (i < 3), "try %d: pages of %zu", i, f->reading.page_size.size);
    }
    CHECK(!progress_of(f)->plans[WORKER_LIVE].active, "the window is as it was");
    CHECK(f->scene.feed.tally.failed == 5, "counts");
    respond(f, "{\"value\":[]}");
    CHECK(strstr(buf_text(&f->url), "top=250"), "%s", buf_text(&f->url));
    CHECK(f->reading.page_size.size == 500, "it grows again: %zu", f->reading.page_size.size);
}

/* No connection has nothing to do with the size of what was asked for. */
static void test_failures_without_a_response(void **state)
{
    struct fixture *f = *state;

    for (int i = 1; i <= 9; i++) {
        struct next next = respond_with(f, (struct http_result){ .fault = HTTP_NO_CONNECTION }, NULL);

        CHECK(next.kind == NEXT_RETRY && next.tries == i, "kind %d", next.kind);
    }
    CHECK(!f->reading.page_size.size && !progress_of(f)->plans[WORKER_LIVE].active, "less is asked for");
}

static int open_fixture(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){ .url = BUF_INIT(1 << 20), .api = api_graph };
    scene_open(&fixture.scene, &fixture.api);
    set_service_clock(&fixture, SCENE_DAY "12:00:00Z");
    begin_at(&fixture, SCENE_DAY "11:00:00Z");
    fixture.reading = (struct reading){ .feed = &fixture.scene.feed, .kind = WORKER_LIVE };
    fixture.handler = records_handler(&fixture.reading);
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;

    pages_forget(&f->reading.pages);
    buf_free(&f->url);
    scene_close(&f->scene);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

static const struct CMUnitTest cases[] = {
    CASE(test_a_window_is_read),
    CASE(test_a_time_that_is_not_certain),
    CASE(test_a_clock_that_is_known_meanwhile),
    CASE(test_what_is_asked_for),
    CASE(test_a_window_is_split),
    CASE(test_a_long_window_at_no_known_time),
    CASE(test_a_long_window_becomes_a_backfill),
    CASE(test_a_burst_is_read_in_pages),
    CASE(test_a_page_as_small_as_asked),
    CASE(test_a_filter_that_is_ignored_for_good),
    CASE(test_a_chain_that_fails_in_the_middle),
    CASE(test_a_broken_record_is_quarantined),
    CASE(test_a_poisoned_record_is_quarantined),
    CASE(test_a_quarantined_window_is_still_read),
    CASE(test_a_window_that_fails_alone),
    CASE(test_a_part_of_what_is_too_much),
    CASE(test_a_probe_by_a_clock_that_is_behind),
    CASE(test_a_bad_record_of_the_future),
    CASE(test_evidence),
    CASE(test_a_service_that_fails),
    CASE(test_failures_of_a_window),
    CASE(test_a_poisoned_record_in_the_past),
    CASE(test_responses_that_are_too_much),
    CASE(test_the_backfill_continues),
    CASE(test_nothing_proves_that_records_get_through),
    CASE(test_poisoned_records_of_a_quiet_customer),
    CASE(test_a_bad_record_is_requested_again),
    CASE(test_unbalanced_quotes_are_searched),
    CASE(test_held_back),
    CASE(test_held_back_and_broken),
    CASE(test_throttled),
    CASE(test_refused),
    CASE(test_variants),
    CASE(test_a_simpler_variant_is_temporary),
    CASE(test_what_the_other_worker_knows),
    CASE(test_a_passing_400),
    CASE(test_parts_of_a_second),
    CASE(test_a_plan_of_parts_of_a_second),
    CASE(test_what_was_left_out_is_read_again),
    CASE(test_nothing_is_read_again_without_need),
    CASE(test_401),
    CASE(test_failures_ask_for_less),
    CASE(test_failures_without_a_response),
};

UNIT(worker_answer, cases, NULL, NULL)
