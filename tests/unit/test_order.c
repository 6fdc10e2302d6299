/* Reading in ascending order, from services that keep it and from ones that do not. Each row is played with many seeds:
 * a live worker and a backfill read some weeks, while records are updated, appear late, and requests fail. At the end
 * every record must have been written in its latest version. */
#include "collect/order.h"

#include "collect/classify.h"
#include "collect/records.h"
#include "collect/worker_answer.h"
#include "collect/worker_request.h"
#include "scene.h"

#define RECORDS_MAX 1200
#define SEEDS       8
#define DAY_S       86400
#define NOW         "2020-12-01T00:00:00Z"     /* the host's clock is ahead */
#define REQUESTS_MOST 5000

/* What comes first, if the query asks for ascending order. */
enum sorts { HONEST, NEWEST, BY_NUMBER, SHARDS, OF_THE_PAGE, SHUFFLED, REPEATS, REFUSES, LATER };
/* What @odata.count says. */
enum counts { TRUE_COUNT, NO_COUNT, OF_THE_PAGE_ONLY, OF_ALL_RECORDS, AT_MOST_60, TOO_MANY };
/* When the records are from. */
enum arrival { EVEN, BURSTS, TIES, AHEAD, ALL_AHEAD };

struct row {
    const char  *name;
    enum sorts   sorts;
    enum counts  counts;
    enum arrival arrival;
    size_t       records, cap;      /* cap: most in a page, whatever is asked for */
    bool         link;              /* a page that does not hold all has a next link */
    bool         always_link;       /* ... every page that has records */
    bool         empty_first;       /* ... and comes after an empty one */
    bool         skips;             /* the API can skip records */
    ticks        grain;             /* the bounds of the filter are cut to it */
    bool         changes;           /* records are updated, and appear late */
    bool         fails;             /* one request in eight is a 500 */
    bool         flickers;          /* one request in eight is a 404, to the end */
};

struct record {
    ticks  time, visible;
    size_t number;
};

struct fixture {
    struct scene   scene;
    struct api     api;
    struct reading readings[WORKER_COUNT];
    struct page_handler handlers[WORKER_COUNT];
    struct record  records[RECORDS_MAX], found[RECORDS_MAX];
    const struct row *row;
    size_t         count, requests, told;
    int64_t        now_ms, poll_ms;
    ticks          now;
    uint64_t       random;
    bool           calm;        /* nothing changes any more */
};

static uint64_t below(struct fixture *f, uint64_t limit)
{
    f->random = f->random * 6364136223846793005u + 1442695040888963407u;
    return (f->random >> 33) % limit;
}

static ticks a_time(struct fixture *f, size_t number)
{
    ticks end = f->now - 3600 * TICKS_PER_SECOND, start = end - 28 * (ticks)DAY_S * TICKS_PER_SECOND;

    switch (f->row->arrival) {
    case BURSTS: start += (ticks)(number % 4) * 7 * DAY_S * TICKS_PER_SECOND;
                 return start + (ticks)below(f, 300 * 300) * (TICKS_PER_SECOND / 300);
    case AHEAD: /* half of them are dated in the future */
    case ALL_AHEAD:
        if (number % 2 || f->row->arrival == ALL_AHEAD)
            return f->now + (ticks)(3600 + below(f, 2 * DAY_S)) * TICKS_PER_SECOND;
        return f->now - (ticks)below(f, 28 * DAY_S) * TICKS_PER_SECOND;
    case TIES: return start + (ticks)(number % 9) * DAY_S * TICKS_PER_SECOND;
    default: return start + (ticks)below(f, 28 * DAY_S) * TICKS_PER_SECOND + (ticks)below(f, TICKS_PER_SECOND);
    }
}

static int by_time(const void *a, const void *b)
{
    const struct record *left = a, *right = b;

    return left->time != right->time ? left->time < right->time ? -1 : 1 : left->number < right->number ? -1 : 1;
}

