/* How many requests a backlog takes from services that lie about order, count and pages, in comparison with version
 * 1.0.0, which asked for neither order nor count. Each row is played with a live worker and a backfill, without network
 * and clock, for backlogs from nothing to 30 pages and four patterns of arrival. */
#include "collect/order.h"

#include "collect/classify.h"
#include "collect/records.h"
#include "collect/worker_answer.h"
#include "collect/worker_request.h"
#include "requests_before.h"
#include "scene.h"

#define PAGE          20 /* records in a page */
#define RECORDS_MAX   (30 * PAGE)
#define DAY_S         86400
#define NOW           "2020-12-01T00:00:00Z" /* the host's clock is ahead */
#define REQUESTS_MOST 5000
#define SHARDS        3
#define MANY          (10 * PAGE)
#define MORE_FOR_FEW  8 /* requests more than version 1.0.0 that a lie costs, in the mean of all patterns ... */
#define MORE_FOR_MANY 2 /* ... and from ten pages on */

/* How a query's records are sorted. */
enum order {
    NEWEST,
    OLDEST,
    CREATED,  /* by another field */
    BY_SHARD, /* oldest first within each of three parts */
    OF_PAGE,  /* the newest ones, and these oldest first */
    MIXED,    /* another way in each response */
    REFUSED   /* 400 */
};

/* What the service says of the records that match. */
enum count { COUNTED, NO_COUNT, COUNT_REFUSED, COUNT_OF_PAGE, COUNT_OF_ALL, COUNT_MORE, COUNT_LESS, COUNT_TOP };

struct service {
    const char *name;
    enum before_kind before; /* what version 1.0.0 sees of it */
    enum order ordered;      /* a query with $orderby */
    enum count count;
    bool skips;   /* takes $skip */
    size_t cut;   /* no page has more, however many were asked for, and none has a link; 0: as the trait has it */
    bool doubles; /* the first two records of a page that is not the last one are the same */
    int turns;    /* does all that is asked for up to this request, and what it says here only afterwards */
};

struct record {
    ticks time;
    size_t number;
    unsigned created;
};

struct fixture {
    struct scene scene;
    struct api api;
    struct reading readings[WORKER_COUNT];
    struct page_handler handlers[WORKER_COUNT];
    struct record records[RECORDS_MAX], found[RECORDS_MAX];
    const struct service *service;
    size_t count, requests;
    int64_t now_ms;
    ticks now;
    uint64_t random;
};

static const struct before_trait {
    enum order plain;
    size_t top;  /* what may be asked for; a page has no more than PAGE */
    bool link;   /* a page that does not hold all has a next link */
    bool always; /* ... as every page that has records */
} traits[] = {
    [BEFORE_NEWEST] = { NEWEST, PAGE, true, false },     [BEFORE_OLDEST] = { OLDEST, PAGE, true, false },
    [BEFORE_CREATED] = { CREATED, PAGE, true, false },   [BEFORE_MIXED] = { MIXED, PAGE, true, false },
    [BEFORE_NO_LINK] = { NEWEST, PAGE, false, false },   [BEFORE_SHORT] = { NEWEST, 50, true, false },
    [BEFORE_SHORT_OLDEST] = { OLDEST, 50, true, false }, [BEFORE_SHORT_MIXED] = { MIXED, 50, true, false },
    [BEFORE_TRAILING] = { NEWEST, PAGE, true, true },    [BEFORE_SHORT_TRAILING] = { NEWEST, 50, true, true },
};

static uint64_t below(struct fixture *f, uint64_t limit)
{
    f->random = f->random * 6364136223846793005u + 1442695040888963407u;
    return (f->random >> 33) % limit;
}

static ticks within(struct fixture *f, ticks from, int64_t seconds)
{
    return from + (ticks)below(f, (uint64_t)seconds * 1000) * (TICKS_PER_SECOND / 1000);
}

