#include "state/windows.h"

#define BACKFILL_FROM_S (2 * 3600) /* an open window that reaches back further is handed to the backfill */
#define WIDTH_MOST      (INT64_C(366) * 86400 * TICKS_PER_SECOND)
#define GROW_MOST       64 /* a window is at most this many times as wide as the one before it */
#define STEPS_MOST      20
#define GAP_MOST        3   /* as many pages may be before it, if its density is to tell how many there are */
#define TAIL_COARSE     60  /* seconds of a page, so that a whole second more or less makes no difference */
#define ONE_PAGE        0.9 /* as many are taken for one */
#define FRACTION_MOST   (TICKS_PER_SECOND / 100) /* a filter by fractions of a second has steps of 1/300 s */
#define FULL_AIM        0.8                      /* the part of a response's capacity that a window aims at ... */
#define SORTED_AIM      0.9 /* ... and where one that is too much tells how wide it should have been */
#define SPARSE          0.5 /* a window that held less than this part says little of the next one */

/* Returns where a window of the plan's width ends. */
static ticks plan_end(const struct window_plan *plan, ticks lo)
{
    ticks hi = lo + plan->width;

    if (plan->tail > lo)
        hi = ticks_min(hi, plan->tail);
    else if (plan->tail_end > lo)
        hi = plan->tail_end;
    if (plan->resolution > 1)
        hi -= hi % plan->resolution;
    return hi > lo ? hi : lo + ticks_max(plan->width, plan->resolution);
}

bool windows_next(const struct cursor *cursor, enum worker_kind worker, const struct window_plan *plan,
                  int64_t overlap_s, bool whole, struct window *ret)
{
    if (worker == WORKER_BACKFILL) {
        if (!cursor->backfill.active)
            return false;
        ret->lo = cursor->backfill.next;
        ret->hi = plan->width && !whole ? ticks_min(plan_end(plan, ret->lo), cursor->backfill.end)
                                        : cursor->backfill.end;
        return true;
    }
    ret->lo = plan->active ? plan->next : cursor_lower(cursor, overlap_s);
    ret->hi = plan->active && !whole ? plan_end(plan, ret->lo) : TICKS_OPEN;
    if (plan->active && ret->hi >= plan->end)
        ret->hi = TICKS_OPEN;
    return true;
}

bool windows_are_long(const struct cursor *cursor, enum worker_kind worker, const struct window_plan *plan,
                      const struct window *next, ticks now)
{
    if (worker == WORKER_BACKFILL)
        return cursor->backfill.active;
    return plan->active || now - next->lo > BACKFILL_FROM_S * TICKS_PER_SECOND;
}

bool windows_hand_over(const struct cursor *cursor, enum worker_kind worker, const struct window *window,
                       int64_t overlap_s, ticks now)
{
    return worker == WORKER_LIVE && window->hi == TICKS_OPEN && !cursor->backfill.active &&
           ticks_back(now, overlap_s) - window->lo > BACKFILL_FROM_S * TICKS_PER_SECOND;
}

void windows_bound(struct window_plan *plan, ticks next, ticks since, ticks now)
{
    *plan = (struct window_plan){ .active = true, .next = next, .width = WIDTH_MOST, .end = now, .since = since };
}

/* Returns the step of the service's filter if it is coarser than asked, as the records outside of the window tell: a
 * second or a minute, or a fraction that has no name. Windows that are narrower, or do not end at a whole one, would
 * bring records of other windows, or none. Single records from far away were updated while the response was made. */
static ticks coarseness(const struct window *window, const struct page_stats *stats)
{
    ticks outside = 0;

    if (!stats || stats->oldest > stats->newest)
        return 0;
    outside = ticks_max(outside, window->lo - stats->oldest);
    if (window->hi != TICKS_OPEN)
        outside = ticks_max(outside, stats->newest - window->hi + 1);
    if (outside > CURSOR_COARSE_S * TICKS_PER_SECOND)
        return 0;
    if (outside > TICKS_PER_SECOND)
        return CURSOR_COARSE_S * TICKS_PER_SECOND;
    return outside > FRACTION_MOST ? TICKS_PER_SECOND : outside;
}

