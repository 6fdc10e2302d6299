/* A service with a page limit, a coarse filter, late alerts and heaps of alerts at one time, and a client that drives progress.c
 * with both workers as collect/ does, saves checkpoints, is ended and killed. A ledger says at every step whether a version
 * was written twice without need, and at the end whether one is missing. Each run is a seed; a failing one is named.
 * The runs are played before the cases, which look at the outcomes. `unit cursor -- FIRST [COUNT]` plays these runs. */
#include "state/progress.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "check.h"

#define VERSIONS_MAX 4000
#define OVERLAP_LEAST_S 300
#define LATE_MOST_S  (OVERLAP_LEAST_S - CURSOR_COARSE_S)
#define NOW          INT64_C(17935221120000000)
#define FILE_MOST    (64u << 20)

static uint64_t seed;

/* What came of a run: versions that are missing, that are from before the beginning, that came again without need. */
struct outcome {
    size_t lost, early, repeated;
    size_t versions, fills, chains, kills, parts, again;
    size_t below;           /* written although they are from below their window */
};

/* How the service compares with the bounds of a window. The program does not know it. */
enum filter {
    FILTER_EXACT,
    FILTER_TRUNCATES,       /* the bounds are cut to its grain */
    FILTER_ROUNDS,          /* ... or go to the nearest step of it */
    FILTER_WIDENS,          /* each bound is moved outward to its grain */
    FILTER_STORED,          /* it compares times that were stored with its grain */
    FILTERS
};

static uint64_t        first_run, run_count;
static struct outcome *outcomes;

static uint32_t below(uint32_t n)       /* xorshift64*: the same run for the same seed */
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (uint32_t)((seed * UINT64_C(2685821657736338717)) >> 32) % n;
}

struct version {
    ticks    time, visible;
    uint64_t pos;           /* of its last event in this process; 0: none */
    bool     delivered;     /* splunkd has read it */
    bool     again;         /* after a kill: it may come once more */
    bool     late;          /* later than any filter allows for: written only if the service shows it */
    bool     shown;         /* ... and did */
};

struct flight {
    bool        active;
    struct window window;
    ticks       now;
    bool        full;
    bool        partial;    /* the query leaves out some of each record */
    size_t      count;
    size_t      found[VERSIONS_MAX];
};

struct world {
    struct version versions[VERSIONS_MAX];
    size_t      count;
    ticks       now, begin, resolution;
    enum filter filter;
    ticks       grain;
    size_t      capacity;
    int64_t     overlap_s;
    /* the process */
    struct progress progress;
    uint64_t    pos, settled, saved_pos;
    struct flight flights[WORKER_COUNT];
    struct buf  file;
    struct checkpoint cp;
    bool        partial;    /* the service takes only a query that leaves out some of each record */
    /* what was seen */
    size_t      repeated, polls, fills, chains, kills, parts, again, below;
};

static void add_version(struct world *w, ticks time)
{
    struct version *v = &w->versions[w->count];

    if (w->count == VERSIONS_MAX)
        return;
    *v = (struct version){ .time = time, .visible = time };
    if (!below(4))
        v->visible += (ticks)below(LATE_MOST_S * 1000) * TICKS_PER_MS;
    v->late = !below(20);
    if (v->late)
        v->visible = time + (ticks)below(OVERLAP_LEAST_S * 1000 + CURSOR_COARSE_S * 1000) * TICKS_PER_MS;
    if (!below(50))
        v->visible -= (ticks)below(7200) * TICKS_PER_SECOND;       /* dated in the future */
    w->count++;
}

static void add_versions(struct world *w, ticks from, ticks to, uint32_t most)
{
    uint32_t left = below(most + 1), heap;

    for (; left; left--) {
        ticks time = from + (ticks)((double)(to - from) * below(1 << 20) / (1 << 20));

        if (below(2))
            time -= time % TICKS_PER_SECOND;
        if (time < from)
            time = from;
        for (heap = below(20) ? 1 : 1 + below(3 * (uint32_t)w->capacity); heap; heap--)
            add_version(w, time);
    }
}

static void time_passes(struct world *w, ticks passed)
{
    add_versions(w, w->now, w->now + passed, passed > 60 * TICKS_PER_SECOND ? 12 : 1);
    w->now += passed;
}

