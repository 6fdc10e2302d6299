#include "state/cursor.h"

#define BACKFILL_FROM_S   (2 * 3600)    /* an open span that reaches back further than this is handed to the FILL lane */
#define WIDTH_MOST    (INT64_C(366) * 86400 * TICKS_PER_SECOND)
#define GROW_MOST     64            /* how much wider a span may be than the one before it */

static ticks later(ticks a, ticks b)
{
    return a > b ? a : b;
}

static ticks sooner(ticks a, ticks b)
{
    return a < b ? a : b;
}

void cursor_start(struct cursor *cursor, ticks begin)
{
    *cursor = (struct cursor){ .begin = begin, .watermark = begin, .dedup_floor = begin };
}

bool cursor_is_ahead(const struct cursor *cursor, ticks limit)
{
    ticks furthest = later(cursor->watermark, cursor->dedup_floor);

    if (cursor->backfill.active)
        furthest = later(later(furthest, cursor->backfill.end), later(cursor->backfill.next, cursor->backfill.dedup_floor));
    return furthest > later(limit, cursor->begin);
}

ticks cursor_lower(const struct cursor *cursor, int64_t overlap_s)
{
    return later(ticks_back(cursor->watermark, overlap_s), cursor->dedup_floor);
}

/* Never above what is still to be read: a fill begins below its newest time by an overlap that may have been lowered
 * since. */
static ticks backfill_lower(const struct cursor *cursor, int64_t overlap_s)
{
    return later(sooner(ticks_back(cursor->backfill.watermark, overlap_s), cursor->backfill.next), cursor->backfill.dedup_floor);
}

/* Where a span of the sweep's width ends. */
static ticks plan_end(const struct window_plan *plan, ticks lo)
{
    ticks hi = lo + plan->width;

    if (plan->resolution > 1)
        hi -= hi % plan->resolution;
    return hi > lo ? hi : lo + later(plan->width, plan->resolution);
}

bool cursor_next(const struct cursor *cursor, enum worker_kind worker, const struct window_plan *plan, int64_t overlap_s,
                struct window *ret)
{
    if (worker == WORKER_BACKFILL) {
        if (!cursor->backfill.active)
            return false;
        ret->lo = cursor->backfill.next;
        ret->hi = plan->width ? sooner(plan_end(plan, ret->lo), cursor->backfill.end) : cursor->backfill.end;
        return true;
    }
    ret->lo = plan->active ? plan->next : cursor_lower(cursor, overlap_s);
    ret->hi = plan->active ? plan_end(plan, ret->lo) : TICKS_OPEN;
    if (plan->active && ret->hi >= plan->end)
        ret->hi = TICKS_OPEN;
    return true;
}

void quarantine_add(struct quarantine *quarantine, const struct window *window)
{
    if (!quarantine_has(quarantine, window))
        quarantine->list[quarantine->count++ % QUARANTINE_MAX] = *window;
}

static size_t quarantine_kept(const struct quarantine *quarantine)
{
    return quarantine->count < QUARANTINE_MAX ? quarantine->count : QUARANTINE_MAX;
}

bool quarantine_has(const struct quarantine *quarantine, const struct window *window)
{
    size_t i;

    for (i = 0; i < quarantine_kept(quarantine); i++)
        if (quarantine->list[i].lo == window->lo && quarantine->list[i].hi == window->hi)
            return true;
    return false;
}

void cursor_avoid(const struct quarantine *quarantine, enum worker_kind worker, struct window_plan *plan, struct window *window, ticks now)
{
    bool was_open = window->hi == TICKS_OPEN;
    size_t i;

    for (i = 0; i < quarantine_kept(quarantine); i++) {
        const struct window *quarantined = &quarantine->list[i];

        if (quarantined->lo > window->lo && quarantined->lo < window->hi)
            window->hi = quarantined->lo;
        else if (quarantined->lo <= window->lo && window->lo < quarantined->hi)
            window->hi = sooner(window->hi, quarantined->hi);
    }
    if (worker == WORKER_LIVE && was_open && window->hi != TICKS_OPEN && !plan->active)
        *plan = (struct window_plan){ .active = true, .next = window->lo, .width = WIDTH_MOST, .end = now };
}

