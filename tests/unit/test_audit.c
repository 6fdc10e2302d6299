/* Audits of days, against a small service that answers from a list of records. Days are counted back from today, by
 * this host's clock. */
#include "collect/audit.h"

#include <sys/stat.h>

#include "base/text.h"
#include "capture.h"
#include "collect/settled.h"
#include "collect/worker.h"
#include "fake_http.h"
#include "scene.h"
#include "state/ledger_again.h"

#define RECORDS_MAX 12000
#define ASKED_MAX   400

struct entry {
    ticks time;
    bool hidden, dropped, odd;  /* dropped: counted, and not sent; odd: it has no ID */
    bool unsent;                /* it is listed, and not sent in full */
    bool moved;                 /* it is left out from the second response on */
    bool written;               /* the ledger has it from the beginning */
    unsigned sent;              /* in full */
};

struct service {
    struct entry entries[RECORDS_MAX];
    size_t count, most;         /* most: records in a response */
    const char *refuses;        /* a query with this gets 400 */
    bool ignores_select, no_count, no_order, empty, hides_later;
    long   miscounts;           /* is added to each count */
    ticks  poison;              /* a response with it is a 500; 0: none */
    bool   only_full;           /* ... if it was asked for in full */
    int    status;              /* of every response; 0: 200 */
    size_t asked;
};

struct fixture {
    struct scene     scene;
    struct service   service;
    struct audit     audit;
    struct worker_port port;
    char             dir[40], path[60];
    uint64_t         pos;
    int              saves, ends;
    bool             holds_saves;
    void           (*before_answer)(void);
    size_t           events;
    struct timer     answer_timer, poll_timer, limit_timer;
    const struct http_spec *pending;
    struct http_spec spec;
    char            *url;
    int64_t          most_ms;
    bool             waits_for_night;
};

static struct fixture f;

static uint32_t today(void)
{
    return ledger_day_of(feed_service_now(&f.scene.feed));
}

/* The service. */

/* Returns the time after the words in a decoded address. */
static ticks bound(const char *url, const char *words, ticks otherwise)
{
    const char *at = strstr(url, words);
    ticks ret = otherwise;

    if (at)
        ticks_parse(at + strlen(words), strcspn(at + strlen(words), " &"), &ret);
    return ret;
}

static int by_time(const void *a, const void *b)
{
    ticks left = ((const struct entry *)a)->time, right = ((const struct entry *)b)->time;

    return (left > right) - (left < right);
}

static void add_record(struct buf *body, size_t number, const struct entry *entry, bool full)
{
    char text[TICKS_TEXT_MAX];

    ticks_text(entry->time, text);
    buf_add_text(body, body->data[body->len - 1] == '[' ? "{" : ",{");
    if (!entry->odd)
        buf_add_format(body, "\"id\":\"a%zu\",", number);
    if (full)
        buf_add_format(body, "\"title\":\"%*s\",", 400, "x");
    buf_add_format(body, "\"lastUpdateDateTime\":\"%s\"}", text);
}

/* Returns the status. */
static int respond(const char *url, struct buf *body)
{
    struct service *service = &f.service;
    CLEANUP(mem_freep) char *plain = NULL;
    bool select, full, fails = false;
    size_t i, sent = 0, dropped = 0, matching = 0, most = service->most, skip, url_len = strlen(url);
    ticks lo, hi;
    const char *at;

    text_url_decode(url, strlen(url), true, &plain);
    service->asked++;
    select = strstr(plain, "$select") && !service->ignores_select;
    full = !select;
    lo = bound(plain, " ge ", 0);
    hi = bound(plain, " lt ", TICKS_OPEN);
    if (service->status || (service->refuses && strstr(plain, service->refuses)))
        return service->status ? service->status : 400;
    at = strstr(plain, "$top=");
    if (at && strtoul(at + 5, NULL, 10) < most)
        most = strtoul(at + 5, NULL, 10);
    at = strstr(plain, "skip=");
    skip = at ? strtoul(at + 5, NULL, 10) : 0;
    if (at)
        url_len = (size_t)(strstr(url, "&skip=") - url);
    buf_add_text(body, "{\"value\":[");
    for (i = 0; i < service->count; i++) {
        struct entry *entry = &service->entries[i];

        if (entry->time < lo || entry->time >= hi || entry->hidden || service->empty || (entry->unsent && full) ||
            (entry->moved && service->asked > 1) || (service->hides_later && hi == TICKS_OPEN))
            continue;
        fails = fails || (entry->time == service->poison && (full || !service->only_full));
        dropped += entry->dropped;
        if (matching++ >= skip && sent < most && !entry->dropped) {
            add_record(body, i, entry, full);
            entry->sent += full && !strstr(plain, "$select");
            sent++;
        }
    }
    buf_add_char(body, ']');
    if (strstr(plain, "$count=true") && !service->no_count)
        buf_add_format(body, ",\"@odata.count\":%ld", (long)matching + service->miscounts);
    if (matching > skip + sent + dropped)
        buf_add_format(body, ",\"@odata.nextLink\":\"%.*s&skip=%zu\"", (int)url_len, url, skip + sent);
    buf_add_char(body, '}');
    return fails ? 500 : 200;
}