/* Returns how many times as wide the next window may be as this one, which held `count` records. One window alone says
 * little of the next one, unless much more or much less came than was to be expected. */
static double growth(struct window_plan *plan, double count, double capacity)
{
    bool as_usual = plan->usual > 0 && count < 2 * plan->usual && count > plan->usual / 2;
    double expected = as_usual ? (count + 2 * plan->usual) / 3 : count;
    double aim = plan->sorted ? SORTED_AIM : FULL_AIM;
    double factor = expected > 0 ? capacity > 0 ? aim * capacity / expected : 2 : GROW_MOST;

    factor = factor > GROW_MOST ? GROW_MOST : factor < 0.5 ? 0.5 : factor;
    plan->usual = expected * factor;
    return factor;
}

/* Returns the next window's width after one that was read and ended before what is too much for one response: up to the
 * records that came, then as wide as they suggest; half of the rest if nothing is known of it. */
static ticks towards(struct window_plan *plan, ticks from)
{
    ticks width = (plan->overfull - from) / 2;

    if (plan->steps) {
        width = plan->dense;
        plan->steps = 0;
    } else if (plan->seen > from) {
        width = plan->seen - from;
        plan->steps = 1;
    }
    return width;
}

/* Sets the next window's width by how full this response was. */
static void adapt(struct window_plan *plan, const struct window *window, const struct page_stats *stats,
                  size_t capacity)
{
    size_t count = stats->count;
    double width;

    if (window->hi == TICKS_OPEN || !plan->width)
        return;
    plan->resolution = ticks_max(plan->resolution, coarseness(window, stats));
    if (plan->overfull > window->hi && (!count || plan->steps)) { /* what was too much is still ahead */
        plan->width = ticks_max(towards(plan, window->hi), ticks_max(plan->resolution, 1));
        return;
    }
    plan->overfull = plan->seen = 0;
    if (plan->sorted && (double)count < SPARSE * (double)capacity) {
        plan->width = WIDTH_MOST; /* many narrow windows may be ahead, or one page */
        return;
    }
    width = (double)plan->width * growth(plan, (double)count, (double)capacity);
    plan->width = width >= (double)WIDTH_MOST ? WIDTH_MOST : ticks_max((ticks)width, ticks_max(plan->resolution, 1));
}

static bool backfill_read(struct cursor *cursor, struct window_plan *plan, const struct window *window,
                          const struct page_stats *stats)
{
    bool dated = stats->count && stats->oldest <= stats->newest;

    if (!cursor_backfill_read(cursor, window->hi, dated ? ticks_min(stats->newest, window->hi - 1) : INT64_MIN))
        return false;
    *plan = (struct window_plan){ .active = false };
    return true;
}

/* Raises the watermark. It never passes the service's clock: a date in the future must not hide what comes before
 * it. A plan of many windows takes a while, and the ones read early may have got late alerts since. So the watermark
 * does not pass the time at which the first of these windows was read either, and the next poll starts there. */
static void live_read(struct cursor *cursor, struct window_plan *plan, const struct window *window,
                      const struct page_stats *stats, int64_t overlap_s, ticks now)
{
    ticks seen = ticks_min(stats->newest, now);

    if (plan->active && !plan->since && window->hi > ticks_back(now, overlap_s))
        plan->since = now;
    if (plan->since)
        seen = ticks_min(seen, plan->since);
    if (window->hi != TICKS_OPEN)
        seen = ticks_min(seen, window->hi - 1);
    if (stats->count && stats->oldest <= stats->newest)
        cursor->watermark = ticks_max(cursor->watermark, seen);
}