static struct hash128 key_of(const struct world *w, const struct version *v)
{
    size_t id = (size_t)(v - w->versions);

    return dedup_key((const char *)&id, sizeof(id), v->time);
}

/* Writes what the query left of a version. */
static void write_part(struct world *w, const struct version *v, struct hash128 key)
{
    cursor_has_part(&w->progress.cursor, v->time);
    if (dedup_has(dedup_partial(w->progress.dedup), key))
        return;
    w->parts++;
    dedup_add(dedup_partial(w->progress.dedup), (struct dedup_entry){ .key = key, .time = v->time, .pos = ++w->pos });
}

static void write_event(struct world *w, struct version *v, bool partial)
{
    struct hash128 key = key_of(w, v);

    if (dedup_has(w->progress.dedup, key))
        return;
    if (partial) {
        write_part(w, v, key);
        return;
    }
    if ((v->delivered || v->pos) && !v->again)
        w->repeated++;
    v->again = false;
    v->pos = ++w->pos;
    dedup_add(w->progress.dedup, (struct dedup_entry){ .key = key, .time = v->time, .pos = v->pos });
}

static ticks grain_floor(const struct world *w, ticks time)
{
    return time == TICKS_OPEN ? TICKS_OPEN : time - time % w->grain;
}

static ticks grain_ceil(const struct world *w, ticks time)
{
    return time == TICKS_OPEN ? TICKS_OPEN : grain_floor(w, time + w->grain - 1);
}

/* Moves the bounds of a request to those that the service applies. */
static void coarsen(const struct world *w, ticks *lo, ticks *hi)
{
    if (w->filter == FILTER_EXACT)
        return;
    if (w->filter == FILTER_ROUNDS) {
        *lo += w->grain / 2;
        *hi += *hi == TICKS_OPEN ? 0 : w->grain / 2;
    }
    *lo = w->filter == FILTER_STORED ? grain_ceil(w, *lo) : grain_floor(w, *lo);
    *hi = w->filter == FILTER_TRUNCATES || w->filter == FILTER_ROUNDS ? grain_floor(w, *hi) : grain_ceil(w, *hi);
}

/* The rule of records.c. */
static bool may_be_new(struct world *w, const struct window *window, ticks time)
{
    if (time >= window->lo && time < window->hi)
        return time >= w->progress.cursor.begin;
    return cursor_knows(&w->progress.cursor, time);
}

/* The service answers at once with what is visible now; which ones of too many is its own choice. */
static void send(struct world *w, enum worker_kind worker)
{
    struct flight *f = &w->flights[worker];
    ticks lo, hi;
    size_t i;

    f->active = progress_next(&w->progress, worker, w->now, w->pos, w->now / TICKS_PER_MS, &f->window);
    if (!f->active)
        return;
    f->now = w->now;
    f->partial = w->partial;
    f->count = 0;
    lo = f->window.lo - f->window.lo % w->resolution;
    hi = f->window.hi == TICKS_OPEN ? TICKS_OPEN : (f->window.hi + w->resolution - 1) / w->resolution * w->resolution;
    coarsen(w, &lo, &hi);
    for (i = 0; i < w->count; i++)
        if (w->versions[i].time >= lo && w->versions[i].time < hi && w->versions[i].visible <= w->now)
            f->found[f->count++] = i;
    f->full = f->count > w->capacity;
}

static struct page_stats take(struct world *w, struct flight *f, size_t most)
{
    struct page_stats stats = page_stats_none();
    size_t i, pick, swap;

    for (i = 0; i < f->count && i < most; i++) {
        struct version *v;

        pick = i + below((uint32_t)(f->count - i));
        swap = f->found[i];
        f->found[i] = f->found[pick];
        f->found[pick] = swap;
        v = &w->versions[f->found[i]];
        stats.count++;
        stats.oldest = ticks_min(v->time, stats.oldest);
        stats.newest = ticks_max(v->time, stats.newest);
        v->shown = true;
        if (may_be_new(w, &f->window, v->time)) {
            w->below += v->time < f->window.lo && !dedup_has(w->progress.dedup, key_of(w, v));
            write_event(w, v, f->partial);
        }
    }
    return stats;
}