static void answer(void *ctx UNUSED, int64_t now_ms UNUSED)
{
    struct buf body = BUF_INIT(16 << 20);
    struct http_spec spec = f.spec;
    struct http_result result = { .body = "", .content_type = "application/json", .retry_after_ms = -1,
                                  .request_id = "", .authenticate = "" };

    f.pending = NULL;
    if (f.before_answer)
        f.before_answer();
    result.status = respond(f.url, &body);
    mem_freep(&f.url);
    result.wire_bytes = body.len;
    if (result.status == 200 && !spec.sink->data(spec.ctx, buf_text(&body), body.len))
        result.fault = HTTP_STOPPED;
    buf_free(&body);
    spec.done(spec.ctx, &result);
}

static struct http_request *start(const struct http_spec *spec)
{
    CHECK(!f.pending, "two requests at a time");
    f.spec = *spec;
    f.pending = &f.spec;
    f.url = mem_text(spec->url);
    timer_set(f.scene.env.loop, &f.answer_timer, loop_now(f.scene.env.loop));
    return (struct http_request *)&f.spec;
}

static void cancel(struct http_request *request UNUSED)
{
    timer_cancel(f.scene.env.loop, &f.answer_timer);
    mem_freep(&f.url);
    f.pending = NULL;
}

static enum token_state fake_token(struct worker *worker UNUSED, int64_t now_ms UNUSED, struct token_view *ret)
{
    *ret = (struct token_view){ .token = 1, .authorization = "Bearer x" };
    return TOKEN_READY;
}

/* The input. */

static void save(void *ctx UNUSED)
{
    f.saves++;
}

static void ended(void *ctx UNUSED)
{
    f.ends++;
}

static void wrote(void *ctx UNUSED)
{
}

static const struct audit_owner owner = { save, ended };

/* Saves what was written, as the store does. */
static void save_ledger(void)
{
    struct ledger *ledger = f.scene.feed.ledger;
    struct ledger_job job;

    ledger_prepare(ledger, UINT64_MAX >> 20, feed_service_now(&f.scene.feed));
    ledger_make_job(ledger, false, &job);
    ledger_job_write(&job, false);
    ledger_job_commit(&job);
    ledger_ended(ledger, &job, true);
    ledger_job_release(&job);
}

static uint64_t key_of(size_t number)
{
    char id[24], time[TICKS_TEXT_MAX];

    snprintf(id, sizeof(id), "a%zu", number);
    ticks_text(f.service.entries[number].time, time);
    return ledger_key(id, strlen(id), time, strlen(time));
}

/* Adds records to a day; the ledger has them unless they are late. */
static void publish(uint32_t day, size_t count, size_t late)
{
    struct service *service = &f.service;
    size_t i;

    for (i = 0; i < count; i++) {
        struct entry *entry = &service->entries[service->count++];

        *entry = (struct entry){ .time = ledger_day_begin(day) + (ticks)(i + 1) * 7 * TICKS_PER_SECOND + 1,
                                 .written = i >= late };
    }
    qsort(service->entries, service->count, sizeof(service->entries[0]), by_time);
}

static void fill_ledger(void)
{
    size_t i;

    for (i = 0; i < f.service.count; i++)
        if (f.service.entries[i].written)
            ledger_add(f.scene.feed.ledger, key_of(i), f.service.entries[i].time, 0);
    save_ledger();
}

