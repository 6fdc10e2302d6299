#include "collect/place.h"

#define FILL_FROM_S   (2 * 3600)    /* an open span that reaches back further than this is handed to the FILL lane */
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

void place_start(struct place *place, ticks begin)
{
    *place = (struct place){ .begin = begin, .newest = begin, .floor = begin };
}

bool place_is_ahead(const struct place *place, ticks limit)
{
    ticks furthest = later(place->newest, place->floor);

    if (place->fill.active)
        furthest = later(later(furthest, place->fill.end), later(place->fill.next, place->fill.floor));
    return furthest > later(limit, place->begin);
}

ticks place_lower(const struct place *place, int64_t overlap_s)
{
    return later(ticks_back(place->newest, overlap_s), place->floor);
}

/* Never above what is still to be read: a fill begins below its newest time by an overlap that may have been lowered
 * since. */
static ticks fill_lower(const struct place *place, int64_t overlap_s)
{
    return later(sooner(ticks_back(place->fill.newest, overlap_s), place->fill.next), place->fill.floor);
}

/* Where a span of the sweep's width ends. */
static ticks sweep_end(const struct sweep *sweep, ticks lo)
{
    ticks hi = lo + sweep->width;

    if (sweep->grain > 1)
        hi -= hi % sweep->grain;
    return hi > lo ? hi : lo + later(sweep->width, sweep->grain);
}

bool place_next(const struct place *place, enum lane_kind lane, const struct sweep *sweep, int64_t overlap_s,
                struct span *ret)
{
    if (lane == LANE_FILL) {
        if (!place->fill.active)
            return false;
        ret->lo = place->fill.next;
        ret->hi = sweep->width ? sooner(sweep_end(sweep, ret->lo), place->fill.end) : place->fill.end;
        return true;
    }
    ret->lo = sweep->active ? sweep->next : place_lower(place, overlap_s);
    ret->hi = sweep->active ? sweep_end(sweep, ret->lo) : TICKS_OPEN;
    if (sweep->active && ret->hi >= sweep->end)
        ret->hi = TICKS_OPEN;
    return true;
}

void holes_add(struct holes *holes, const struct span *span)
{
    if (!holes_have(holes, span))
        holes->list[holes->count++ % HOLES_MAX] = *span;
}

static size_t holes_kept(const struct holes *holes)
{
    return holes->count < HOLES_MAX ? holes->count : HOLES_MAX;
}

bool holes_have(const struct holes *holes, const struct span *span)
{
    size_t i;

    for (i = 0; i < holes_kept(holes); i++)
        if (holes->list[i].lo == span->lo && holes->list[i].hi == span->hi)
            return true;
    return false;
}

void place_avoid(const struct holes *holes, enum lane_kind lane, struct sweep *sweep, struct span *span, ticks now)
{
    bool was_open = span->hi == TICKS_OPEN;
    size_t i;

    for (i = 0; i < holes_kept(holes); i++) {
        const struct span *hole = &holes->list[i];

        if (hole->lo > span->lo && hole->lo < span->hi)
            span->hi = hole->lo;
        else if (hole->lo <= span->lo && span->lo < hole->hi)
            span->hi = sooner(span->hi, hole->hi);
    }
    if (lane == LANE_LIVE && was_open && span->hi != TICKS_OPEN && !sweep->active)
        *sweep = (struct sweep){ .active = true, .next = span->lo, .width = WIDTH_MOST, .end = now };
}

/* The next span's width from how full this answer was: three quarters of the room are aimed at. */
static void adapt(struct sweep *sweep, const struct span *span, size_t count, size_t room)
{
    double factor = GROW_MOST;

    if (span->hi == TICKS_OPEN || !sweep->width)
        return;
    if (!count && sweep->heavy > span->hi) {    /* all of what was too much is still to come */
        sweep->width = later((sweep->heavy - span->hi) / 2, later(sweep->grain, 1));
        return;
    }
    sweep->heavy = 0;
    if (count && room)
        factor = 0.75 * (double)room / (double)count;
    else if (count)
        factor = 2;
    if (factor > GROW_MOST)
        factor = GROW_MOST;
    if (factor < 0.5)
        factor = 0.5;
    if ((double)sweep->width * factor >= (double)WIDTH_MOST)
        sweep->width = WIDTH_MOST;
    else
        sweep->width = later((ticks)((double)sweep->width * factor), later(sweep->grain, 1));
}

/* The filled part and the live part meet: from now on there is one cursor. */
static void fill_ends(struct place *place)
{
    bool contiguous = place->floor <= place->fill.end;

    place->fill.active = false;
    if (place->newest <= place->fill.end)
        place->newest = later(place->fill.newest, place->begin);
    if (contiguous)
        place->floor = place->fill.floor;
}

static bool fill_read(struct place *place, struct sweep *sweep, const struct span *span, const struct harvest *harvest)
{
    ticks seen = sooner(harvest->newest, span->hi - 1);

    if (harvest->count && harvest->oldest <= harvest->newest)
        place->fill.newest = later(place->fill.newest, seen);
    place->fill.next = span->hi;
    if (place->fill.next < place->fill.end)
        return false;
    fill_ends(place);
    *sweep = (struct sweep){ .active = false };
    return true;
}

/* The LIVE lane has read this span. The cursor stays behind the service's clock: a date in the future must not hide
 * what comes before it. A sweep can take long, and what was read early in it may have got late alerts since, so the
 * cursor stays behind the time at which its first unsettled span was read, and the next poll comes back to there. */
