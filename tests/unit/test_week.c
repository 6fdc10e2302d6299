/* A week of polling in a second or two: the progress of an input and its checkpoint under a simulated clock.
 * `unit week -- N` plays N weeks of each kind.
 *
 * A service with bursts, ties, late alerts and small answers; a client that polls, fills, is cut off for hours, stops
 * and is killed. Every alert must be written, once unless there was a kill, and nothing may grow. */
#include <stdlib.h>

#include "base/err.h"
#include "check.h"
#include "state/progress.h"

#define WEEK_S     (7 * 86400)
#define ALERTS     20000
#define ROOM       40           /* records an answer holds */
#define OVERLAP_S  600
#define POLL_S     60
#define SETTLED_S  60
#define SAVE_S     120
#define EVENT      100          /* bytes of an event in the stream */
#define EPOCH      (INT64_C(1790000000) * TICKS_PER_SECOND)

#define POISONED   12           /* alerts that fail their response until they heal */

struct alert {
    ticks    time, visible;
    ticks    heals;             /* responses with it fail until then; 0: never */
    unsigned written;
};

struct world {
    struct alert alerts[ALERTS];        /* by time */
    uint64_t     random;
    ticks        now;

    struct progress progress;
    uint64_t      end;                  /* of the stream */
    uint64_t      taken[SETTLED_S + 2]; /* where it stood at each of the last seconds */
    ticks         noted;
    struct buf    file;
    ticks         saved;
    ticks         due[WORKER_COUNT];
    size_t        dedup_most, acks_most, requests, quarantined_most;
    bool          failed[WORKER_COUNT];     /* the last response */
    unsigned      kills;
};

static uint64_t below(struct world *w, uint64_t limit)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (w->random >> 33) % limit;
}

static int by_time(const void *a, const void *b)
{
    const struct alert *left = a, *right = b;

    return left->time < right->time ? -1 : left->time > right->time;
}

/* Bursts, quiet days, ties on a grid of 1/300 s, one in five late by up to the overlap. */
static void make_alerts(struct world *w)
{
    size_t i;

    for (i = 0; i < ALERTS; i++) {
        struct alert *alert = &w->alerts[i];
        int64_t second = (int64_t)below(w, WEEK_S);

        if (i % 2)      /* half of them in an hour each second day */
            second = second / (2 * 86400) * 2 * 86400 + second % 3600;
        alert->time = EPOCH + second * TICKS_PER_SECOND + (ticks)below(w, 300) * TICKS_PER_SECOND / 300;
        if (i % 50 == 1)
            alert->time = EPOCH + second * TICKS_PER_SECOND;
        alert->visible = alert->time + (i % 5 ? 0 : (ticks)below(w, OVERLAP_S) * TICKS_PER_SECOND);
    }
    qsort(w->alerts, ALERTS, sizeof(w->alerts[0]), by_time);
}

/* Some alerts cannot be read for hours or days; two of them are neighbors. */
static void poison(struct world *w)
{
    for (size_t i = 0; i < POISONED; i++) {
        struct alert *alert = &w->alerts[below(w, ALERTS - 1)];

        alert[0].heals = alert->visible + (ticks)below(w, 2 * 86400) * TICKS_PER_SECOND;
        if (i == 0)
            alert[1].heals = alert->heals;
    }
}