/* Ends the loop once the audit waits for the next night, or for more than a minute. */
static void poll_audit(void *ctx UNUSED, int64_t now_ms)
{
    if (!f.holds_saves)
        save_ledger();
    if (!f.audit.day && timer_is_set(&f.audit.timer) && f.audit.timer.due_ms > now_ms + 30000)
        loop_stop(f.scene.env.loop);
    else
        timer_set(f.scene.env.loop, &f.poll_timer, now_ms + 1);
    if (f.audit.day && audit_day_is_done(f.audit.day) && f.audit.timer.due_ms > now_ms + 1000) /* for the save */
        timer_set(f.scene.env.loop, &f.audit.timer, now_ms);
}

static void give_up(void *ctx UNUSED, int64_t now_ms UNUSED)
{
    CHECK(false, "the audit does not end after %zu requests", f.service.asked);
    loop_stop(f.scene.env.loop);
}

/* A loop that was stopped does not run again. Only the audit's timer is set then. */
static void renew_loop(void)
{
    timer_cancel(f.scene.env.loop, &f.audit.timer);
    limiter_free(f.scene.env.limiter);
    loop_free(f.scene.env.loop);
    f.scene.env.loop = loop_new();
    f.scene.env.limiter = limiter_new(f.scene.env.loop, 100, 100);
}

/* Runs what is due now, until it is over. Returns what was logged. */
static char *run(void)
{
    struct capture capture = capture_begin();
    struct loop *loop;

    renew_loop();
    loop = f.scene.env.loop;

    timer_set(loop, &f.audit.timer, clock_ms());
    timer_set(loop, &f.poll_timer, clock_ms() + 1);
    timer_set(loop, &f.limit_timer, clock_ms() + 20000);
    loop_run(loop);
    timer_cancel(loop, &f.poll_timer);
    timer_cancel(loop, &f.limit_timer);
    return capture_end(capture);
}

static int open_fixture(void **state UNUSED)
{
    struct feed *feed = &f.scene.feed;

    f = (struct fixture){ .pos = 0, .service = { .most = 1000 } };
    snprintf(f.dir, sizeof(f.dir), "/tmp/test_audit_XXXXXX");
    if (!mkdtemp(f.dir))
        return -1;
    snprintf(f.path, sizeof(f.path), "%s/c", f.dir);
    scene_open(&f.scene, &api_graph);
    f.scene.env.loop = loop_new();
    f.scene.env.limiter = limiter_new(f.scene.env.loop, 100, 100);
    f.scene.env.wrote = wrote;
    f.scene.input.audit = 3;
    rate_start(&f.scene.rate, rate_limits_for(1000000, 0), 0);
    rate_was_not_used(&f.scene.rate);
    f.scene.rate.spare_minute = f.scene.rate.limits.minute_size / 3;
    feed->ledger = ledger_new("graph/all");
    ledger_place(feed->ledger, f.path);
    ledger_begin(feed->ledger, ledger_day_begin(today() - 10), true);
    feed->progress.cursor.begin = ledger_day_begin(today() - 10);
    feed->progress.looked = feed_service_now(feed);
    f.port = worker_spare_port;
    f.port.token = fake_token;
    f.audit = (struct audit){ .feed = feed, .owner = &owner, .port = &f.port };
    f.answer_timer = (struct timer){ .fire = answer };
    f.poll_timer = (struct timer){ .fire = poll_audit };
    f.limit_timer = (struct timer){ .fire = give_up };
    fake_http_start = start;
    fake_http_cancel = cancel;
    return 0;
}

static int close_fixture(void **state UNUSED)
{
    audit_stop(&f.audit);
    fake_http_start = NULL;
    fake_http_cancel = NULL;
    ledger_free(f.scene.feed.ledger);
    limiter_free(f.scene.env.limiter);
    loop_free(f.scene.env.loop);
    scene_close(&f.scene);
    unlink(f.path);
    rmdir(f.dir);
    return 0;
}

/* The last night may have begun today or yesterday. */
static uint32_t last_night(void)
{
    uint32_t night = today();

    return feed_service_now(&f.scene.feed) >
                   settled_at(&f.scene.feed, night - 1) + f.scene.input.poll_interval * TICKS_PER_SECOND
               ? night
               : night - 1;
}

/* Checks that a line of the log about the n-th day before the night has these words, in order. NULL: there is none. */
static void check_line(const char *log, uint32_t before, const char *words, const char *name)
{
    char day[LEDGER_DAY_TEXT], key[64], line[700];
    CLEANUP(mem_freep) char *wanted = mem_text(words ? words : "");
    const char *at, *found;
    char *word, *rest = NULL;

    snprintf(key, sizeof(key), " day=%s result=", ledger_day_text(last_night() - before, day));
    at = strstr(log, key);
    CHECK(!at == !words, "%s: %s in '%s'", name, words ? "no line" : "a line", log);
    if (!at || !words)
        return;
    snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
    for (found = line, word = strtok_r(wanted, " ", &rest); word && found; word = strtok_r(NULL, " ", &rest))
        CHECK((found = strstr(found, word)), "%s: no '%s' in '%s'", name, word, line);
}