static void live_read(struct place *place, struct sweep *sweep, const struct span *span, const struct harvest *harvest,
                      int64_t overlap_s, ticks now)
{
    ticks seen = sooner(harvest->newest, now);

    if (sweep->active && !sweep->since && span->hi > ticks_back(now, overlap_s))
        sweep->since = now;
    if (sweep->since)
        seen = sooner(seen, sweep->since);
    if (span->hi != TICKS_OPEN)
        seen = sooner(seen, span->hi - 1);
    if (harvest->count && harvest->oldest <= harvest->newest)
        place->newest = later(place->newest, seen);
}

bool place_read(struct place *place, enum lane_kind lane, struct sweep *sweep, const struct span *span,
                const struct harvest *harvest, size_t room, int64_t overlap_s, ticks now)
{
    adapt(sweep, span, harvest->count, room);
    if (lane == LANE_FILL)
        return fill_read(place, sweep, span, harvest);
    live_read(place, sweep, span, harvest, overlap_s, now);
    if (span->hi != TICKS_OPEN) {
        sweep->next = span->hi;
        return false;
    }
    *sweep = (struct sweep){ .active = false };
    return true;
}

/* How wide the next span should be: as the harvest's own density suggests, at most half of what was too much. An answer
 * full of one single time says where the heap is: up to there first, then the heap alone. */
static ticks smaller(const struct span *span, ticks end, const struct harvest *harvest, ticks grain)
{
    ticks width = (end - span->lo) / 2;

    if (harvest && harvest->count > 1 && harvest->oldest == harvest->newest && harvest->newest < end)
        width = harvest->newest - span->lo;
    else if (harvest && harvest->oldest < harvest->newest)
        width = sooner(width, (harvest->newest - harvest->oldest) / 4 * 3);
    if (grain > 1)
        width -= width % grain;
    return later(width, grain);
}

/* LIVE keeps the last stretch, FILL takes what is older. */
static void fill_begins(struct place *place, ticks from, ticks live_from)
{
    place->fill.active = true;
    place->fill.next = from;
    place->fill.end = live_from;
    place->fill.newest = later(sooner(place->newest, live_from), place->begin);
    place->fill.floor = place->floor;
    place->floor = live_from;
    place->newest = later(place->newest, live_from);
}

bool place_split(struct place *place, enum lane_kind lane, struct sweep sweeps[LANE_COUNT], const struct span *span,
                 const struct harvest *harvest, ticks grain, int64_t overlap_s, ticks now)
{
    struct sweep *sweep = &sweeps[lane];
    ticks live_from = ticks_back(now, overlap_s), end = span->hi;

    if (span->hi == TICKS_OPEN) {
        end = later(now, span->lo + 2 * grain);
        if (harvest && harvest->newest >= end && harvest->oldest <= harvest->newest)
            end = harvest->newest + 1;
    }
    if (end - span->lo <= grain)
        return false;
    if (lane == LANE_LIVE && span->hi == TICKS_OPEN && !place->fill.active &&
        live_from - span->lo > FILL_FROM_S * TICKS_PER_SECOND) {
        sweeps[LANE_FILL] = (struct sweep){ .width = smaller(span, live_from, harvest, grain), .grain = grain };
        fill_begins(place, sooner(span->lo, place_lower(place, overlap_s)), live_from);
        *sweep = (struct sweep){ .active = false };
        return true;
    }
    *sweep = (struct sweep){ .active = true, .next = span->lo, .width = smaller(span, end, harvest, grain),
                             .end = span->hi == TICKS_OPEN ? end : sweep->end,
                             .heavy = end, .grain = grain, .since = sweep->active ? sweep->since : 0 };
    return true;
}

bool place_needs(const struct place *place, ticks time, int64_t overlap_s)
{
    if (place->fill.active && time < place->fill.end)
        return time >= fill_lower(place, overlap_s);
    return time >= place_lower(place, overlap_s);
}

void place_raise_floors(struct place *place, int64_t overlap_s)
{
    place->floor = place_lower(place, overlap_s);
    if (place->fill.active)
        place->fill.floor = fill_lower(place, overlap_s);
}

bool place_same(const struct place *a, const struct place *b)
{
    return a->begin == b->begin && a->newest == b->newest && a->floor == b->floor && a->fill.active == b->fill.active &&
           (!a->fill.active || (a->fill.next == b->fill.next && a->fill.end == b->fill.end &&
                                a->fill.newest == b->fill.newest && a->fill.floor == b->fill.floor));
}

bool place_same_saved(const struct place *a, const struct place *b, int64_t overlap_s)
{
    struct place x = *a, y = *b;

    place_raise_floors(&x, overlap_s);
    place_raise_floors(&y, overlap_s);
    return place_same(&x, &y);
}

void place_pruned(struct place *place, const struct place *saved, int64_t overlap_s)
{
    struct place raised = *saved;

    place_raise_floors(&raised, overlap_s);
    if (!saved->fill.active && place->fill.active) {        /* the fill began since then: what was one floor is its */
        place->fill.floor = later(place->fill.floor, raised.floor);
    } else if (saved->fill.active && place->fill.active) {
        place->fill.floor = later(place->fill.floor, raised.fill.floor);
        place->floor = later(place->floor, raised.floor);
    } else if (saved->fill.active) {                        /* ... ended since then */
        place->floor = later(place->floor, raised.floor > saved->fill.end ? raised.floor : raised.fill.floor);
    } else {
        place->floor = later(place->floor, raised.floor);
    }
}