static void finish(struct world *w, enum worker_kind worker)
{
    struct flight *f = &w->flights[worker];
    struct page_stats stats;
    bool backfill = w->progress.cursor.backfill.active, caught_up;

    f->active = false;
    if (!below(12)) {       /* it failed; perhaps a smaller piece will do */
        if (!below(3))
            progress_split(&w->progress, worker, &f->window, NULL, w->resolution, f->now);
        return;
    }
    stats = take(w, f, w->capacity);
    w->fills += !backfill && w->progress.cursor.backfill.active;
    if (f->full) {
        if (progress_split(&w->progress, worker, &f->window, &stats, w->resolution, f->now)) {
            w->fills += !backfill && w->progress.cursor.backfill.active;
            return;
        }
        stats = take(w, f, f->count);       /* page after page */
        w->chains++;
    }
    caught_up = progress_read(&w->progress, worker, &f->window, &stats, w->capacity, f->now, w->pos,
                              w->now / TICKS_PER_MS) && worker == WORKER_LIVE;
    w->polls += caught_up;
    if (!f->partial)
        w->again += progress_read_in_full(&w->progress, &f->window, caught_up);
}

static void save(struct world *w)
{
    struct cursor saved;

    buf_clear(&w->file);
    CHECK(progress_format(&w->progress, &w->cp, w->settled, &w->file, &saved), "nothing may be saved");
    w->saved_pos = w->settled;
    progress_saved(&w->progress, &saved);
}

/* The next process goes on from the file. */
static void restart(struct world *w, bool kill)
{
    uint64_t taken = w->pos;
    struct err err;
    size_t i;

    if (kill)
        taken = w->saved_pos + below((uint32_t)(w->pos - w->saved_pos + 1));
    else
        w->settled = w->pos;
    if (!kill)
        save(w);
    w->kills += kill;
    for (i = 0; i < w->count; i++) {
        struct version *v = &w->versions[i];

        if (v->pos)
            v->again = kill && v->pos > w->saved_pos;
        if (v->pos && v->pos <= taken)
            v->delivered = true;
        v->shown &= !v->pos;        /* written and lost with this process: it must be shown again */
        v->pos = 0;
    }
    progress_release(&w->progress);
    w->overlap_s = (int64_t[]){ OVERLAP_LEAST_S, 900, 86400 }[below(3)];
    progress_init(&w->progress, w->overlap_s);
    CHECK(checkpoint_parse(w->file.data, w->file.len, &w->cp, w->progress.dedup, &err), "%s", err.text);
    for (i = 0; i < WORKER_COUNT; i++)
        w->flights[i].active = false;
    w->pos = w->settled = w->saved_pos = 0;
    progress_begin(&w->progress, &w->cp.cursor, w->now / TICKS_PER_MS);
}

static void one_step(struct world *w)
{
    enum worker_kind worker = below(2) ? WORKER_LIVE : WORKER_BACKFILL;

    if (w->flights[worker].active)
        finish(w, worker);
    else
        send(w, worker);
    if (w->filter == FILTER_EXACT && !below(w->partial ? 40 : 100))
        w->partial = !w->partial;
    if (!below(4))
        time_passes(w, (ticks)below(40000) * TICKS_PER_MS);
    if (!below(300))
        time_passes(w, (ticks)below(3 * 86400) * TICKS_PER_SECOND);    /* an outage */
    if (!below(10)) {
        w->settled += below(2) ? w->pos - w->settled : below((uint32_t)(w->pos - w->settled + 1));
        save(w);
    }
    if (!below(60))
        restart(w, below(2));
}

/* Returns true if records that were written in part are still to be read again. */
static bool lacks(const struct world *w)
{
    const struct cursor *cursor = &w->progress.cursor;

    return cursor->partial_from && cursor->partial_from < cursor_lower(cursor, w->overlap_s);
}

/* Both workers go on until there were some polls and the backfill has ended. */
static void go_on(struct world *w)
{
    int i;

    w->polls = 0;
    for (i = 0; i < 100000 && (w->polls < 3 || w->progress.cursor.backfill.active || lacks(w)); i++) {
        enum worker_kind worker = i % 2 ? WORKER_BACKFILL : WORKER_LIVE;

        if (w->flights[worker].active)
            finish(w, worker);
        else
            send(w, worker);
        w->now += TICKS_PER_MS;
    }
    CHECK(i < 100000, "it does not come to rest: %zu polls, backfill %d, filter %d, grain %lld", w->polls,
          w->progress.cursor.backfill.active, w->filter, (long long)w->grain);
}