/* promise: Completeness: An audit is equal if every version that Microsoft lists was written */
static void test_equal(void **state UNUSED)
{
    uint32_t night = last_night();
    const char *log;

    publish(night - 1, 100, 0);
    publish(night - 2, 3, 0);
    fill_ledger();
    audit_start(&f.audit, true, clock_ms());
    log = run();
    check_line(log, 1, "result=equal listed=100 counted=100 written=100 missing=0 repaired=0 superseded=0 odd=0 "
                       "requests=1 select=yes", "yesterday");
    check_line(log, 2, "result=equal listed=3 written=3 requests=1", "the day before");
    check_line(log, 3, "result=equal listed=0 counted=0 written=0 requests=1", "an empty day");
    check_line(log, 4, NULL, "one day more");
    CHECK(f.service.asked == 3, "%zu requests", f.service.asked);
    CHECK(f.scene.feed.tally.requests == 3 && f.scene.feed.tally.ok == 3, "they are counted");
    CHECK(f.scene.feed.audited.day == night - 1 && text_same(f.scene.feed.audited.result, "equal"), "the status line");
    CHECK(!f.scene.audits, "it leaves the gate");
    CHECK(f.ends == 3, "%d", f.ends);
}

/* promise: Completeness: A day is audited once a night, also across restarts */
static void test_once(void **state UNUSED)
{
    const char *log;

    publish(last_night() - 1, 100, 0);
    fill_ledger();
    audit_start(&f.audit, true, clock_ms());
    check_line(run(), 1, "result=equal", "yesterday");
    log = run();
    CHECK(!strstr(log, "event=audit"), "once a night: %s", log);
    f.audit.night = LEDGER_NO_DAY;
    save_ledger();
    audit_start(&f.audit, true, clock_ms());
    log = run();
    CHECK(!strstr(log, "event=audit"), "a restart repeats nothing: %s", log);
    CHECK(f.service.asked == 3, "%zu requests", f.service.asked);
}


/* Publishes records of yesterday, and audits it alone. */
static char *audit_yesterday(size_t count, size_t late)
{
    f.scene.input.audit = 1;
    publish(last_night() - 1, count, late);
    fill_ledger();
    audit_start(&f.audit, true, clock_ms());
    return run();
}

static size_t lines(const char *log, const char *words)
{
    size_t count = 0;

    for (; (log = strstr(log, words)); log++)
        count++;
    return count;
}

/* promise: Completeness: What an audit finds missing is named, fetched and written once */
static void test_repair(void **state UNUSED)
{
    const char *log = audit_yesterday(100, 3);
    size_t i;

    check_line(log, 1, "result=repaired listed=100 counted=100 written=97 missing=0 repaired=3 requests=4", "first");
    CHECK(lines(log, "WARN event=audit ") == 1 && lines(log, "WARN event=audit_missing ") == 3, "%s", log);
    CHECK(strstr(log, "input=c tenant=tenant api=graph id=\"a0\" time="), "%s", log);
    CHECK(lines(log, "result=repaired") == 4, "%s", log);
    for (i = 0; i < f.service.count; i++)
        CHECK(f.service.entries[i].sent == (i < 3), "%zu was sent %u times", i, f.service.entries[i].sent);
    CHECK(f.scene.feed.tally.new_events == 3, "%llu events", (unsigned long long)f.scene.feed.tally.new_events);
    f.audit.night = LEDGER_NO_DAY;
    f.audit.done = 0;
    ledger_audited(f.scene.feed.ledger, last_night() - 1, 0);
    log = run();
    check_line(log, 1, "result=equal listed=100 written=100", "then");
    CHECK(f.scene.feed.tally.new_events == 3, "%llu events", (unsigned long long)f.scene.feed.tally.new_events);
}

