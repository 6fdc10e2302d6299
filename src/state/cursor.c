#include "state/cursor.h"

void cursor_start(struct cursor *cursor, ticks begin)
{
    *cursor = (struct cursor){ .begin = begin, .watermark = begin, .dedup_floor = begin };
}

void cursor_carry_over(struct cursor *cursor, int64_t overlap_s)
{
    ticks position = cursor->backfill.active ? cursor->backfill.next : cursor->watermark;

    cursor_start(cursor, ticks_max(ticks_back(position, overlap_s), cursor->begin));
    cursor->watermark = position;
}

bool cursor_is_ahead(const struct cursor *cursor, ticks limit)
{
    ticks furthest = ticks_max(cursor->watermark, cursor->dedup_floor);

    if (cursor->backfill.active) {
        furthest = ticks_max(furthest, cursor->backfill.end);
        furthest = ticks_max(furthest, ticks_max(cursor->backfill.next, cursor->backfill.dedup_floor));
    }
    return furthest > ticks_max(limit, cursor->begin);
}

ticks cursor_lower(const struct cursor *cursor, int64_t overlap_s)
{
    return ticks_max(ticks_back(cursor->watermark, overlap_s), cursor->dedup_floor);
}

/* Returns the oldest update time that a backfill may still bring. It begins below its watermark by an overlap that may
 * have been lowered since, so the result is never above what is still to be read. */
static ticks backfill_lower(const struct cursor *cursor, int64_t overlap_s)
{
    return ticks_max(ticks_min(ticks_back(cursor->backfill.watermark, overlap_s), cursor->backfill.next),
                     cursor->backfill.dedup_floor);
}

/* Returns the end of the part that is the backfill's in the dedup set. */
static ticks backfill_reach(const struct cursor *cursor)
{
    return ticks_ahead(cursor->backfill.end, CURSOR_COARSE_S);
}

void cursor_backfill_begins(struct cursor *cursor, ticks from, ticks live_from)
{
    cursor->backfill.active = true;
    cursor->backfill.next = from;
    cursor->backfill.end = live_from;
    cursor->backfill.watermark = ticks_max(ticks_min(cursor->watermark, live_from), cursor->begin);
    cursor->backfill.dedup_floor = cursor->dedup_floor;
    cursor->dedup_floor = live_from;
    cursor->watermark = ticks_max(cursor->watermark, live_from);
}

/* Joins the two parts: from here on there is one watermark. */
static void backfill_ends(struct cursor *cursor)
{
    bool contiguous = cursor->dedup_floor <= backfill_reach(cursor);

    cursor->backfill.active = false;
    if (cursor->watermark <= cursor->backfill.end)
        cursor->watermark = ticks_max(cursor->backfill.watermark, cursor->begin);
    if (contiguous)
        cursor->dedup_floor = cursor->backfill.dedup_floor;
}

bool cursor_backfill_read(struct cursor *cursor, ticks next, ticks newest)
{
    cursor->backfill.watermark = ticks_max(cursor->backfill.watermark, newest);
    cursor->backfill.next = next;
    if (next < cursor->backfill.end)
        return false;
    backfill_ends(cursor);
    return true;
}

void cursor_has_part(struct cursor *cursor, ticks time)
{
    time = ticks_max(time, 1); /* 0: none */
    if (!cursor->partial_from || time < cursor->partial_from)
        cursor->partial_from = time;
}

void cursor_read_in_full(struct cursor *cursor, ticks lo, ticks hi)
{
    if (cursor->partial_from && lo <= cursor->partial_from && cursor->partial_from < hi)
        cursor->partial_from = hi == TICKS_OPEN ? 0 : hi;
}

bool cursor_read_again(struct cursor *cursor, int64_t overlap_s)
{
    ticks from = cursor->partial_from, end = cursor_lower(cursor, overlap_s);

    if (!from || from >= end || cursor->backfill.active)
        return false;
    cursor_backfill_begins(cursor, from, end);
    return true;
}

bool cursor_knows(const struct cursor *cursor, ticks time)
{
    bool backfill = cursor->backfill.active && time < backfill_reach(cursor);

    return time >= cursor->begin && time >= (backfill ? cursor->backfill.dedup_floor : cursor->dedup_floor);
}

