#include "state/quarantine.h"

#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/mem.h"
#include "state/cursor.h"

void quarantine_release(struct quarantine *quarantine)
{
    free(quarantine->list);
    *quarantine = (struct quarantine){ .count = 0 };
}

/* Returns the number of the first entry that ends after the time. */
static size_t first_after(const struct quarantine *quarantine, ticks time)
{
    size_t low = 0, high = quarantine->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (quarantine->list[middle].window.hi > time)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void insert(struct quarantine *quarantine, size_t at, const struct quarantined *entry)
{
    if (!quarantine->list || quarantine->count == quarantine->cap) {
        quarantine->cap = quarantine->cap * 2 + 4;
        quarantine->list = mem_grow(quarantine->list, quarantine->cap, sizeof(*quarantine->list));
    }
    memmove(quarantine->list + at + 1, quarantine->list + at, (quarantine->count - at) * sizeof(*quarantine->list));
    quarantine->list[at] = *entry;
    quarantine->count++;
    quarantine->version++;
}

/* Returns the entry with just this window; NULL: it has gone meanwhile. */
static struct quarantined *find(const struct quarantine *quarantine, const struct window *window)
{
    size_t at = first_after(quarantine, window->lo);

    return at < quarantine->count && window_same(&quarantine->list[at].window, window) ? &quarantine->list[at] : NULL;
}

void quarantine_add(struct quarantine *quarantine, const struct window *window, int64_t now_s)
{
    struct window part = *window;
    size_t at;

    for (at = first_after(quarantine, part.lo); part.lo < window->hi; at++) {
        struct quarantined *next = at < quarantine->count ? &quarantine->list[at] : NULL;

        part.hi = next ? ticks_min(window->hi, next->window.lo) : window->hi;
        if (part.lo < part.hi) {
            insert(quarantine, at, &(struct quarantined){ .window = part, .since_s = now_s, .due_s = now_s });
            part.lo = part.hi;
        } else { /* it is in the list already, perhaps as one that had been read */
            next->done = false;
            next->due_s = now_s;
            part.lo = next->window.hi;
            quarantine->version++;
        }
    }
}

bool quarantine_restore(struct quarantine *quarantine, const struct quarantined *entry)
{
    size_t at = first_after(quarantine, entry->window.lo);

    if (entry->window.lo >= entry->window.hi || entry->window.hi == TICKS_OPEN ||
        (at < quarantine->count && quarantine->list[at].window.lo < entry->window.hi))
        return false;
    insert(quarantine, at, entry);
    return true;
}

static bool comes_before(const struct quarantined *a, const struct quarantined *b)
{
    if (a->tries || b->tries)
        return a->tries < b->tries;
    return a->window.hi - a->window.lo > b->window.hi - b->window.lo;
}

/* Returns when the window is to be requested. */
static int64_t due_s(const struct quarantined *entry, int64_t now_s)
{
    bool is_plausible = entry->due_s - now_s <= BACKOFF_REFUSED_MAX_MS / 1000;

    return is_plausible && entry->due_s > now_s ? entry->due_s : now_s;
}

const struct quarantined *quarantine_due(const struct quarantine *quarantine, int64_t now_s)
{
    const struct quarantined *best = NULL, *entry;

    for (entry = quarantine->list; entry < quarantine->list + quarantine->count; entry++)
        if (!entry->done && due_s(entry, now_s) == now_s && (!best || comes_before(entry, best)))
            best = entry;
    return best;
}

int64_t quarantine_next_s(const struct quarantine *quarantine, int64_t now_s)
{
    int64_t next_s = INT64_MAX;
    const struct quarantined *entry;

    for (entry = quarantine->list; entry < quarantine->list + quarantine->count; entry++)
        if (!entry->done && due_s(entry, now_s) < next_s)
            next_s = due_s(entry, now_s);
    return next_s;
}

const struct quarantined *quarantine_find(const struct quarantine *quarantine, const struct window *window)
{
    return find(quarantine, window);
}

void quarantine_read(struct quarantine *quarantine, const struct window *window, uint64_t pos)
{
    struct quarantined *entry = find(quarantine, window);

    if (!entry)
        return;
    entry->done = true;
    entry->done_pos = pos;
    quarantine->version++;
}

/* Returns true if this entry and the one before it are halves that were not requested, and adjoin. */
static bool is_rest(const struct quarantine *quarantine, size_t at)
{
    const struct quarantined *entry = quarantine->list + at;

    return at && at < quarantine->count && entry->half && !entry->done && entry[-1].half && !entry[-1].done &&
           entry[-1].window.hi == entry->window.lo && entry[-1].tries == entry->tries;
}

static void join_with_next(struct quarantine *quarantine, size_t at)
{
    struct quarantined *entry = &quarantine->list[at];

    entry->window.hi = entry[1].window.hi;
    quarantine->count--;
    memmove(entry + 1, entry + 2, (quarantine->count - at - 1) * sizeof(*entry));
}

const struct quarantined *quarantine_bad_half(const struct quarantine *quarantine, const struct window *first)
{
    const struct quarantined *entry = find(quarantine, first), *other;
    ticks width;

    if (!entry || !entry->half || entry + 1 == quarantine->list + quarantine->count)
        return NULL;
    other = entry + 1;
    if (!other->half || other->done || other->window.lo != first->hi || other->tries != entry->tries)
        return NULL;
    /* A second half is as wide as the first, or a little less. Another width: a part of it, or a rest of several. */
    width = other->window.hi - other->window.lo;
    return width <= first->hi - first->lo && 2 * width > first->hi - first->lo ? other : NULL;
}

bool quarantine_halve(struct quarantine *quarantine, const struct window *window, ticks least, ticks resolution)
{
    struct quarantined *entry = find(quarantine, window), half;
    ticks cut = window->lo + (window->hi - window->lo + 1) / 2; /* the first half is the wider one: it comes first */
    size_t at;

    cut += (resolution - cut % resolution) % resolution;
    if (cut >= window->hi)
        cut -= resolution;
    if (!entry || window->hi - window->lo <= least || cut <= window->lo || cut >= window->hi)
        return false;
    entry->half = true;
    half = *entry;
    half.window.lo = cut;
    entry->window.hi = cut;
    at = first_after(quarantine, cut);
    insert(quarantine, at, &half);
    if (half.tries && is_rest(quarantine, at + 1) && is_rest(quarantine, at + 2))
        join_with_next(quarantine, at + 1);
    return true;
}

bool quarantine_retry(struct quarantine *quarantine, const struct window *window, int64_t due_s, bool isolated)
{
    struct quarantined *entry = find(quarantine, window);
    bool is_news = entry && isolated && !entry->isolated;

    if (!entry)
        return false;
    entry->tries++;
    entry->due_s = due_s;
    entry->half = false;
    entry->isolated = entry->isolated || isolated;
    quarantine->version++;
    return is_news;
}

void quarantine_wake(struct quarantine *quarantine, int64_t now_s)
{
    struct quarantined *entry;

    for (entry = quarantine->list; entry < quarantine->list + quarantine->count; entry++)
        if (entry->due_s > now_s)
            entry->due_s = now_s;
}

bool quarantine_avoid(const struct quarantine *quarantine, struct window *window)
{
    size_t at;

    for (at = first_after(quarantine, window->lo); at < quarantine->count; at++) {
        const struct quarantined *entry = &quarantine->list[at];

        if (entry->done)
            continue;
        if (entry->window.lo > window->lo) {
            window->hi = ticks_min(window->hi, entry->window.lo);
            break;
        }
        window->lo = entry->window.hi;
    }
    return window->lo < window->hi;
}

size_t quarantine_gaps(const struct quarantine *quarantine, ticks lo, ticks hi, ticks *end)
{
    size_t at, gaps = 0;

    for (*end = lo, at = first_after(quarantine, lo); at < quarantine->count; at++) {
        const struct quarantined *entry = &quarantine->list[at];

        if (entry->window.lo >= hi)
            break;
        if (entry->done)
            continue;
        gaps += entry->window.lo > *end;
        *end = entry->window.hi;
    }
    return gaps;
}

bool quarantine_reaches(const struct quarantine *quarantine, ticks time)
{
    size_t at = first_after(quarantine, ticks_back(time, CURSOR_COARSE_S));

    return at < quarantine->count && quarantine->list[at].window.lo <= ticks_ahead(time, CURSOR_COARSE_S);
}

size_t quarantine_waiting(const struct quarantine *quarantine)
{
    size_t i, waiting = 0;

    for (i = 0; i < quarantine->count; i++)
        waiting += !quarantine->list[i].done;
    return waiting;
}

size_t quarantine_settle(struct quarantine *quarantine, uint64_t pos, ticks oldest)
{
    size_t i, kept = 0, given_up = 0;

    for (i = 0; i < quarantine->count; i++) {
        const struct quarantined *entry = &quarantine->list[i];
        bool settled = entry->done && entry->done_pos <= pos;
        bool gone = ticks_max(entry->window.hi, entry->since_s * TICKS_PER_SECOND) < oldest;

        given_up += gone && !entry->done;
        if (!settled && !gone)
            quarantine->list[kept++] = *entry;
    }
    if (kept != quarantine->count)
        quarantine->version++;
    quarantine->count = kept;
    return given_up;
}