static int by_number(const void *a, const void *b)
{
    return ((const struct record *)a)->number < ((const struct record *)b)->number ? -1 : 1;
}

static int by_shard(const void *a, const void *b)
{
    size_t left = ((const struct record *)a)->number % 3 == 0, right = ((const struct record *)b)->number % 3 == 0;

    return left != right ? left < right ? -1 : 1 : by_time(a, b);
}

static void reverse(struct record *records, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct record swap = records[i];

        records[i] = records[count - 1 - i];
        records[count - 1 - i] = swap;
    }
}

/* Sorts what was found as the service does. */
static void sort(struct fixture *f, size_t count, size_t most, bool ordered)
{
    enum sorts sorts = !ordered ? NEWEST : f->row->sorts != LATER ? f->row->sorts : f->requests > 7 ? SHARDS : HONEST;

    qsort(f->found, count, sizeof(f->found[0]), sorts == BY_NUMBER ? by_number : sorts == SHARDS ? by_shard : by_time);
    if (sorts == NEWEST || sorts == OF_THE_PAGE)
        reverse(f->found, count);
    if (sorts == OF_THE_PAGE)
        reverse(f->found, count < most ? count : most);
    for (size_t i = 0; sorts == SHUFFLED && i < count; i++) {
        size_t other = below(f, count);
        struct record swap = f->found[i];

        f->found[i] = f->found[other];
        f->found[other] = swap;
    }
    for (size_t i = count - 1; sorts == REPEATS && i < count; i--)
        f->found[i] = f->found[i / 2]; /* and half of them not at all */
}

static size_t find(struct fixture *f, const struct window *window)
{
    ticks grain = f->row->grain ? f->row->grain : 1;
    ticks lo = window->lo - window->lo % grain, hi = window->hi == TICKS_OPEN ? TICKS_OPEN : window->hi - window->hi % grain;
    size_t count = 0;

    for (size_t i = 0; i < f->count; i++)
        if (f->records[i].time >= lo && f->records[i].time < hi && f->records[i].visible <= f->now)
            f->found[count++] = f->records[i];
    return count;
}

static void add_count(const struct fixture *f, struct buf *body, size_t found, size_t sent)
{
    size_t count = f->row->counts == OF_THE_PAGE_ONLY ? sent : f->row->counts == OF_ALL_RECORDS ? f->count
                 : f->row->counts == AT_MOST_60 && found > 60 ? 60 : f->row->counts == TOO_MANY ? found + (found + sent) % 3 : found;

    if (f->row->counts != NO_COUNT)
        buf_add_format(body, ",\"@odata.count\":%zu", count);
}

static void respond(struct fixture *f, enum worker_kind kind, int status, const char *body, struct next *ret)
{
    struct reading *reading = &f->readings[kind];
    struct http_result result = { .status = status, .body = "", .content_type = "application/json", .request_id = "",
                                  .authenticate = "", .retry_after_ms = -1 };
    struct page *page = page_new(&f->api.shape, &f->handlers[kind]);
    struct classified classified;

    if (status == 200 && !page_feed(page, body, strlen(body), outbox_buffer(f->scene.env.outbox)))
        result.fault = HTTP_STOPPED;
    classified = classify(&result, &(struct classify_facts){ .page = page, .can_simplify = true });
    *ret = worker_answer(reading, page, &classified, f->now_ms);
    page_free(page);
}