/* What a service may do to the queries of an audit. */
static const struct {
    const char *name;
    size_t count, late, most;
    struct service service;
    const char *line;
} services[] = {
    { "$select refused", 100, 1, 1000, { .refuses = "$select" }, "result=repaired listed=100 counted=100 repaired=1 select=no" },
    { "$select ignored", 100, 1, 1000, { .ignores_select = true },
      "result=repaired listed=100 repaired=1 requests=2 select=ignored" },
    { "$count refused", 100, 1, 1000, { .refuses = "$count" },
      "result=repaired listed=100 counted=none repaired=1 select=no" },
    { "$orderby refused", 100, 1, 1000, { .refuses = "$orderby" }, "result=repaired listed=100 counted=100 repaired=1" },
    { "no count", 100, 1, 1000, { .no_count = true }, "result=repaired listed=100 counted=none repaired=1 select=yes" },
    { "too high a count", 100, 0, 1000, { .miscounts = 5 },
      "result=partial listed=100 counted=105 written=100 missing=0 why=\"the service counts 105 records and lists 100\"" },
    { "too low a count", 100, 0, 1000, { .miscounts = -5 },
      "result=partial listed=100 counted=95 requests=2 why=\"the service counts 95 records and lists 100\"" },
    { "a wrong count and something missing", 100, 1, 1000, { .miscounts = -5 },
      "result=partial listed=100 counted=95 missing=0 repaired=1 why=" },
    { "many pages", 1000, 7, 60, { .count = 0 }, "result=repaired listed=1000 counted=1000 missing=0 repaired=7" },
    { "many pages without order", 500, 3, 60, { .refuses = "$orderby" }, "result=repaired listed=500 missing=0 repaired=3" },
    { "many pages, nothing but records", 500, 3, 60, { .refuses = "$count" },
      "result=repaired listed=500 counted=none missing=0 repaired=3" },
    { "many that are missing", 3000, 2900, 1000, { .count = 0 },
      "result=repaired listed=3000 written=100 missing=0 repaired=2900" },
};

/* promise: Completeness: A service that refuses or ignores what an audit asks for is audited all the same; a wrong count makes the day partial, never equal */
static void test_services(void **state)
{
    size_t i;

    for (i = 0; i < COUNT_OF(services); i++) {
        close_fixture(state);
        open_fixture(state);
        f.service = services[i].service;
        f.service.most = services[i].most;
        check_line(audit_yesterday(services[i].count, services[i].late), 1, services[i].line, services[i].name);
    }
}

/* promise: Completeness: Versions that are updated while a day is listed are no difference */
static void test_moving_on(void **state UNUSED)
{
    size_t i;

    f.scene.input.audit = 1;
    f.service.most = 50;
    publish(last_night() - 1, 500, 0);
    fill_ledger();
    for (i = 100; i < 500; i += 40)
        f.service.entries[i].moved = true;
    audit_start(&f.audit, true, clock_ms());
    check_line(run(), 1, "result=equal listed=490 counted=490 written=500 missing=0 superseded=10", "ten");
}

static void test_dropped(void **state UNUSED)
{
    f.scene.input.audit = 1;
    publish(last_night() - 1, 20, 0);
    fill_ledger();
    f.service.entries[7].dropped = true;
    audit_start(&f.audit, true, clock_ms());
    check_line(run(), 1, "result=partial listed=19 counted=20", "one");
}

/* promise: Completeness: Each version that an audit finds missing is named, whatever was said of its day before */
static void test_named_later(void **state UNUSED)
{
    const char *log;

    f.scene.input.audit = 1;
    publish(last_night() - 1, 20, 3);
    fill_ledger();
    f.service.entries[1].hidden = f.service.entries[2].hidden = f.service.entries[0].unsent = true;
    audit_start(&f.audit, true, clock_ms());
    log = run();
    check_line(log, 1, "result=missing missing=1", "one is not sent");
    CHECK(lines(log, "event=audit_missing") == 1, "%s", log);
    log = run();
    CHECK(!strstr(log, "event=audit"), "nothing new: %s", log);
    f.service.entries[1].hidden = false;
    log = run();
    check_line(log, 1, "result=missing missing=1 repaired=1", "another one is repaired");
    CHECK(strstr(log, "id=\"a1\" ") && lines(log, "result=repaired") == 1, "%s", log);
    f.service.entries[0].unsent = f.service.entries[2].hidden = false;
    f.service.entries[0].hidden = f.service.entries[2].unsent = true;
    log = run();
    check_line(log, 1, "result=missing missing=1 repaired=0", "the first is gone, and a third is missing");
    CHECK(strstr(log, "id=\"a2\" "), "%s", log);
    f.service.entries[2].unsent = false;
    f.service.entries[7].dropped = true;
    log = run();
    check_line(log, 1, "result=partial missing=0 repaired=1", "the list is not whole");
    log = run();
    CHECK(!strstr(log, "event=audit"), "nothing new: %s", log);
    CHECK(f.scene.feed.tally.new_events == 2, "%llu", (unsigned long long)f.scene.feed.tally.new_events);
}