/* Until nothing can be under way or late any more. What was written in part within the overlap of the last polls is
 * reached by the next ones. */
static void come_to_rest(struct world *w)
{
    w->now += INT64_C(10000) * TICKS_PER_SECOND;
    w->partial = false;
    go_on(w);
    go_on(w);
}

static struct outcome run(uint64_t number)
{
    static struct world w;
    struct cursor beginning;
    size_t i, lost = 0, early = 0;
    uint32_t steps;
    ticks first;            /* what is older, the service may never have shown */

    seed = number * UINT64_C(0x9E3779B97F4A7C15) + 1;
    w = (struct world){ .now = NOW, .file = BUF_INIT(FILE_MOST), .capacity = 2 + below(20) };
    w.resolution = (ticks[]){ 1, TICKS_PER_MS, TICKS_PER_SECOND }[below(3)];
    w.overlap_s = (int64_t[]){ OVERLAP_LEAST_S, 900, 86400 }[below(3)];
    w.filter = below(FILTERS);
    w.grain = (ticks[]){ TICKS_PER_SECOND / 300, TICKS_PER_SECOND, CURSOR_COARSE_S * TICKS_PER_SECOND }[below(3)];
    w.begin = NOW - (ticks)below(40 * 86400) * TICKS_PER_SECOND;
    w.cp.tenant_id = mem_text("t");
    w.cp.api = mem_text("graph");
    add_versions(&w, w.begin - 86400 * TICKS_PER_SECOND, NOW, 400);
    progress_init(&w.progress, w.overlap_s);
    cursor_start(&beginning, w.begin);
    progress_begin(&w.progress, &beginning, w.now / TICKS_PER_MS);
    save(&w);
    for (steps = 200 + below(400); steps; steps--)
        one_step(&w);
    come_to_rest(&w);
    first = w.filter == FILTER_STORED || w.filter == FILTER_ROUNDS ? grain_ceil(&w, w.begin) : w.begin;
    for (i = 0; i < w.count; i++) {
        const struct version *v = &w.versions[i];
        bool here = v->delivered || v->pos;

        lost += !here && (v->shown ? v->time >= w.begin : v->time >= first && !v->late);
        early += here && v->time < w.begin;
    }
    progress_release(&w.progress);
    checkpoint_release(&w.cp);
    buf_free(&w.file);
    return (struct outcome){ lost, early, w.repeated, w.count, w.fills, w.chains, w.kills, w.parts, w.again, w.below };
}

static void check_outcomes(const char *what, size_t offset)
{
    for (uint64_t i = 0; i < run_count; i++) {
        const struct outcome *o = &outcomes[i];
        size_t wrong = *(const size_t *)((const char *)o + offset);

        CHECK(!wrong, "run %llu: %zu of %zu %s (%zu fills, %zu chains, %zu kills)", (unsigned long long)(first_run + i),
              wrong, o->versions, what, o->fills, o->chains, o->kills);
    }
}

/* promise: Events: Each version comes once, whatever the order, the pages and the ties. */
/* promise: Events: Nothing is lost or repeated by a filter that is coarser than the times, up to a minute. */
/* promise: Trouble: What a simpler form left out of an alert is read again, and nothing else. */
static void test_nothing_is_lost(void **state UNUSED)
{
    check_outcomes("lost", offsetof(struct outcome, lost));
}

/* promise: Parameters: start_time bounds exactly. Overlaps do not reach before it. */
/* promise: Parameters: Raising the overlap brings nothing from before the beginning. */
static void test_nothing_from_before_the_beginning(void **state UNUSED)
{
    check_outcomes("from before the beginning", offsetof(struct outcome, early));
}

/* promise: Events: Each version comes once, whatever the order, the pages and the ties. */
/* promise: Parameters: Raising the overlap repeats nothing. */
static void test_nothing_is_repeated(void **state UNUSED)
{
    check_outcomes("repeated", offsetof(struct outcome, repeated));
}