/* The next span's width from how full this answer was: three quarters of the room are aimed at. */
static void adapt(struct window_plan *plan, const struct window *window, size_t count, size_t capacity)
{
    double factor = GROW_MOST;

    if (window->hi == TICKS_OPEN || !plan->width)
        return;
    if (!count && plan->overfull > window->hi) {    /* all of what was too much is still to come */
        plan->width = later((plan->overfull - window->hi) / 2, later(plan->resolution, 1));
        return;
    }
    plan->overfull = 0;
    if (count && capacity)
        factor = 0.75 * (double)capacity / (double)count;
    else if (count)
        factor = 2;
    if (factor > GROW_MOST)
        factor = GROW_MOST;
    if (factor < 0.5)
        factor = 0.5;
    if ((double)plan->width * factor >= (double)WIDTH_MOST)
        plan->width = WIDTH_MOST;
    else
        plan->width = later((ticks)((double)plan->width * factor), later(plan->resolution, 1));
}

/* The filled part and the live part meet: from now on there is one cursor. */
static void backfill_ends(struct cursor *cursor)
{
    bool contiguous = cursor->dedup_floor <= cursor->backfill.end;

    cursor->backfill.active = false;
    if (cursor->watermark <= cursor->backfill.end)
        cursor->watermark = later(cursor->backfill.watermark, cursor->begin);
    if (contiguous)
        cursor->dedup_floor = cursor->backfill.dedup_floor;
}

static bool backfill_read(struct cursor *cursor, struct window_plan *plan, const struct window *window, const struct harvest *harvest)
{
    ticks seen = sooner(harvest->newest, window->hi - 1);

    if (harvest->count && harvest->oldest <= harvest->newest)
        cursor->backfill.watermark = later(cursor->backfill.watermark, seen);
    cursor->backfill.next = window->hi;
    if (cursor->backfill.next < cursor->backfill.end)
        return false;
    backfill_ends(cursor);
    *plan = (struct window_plan){ .active = false };
    return true;
}

/* The LIVE lane has read this span. The cursor stays behind the service's clock: a date in the future must not hide
 * what comes before it. A sweep can take long, and what was read early in it may have got late alerts since, so the
 * cursor stays behind the time at which its first unsettled span was read, and the next poll comes back to there. */
static void live_read(struct cursor *cursor, struct window_plan *plan, const struct window *window, const struct harvest *harvest,
                      int64_t overlap_s, ticks now)
{
    ticks seen = sooner(harvest->newest, now);

    if (plan->active && !plan->since && window->hi > ticks_back(now, overlap_s))
        plan->since = now;
    if (plan->since)
        seen = sooner(seen, plan->since);
    if (window->hi != TICKS_OPEN)
        seen = sooner(seen, window->hi - 1);
    if (harvest->count && harvest->oldest <= harvest->newest)
        cursor->watermark = later(cursor->watermark, seen);
}

bool cursor_read(struct cursor *cursor, enum worker_kind worker, struct window_plan *plan, const struct window *window,
                const struct harvest *harvest, size_t capacity, int64_t overlap_s, ticks now)
{
    adapt(plan, window, harvest->count, capacity);
    if (worker == WORKER_BACKFILL)
        return backfill_read(cursor, plan, window, harvest);
    live_read(cursor, plan, window, harvest, overlap_s, now);
    if (window->hi != TICKS_OPEN) {
        plan->next = window->hi;
        return false;
    }
    *plan = (struct window_plan){ .active = false };
    return true;
}

/* How wide the next span should be: as the harvest's own density suggests, at most half of what was too much. An answer
 * full of one single time says where the heap is: up to there first, then the heap alone. */
static ticks smaller(const struct window *window, ticks end, const struct harvest *harvest, ticks resolution)
{
    ticks width = (end - window->lo) / 2;

    if (harvest && harvest->count > 1 && harvest->oldest == harvest->newest && harvest->newest < end)
        width = harvest->newest - window->lo;
    else if (harvest && harvest->oldest < harvest->newest)
        width = sooner(width, (harvest->newest - harvest->oldest) / 4 * 3);
    if (resolution > 1)
        width -= width % resolution;
    return later(width, resolution);
}