/* One request of this worker, and the response. Returns false if it had nothing to ask for. */
static bool request(struct fixture *f, enum worker_kind kind, struct next *ret)
{
    struct reading *reading = &f->readings[kind];
    CLEANUP(buf_free) struct buf url = BUF_INIT(1 << 16), body = BUF_INIT(1 << 20);
    size_t skip, count, most, sent = 0;
    bool ordered;
    const char *at;
    char time[TICKS_TEXT_MAX];

    f->scene.feed.clock = (struct service_clock){ .known = true, .good_ms = ticks_to_ms(f->now) - clock_ms() };
    if (!worker_request_prepare(reading, f->now_ms))
        return false;
    worker_request_url(reading, &url);
    skip = reading->pages.skip;
    f->requests++;
    ordered = strstr(buf_text(&url), "$orderby") || strstr(buf_text(&url), "ordered");
    if (ordered && f->row->sorts == REFUSES) {
        respond(f, kind, 400, NULL, ret);
        return true;
    }
    if (f->row->fails && !f->calm && !below(f, 8)) {
        respond(f, kind, 500, NULL, ret);
        return true;
    }
    if (f->row->flickers && !below(f, 8)) {
        respond(f, kind, 404, NULL, ret);
        return true;
    }
    if (reading->pages.link && (at = strstr(reading->pages.link, "skip=")))
        skip = strtoul(at + 5, NULL, 10);
    if (f->row->empty_first && !reading->pages.link) {
        add_count(f, &body, find(f, &reading->window), 0);
        buf_add_format(&body, ",\"@odata.nextLink\":\"https://api.example/%s?skip=0\",\"value\":[]}",
                       ordered ? "ordered" : "plain");
        body.data[0] = '{';
        respond(f, kind, 200, buf_text(&body), ret);
        return true;
    }
    most = reading->answer.top && reading->answer.top < f->row->cap ? reading->answer.top : f->row->cap;
    count = find(f, &reading->window);
    sort(f, count, most, ordered);
    buf_add_text(&body, "{\"value\":[");
    for (size_t i = skip; i < count && sent < most; i++, sent++) {
        ticks_text(f->found[i].time, time);
        buf_add_format(&body, "%s{\"id\":\"%zu\",\"lastUpdateDateTime\":\"%s\"}", sent ? "," : "", f->found[i].number, time);
    }
    buf_add_text(&body, "]");
    add_count(f, &body, count, sent);
    if ((f->row->link && skip + sent < count) || (f->row->always_link && sent))
        buf_add_format(&body, ",\"@odata.nextLink\":\"https://api.example/%s?skip=%zu\"", ordered ? "ordered" : "plain", skip + sent);
    buf_add_text(&body, "}");
    respond(f, kind, 200, buf_text(&body), ret);
    return true;
}

/* An old record is updated; a new one appears at once or late. */
static void change(struct fixture *f)
{
    struct record *record;

    if (!f->row->changes || f->calm || below(f, 3))
        return;
    record = &f->records[below(f, f->count)];
    if (record->visible <= f->now)
        record->time = record->visible = f->now - 1;
    if (!below(f, 4) && f->count < RECORDS_MAX) {
        f->records[f->count] = (struct record){ .number = f->count, .time = f->now - 2, .visible = f->now - 2 };
        if (below(f, 2))
            f->records[f->count].visible += (ticks)below(f, 400) * TICKS_PER_SECOND;
        f->count++;
    }
}

static void pass(struct fixture *f, int64_t ms)
{
    f->now += ms * TICKS_PER_MS;
    f->now_ms += ms;
}

/* One step of each worker. Returns true if both have caught up. */
static bool step(struct fixture *f)
{
    struct next next = { .kind = NEXT_NOW };
    bool done = true;

    if (f->now_ms >= f->poll_ms) {
        request(f, WORKER_LIVE, &next);
        done = next.kind == NEXT_POLL;
        f->poll_ms = f->now_ms + (done ? 60000 : 0);
        change(f);
        pass(f, next.kind == NEXT_RETRY ? 5000 : 300);
    }
    if (request(f, WORKER_BACKFILL, &next))
        done = false;
    change(f);
    if (quarantine_due(&f->scene.feed.progress.quarantine, f->now / TICKS_PER_SECOND)) {
        request(f, WORKER_QUARANTINE, &next);
        done = false;
    }
    pass(f, 300);
    return done;
}