void windows_part_read(struct cursor *cursor, enum worker_kind worker, struct window_plan *plan,
                       const struct window *part, size_t count, int64_t overlap_s, ticks now)
{
    struct page_stats stats = count ? (struct page_stats){ .count = count, .oldest = part->lo, .newest = part->hi - 1 }
                                    : page_stats_none();

    if (worker == WORKER_BACKFILL) {
        backfill_read(cursor, plan, part, &stats);
    } else {
        if (!plan->active)
            windows_bound(plan, part->lo, 0, now);
        live_read(cursor, plan, part, &stats, overlap_s, now);
        plan->next = part->hi;
    }
    plan->width = part->hi - part->lo;
}

bool windows_read(struct cursor *cursor, enum worker_kind worker, struct window_plan *plan, const struct window *window,
                  const struct page_stats *stats, size_t capacity, int64_t overlap_s, ticks now)
{
    adapt(plan, window, stats, capacity);
    if (worker == WORKER_BACKFILL)
        return backfill_read(cursor, plan, window, stats);
    live_read(cursor, plan, window, stats, overlap_s, now);
    if (window->hi != TICKS_OPEN) {
        plan->next = window->hi;
        return false;
    }
    *plan = (struct window_plan){ .active = false };
    return true;
}

/* Returns the width of a window that one response can hold, if the records of one that was too much are all there are
 * between its first and its last. */
static ticks dense(const struct page_stats *stats)
{
    return (stats->newest - stats->oldest) / 4 * 3;
}

/* Returns how many pages there are before the oldest record of a page that was too much, if they are as dense as it is;
 * 0: there may be none. A service that sends the latest records first leaves out those before them. */
static double pages_before(const struct window *window, ticks end, const struct page_stats *stats)
{
    double pages;

    if (!stats || stats->rises || stats->oldest >= stats->newest || stats->oldest < window->lo || stats->oldest >= end)
        return 0;
    pages = (double)(stats->oldest - window->lo) / (double)(stats->newest - stats->oldest);
    return stats->rest && pages > 0 ? (double)stats->rest / (double)stats->count : pages;
}

/* Returns true if a few windows are all that is ahead: the live worker reads them as fast as it would hand them over. */
static bool is_short(const struct window *window, ticks end, const struct page_stats *stats)
{
    double before = pages_before(window, end, stats);

    if (stats && stats->rest)
        return stats->rest < stats->count * GAP_MOST;
    return (before > 0 && before < GAP_MOST) || (stats && stats->two && !stats->linked);
}

/* Returns true if two windows may be all. A service whose pages end early, with a link to another one, may do so in
 * each window. */
static bool is_few(const struct window *window, ticks end, const struct page_stats *stats)
{
    double before = pages_before(window, end, stats);

    return stats &&
           ((!stats->linked && stats->two) || ((!stats->linked || stats->rest) && before > 0 && before < ONE_PAGE));
}

/* Plans one window for the records of a page that was too much, if they are the latest ones of it. Those of its oldest
 * time, or second, are left to the window before: not all of them may have been on the page. */
static void plan_tail(struct window_plan *plan, const struct window *window, ticks end, const struct page_stats *stats)
{
    bool coarse = stats && stats->newest - stats->oldest > TAIL_COARSE * TICKS_PER_SECOND;

    if (stats && pages_before(window, end, stats) > 0) {
        plan->tail = stats->oldest + (coarse ? TICKS_PER_SECOND - stats->oldest % TICKS_PER_SECOND : 1);
        plan->tail_end = end;
    } else if (plan->tail <= window->lo) {
        plan->tail = plan->tail_end = 0;
    }
}

/* Returns the next window's width: as the density of the records suggests, at most half of what was too much. A
 * response full of a single update time says where the burst is: first the time before it, then the burst alone. Where
 * the beginning of the window was empty, its records are far from there, and the latest came first: the next window ends
 * before those that came, each time by twice as much. */