/* promise: Completeness: A day's borders are exact to 100 ns */
static void test_borders(void **state UNUSED)
{
    static const ticks off[] = { -1, 0, 1, 864000000000 - 1, 864000000000 };
    ticks begin = ledger_day_begin(last_night() - 1);
    size_t i;

    f.scene.input.audit = 1;
    for (i = 0; i < COUNT_OF(off); i++)
        f.service.entries[f.service.count++] = (struct entry){ .time = begin + off[i] };
    save_ledger();
    audit_start(&f.audit, true, clock_ms());
    check_line(run(), 1, "result=repaired listed=3 counted=3 missing=0 repaired=3", "three are inside");
    for (i = 0; i < COUNT_OF(off); i++)
        CHECK((f.service.entries[i].sent > 0) == (i >= 1 && i <= 3), "%zu", i);
}

/* promise: Completeness: A day with 10,000 alerts of one update time is audited as a whole */
static void test_one_tick(void **state UNUSED)
{
    uint32_t night = last_night();
    size_t i;

    f.scene.input.audit = 1;
    for (i = 0; i < 10000; i++)
        f.service.entries[f.service.count++] =
            (struct entry){ .time = ledger_day_begin(night - 1) + 77, .written = i % 1000 != 5 };
    fill_ledger();
    audit_start(&f.audit, true, clock_ms());
    check_line(run(), 1, "result=repaired listed=10000 written=9990 missing=0 repaired=10", "one time");
    CHECK(f.scene.feed.tally.new_events == 10, "%llu", (unsigned long long)f.scene.feed.tally.new_events);
}

/* promise: Completeness: A list that is empty by mistake is never equal */
static void test_empty(void **state)
{
    size_t i;

    for (i = 0; i < 3; i++) {
        close_fixture(state);
        open_fixture(state);
        publish(last_night() - 1, 5, 0);
        publish(today(), i == 2 ? 8 : i, 0);
        if (i == 2) /* nothing that holds it can be sent */
            f.service.poison = f.service.entries[f.service.count - 1].time;
        f.scene.input.audit = 1;
        fill_ledger();
        for (size_t k = 0; k < 5; k++)
            f.service.entries[k].hidden = true;
        audit_start(&f.audit, true, clock_ms());
        check_line(run(), 1,
                   i == 2   ? "result=equal listed=0 written=5 superseded=5"
                   : i == 1 ? "result=equal listed=0 written=5 superseded=5 requests=2"
                            : "result=partial listed=0 written=5 superseded=5 requests=2 why=\"the service lists nothing",
                   i == 2   ? "one that is later cannot be read, and others can"
                   : i == 1 ? "all were updated since"
                            : "there is nothing else either");
    }
}

static void test_odd(void **state UNUSED)
{
    f.scene.input.audit = 1;
    publish(last_night() - 1, 5, 0);
    fill_ledger();
    f.service.entries[2].odd = true;
    audit_start(&f.audit, true, clock_ms());
    check_line(run(), 1, "result=equal listed=4 counted=5 written=5 missing=0 superseded=1 odd=1", "one without an ID");
}

/* Another worker of the input writes the first record while the day is listed. */
static void write_first(void)
{
    ticks time = f.service.entries[0].time;

    if (f.service.asked != 0)
        return;
    ledger_add(f.scene.feed.ledger, key_of(0), time, 0);
    listing_written(f.scene.feed.listing, key_of(0), time);
}

/* promise: Completeness: What polls write while a day is audited is not written again */
static void test_written_meanwhile(void **state UNUSED)
{
    f.before_answer = write_first;
    check_line(audit_yesterday(10, 2), 1, "result=repaired listed=10 written=8 missing=0 repaired=1", "one of two");
    CHECK(f.scene.feed.tally.new_events == 1, "%llu", (unsigned long long)f.scene.feed.tally.new_events);
    CHECK(f.service.entries[0].sent == 0, "the first was fetched");
}

static void stop_loop(void *ctx UNUSED, int64_t now_ms UNUSED)
{
    loop_stop(f.scene.env.loop);
}