static bool is_written(const struct fixture *f, const struct record *record)
{
    char id[24];

    snprintf(id, sizeof(id), "%zu", record->number);
    return dedup_has(f->scene.feed.progress.dedup, dedup_key(id, strlen(id), record->time));
}

static size_t lost(const struct fixture *f)
{
    size_t ret = 0;

    for (size_t i = 0; i < f->count; i++)
        ret += !is_written(f, &f->records[i]);
    return ret;
}

static void begin(struct fixture *f, const struct row *row, uint64_t seed, bool sorts)
{
    struct cursor cursor;

    *f = (struct fixture){ .row = row, .random = seed * 7919 + 1, .now = scene_time(NOW), .now_ms = 100000000, .api = api_graph };
    f->api.sorts = sorts;
    f->api.has_skip = row->skips;
    f->api.skips = row->skips ? SIZE_MAX : 0;
    f->api.top = f->api.top_first = 50;
    scene_open(&f->scene, &f->api);
    cursor_start(&cursor, f->now - 30 * (ticks)DAY_S * TICKS_PER_SECOND);
    progress_begin(&f->scene.feed.progress, &cursor, 0);
    for (int kind = 0; kind < WORKER_COUNT; kind++) {
        f->readings[kind] = (struct reading){ .feed = &f->scene.feed, .kind = (enum worker_kind)kind };
        f->handlers[kind] = records_handler(&f->readings[kind]);
        pages_forget(&f->readings[kind].pages);
    }
    for (f->count = 0; f->count < row->records; f->count++) {
        ticks time = a_time(f, f->count);

        f->records[f->count] = (struct record){ time, ticks_min(time, f->now), f->count };
    }
}

static void end(struct fixture *f)
{
    for (int kind = 0; kind < WORKER_COUNT; kind++)
        pages_forget(&f->readings[kind].pages);
    scene_close(&f->scene);
}

/* Returns the number of requests until everything was read. */
static size_t play(const struct row *row, uint64_t seed, bool sorts)
{
    static struct fixture f;
    size_t ret;

    begin(&f, row, seed, sorts);
    while (!step(&f) && f.requests < REQUESTS_MOST) {
        if (f.requests > 150)
            f.calm = true;
    }
    ret = f.requests;
    f.calm = true;
    pass(&f, 500000);       /* the late ones can be seen */
    f.requests = 0;
    while (!step(&f) && f.requests < REQUESTS_MOST)
        ;
    CHECK(f.requests < REQUESTS_MOST && ret < REQUESTS_MOST, "%s, seed %llu: it does not end", row->name, (unsigned long long)seed);
    CHECK(!lost(&f), "%s, seed %llu: %zu of %zu lost", row->name, (unsigned long long)seed, lost(&f), f.count);
    CHECK(dedup_count(f.scene.feed.progress.dedup) == f.scene.feed.tally.new_events, "%s: written twice", row->name);
    end(&f);
    return ret;
}

static size_t least(const struct row *row)
{
    return (row->records + row->cap - 1) / row->cap;
}