static ticks smaller(const struct window_plan *plan, const struct window *window, ticks end,
                     const struct page_stats *stats, ticks resolution)
{
    ticks width = (end - window->lo) / 2, far = stats ? stats->oldest - window->lo : 0;
    double before = pages_before(window, end, stats);

    if (stats && stats->count > 1 && stats->oldest == stats->newest && stats->newest < end)
        width = stats->newest - window->lo;
    else if (before > 0 && before < GAP_MOST)
        width = far / (before < ONE_PAGE ? 1 : (ticks)(before / FULL_AIM) + 1) + TICKS_PER_SECOND;
    else if (stats && stats->oldest < stats->newest && plan->steps && dense(stats) < far >> plan->steps)
        width = ticks_max(width, far - (dense(stats) << plan->steps));
    else if (stats && stats->oldest < stats->newest)
        width = ticks_min(width, dense(stats));
    if (resolution > 1)
        width -= width % resolution;
    return ticks_max(width, resolution);
}

/* Returns true for an open window, and for one that would be open if it did not end before a quarantined one: any part
 * of it that ends after the plan does would be the same window again. */
static bool is_last_of_plan(enum worker_kind worker, const struct window_plan *plan, const struct window *window)
{
    return window->hi == TICKS_OPEN || (worker == WORKER_LIVE && plan->active && window->hi > plan->end);
}

bool windows_split(struct cursor *cursor, enum worker_kind worker, struct window_plan plans[WORKER_COUNT],
                   const struct window *window, const struct page_stats *stats, ticks resolution, int64_t overlap_s,
                   ticks now)
{
    struct window_plan *plan = &plans[worker];
    bool is_last = is_last_of_plan(worker, plan, window);
    ticks live_from = ticks_back(now, overlap_s), end = is_last ? ticks_min(now, window->hi) : window->hi;
    bool is_open = is_last && stats;
    bool is_ahead = is_open && !plan->active && stats->oldest >= now;             /* nothing is known of the past */
    bool is_rest = is_ahead || (is_open && plan->active && stats->newest >= now); /* of a plan, and it has a future */
    bool has_span = stats && stats->oldest < stats->newest && stats->newest < end && stats->oldest >= window->lo;
    ticks past = now - window->lo, width;

    resolution = ticks_max(ticks_max(resolution, plan->resolution), coarseness(window, stats));
    if (is_rest)
        end = ticks_min(stats->newest + 1, window->hi);
    if (end - window->lo <= resolution)
        return false;
    if (!is_ahead && windows_hand_over(cursor, worker, window, overlap_s, now) && !is_short(window, end, stats)) {
        plans[WORKER_BACKFILL] = (struct window_plan){ .width = smaller(&plans[WORKER_BACKFILL], window, live_from,
                                                                        stats, resolution),
                                                       .resolution = resolution };
        plan_tail(&plans[WORKER_BACKFILL], window, live_from, stats);
        cursor_backfill_begins(cursor, ticks_min(window->lo, cursor_lower(cursor, overlap_s)), live_from);
        *plan = (struct window_plan){ .active = false };
        return true;
    }
    width = is_rest && past > resolution ? past
                                         : smaller(plan, window, end, stats, resolution); /* the present comes first */
    *plan = (struct window_plan){ .active = true,
                                  .few = is_few(window, end, stats),
                                  .sorted = plan->sorted,
                                  .next = window->lo,
                                  .width = width,
                                  .end = is_last ? end : plan->end,
                                  .overfull = end,
                                  .seen = has_span ? stats->oldest : 0,
                                  .dense = has_span ? dense(stats) : 0,
                                  .tail = plan->tail,
                                  .tail_end = plan->tail_end,
                                  .steps = plan->steps && has_span && plan->steps < STEPS_MOST ? plan->steps + 1 : 0,
                                  .resolution = resolution,
                                  .since = plan->active ? plan->since : 0 };
    plan_tail(plan, window, end, stats);
    return true;
}