static size_t first_from(const struct world *w, ticks time)
{
    size_t low = 0, high = ALERTS;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (w->alerts[middle].time < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void write_alert(struct world *w, size_t at, struct page_stats *stats)
{
    struct alert *alert = &w->alerts[at];
    struct hash128 key = dedup_key((const char *)&at, sizeof(at), alert->time);

    stats->count++;
    stats->oldest = ticks_min(alert->time, stats->oldest);
    stats->newest = ticks_max(alert->time, stats->newest);
    if (dedup_has(w->progress.dedup, key))
        return;
    alert->written++;
    w->end += EVENT;
    dedup_add(w->progress.dedup, (struct dedup_entry){ .key = key, .time = alert->time, .pos = w->end });
}

/* The newest ROOM of the span, as the services do; returns how many there were. all: a chain of pages brings all. */
static size_t ask(struct world *w, const struct window *window, bool all, struct page_stats *stats)
{
    size_t at = first_from(w, window->hi == TICKS_OPEN ? INT64_MAX : window->hi), from = first_from(w, window->lo);
    size_t count = 0;

    *stats = page_stats_none();
    while (at-- > from) {
        if (w->alerts[at].visible > w->now)
            continue;
        if (++count <= ROOM || all)
            write_alert(w, at, stats);
    }
    return count;
}

static bool fails(const struct world *w, const struct window *window)
{
    size_t at = first_from(w, window->hi == TICKS_OPEN ? INT64_MAX : window->hi), from = first_from(w, window->lo);

    while (at-- > from)
        if (w->alerts[at].visible <= w->now && w->alerts[at].heals > w->now)
            return true;
    return false;
}

/* What collect/worker_answer.c does with a window that fails alone: the second time it is set aside, and halved. */
static void window_failed(struct world *w, enum worker_kind worker, const struct window *window, ticks sent)
{
    if (worker == WORKER_QUARANTINE) {
        quarantine_failed(&w->progress.quarantine, window, &(struct quarantine_failure){
            .proven = true, .resolution = 1, .now_s = w->now / TICKS_PER_SECOND });
    } else if (!w->failed[worker]) {
        w->failed[worker] = true;
        w->due[worker] = w->now + TICKS_PER_SECOND;
    } else {
        w->failed[worker] = false;
        if (progress_isolate(&w->progress, worker, window, 1, sent, w->end, sent / TICKS_PER_MS) && worker == WORKER_LIVE)
            w->due[worker] = w->now + POLL_S * TICKS_PER_SECOND;
    }
}

static void step(struct world *w, enum worker_kind worker)
{
    struct page_stats stats;
    struct window window;
    ticks sent = w->now;
    bool caught_up;

    if (w->now < w->due[worker] || !progress_next(&w->progress, worker, sent, w->end, sent / TICKS_PER_MS, &window))
        return;
    w->requests++;
    if (fails(w, &window)) {
        window_failed(w, worker, &window, sent);
        return;
    }
    w->failed[worker] = false;
    if (ask(w, &window, false, &stats) > ROOM) {
        if (progress_split(&w->progress, worker, &window, &stats, 1, sent))
            return;
        ask(w, &window, true, &stats);
    }
    caught_up = progress_read(&w->progress, worker, &window, &stats, ROOM, sent, w->end, sent / TICKS_PER_MS);
    if (caught_up && worker == WORKER_LIVE)
        w->due[worker] = w->now + POLL_S * TICKS_PER_SECOND;
}

static void save(struct world *w, uint64_t pos)
{
    struct checkpoint cp = { .tenant_id = (char *)"t", .api = (char *)"graph" };
    struct cursor saved;
    struct buf file = BUF_INIT(64u << 20);

    if (!progress_format(&w->progress, &cp, pos, &file, &saved))        /* after an outage, nothing counts as taken */
        return;
    buf_free(&w->file);
    w->file = file;
    progress_saved(&w->progress, &saved);
    w->saved = w->now;
}

static void start(struct world *w)
{
    struct checkpoint cp = { .imported_count = 0 };
    struct err err;

    progress_release(&w->progress);
    progress_init(&w->progress, OVERLAP_S);
    memset(w->due, 0, sizeof(w->due));
    memset(w->taken, 0, sizeof(w->taken));
    w->end = 0;
    if (w->file.len) {
        CHECK(checkpoint_parse(buf_text(&w->file), w->file.len, &cp, w->progress.dedup, &err), "%s", err.text);
    } else {
        cursor_start(&cp.cursor, EPOCH);
    }
    w->progress.quarantine = cp.quarantine;
    cp.quarantine = (struct quarantine){ .count = 0 };
    progress_begin(&w->progress, &cp.cursor, w->now / TICKS_PER_MS);
    checkpoint_release(&cp);
    save(w, 0);
}

/* One second of the client's life. */
static void second(struct world *w)
{
    size_t slot = (size_t)(w->now / TICKS_PER_SECOND) % (SETTLED_S + 2);

    step(w, WORKER_LIVE);
    step(w, WORKER_BACKFILL);
    step(w, WORKER_QUARANTINE);
    w->taken[slot] = w->end;
    progress_settle(&w->progress, w->taken[(slot + 1) % (SETTLED_S + 2)], w->now);
    if (quarantine_waiting(&w->progress.quarantine) > w->quarantined_most)
        w->quarantined_most = quarantine_waiting(&w->progress.quarantine);
    if (w->now - w->saved >= SAVE_S * TICKS_PER_SECOND)
        save(w, w->taken[(slot + 1) % (SETTLED_S + 2)]);
    if (dedup_count(w->progress.dedup) > w->dedup_most)
        w->dedup_most = dedup_count(w->progress.dedup);
    if (w->progress.acks.count > w->acks_most)
        w->acks_most = w->progress.acks.count;
    w->now += TICKS_PER_SECOND;
}

/* What happens to it: outages of minutes to hours, stops, kills. */
static void fate(struct world *w, bool kills)
{
    switch (below(w, 20000)) {
    case 0:
        w->now += (ticks)below(w, 8 * 3600) * TICKS_PER_SECOND;     /* no network; the process lives on */
        memset(w->taken, 0, sizeof(w->taken));
        break;
    case 1:
    case 2:
        save(w, w->end);
        w->now += (ticks)below(w, 3600) * TICKS_PER_SECOND;
        start(w);
        break;
    case 3:
    case 4:
    case 5:
        if (!kills)
            break;
        w->kills++;
        start(w);
        break;
    default:
        break;
    }
}

static void week(uint64_t seed, bool kills, bool poisoned)
{
    struct world *w = calloc(1, sizeof(*w));
    size_t i, lost = 0, repeated = 0;

    w->file = BUF_INIT(64u << 20);
    w->random = seed;
    w->now = EPOCH + 3 * 86400 * TICKS_PER_SECOND;      /* three days are there to be fetched */
    make_alerts(w);
    if (poisoned)
        poison(w);
    start(w);
    while (w->now < EPOCH + (WEEK_S + 8 * 3600) * TICKS_PER_SECOND) {
        second(w);
        fate(w, kills);
    }
    w->now += (poisoned ? 2 * 86400 : 0) * TICKS_PER_SECOND;    /* all have healed */
    for (i = 0; i < (poisoned ? 6u * 3600 : 3600); i++)
        second(w);
    CHECK(!quarantine_waiting(&w->progress.quarantine), "seed %llu: %zu windows are quarantined",
          (unsigned long long)seed, quarantine_waiting(&w->progress.quarantine));
    CHECK(!poisoned || w->quarantined_most, "seed %llu: nothing was quarantined", (unsigned long long)seed);
    CHECK(w->requests < 60000, "seed %llu: %zu requests", (unsigned long long)seed, w->requests);
    for (i = 0; i < ALERTS; i++) {
        lost += !w->alerts[i].written;
        repeated += w->alerts[i].written > 1 ? w->alerts[i].written - 1 : 0;
    }
    CHECK(lost == 0, "seed %llu: %zu of %d lost", (unsigned long long)seed, lost, ALERTS);
    CHECK(kills || repeated == 0, "seed %llu: %zu repeated without a kill", (unsigned long long)seed, repeated);
    CHECK(w->dedup_most < ALERTS / 2 + ALERTS / 4, "seed %llu: %zu known", (unsigned long long)seed, w->dedup_most);
    CHECK(dedup_count(w->progress.dedup) < 500, "seed %llu: %zu known at the end", (unsigned long long)seed,
          dedup_count(w->progress.dedup));
    CHECK(w->acks_most < 200, "seed %llu: %zu marks", (unsigned long long)seed, w->acks_most);
    fprintf(stderr, "week %llu: %u kills, lost %zu, repeated %zu, known at most %zu, at the end %zu, %zu requests, "
            "quarantined at most %zu\n", (unsigned long long)seed, w->kills, lost, repeated, w->dedup_most,
            dedup_count(w->progress.dedup), w->requests, w->quarantined_most);
    progress_release(&w->progress);
    buf_free(&w->file);
    free(w);
}

static void weeks(bool kills, bool poisoned)
{
    uint64_t last = *unit_args ? strtoull(*unit_args, NULL, 10) : 3;

    for (uint64_t seed = 1; seed <= last; seed++)
        week(seed, kills, poisoned);
}

/* promise: Events: Each version comes once, whatever the order, the pages and the ties. */
static void test_weeks_without_a_kill(void **state UNUSED)
{
    weeks(false, false);
}

static void test_weeks_with_kills(void **state UNUSED)
{
    weeks(true, false);
}

/* promise: Trouble: A window that fails while others are answered is set aside. Nothing in it or around it is lost. */
static void test_weeks_with_poisoned_records(void **state UNUSED)
{
    weeks(false, true);
}

static void test_weeks_with_poisoned_records_and_kills(void **state UNUSED)
{
    weeks(true, true);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_weeks_without_a_kill),
    cmocka_unit_test(test_weeks_with_kills),
    cmocka_unit_test(test_weeks_with_poisoned_records),
    cmocka_unit_test(test_weeks_with_poisoned_records_and_kills),
};

UNIT(week, cases, NULL, NULL)