/* Returns the update time of a record of the 29 days that end an hour ago. */
static ticks a_time(struct fixture *f, enum before_arrival arrival, size_t number, size_t count, const ticks *heads)
{
    const int64_t span = 29 * DAY_S - 3600;
    ticks start = f->now - 29 * (ticks)DAY_S * TICKS_PER_SECOND;
    int64_t day;

    switch (arrival) {
    case BEFORE_BURSTS: return number % 10 ? within(f, heads[below(f, 12)], 300) : within(f, start, span);
    case BEFORE_OFFICE:
        do
            day = (int64_t)below(f, 29);
        while (day % 7 > 4);
        return within(f, start + (day * DAY_S + 9 * 3600) * TICKS_PER_SECOND, 8 * 3600);
    case BEFORE_BULK:
        return number % 5 < 3 ? within(f, start + span * 3 / 5 * TICKS_PER_SECOND, 600) : within(f, start, span);
    default: return start + span * (int64_t)number / (int64_t)count * TICKS_PER_SECOND;
    }
}

static int by_time(const void *a, const void *b)
{
    const struct record *left = a, *right = b;

    return left->time != right->time ? left->time < right->time ? -1 : 1 : left->number < right->number ? -1 : 1;
}

static int by_creation(const void *a, const void *b)
{
    return ((const struct record *)a)->created < ((const struct record *)b)->created ? -1 : 1;
}