/* promise: Cost: At most 1.2 times the least number of pages plus two, from a service that sorts */
static void test_a_service_that_sorts(void **state UNUSED)
{
    static const struct row rows[] = {
        { "even", .records = 1000, .cap = 50, .link = true },
        { "bursts", .arrival = BURSTS, .records = 1000, .cap = 50, .link = true },
        { "full pages without a link", .arrival = BURSTS, .records = 1000, .cap = 50 },
        { "pages that end early", .arrival = BURSTS, .records = 1000, .cap = 20, .link = true },
        { "short pages, and no links", .arrival = BURSTS, .records = 1000, .cap = 20 },
        { "few", .records = 120, .cap = 50, .link = true },
        { "one page", .records = 50, .cap = 50 },
        { "none", .cap = 50 },
        { "whole seconds", .arrival = BURSTS, .records = 1000, .cap = 50, .link = true, .grain = TICKS_PER_SECOND },
        { "does not count, but skips", .counts = NO_COUNT, .records = 1000, .cap = 50, .skips = true },
        { "does not count, skips in bursts", .counts = NO_COUNT, .arrival = BURSTS, .records = 1000, .cap = 50, .skips = true },
        { "does not count, skips, one page", .counts = NO_COUNT, .records = 40, .cap = 50, .skips = true },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            size_t requests = play(&rows[i], seed, true);

            CHECK(requests <= least(&rows[i]) * (rows[i].counts == NO_COUNT ? 14 : 12) / 10 + 2, "%s: %zu requests for %zu pages", rows[i].name, requests, least(&rows[i]));
        }
}