/* Audits yesterday for 200 ms, in which splunkd takes nothing; returns what is logged. */
static const char *audit_without_saves(size_t count, size_t late)
{
    struct timer timer = { .fire = stop_loop };
    struct capture capture;

    f.scene.input.audit = 1;
    publish(last_night() - 1, count, late);
    fill_ledger();
    f.holds_saves = true;
    audit_start(&f.audit, true, clock_ms());
    timer_set(f.scene.env.loop, &f.audit.timer, clock_ms());
    timer_set(f.scene.env.loop, &timer, clock_ms() + 200);
    capture = capture_begin();
    loop_run(f.scene.env.loop);
    return capture_end(capture);
}

/* promise: Completeness: A day is called repaired only when splunkd has what was missing */
static void test_confirmed(void **state UNUSED)
{
    const char *log = audit_without_saves(10, 2);

    CHECK(f.scene.feed.tally.new_events == 2 && !strstr(log, "event=audit"), "%s", log);
    CHECK(!f.scene.audits, "others may be audited meanwhile");
    f.holds_saves = false;
    check_line(run(), 1, "result=repaired repaired=2", "after the save");
    f.holds_saves = true;
}

/* promise: Completeness: A day is called equal only when splunkd has what polls wrote while it was listed */
static void test_confirmed_of_polls(void **state UNUSED)
{
    const char *log;

    f.before_answer = write_first;
    log = audit_without_saves(10, 1);
    CHECK(f.service.asked == 1 && !strstr(log, "event=audit"), "%s", log);
    f.holds_saves = false;
    check_line(run(), 1, "result=equal listed=10 written=9 missing=0 repaired=0", "after the save");
    f.holds_saves = true;
}

/* promise: Completeness: A day that polls or the backfill have not passed has result=behind; one that the ledger does not have as a whole is unknown */
static void test_not_comparable(void **state UNUSED)
{
    struct progress *progress = &f.scene.feed.progress;
    uint32_t night = last_night();
    const char *log;

    ledger_begin(f.scene.feed.ledger, ledger_day_begin(night - 2) + 1, false);
    save_ledger();
    progress->looked = settled_at(&f.scene.feed, night - 1) - 1;
    audit_start(&f.audit, true, clock_ms());
    log = run();
    check_line(log, 1, "result=behind listed=0 counted=none requests=0 why=\"polls\"", "yesterday");
    check_line(log, 2, "result=unknown why=\"no_ledger\"", "a part of it");
    check_line(log, 3, "result=unknown why=\"no_ledger\"", "nothing");
    CHECK(f.audit.timer.due_ms > clock_ms() + 3500000 && f.audit.timer.due_ms < clock_ms() + 3700000, "in an hour");
    log = run();
    CHECK(!strstr(log, "event=audit"), "said once: %s", log);
    CHECK(f.audit.timer.due_ms > clock_ms() + 7100000, "then in two");
    progress->looked = feed_service_now(&f.scene.feed);
    log = run();
    check_line(log, 1, "result=equal", "polls have passed");
    check_line(log, 2, NULL, "it stays unknown");
    CHECK(f.service.asked == 1, "%zu requests", f.service.asked);
}

/* promise: Sharing: Only days of which this forwarder alone wrote every version are audited: a repair writes nothing again */
static void test_days_of_others(void **state UNUSED)
{
    uint32_t night = last_night();
    const char *log;

    publish(night - 1, 10, 1);
    publish(night - 2, 10, 1);
    fill_ledger();
    f.scene.feed.own_since = ledger_day_begin(night - 1);
    audit_start(&f.audit, true, clock_ms());
    log = run();
    check_line(log, 1, "result=repaired listed=10 written=9", "a day that is this forwarder's alone");
    check_line(log, 2, "result=unknown why=\"no_ledger\"", "another one wrote until its end");
    check_line(log, 3, "result=unknown why=\"no_ledger\"", "a day before that");
    CHECK(f.scene.feed.tally.new_events == 1, "%llu", (unsigned long long)f.scene.feed.tally.new_events);
    f.scene.feed.own_since = 0;
    f.scene.feed.own_until = ledger_day_begin(night - 1);
    CHECK(feed_has_day(&f.scene.feed, night - 2) && !feed_has_day(&f.scene.feed, night - 1), "it was let go");
}