static int by_shard(const void *a, const void *b)
{
    size_t left = ((const struct record *)a)->number % SHARDS, right = ((const struct record *)b)->number % SHARDS;

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

/* Sorts what was found; it is sorted by time. */
static void sort(struct fixture *f, size_t count, enum order order)
{
    if (order == NEWEST || order == OF_PAGE)
        reverse(f->found, count);
    if (order == OF_PAGE)
        reverse(f->found, count < PAGE ? count : PAGE);
    if (order == CREATED || order == BY_SHARD)
        qsort(f->found, count, sizeof(f->found[0]), order == CREATED ? by_creation : by_shard);
    for (size_t i = 0; order == MIXED && i < count; i++) {
        size_t other = below(f, count);
        struct record swap = f->found[i];

        f->found[i] = f->found[other];
        f->found[other] = swap;
    }
}

static size_t find(struct fixture *f, const struct window *window)
{
    size_t count = 0;

    for (size_t i = 0; i < f->count; i++)
        if (f->records[i].time >= window->lo && f->records[i].time < window->hi)
            f->found[count++] = f->records[i];
    return count;
}

static void respond(struct fixture *f, enum worker_kind kind, int status, const char *body, struct next *ret)
{
    struct reading *reading = &f->readings[kind];
    struct http_result result = { .status = status,
                                  .body = "",
                                  .content_type = "application/json",
                                  .request_id = "",
                                  .authenticate = "",
                                  .retry_after_ms = -1 };
    struct page *page = page_new(&f->api.shape, &f->handlers[kind]);
    struct classified classified;

    if (status == 200 && !page_feed(page, body, strlen(body), outbox_buffer(f->scene.env.outbox)))
        result.fault = HTTP_STOPPED;
    classified = classify(&result, &(struct classify_facts){ .page = page, .can_simplify = true });
    *ret = worker_answer(reading, page, &classified, f->now_ms);
    page_free(page);
}

static void add_count(const struct fixture *f, struct buf *body, size_t found, size_t sent)
{
    enum count count = f->service->turns && f->requests <= (size_t)f->service->turns ? COUNTED : f->service->count;
    size_t says = count == COUNT_OF_PAGE                          ? sent
                  : count == COUNT_OF_ALL                         ? f->count
                  : count == COUNT_MORE                           ? found + 3
                  : count == COUNT_LESS                           ? found - found / 4
                  : count == COUNT_TOP && found > PAGE + PAGE / 2 ? PAGE + PAGE / 2
                                                                  : found;

    if (count != NO_COUNT)
        buf_add_format(body, ",\"@odata.count\":%zu", says);
}

static void add_records(struct fixture *f, struct buf *body, size_t from, size_t to, bool doubles)
{
    char time[TICKS_TEXT_MAX];

    buf_add_text(body, "{\"value\":[");
    for (size_t i = from; i < to; i++) {
        const struct record *record = &f->found[doubles && i == from + 1 ? from : i];

        ticks_text(record->time, time);
        buf_add_format(body, "%s{\"id\":\"%zu\",\"lastUpdateDateTime\":\"%s\"}", i > from ? "," : "", record->number,
                       time);
    }
    buf_add_text(body, "]");
}

/* One request of this worker, and the response. Returns false if it had nothing to ask for. */
static bool request(struct fixture *f, enum worker_kind kind, struct next *ret)
{
    const struct service *service = f->service;
    const struct before_trait *trait = &traits[service->before];
    struct reading *reading = &f->readings[kind];
    CLEANUP(buf_free) struct buf url = BUF_INIT(1 << 16), body = BUF_INIT(1 << 20);
    size_t skip, found, to;
    bool ordered, counts, honest;
    const char *at;

    f->scene.feed.clock = (struct service_clock){ .known = true, .good_ms = ticks_to_ms(f->now) - clock_ms() };
    if (!worker_request_prepare(reading, f->now_ms))
        return false;
    worker_request_url(reading, &url);
    f->requests++;
    honest = service->turns && f->requests <= (size_t)service->turns;
    skip = reading->pages.skip;
    ordered = strstr(buf_text(&url), "$orderby") || strstr(buf_text(&url), "ordered");
    counts = strstr(buf_text(&url), "$count") || strstr(buf_text(&url), "counted");
    if ((!honest && ((ordered && service->ordered == REFUSED) || (counts && service->count == COUNT_REFUSED))) ||
        (skip && !service->skips)) {
        respond(f, kind, 400, NULL, ret);
        return true;
    }
    if (reading->pages.link && (at = strstr(reading->pages.link, "skip=")))
        skip = strtoul(at + 5, NULL, 10);
    found = find(f, &reading->window);
    sort(f, found, !ordered ? trait->plain : honest ? OLDEST : service->ordered);
    to = reading->answer.top && reading->answer.top < PAGE ? reading->answer.top : PAGE;
    if (service->cut && service->cut < to)
        to = service->cut;
    to = skip + to < found ? skip + to : found;
    skip = skip < to ? skip : to;
    add_records(f, &body, skip, to, service->doubles && to < found && to > skip + 1);
    if (counts)
        add_count(f, &body, found, to - skip);
    if ((trait->link && !service->cut && to < found) || (trait->always && to > skip))
        buf_add_format(&body, ",\"@odata.nextLink\":\"https://api.example/%s?%s&skip=%zu\"",
                       ordered ? "ordered" : "plain", counts ? "counted" : "", to);
    buf_add_text(&body, "}");
    respond(f, kind, 200, buf_text(&body), ret);
    return true;
}

static void begin(struct fixture *f, const struct service *service, enum before_arrival arrival, size_t count,
                  uint64_t seed)
{
    struct cursor cursor;
    ticks heads[12];

    *f = (struct fixture){ .service = service,
                           .random = seed * 7919 + count,
                           .now = scene_time(NOW),
                           .now_ms = 100000000,
                           .api = api_graph };
    f->api.top = f->api.top_first = traits[service->before].top;
    scene_open(&f->scene, &f->api);
    cursor_start(&cursor, f->now - 30 * (ticks)DAY_S * TICKS_PER_SECOND);
    progress_begin(&f->scene.feed.progress, &cursor, 0);
    for (int kind = 0; kind < WORKER_COUNT; kind++) {
        f->readings[kind] = (struct reading){ .feed = &f->scene.feed, .kind = (enum worker_kind)kind };
        f->handlers[kind] = records_handler(&f->readings[kind]);
        pages_forget(&f->readings[kind].pages);
    }
    for (size_t i = 0; i < COUNT_OF(heads); i++)
        heads[i] = within(f, f->now - 29 * (ticks)DAY_S * TICKS_PER_SECOND, 29 * DAY_S - 7200);
    for (f->count = 0; f->count < count; f->count++)
        f->records[f->count] = (struct record){ a_time(f, arrival, f->count, count, heads), f->count,
                                                (unsigned)below(f, 1u << 30) };
    qsort(f->records, count, sizeof(f->records[0]), by_time);
}

static void end(struct fixture *f)
{
    for (int kind = 0; kind < WORKER_COUNT; kind++)
        pages_forget(&f->readings[kind].pages);
    scene_close(&f->scene);
}

static size_t lost(const struct fixture *f)
{
    size_t ret = 0;
    char id[24];

    for (size_t i = 0; i < f->count; i++) {
        snprintf(id, sizeof(id), "%zu", f->records[i].number);
        ret += !dedup_has(f->scene.feed.progress.dedup, dedup_key(id, strlen(id), f->records[i].time));
    }
    return ret;
}

/* Returns the number of requests until both workers have caught up. */
static size_t play(const struct service *service, enum before_arrival arrival, size_t count, uint64_t seed)
{
    static struct fixture f;
    struct next live = { .kind = NEXT_NOW }, backfill = { .kind = NEXT_NOW };
    bool more = true;
    size_t ret;

    begin(&f, service, arrival, count, seed);
    while ((live.kind != NEXT_POLL || more) && f.requests < REQUESTS_MOST) {
        if (live.kind != NEXT_POLL)
            request(&f, WORKER_LIVE, &live);
        more = request(&f, WORKER_BACKFILL, &backfill);
        f.now += TICKS_PER_SECOND / 4;
        f.now_ms += 250;
    }
    ret = f.requests;
    CHECK(!lost(&f), "%s, %zu records: %zu are lost", service->name, count, lost(&f));
    CHECK(ret < REQUESTS_MOST, "%s, %zu records: it does not end", service->name, count);
    end(&f);
    return ret;
}

static const size_t backlogs[BEFORE_BACKLOGS] = { 0, 10, 18, 20, 22, 30, 40, 50, 60, 80, 100, 140, 200, 400, 600 };

/* Plays all backlogs, with as many seeds. The patterns of arrival are compared together, since a single guess may be
 * good or bad. */
static void play_all(const struct service *service, uint64_t seeds)
{
    for (size_t i = 0; i < BEFORE_BACKLOGS; i++) {
        size_t plays = BEFORE_ARRIVALS * seeds, requests = 0, were = 0;

        for (int arrival = 0; arrival < BEFORE_ARRIVALS; arrival++)
            for (uint64_t seed = 1; seed <= seeds; seed++) {
                requests += play(service, (enum before_arrival)arrival, backlogs[i], seed);
                were += (size_t)before[service->before][arrival][i][seed - 1];
            }
        CHECK(requests <= were + plays * (backlogs[i] < MANY ? MORE_FOR_FEW : MORE_FOR_MANY),
              "%s, %zu records: %.1f requests, %.1f before", service->name, backlogs[i],
              (double)requests / (double)plays, (double)were / (double)plays);
    }
}

/* promise: Cost: A service that lies about its order, its count or both costs few requests more than before, and loses
 * nothing */
static void test_no_more_than_before(void **state UNUSED)
{
    static const char *const orders[] = { "newest", "oldest", "created", "shards", "page", "mixed", "400" };
    static const char *const counts[] = {
        "right", "none", "400", "of the page", "of all", "more", "less", "at most 30"
    };
    static const struct {
        const char *name;
        enum before_kind kind;
    } kinds[] = {
        { "newest first", BEFORE_NEWEST },
        { "oldest first", BEFORE_OLDEST },
    };
    char name[100];

    for (size_t kind = 0; kind < COUNT_OF(kinds); kind++)
        for (size_t order = 0; order < COUNT_OF(orders); order++)
            for (size_t count = 0; count < COUNT_OF(counts); count++) {
                struct service service = { .name = name,
                                           .before = kinds[kind].kind,
                                           .ordered = (enum order)order,
                                           .count = (enum count)count };

                snprintf(name, sizeof(name), "%s, order: %s, count: %s", kinds[kind].name, orders[order],
                         counts[count]);
                play_all(&service, 2);
            }
}

static void test_kinds_of_pages_and_changes_of_mind(void **state UNUSED)
{
    static const struct service services[] = {
        { .name = "no link", .before = BEFORE_NO_LINK, .ordered = CREATED, .count = NO_COUNT },
        { .name = "another field", .before = BEFORE_CREATED, .ordered = CREATED, .count = COUNTED },
        { .name = "mixed each time", .before = BEFORE_MIXED, .ordered = MIXED, .count = COUNTED },
        { .name = "mixed each time, no count", .before = BEFORE_MIXED, .ordered = MIXED, .count = NO_COUNT },
        { .name = "short pages, oldest first", .before = BEFORE_SHORT_OLDEST, .ordered = BY_SHARD, .count = NO_COUNT },
        { .name = "short pages, mixed", .before = BEFORE_SHORT_MIXED, .ordered = MIXED, .count = COUNTED },
        { .name = "a link after each page", .before = BEFORE_TRAILING, .ordered = OLDEST, .count = COUNTED },
        { .name = "a link after each short page, shards",
          .before = BEFORE_SHORT_TRAILING,
          .ordered = BY_SHARD,
          .count = COUNTED },
        { .name = "skips, no count", .before = BEFORE_NEWEST, .ordered = OLDEST, .count = NO_COUNT, .skips = true },
        { .name = "skips, shards, no count",
          .before = BEFORE_NEWEST,
          .ordered = BY_SHARD,
          .count = NO_COUNT,
          .skips = true },
        { .name = "short pages", .before = BEFORE_SHORT, .ordered = CREATED, .count = COUNT_LESS },
        { .name = "short pages, 400 to both", .before = BEFORE_SHORT, .ordered = REFUSED, .count = COUNT_REFUSED },
        { .name = "short pages, shards, counts more",
          .before = BEFORE_SHORT,
          .ordered = BY_SHARD,
          .count = COUNT_MORE },
        { .name = "doubles", .before = BEFORE_NEWEST, .ordered = OLDEST, .count = COUNTED, .doubles = true },
        { .name = "doubles, no count",
          .before = BEFORE_SHORT,
          .ordered = BY_SHARD,
          .count = NO_COUNT,
          .doubles = true },
        { .name = "shards after three", .before = BEFORE_NEWEST, .ordered = BY_SHARD, .count = COUNTED, .turns = 3 },
        { .name = "shards after nine", .before = BEFORE_NEWEST, .ordered = BY_SHARD, .count = COUNTED, .turns = 9 },
        { .name = "400 after three", .before = BEFORE_SHORT, .ordered = REFUSED, .count = COUNT_REFUSED, .turns = 3 },
        { .name = "counts more after six",
          .before = BEFORE_NEWEST,
          .ordered = NEWEST,
          .count = COUNT_MORE,
          .turns = 6 },
    };

    for (size_t i = 0; i < COUNT_OF(services); i++)
        play_all(&services[i], BEFORE_SEEDS);
}

/* promise: Completeness: A service that sends fewer records than it was asked for, without a link, loses none if it counts */
static void test_cut_pages_lose_nothing(void **state UNUSED)
{
    static const enum order orders[] = { NEWEST, OLDEST, CREATED, BY_SHARD, MIXED, REFUSED };

    for (size_t order = 0; order < COUNT_OF(orders); order++)
        for (size_t cut = PAGE / 2; cut <= PAGE; cut += PAGE / 2)
            for (size_t i = 0; i < BEFORE_BACKLOGS; i++)
                for (int arrival = 0; arrival < BEFORE_ARRIVALS; arrival++) {
                    struct service service = { .name = "cut",
                                               .before = BEFORE_SHORT,
                                               .ordered = orders[order],
                                               .count = COUNTED,
                                               .cut = cut };

                    play(&service, (enum before_arrival)arrival, backlogs[i], 1);
                }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_cut_pages_lose_nothing),
    cmocka_unit_test(test_no_more_than_before),
    cmocka_unit_test(test_kinds_of_pages_and_changes_of_mind),
};

UNIT(requests, cases, NULL, NULL)
