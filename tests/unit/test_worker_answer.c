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
    bool   truncates;           /* every response ends inside of a record */
    bool   has_link;            /* a response that is not all has a next-page link */
};

struct fixture {
    struct scene   scene;
    struct service service;
    struct reading reading;
    struct api     api;
    struct page_handler handler;
    struct buf     url;
    int64_t        now_ms;
    size_t         requests;
};

/* The service's clock shows this, plus what the test itself takes. */
static void set_service_clock(struct fixture *f, const char *text)
{
    f->scene.feed.clock_offset_ms = scene_time(text) / TICKS_PER_MS - clock_wall_ms();
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
    struct reading ahead;       /* asks as the real one will, to see its window */
    struct window window;
    size_t i, skip = 0, matching = 0, sent = 0;
    char time[TICKS_TEXT_MAX];
    const char *at;

    if (f->reading.pages.chained) {
        window = f->reading.window;
    } else {
        ahead = f->reading;
        progress_next(&f->scene.feed.progress, ahead.kind, feed_service_now(&f->scene.feed), &window);
    }
    if (f->reading.pages.link && (at = strstr(f->reading.pages.link, "skip=")))
        skip = strtoul(at + 5, NULL, 10);
    buf_add_text(&body, "{\"value\":[");
    for (i = 0; i < service->count; i++) {
        if (service->times[i] < window.lo || service->times[i] >= window.hi || matching++ < skip)
            continue;
        if (service->most && sent == service->most)
            continue;
        ticks_text(service->times[i], time);
        if (i + 1 == service->broken) {
            buf_add_format(&body, "%s{\"id\":\"%zu\", \"x", sent ? "," : "", i);
            return respond(f, buf_text(&body));
        }
        buf_add_format(&body, "%s{\"id\":\"%zu\",\"lastUpdateDateTime\":\"%s\"}", sent ? "," : "", i, time);
        sent++;
    }
    if (service->truncates) {
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

    CHECK(next.kind == NEXT_POLL && !next.tries && !next.wake_backfill && !next.backfill_done, "kind %d", next.kind);
    CHECK(progress_of(f)->cursor.watermark == scene_time(SCENE_DAY "11:20:00Z"), "the watermark is the newest one's");
    CHECK(dedup_count(progress_of(f)->dedup) == 2 && f->scene.feed.tally.new_events == 2, "two events");
    last = &progress_of(f)->acks.pending[progress_of(f)->acks.count - 1];
    CHECK(last->pos == outbox_end(f->scene.env.outbox), "the cursor may only be saved once its events are safe");
    CHECK(f->scene.feed.tally.ok == 1 && f->scene.feed.tally.complete == 1, "counts");
    respond(f, "{\"value\":[]}");
    CHECK(f->scene.feed.tally.ok == 2 && f->scene.feed.tally.complete == 1, "an empty response proves nothing");
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
    CHECK(next.kind == NEXT_NOW && next.wake_backfill, "kind %d", next.kind);
    CHECK(progress_of(f)->cursor.watermark == scene_time(SCENE_DAY "11:00:00Z"), "nothing counts as read");
    CHECK(f->scene.feed.tally.new_events == 10, "but its records are written");
    CHECK(progress_of(f)->plans[WORKER_LIVE].active, "smaller windows are planned");
    catch_up(f, 50);
    CHECK(f->scene.feed.tally.new_events == 50, "%llu events", (unsigned long long)f->scene.feed.tally.new_events);
    CHECK(progress_of(f)->cursor.watermark == scene_time(SCENE_DAY "11:50:00Z"), "all is read");
}

/* A window that reaches far back goes to the backfill; new alerts do not wait for it. */
static void test_a_long_window_becomes_a_backfill(void **state)
{
    struct fixture *f = *state;
    struct next next;

    begin_at(f, SCENE_BEGIN);
    add_records(f, SCENE_DAY "01:00:00Z", 100);
    add_records(f, SCENE_DAY "11:50:00Z", 5);
    f->service.most = f->api.top = f->api.top_first = 10;
    next = serve(f);
    CHECK(next.kind == NEXT_NOW && next.wake_backfill && progress_of(f)->cursor.backfill.active, "it begins");
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
static void test_a_broken_record_is_found_and_skipped(void **state)
{
    struct fixture *f = *state;
    size_t requests;

    add_records(f, SCENE_DAY "11:01:00Z", 50);
    f->service.broken = 20;
    catch_up(f, 200);
    CHECK(f->scene.feed.tally.new_events == 49, "%llu events", (unsigned long long)f->scene.feed.tally.new_events);
    CHECK(f->scene.feed.tally.bad_records == 1, "%llu are skipped",
          (unsigned long long)f->scene.feed.tally.bad_records);
    CHECK(progress_of(f)->cursor.watermark == scene_time(SCENE_DAY "11:50:00Z"), "all is read");
    CHECK(progress_of(f)->quarantine.count == 1, "%zu windows are quarantined", progress_of(f)->quarantine.count);
    CHECK(progress_of(f)->quarantine.list[0].hi - progress_of(f)->quarantine.list[0].lo <= 60 * TICKS_PER_SECOND,
          "the window that was skipped is small");
    /* Polls around it need no search; those that reach it request it alone. */
    f->service.times[f->service.count++] = scene_time(SCENE_DAY "11:51:00Z");
    begin_at(f, SCENE_DAY "11:15:00Z");
    requests = catch_up(f, 50);
    CHECK(requests <= 3, "%zu requests", requests);
    CHECK(f->scene.feed.tally.new_events == 50 && f->scene.feed.tally.bad_records == 1, "%llu events, %llu skipped",
          (unsigned long long)f->scene.feed.tally.new_events, (unsigned long long)f->scene.feed.tally.bad_records);
}

/* The record is complete again one day: it comes. */
static void test_a_quarantined_window_is_still_read(void **state)
{
    struct fixture *f = *state;

    add_records(f, SCENE_DAY "11:01:00Z", 50);
    f->service.broken = 20;
    catch_up(f, 200);
    f->service.broken = 0;
    begin_at(f, SCENE_DAY "11:15:00Z");
    catch_up(f, 50);
    CHECK(f->scene.feed.tally.new_events == 50, "%llu events", (unsigned long long)f->scene.feed.tally.new_events);
}

/* Something on the way truncates every response. Nothing proves that a record is to blame, so the window is requested
 * for a long time before it is skipped. */
static void test_skipping_takes_proof(void **state)
{
    struct fixture *f = *state;
    ticks begin = progress_of(f)->cursor.watermark;
    size_t patient = 0;

    add_records(f, SCENE_DAY "11:01:00Z", 1);
    f->service.truncates = true;
    while (!f->scene.feed.tally.bad_records && f->requests < 500) {
        serve(f);
        patient += f->reading.bisection.smallest_tries > 0;
        if (!f->scene.feed.tally.bad_records)
            CHECK(progress_of(f)->cursor.watermark == begin, "it moved on after %zu requests", f->requests);
    }
    CHECK(patient >= 30, "skipped after %zu requests of the smallest window", patient);
    CHECK(f->scene.feed.tally.bad_records == 1, "it is skipped at last");
}

static void test_with_proof_it_is_skipped_soon(void **state)
{
    struct fixture *f = *state;
    size_t tries = 0;

    add_records(f, SCENE_DAY "11:01:00Z", 2);
    f->service.broken = 2;
    while (!f->scene.feed.tally.bad_records && f->requests < 500) {
        serve(f);
        tries += f->reading.bisection.smallest_tries > 0;
    }
    CHECK(tries >= 4 && tries < 10, "skipped after %zu requests of the smallest window", tries);
    CHECK(f->scene.feed.tally.new_events == 1, "the other one arrives");
}

/* A record that is not JSON, in a response that goes on after it: it is requested again twice, then given up. */
static void test_a_bad_record_is_requested_again(void **state)
{
    static const char body[] = "{\"value\":[" RECORD("a", "11:10:00Z") ",{\"id\":01}," RECORD("b", "11:20:00Z") "]}";
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
}

/* Quotes that do not match may have swallowed good records, so the window is searched, not accepted. */
static void test_unbalanced_quotes_are_searched(void **state)
{
    static const char body[] = "{\"value\":[{\"id\":nonsense}," RECORD("b", "11:20:00Z") "]}";
    static const enum next_kind kinds[] = { NEXT_RETRY, NEXT_RETRY, NEXT_NOW, NEXT_NOW };
    struct fixture *f = *state;
    ticks begin = progress_of(f)->cursor.watermark;

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct next next = respond(f, body);

        CHECK(next.kind == kinds[i], "response %zu: kind %d", i, next.kind);
        CHECK(progress_of(f)->cursor.watermark == begin, "the cursor moved with response %zu", i);
    }
    CHECK(progress_of(f)->plans[WORKER_LIVE].active && !f->scene.feed.tally.ok, "smaller windows are requested");
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
    CHECK(!f->scene.feed.tally.bad_records && !f->reading.bisection.tries, "a search began");
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
    CHECK(respond(f, POLL1).full_again && !backfill->current && backfill->searches, "the backfill goes back, too");
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
    CHECK(next.kind == NEXT_POLL && next.full_again && next.wake_backfill &&
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

static void test_failures_ask_for_less(void **state)
{
    struct fixture *f = *state;
    struct next next = { 0 };

    for (int i = 1; i <= 3; i++) {
        next = respond_status(f, 500, 0);
        CHECK(next.kind == NEXT_RETRY && next.tries == i, "try %d: kind %d", i, next.kind);
        CHECK(!f->reading.page_size.size == (i < 3), "try %d: pages of %zu", i, f->reading.page_size.size);
    }
    CHECK(next.wake_backfill && progress_of(f)->plans[WORKER_LIVE].active, "the window is smaller, too");
    CHECK(f->scene.feed.tally.failed == 3, "counts");
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
    CASE(test_what_is_asked_for),
    CASE(test_a_window_is_split),
    CASE(test_a_long_window_becomes_a_backfill),
    CASE(test_a_burst_is_read_in_pages),
    CASE(test_a_chain_that_fails_in_the_middle),
    CASE(test_a_broken_record_is_found_and_skipped),
    CASE(test_a_quarantined_window_is_still_read),
    CASE(test_skipping_takes_proof),
    CASE(test_with_proof_it_is_skipped_soon),
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
    CASE(test_what_was_left_out_is_read_again),
    CASE(test_nothing_is_read_again_without_need),
    CASE(test_401),
    CASE(test_failures_ask_for_less),
    CASE(test_failures_without_a_response),
};

UNIT(worker_answer, cases, NULL, NULL)