/* After a save, the set still reaches a minute below each window that will be requested. */
/* promise: Events: Nothing is lost or repeated by a filter that is coarser than the times, up to a minute. */
static void test_the_set_reaches_below_the_windows(void **state UNUSED)
{
    const ticks minute = CURSOR_COARSE_S * TICKS_PER_SECOND, hour = 60 * minute;
    struct cursor cursor, saved;

    cursor_start(&cursor, NOW);
    CHECK(cursor_knows(&cursor, NOW) && !cursor_knows(&cursor, NOW - 1), "nothing from before the beginning");
    cursor.watermark = NOW + 2 * hour;
    saved = cursor;
    cursor_pruned(&cursor, &saved, 900);
    CHECK(cursor_lower(&cursor, 900) == NOW + 2 * hour - 15 * minute, "where the next poll begins");
    CHECK(cursor_knows(&cursor, NOW + 2 * hour - 16 * minute), "a minute below it");
    CHECK(!cursor_knows(&cursor, NOW + 2 * hour - 16 * minute - 1), "not further");
    cursor.watermark += 3 * TICKS_PER_SECOND / 2;
    saved = cursor;
    cursor_pruned(&cursor, &saved, 900);
    CHECK(cursor_knows(&cursor, NOW + 2 * hour - 16 * minute + TICKS_PER_SECOND), "by whole seconds");
    CHECK(!cursor_knows(&cursor, NOW + 2 * hour - 16 * minute + TICKS_PER_SECOND - 1), "and not further then");
    cursor_backfill_begins(&cursor, cursor_lower(&cursor, 900), NOW + 9 * hour);
    cursor.watermark = NOW + 12 * hour;
    cursor_backfill_read(&cursor, NOW + 5 * hour, NOW + 5 * hour - 1);
    saved = cursor;
    cursor_pruned(&cursor, &saved, 900);
    CHECK(cursor_knows(&cursor, NOW + 5 * hour - 16 * minute), "below the backfill");
    CHECK(cursor_knows(&cursor, NOW + 9 * hour + minute - 1), "above its end");
    CHECK(cursor_knows(&cursor, NOW + 9 * hour + minute), "and all of the live part");
    CHECK(cursor_knows(&cursor, NOW + 12 * hour - 16 * minute), "below the next poll");
    for (ticks time = NOW; time < NOW + 13 * hour; time += minute / 7)
        CHECK(cursor_knows(&cursor, time) == cursor_needs(&saved, time, 900), "what is known is kept: %lld",
              (long long)((time - NOW) / TICKS_PER_SECOND));
    cursor_backfill_read(&cursor, NOW + 9 * hour, INT64_MIN);
    CHECK(cursor_knows(&cursor, NOW + 9 * hour + minute), "no gap between the parts");
}

/* The runs are worth something only when the rare things happen in them. */
static void test_the_runs_have_it_all(void **state UNUSED)
{
    struct outcome sum = { .lost = 0 };

    if (*unit_args) {
        check_skip("only some runs are played");
        return;
    }
    for (uint64_t i = 0; i < run_count; i++) {
        sum.versions += outcomes[i].versions;
        sum.fills += outcomes[i].fills;
        sum.chains += outcomes[i].chains;
        sum.kills += outcomes[i].kills;
        sum.parts += outcomes[i].parts;
        sum.again += outcomes[i].again;
        sum.below += outcomes[i].below;
    }
    CHECK(sum.versions > 100 * run_count && sum.fills > run_count && sum.chains > run_count && sum.kills > run_count,
          "%zu versions, %zu fills, %zu chains, %zu kills", sum.versions, sum.fills, sum.chains, sum.kills);
    CHECK(sum.parts > run_count && sum.again > run_count / 10, "%zu written in part, %zu times read again", sum.parts,
          sum.again);
    CHECK(sum.below > run_count, "%zu from below", sum.below);
}

static int set_up(void **state UNUSED)
{
    first_run = unit_args[0] ? strtoull(unit_args[0], NULL, 10) : 1;
    run_count = unit_args[0] && unit_args[1] ? strtoull(unit_args[1], NULL, 10) : 400;
    outcomes = mem_alloc(run_count * sizeof(*outcomes));
    for (uint64_t i = 0; i < run_count; i++)
        outcomes[i] = run(first_run + i);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    free(outcomes);
    return 0;
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_nothing_is_lost),
    cmocka_unit_test(test_nothing_from_before_the_beginning),
    cmocka_unit_test(test_nothing_is_repeated),
    cmocka_unit_test(test_the_set_reaches_below_the_windows),
    cmocka_unit_test(test_the_runs_have_it_all),
};

UNIT(cursor, cases, set_up, tear_down)