/* promise: Trouble: A service that does not keep the order it claims makes nothing lost */
static void test_a_service_that_lies(void **state UNUSED)
{
    static const struct row rows[] = {
        { "newest first", NEWEST, .records = 600, .cap = 50, .link = true },
        { "by another field", BY_NUMBER, .arrival = BURSTS, .records = 600, .cap = 50, .link = true },
        { "within shards", SHARDS, .records = 600, .cap = 50, .link = true },
        { "within shards, in bursts", SHARDS, .arrival = BURSTS, .records = 600, .cap = 50 },
        { "only what it sends", OF_THE_PAGE, .records = 600, .cap = 50, .link = true },
        { "at random", SHUFFLED, .records = 600, .cap = 50, .link = true },
        { "repeats records", REPEATS, .records = 600, .cap = 50, .link = true },
        { "refuses", REFUSES, .records = 600, .cap = 50, .link = true },
        { "refuses, one page", REFUSES, .records = 40, .cap = 50, .link = true },
        { "refuses, and does not count", REFUSES, NO_COUNT, .arrival = BURSTS, .records = 600, .cap = 50, .link = true },
        { "shards, later", LATER, .records = 1000, .cap = 50, .link = true },
        { "shards, later, in bursts", LATER, .arrival = BURSTS, .records = 1000, .cap = 50, .link = true },
        { "shards, later, does not count but skips", LATER, NO_COUNT, .records = 1000, .cap = 50, .skips = true },
        { "does not count", HONEST, NO_COUNT, .records = 600, .cap = 50, .link = true },
        { "does not count, in bursts", HONEST, NO_COUNT, .arrival = BURSTS, .records = 600, .cap = 50, .link = true },
        { "does not count, but skips", HONEST, NO_COUNT, .records = 600, .cap = 50, .skips = true },
        { "does not count, skips in bursts", HONEST, NO_COUNT, .arrival = BURSTS, .records = 600, .cap = 50, .skips = true },
        { "skips within shards", SHARDS, NO_COUNT, .arrival = BURSTS, .records = 600, .cap = 50, .skips = true },
        { "skips in what it sends", OF_THE_PAGE, NO_COUNT, .records = 600, .cap = 50, .skips = true },
        { "skips at random", SHUFFLED, NO_COUNT, .records = 600, .cap = 50, .skips = true },
        { "skips by another field", BY_NUMBER, NO_COUNT, .records = 600, .cap = 50, .skips = true },
        { "counts and skips, shards", SHARDS, .records = 600, .cap = 50, .skips = true },
        { "counts the page, skips", SHARDS, OF_THE_PAGE_ONLY, .records = 600, .cap = 50, .skips = true },
        { "counts everything, skips", SHARDS, OF_ALL_RECORDS, .records = 600, .cap = 50, .skips = true },
        { "counts the page", HONEST, OF_THE_PAGE_ONLY, .records = 600, .cap = 50 },
        { "counts the page of shards", SHARDS, OF_THE_PAGE_ONLY, .records = 600, .cap = 50 },
        { "counts the page of what it sends", OF_THE_PAGE, OF_THE_PAGE_ONLY, .records = 600, .cap = 50 },
        { "counts everything", HONEST, OF_ALL_RECORDS, .records = 600, .cap = 50, .link = true },
        { "counts everything, of shards", SHARDS, OF_ALL_RECORDS, .records = 600, .cap = 50, .link = true },
        { "counts up to 60", SHARDS, AT_MOST_60, .records = 600, .cap = 50, .link = true },
        { "counts the page, two a page", OF_THE_PAGE, OF_THE_PAGE_ONLY, .records = 60, .cap = 2, .link = true },
        { "counts the page, two a page of shards", SHARDS, OF_THE_PAGE_ONLY, .records = 60, .cap = 2, .link = true },
        { "counts the page, three a page, skips", OF_THE_PAGE, OF_THE_PAGE_ONLY, .records = 60, .cap = 3, .link = true, .skips = true },
        { "counts, two a page of what it sends", OF_THE_PAGE, .records = 60, .cap = 2, .link = true },
        { "does not count, two a page", OF_THE_PAGE, NO_COUNT, .records = 60, .cap = 2, .link = true, .skips = true },
        { "counts the page, one a page", SHUFFLED, OF_THE_PAGE_ONLY, .records = 40, .cap = 1, .link = true },
        { "counts the page, dated in the future", HONEST, OF_THE_PAGE_ONLY, AHEAD, .records = 60, .cap = 20, .link = true },
        { "counts the page, all in the future", HONEST, OF_THE_PAGE_ONLY, ALL_AHEAD, .records = 22, .cap = 20, .link = true },
        { "all in the future, newest first", NEWEST, NO_COUNT, ALL_AHEAD, .records = 90, .cap = 20, .link = true },
        { "dated in the future", HONEST, .arrival = AHEAD, .records = 90, .cap = 20, .link = true },
        { "does not count, dated in the future", HONEST, NO_COUNT, AHEAD, .records = 90, .cap = 20, .link = true },
        { "pages of 20", SHARDS, .records = 600, .cap = 20, .link = true },
        { "ties", SHARDS, .arrival = TIES, .records = 600, .cap = 50, .link = true },
        { "an empty page first", SHARDS, .records = 300, .cap = 50, .link = true, .empty_first = true },
        { "whole minutes", SHARDS, .arrival = BURSTS, .records = 600, .cap = 50, .link = true, .grain = 60 * TICKS_PER_SECOND },
        { "whole seconds", SHARDS, .arrival = BURSTS, .records = 600, .cap = 50, .link = true, .grain = TICKS_PER_SECOND },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            size_t plain = play(&rows[i], seed, false), requests = play(&rows[i], seed, true);
            struct row changes = rows[i];

            CHECK(requests <= plain * 5 / 4 + 5, "%s: %zu requests, plainly %zu", rows[i].name, requests, plain);
            CHECK(rows[i].arrival != BURSTS || plain <= least(&rows[i]) * 7 + 8, "%s: plainly %zu requests for %zu pages",
                  rows[i].name, plain, least(&rows[i]));
            CHECK(rows[i].counts || rows[i].sorts == REPEATS || !rows[i].link ||
                      requests <= least(&rows[i]) * 15 / 10 + 5,
                  "%s: %zu requests for %zu pages", rows[i].name, requests, least(&rows[i]));
            changes.changes = true;
            play(&changes, seed, true);
            changes.fails = true;
            play(&changes, seed, true);
        }
}