/* LIVE keeps the last stretch, FILL takes what is older. */
static void backfill_begins(struct cursor *cursor, ticks from, ticks live_from)
{
    cursor->backfill.active = true;
    cursor->backfill.next = from;
    cursor->backfill.end = live_from;
    cursor->backfill.watermark = later(sooner(cursor->watermark, live_from), cursor->begin);
    cursor->backfill.dedup_floor = cursor->dedup_floor;
    cursor->dedup_floor = live_from;
    cursor->watermark = later(cursor->watermark, live_from);
}

bool cursor_split(struct cursor *cursor, enum worker_kind worker, struct window_plan plans[WORKER_COUNT], const struct window *window,
                 const struct harvest *harvest, ticks resolution, int64_t overlap_s, ticks now)
{
    struct window_plan *plan = &plans[worker];
    ticks live_from = ticks_back(now, overlap_s), end = window->hi;

    if (window->hi == TICKS_OPEN) {
        end = later(now, window->lo + 2 * resolution);
        if (harvest && harvest->newest >= end && harvest->oldest <= harvest->newest)
            end = harvest->newest + 1;
    }
    if (end - window->lo <= resolution)
        return false;
    if (worker == WORKER_LIVE && window->hi == TICKS_OPEN && !cursor->backfill.active &&
        live_from - window->lo > BACKFILL_FROM_S * TICKS_PER_SECOND) {
        plans[WORKER_BACKFILL] = (struct window_plan){ .width = smaller(window, live_from, harvest, resolution), .resolution = resolution };
        backfill_begins(cursor, sooner(window->lo, cursor_lower(cursor, overlap_s)), live_from);
        *plan = (struct window_plan){ .active = false };
        return true;
    }
    *plan = (struct window_plan){ .active = true, .next = window->lo, .width = smaller(window, end, harvest, resolution),
                             .end = window->hi == TICKS_OPEN ? end : plan->end,
                             .overfull = end, .resolution = resolution, .since = plan->active ? plan->since : 0 };
    return true;
}

bool cursor_needs(const struct cursor *cursor, ticks time, int64_t overlap_s)
{
    if (cursor->backfill.active && time < cursor->backfill.end)
        return time >= backfill_lower(cursor, overlap_s);
    return time >= cursor_lower(cursor, overlap_s);
}

void cursor_raise_floors(struct cursor *cursor, int64_t overlap_s)
{
    cursor->dedup_floor = cursor_lower(cursor, overlap_s);
    if (cursor->backfill.active)
        cursor->backfill.dedup_floor = backfill_lower(cursor, overlap_s);
}

bool cursor_same(const struct cursor *a, const struct cursor *b)
{
    return a->begin == b->begin && a->watermark == b->watermark && a->dedup_floor == b->dedup_floor && a->backfill.active == b->backfill.active &&
           (!a->backfill.active || (a->backfill.next == b->backfill.next && a->backfill.end == b->backfill.end &&
                                a->backfill.watermark == b->backfill.watermark && a->backfill.dedup_floor == b->backfill.dedup_floor));
}

bool cursor_same_saved(const struct cursor *a, const struct cursor *b, int64_t overlap_s)
{
    struct cursor x = *a, y = *b;

    cursor_raise_floors(&x, overlap_s);
    cursor_raise_floors(&y, overlap_s);
    return cursor_same(&x, &y);
}

void cursor_pruned(struct cursor *cursor, const struct cursor *saved, int64_t overlap_s)
{
    struct cursor raised = *saved;

    cursor_raise_floors(&raised, overlap_s);
    if (!saved->backfill.active && cursor->backfill.active) {        /* the fill began since then: what was one floor is its */
        cursor->backfill.dedup_floor = later(cursor->backfill.dedup_floor, raised.dedup_floor);
    } else if (saved->backfill.active && cursor->backfill.active) {
        cursor->backfill.dedup_floor = later(cursor->backfill.dedup_floor, raised.backfill.dedup_floor);
        cursor->dedup_floor = later(cursor->dedup_floor, raised.dedup_floor);
    } else if (saved->backfill.active) {                        /* ... ended since then */
        cursor->dedup_floor = later(cursor->dedup_floor, raised.dedup_floor > saved->backfill.end ? raised.dedup_floor : raised.backfill.dedup_floor);
    } else {
        cursor->dedup_floor = later(cursor->dedup_floor, raised.dedup_floor);
    }
}