/* Returns true for a time that the set does not reach, and that is read again since a quarantined record was written in
 * part. Versions of that time are in a set only if they were written since. */
static bool is_read_again(const struct cursor *cursor, ticks time)
{
    return cursor->partial_from && time >= cursor->partial_from && !cursor_knows(cursor, time);
}

bool cursor_needs(const struct cursor *cursor, ticks time, int64_t overlap_s)
{
    struct cursor raised = *cursor;

    cursor_raise_floors(&raised, overlap_s);
    return is_read_again(cursor, time) || cursor_knows(&raised, time);
}

bool cursor_needs_part(const struct cursor *cursor, ticks time, int64_t overlap_s)
{
    struct cursor complete = *cursor;

    complete.partial_from = 0;
    return is_read_again(cursor, time) || cursor_needs(&complete, time, overlap_s);
}

/* Returns the floor of a set that keeps what windows from `lower` on may bring, and everything from partial_from on. */
static ticks floor_below(const struct cursor *cursor, ticks lower, ticks floor)
{
    ticks below = ticks_back(lower, CURSOR_COARSE_S);

    below -= below % TICKS_PER_SECOND; /* as far as quarantine_reaches() */
    if (cursor->partial_from)
        below = ticks_min(below, cursor->partial_from);
    return ticks_max(below, floor);
}

/* The live worker's part is kept from the end of the backfill on: the set has no hole when the two parts join. */
void cursor_raise_floors(struct cursor *cursor, int64_t overlap_s)
{
    ticks lower = cursor_lower(cursor, overlap_s);

    if (cursor->backfill.active)
        lower = ticks_min(lower, cursor->backfill.end);
    cursor->dedup_floor = floor_below(cursor, lower, cursor->dedup_floor);
    if (cursor->backfill.active)
        cursor->backfill.dedup_floor = floor_below(cursor, backfill_lower(cursor, overlap_s),
                                                   cursor->backfill.dedup_floor);
}

void cursor_pruned(struct cursor *cursor, const struct cursor *saved, int64_t overlap_s)
{
    struct cursor raised = *saved;

    cursor_raise_floors(&raised, overlap_s);
    if (!saved->backfill.active && cursor->backfill.active) { /* began since: the one floor is now its floor */
        cursor->backfill.dedup_floor = ticks_max(cursor->backfill.dedup_floor, raised.dedup_floor);
    } else if (saved->backfill.active && cursor->backfill.active) {
        cursor->backfill.dedup_floor = ticks_max(cursor->backfill.dedup_floor, raised.backfill.dedup_floor);
        cursor->dedup_floor = ticks_max(cursor->dedup_floor, raised.dedup_floor);
    } else if (saved->backfill.active) { /* ended since */
        cursor->dedup_floor = ticks_max(cursor->dedup_floor, raised.dedup_floor > backfill_reach(saved)
                                                                 ? raised.dedup_floor
                                                                 : raised.backfill.dedup_floor);
    } else {
        cursor->dedup_floor = ticks_max(cursor->dedup_floor, raised.dedup_floor);
    }
}

/* Returns true if nothing but the floors differs. */
static bool same_but_floors(const struct cursor *a, const struct cursor *b)
{
    if (a->begin != b->begin || a->watermark != b->watermark || a->backfill.active != b->backfill.active ||
        a->partial_from != b->partial_from)
        return false;
    return !a->backfill.active || (a->backfill.next == b->backfill.next && a->backfill.end == b->backfill.end &&
                                   a->backfill.watermark == b->backfill.watermark);
}

static bool same_floors(const struct cursor *a, const struct cursor *b)
{
    return a->dedup_floor == b->dedup_floor &&
           (!a->backfill.active || a->backfill.dedup_floor == b->backfill.dedup_floor);
}

bool cursor_same(const struct cursor *a, const struct cursor *b)
{
    return same_but_floors(a, b) && same_floors(a, b);
}

bool cursor_same_saved(const struct cursor *a, const struct cursor *b, int64_t overlap_s)
{
    struct cursor x, y;

    if (!same_but_floors(a, b))
        return false;
    if (same_floors(a, b))
        return true;
    x = *a;
    y = *b;
    cursor_raise_floors(&x, overlap_s);
    cursor_raise_floors(&y, overlap_s);
    return same_floors(&x, &y);
}