/* The way down to one record takes about fifty requests: once in four hours, and not for each record. */
static void test_a_service_that_counts_too_many(void **state UNUSED)
{
    static const struct row rows[] = {
        { "dated in the future", SHARDS, TOO_MANY, AHEAD, .records = 60, .cap = 20, .link = true },
        { "all in the future", SHARDS, TOO_MANY, ALL_AHEAD, .records = 26, .cap = 20, .link = true },
        { "all in the future, skips", SHARDS, TOO_MANY, ALL_AHEAD, .records = 26, .cap = 20, .skips = true },
        { "all in the future, newest first", NEWEST, TOO_MANY, ALL_AHEAD, .records = 26, .cap = 20, .link = true },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            size_t plain = play(&rows[i], seed, false), requests = play(&rows[i], seed, true);

            CHECK(requests <= plain * 5 / 4 + 60, "%s: %zu requests, plainly %zu", rows[i].name, requests, plain);
        }
}

/* promise: Trouble: Nothing is lost while records are updated, appear late or are at one time between two pages */
static void test_a_set_that_changes(void **state UNUSED)
{
    static const struct row rows[] = {
        { "even", .records = 600, .cap = 50, .link = true, .changes = true },
        { "bursts", .arrival = BURSTS, .records = 600, .cap = 50, .changes = true },
        { "a pass of 50 pages that is interrupted", NEWEST, .records = 1000, .cap = 20, .link = true, .flickers = true },
        { "failures", .arrival = BURSTS, .records = 600, .cap = 50, .link = true, .changes = true, .fails = true },
        { "ties at the edges", .arrival = TIES, .records = 270, .cap = 50, .link = true, .changes = true },
        { "more ties than a page holds", .arrival = TIES, .records = 600, .cap = 50, .link = true, .changes = true },
        { "an empty page first", .records = 600, .cap = 50, .link = true, .empty_first = true, .changes = true },
        { "whole minutes", .arrival = BURSTS, .records = 600, .cap = 50, .link = true, .grain = 60 * TICKS_PER_SECOND,
          .changes = true },
        { "a link after the last page", .records = 600, .cap = 50, .always_link = true, .changes = true },
        { "short pages", .arrival = BURSTS, .records = 600, .cap = 20, .link = true, .changes = true, .fails = true },
        { "whole seconds", .arrival = BURSTS, .records = 600, .cap = 50, .link = true, .grain = TICKS_PER_SECOND,
          .changes = true },
        { "counts up to 60", HONEST, AT_MOST_60, .records = 600, .cap = 50, .link = true, .changes = true },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            play(&rows[i], seed, true);
}

/* Over a restart, by the host's clock. */
static void test_what_is_remembered(void **state UNUSED)
{
    enum { HOUR_MS = 3600000 };
    static const struct { const char *name; int64_t again_ms, wall_ms, want_ms; } rows[] = {
        { "an hour is left, ten minutes pass", HOUR_MS, 600000, HOUR_MS - 600000 },
        { "it is over at the restart", HOUR_MS, 2 * HOUR_MS, 0 },
        { "it was over before", 0, 600000, 0 },
        { "the clock went back by days: that is no time to wait for", HOUR_MS, -48 * (int64_t)HOUR_MS, 0 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct reliance before = { .order_again_ms = 5 + rows[i].again_ms, .hint_again_ms = 4 }, after;
        struct checkpoint checkpoint = { .lost = 0 };
        int64_t wall_ms = INT64_C(1600000000000);

        reliance_keep(&before, &checkpoint, wall_ms, 5);
        reliance_take(&after, &checkpoint, wall_ms + rows[i].wall_ms, 77);
        CHECK(after.order_again_ms == (rows[i].want_ms ? 77 + rows[i].want_ms : 0), "%s: %lld", rows[i].name,
              (long long)after.order_again_ms);
        CHECK(!after.count_again_ms && !after.hint_again_ms, "%s: more than was kept", rows[i].name);
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_what_is_remembered),
    cmocka_unit_test(test_a_service_that_sorts),
    cmocka_unit_test(test_a_service_that_lies),
    cmocka_unit_test(test_a_service_that_counts_too_many),
    cmocka_unit_test(test_a_set_that_changes),
};

UNIT(order, cases, NULL, NULL)