/* promise: Completeness: `audit --again` makes the next audit write a day again, also what the polls know */
static void test_again(void **state UNUSED)
{
    uint32_t day = last_night() - 5;
    char request[80];
    struct err err;
    const char *log;
    size_t i;

    publish(day, 10, 0);
    fill_ledger();
    for (i = 0; i < 10; i++)
        dedup_add(f.scene.feed.progress.dedup,
                  (struct dedup_entry){ .key = dedup_key("a0", 2, f.service.entries[i].time) });
    f.scene.input.audit = 1;
    CHECK(ledger_again_ask(f.path, day, &err), "%s", err.text);
    CHECK(ledger_again_ask(f.path, day - 30, &err), "%s", err.text);
    audit_start(&f.audit, true, clock_ms());
    timer_set(f.scene.env.loop, &f.audit.timer, clock_ms());
    f.audit.timer.fire(f.audit.timer.ctx, clock_ms());
    CHECK(f.saves == 1, "a save is asked for");
    save_ledger();
    log = run();
    check_line(log, 5, "result=repaired listed=10 written=0 repaired=10", "the fifth day back");
    check_line(log, 1, "result=equal", "yesterday");
    CHECK(f.scene.feed.tally.new_events == 10, "%llu", (unsigned long long)f.scene.feed.tally.new_events);
    snprintf(request, sizeof(request), "%s.taken", f.path);
    CHECK(access(request, F_OK), "the request stays");
    save_ledger();
    log = run();
    CHECK(!strstr(log, "event=audit"), "once: %s", log);
}

/* promise: Completeness: Each input is audited at its own moment between 00:46 and 05:00 UTC */
static void test_moments(void **state UNUSED)
{
    struct feed *feed = &f.scene.feed;
    ticks midnight = ledger_day_begin(today() + 1), first = TICKS_OPEN, last = 0, moment;
    int64_t now_ms = clock_ms();
    size_t i;

    for (i = 0; i < 1000; i += 7) {
        feed->number = i;
        f.audit.timer.fire = NULL;
        audit_start(&f.audit, false, now_ms);
        moment = feed_service_now(feed) + (f.audit.timer.due_ms - now_ms) * TICKS_PER_MS;
        if (moment < midnight - INT64_C(43200) * TICKS_PER_SECOND)
            moment += INT64_C(86400) * TICKS_PER_SECOND;
        first = ticks_min(first, moment - midnight);
        last = ticks_max(last, moment - midnight);
    }
    CHECK(first / TICKS_PER_SECOND / 60 == 46, "%lld minutes", (long long)(first / TICKS_PER_SECOND / 60));
    CHECK(last / TICKS_PER_SECOND / 60 > 280 && last / TICKS_PER_SECOND / 60 <= 300, "%lld minutes",
          (long long)(last / TICKS_PER_SECOND / 60));
}

/* promise: Completeness: Eight inputs at a time are audited, so that memory stays flat */
static void test_gate(void **state UNUSED)
{
    struct feed *feed = &f.scene.feed;
    int64_t now_ms = clock_ms();

    f.scene.audits = 8;
    save_ledger();
    audit_start(&f.audit, true, now_ms);
    f.audit.timer.fire(f.audit.timer.ctx, now_ms);
    CHECK(!f.audit.day && f.audit.timer.due_ms == now_ms + 5000, "eight others are audited");
    f.scene.audits = 7;
    f.audit.timer.fire(f.audit.timer.ctx, now_ms);
    CHECK(f.audit.day && f.scene.audits == 8, "its turn");
    audit_stop(&f.audit);
    CHECK(!f.audit.day && f.scene.audits == 7 && !feed->listing, "stopped");
    f.scene.input.audit = 0;
    f.audit.timer.fire = NULL;
    audit_start(&f.audit, true, now_ms);
    CHECK(!f.audit.timer.fire, "there is no audit with audit = 0");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

static const struct CMUnitTest cases[] = {
    CASE(test_equal),     CASE(test_once),     CASE(test_gate),   CASE(test_repair),   CASE(test_services),   CASE(test_moving_on),
    CASE(test_dropped),   CASE(test_named_later), CASE(test_borders),  CASE(test_one_tick),   CASE(test_empty),
    CASE(test_odd),       CASE(test_written_meanwhile), CASE(test_confirmed), CASE(test_not_comparable),
    CASE(test_confirmed_of_polls),
    CASE(test_again),     CASE(test_moments),   CASE(test_days_of_others),
};

UNIT(audit, cases, NULL, NULL)
