#include "state/quarantine.h"

#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/mem.h"
#include "state/cursor.h"

#define FIRST_RETRY_S 15 /* of a window that cannot be halved, unless its JSON breaks; then the slow schedule */
#define DUE_AT_ONCE   0  /* by any clock, also one that is set back later */

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

struct quarantined *quarantine_find(const struct quarantine *quarantine, const struct window *window)
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
            insert(quarantine, at, &(struct quarantined){ .window = part, .since_s = now_s, .due_s = DUE_AT_ONCE });
            part.lo = part.hi;
        } else { /* it is in the list already, perhaps as one that had been read */
            if (next->state == QUARANTINED_READ)
                next->state = QUARANTINED_FAILED;
            next->due_s = DUE_AT_ONCE;
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
        if (entry->state != QUARANTINED_READ && due_s(entry, now_s) == now_s && (!best || comes_before(entry, best)))
            best = entry;
    return best;
}

int64_t quarantine_next_s(const struct quarantine *quarantine, int64_t now_s)
{
    int64_t next_s = INT64_MAX;
    const struct quarantined *entry;

    for (entry = quarantine->list; entry < quarantine->list + quarantine->count; entry++)
        if (entry->state != QUARANTINED_READ && due_s(entry, now_s) < next_s)
            next_s = due_s(entry, now_s);
    return next_s;
}

void quarantine_read(struct quarantine *quarantine, const struct window *window, uint64_t pos)
{
    struct quarantined *entry = quarantine_find(quarantine, window);

    if (!entry)
        return;
    entry->state = QUARANTINED_READ;
    entry->read_pos = pos;
    quarantine->version++;
}

/* Returns true if a window that has not been read, besides this one, lies between the times or adjoins them. */
static bool another_waits(const struct quarantine *quarantine, ticks lo, ticks hi, const struct quarantined *own)
{
    size_t at = first_after(quarantine, lo - 1);

    for (; at < quarantine->count && quarantine->list[at].window.lo <= hi; at++)
        if (&quarantine->list[at] != own && quarantine->list[at].state != QUARANTINED_READ)
            return true;
    return false;
}

bool quarantine_doubt(struct quarantine *quarantine, const struct window *window, int64_t now_s)
{
    struct quarantined *entry = quarantine_find(quarantine, window), whole;
    ticks lo = window->lo - window->lo % TICKS_PER_SECOND;
    ticks hi = window->hi + (TICKS_PER_SECOND - window->hi % TICKS_PER_SECOND) % TICKS_PER_SECOND;
    size_t at = first_after(quarantine, lo), end = at;

    if (!entry || window->hi - window->lo >= TICKS_PER_SECOND || another_waits(quarantine, lo, hi, entry))
        return false;
    while (end < quarantine->count && quarantine->list[end].window.lo < hi)
        end++;
    whole = *entry;
    whole.window.lo = ticks_min(lo, quarantine->list[at].window.lo);
    whole.window.hi = ticks_max(hi, quarantine->list[end - 1].window.hi);
    whole.state = QUARANTINED_FAILED;
    whole.tries++;
    whole.due_s = now_s + (whole.tries <= 2 ? FIRST_RETRY_S : backoff_refused_ms(whole.tries - 2) / 1000);
    memmove(quarantine->list + at, quarantine->list + end, (quarantine->count - end) * sizeof(*quarantine->list));
    quarantine->count -= end - at;
    insert(quarantine, at, &whole);
    return true;
}

/* Halving. */

/* Returns true if this entry and the one before it are halves of the same search, and adjoin. */
static bool is_rest(const struct quarantine *quarantine, size_t at)
{
    const struct quarantined *entry = quarantine->list + at;

    return at && at < quarantine->count && entry->state == QUARANTINED_HALF && entry[-1].state == QUARANTINED_HALF &&
           entry[-1].window.hi == entry->window.lo && entry[-1].tries == entry->tries;
}

static void join_with_next(struct quarantine *quarantine, size_t at)
{
    struct quarantined *entry = &quarantine->list[at];

    entry->window.hi = entry[1].window.hi;
    quarantine->count--;
    memmove(entry + 1, entry + 2, (quarantine->count - at - 1) * sizeof(*entry));
}

/* Halves the entry if it is wider than `least`. */
static bool halve(struct quarantine *quarantine, struct quarantined *entry, ticks least, ticks resolution)
{
    ticks lo = entry->window.lo, hi = entry->window.hi;
    ticks cut = lo + (hi - lo + 1) / 2; /* the first half is the wider one: it comes first */
    struct quarantined half;
    size_t at;

    cut += (resolution - cut % resolution) % resolution;
    if (cut >= hi)
        cut -= resolution;
    if (hi - lo <= least || cut <= lo || cut >= hi)
        return false;
    entry->state = QUARANTINED_HALF;
    half = *entry;
    half.window.lo = cut;
    entry->window.hi = cut;
    at = first_after(quarantine, cut);
    insert(quarantine, at, &half);
    if (half.search != SEARCH_COARSE && is_rest(quarantine, at + 1) && is_rest(quarantine, at + 2))
        join_with_next(quarantine, at + 1);
    return true;
}

bool quarantine_halve(struct quarantine *quarantine, const struct window *window, ticks resolution)
{
    struct quarantined *entry = quarantine_find(quarantine, window);

    return entry && halve(quarantine, entry, resolution, resolution);
}

/* Halves the entry as far as its search goes at present. */
static bool search(struct quarantine *quarantine, struct quarantined *entry, const struct quarantine_failure *failure)
{
    ticks least = entry->search == SEARCH_COARSE ? ticks_max(failure->resolution, TICKS_PER_SECOND)
                                                 : failure->resolution;

    return failure->proven && halve(quarantine, entry, least, failure->resolution);
}

/* Returns the other half of the window that this one, a first half, is a part of; NULL: it is none. */
static struct quarantined *other_half(const struct quarantine *quarantine, const struct window *first)
{
    struct quarantined *entry = quarantine_find(quarantine, first), *other;
    ticks width;

    if (!entry || entry->state != QUARANTINED_HALF || entry + 1 == quarantine->list + quarantine->count)
        return NULL;
    other = entry + 1;
    if (other->state != QUARANTINED_HALF || other->window.lo != first->hi || other->tries != entry->tries)
        return NULL;
    /* A second half is as wide as the first, or a little less. Another width: a part of it, or a rest of several. */
    width = other->window.hi - other->window.lo;
    return width <= first->hi - first->lo && 2 * width > first->hi - first->lo ? other : NULL;
}

bool quarantine_infer(struct quarantine *quarantine, const struct window *first,
                      const struct quarantine_failure *failure)
{
    struct quarantined *other = other_half(quarantine, first);

    return other && (other->search != SEARCH_COARSE || failure->broke) && search(quarantine, other, failure);
}

/* What follows from a failure. */

struct consequence {
    enum quarantined_search search;
    enum { AT_ONCE, SOON, SLOWLY } due;
    enum quarantine_outcome outcome;
};

/* Returns what follows for a window that is not halved now. The table is in the header. */
static struct consequence consequence(enum quarantined_search search, const struct quarantine_failure *failure)
{
    switch (search) {
    case SEARCH_COARSE:
        if (!failure->proven)
            return (struct consequence){ SEARCH_FINE, SOON, QUARANTINE_STALLED };
        if (failure->broke)
            return (struct consequence){ SEARCH_FINE, AT_ONCE, QUARANTINE_CONTINUES };
        return (struct consequence){ SEARCH_LOGGED, SOON, QUARANTINE_ISOLATED };
    case SEARCH_FINE:
        if (failure->proven)
            return (struct consequence){ SEARCH_LOGGED, SOON, QUARANTINE_ISOLATED };
        break;
    case SEARCH_LOGGED: break;
    }
    return (struct consequence){ search, SLOWLY, QUARANTINE_WAITS };
}

enum quarantine_outcome quarantine_failed(struct quarantine *quarantine, const struct window *window,
                                          const struct quarantine_failure *failure)
{
    struct quarantined *entry = quarantine_find(quarantine, window);
    struct consequence next;

    if (!entry)
        return QUARANTINE_GONE;
    if (search(quarantine, entry, failure))
        return QUARANTINE_HALVED;
    next = consequence(entry->search, failure);
    entry->due_s = failure->now_s;
    if (next.due == SOON)
        entry->due_s += FIRST_RETRY_S;
    else if (next.due == SLOWLY)
        entry->due_s += backoff_refused_ms(entry->tries - 1) / 1000;
    entry->state = QUARANTINED_FAILED;
    entry->search = next.search;
    entry->tries++;
    quarantine->version++;
    return next.outcome;
}

void quarantine_wake(struct quarantine *quarantine)
{
    struct quarantined *entry;

    for (entry = quarantine->list; entry < quarantine->list + quarantine->count; entry++)
        entry->due_s = DUE_AT_ONCE;
}

bool quarantine_avoid(const struct quarantine *quarantine, struct window *window)
{
    size_t at;

    for (at = first_after(quarantine, window->lo); at < quarantine->count; at++) {
        const struct quarantined *entry = &quarantine->list[at];

        if (entry->state == QUARANTINED_READ)
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
        if (entry->state == QUARANTINED_READ)
            continue;
        gaps += entry->window.lo > *end;
        *end = entry->window.hi;
    }
    return gaps;
}

bool quarantine_reaches(const struct quarantine *quarantine, ticks time)
{
    ticks second = time - time % TICKS_PER_SECOND;
    size_t at = first_after(quarantine, ticks_back(second, CURSOR_COARSE_S));

    return at < quarantine->count && quarantine->list[at].window.lo < ticks_ahead(second, CURSOR_COARSE_S + 1);
}

size_t quarantine_waiting(const struct quarantine *quarantine)
{
    size_t i, waiting = 0;

    for (i = 0; i < quarantine->count; i++)
        waiting += quarantine->list[i].state != QUARANTINED_READ;
    return waiting;
}

size_t quarantine_settle(struct quarantine *quarantine, uint64_t pos, ticks oldest)
{
    size_t i, kept = 0, given_up = 0;

    for (i = 0; i < quarantine->count; i++) {
        const struct quarantined *entry = &quarantine->list[i];
        bool settled = entry->state == QUARANTINED_READ && entry->read_pos <= pos;
        bool gone = ticks_max(entry->window.hi, entry->since_s * TICKS_PER_SECOND) < oldest;

        given_up += gone && entry->state != QUARANTINED_READ;
        if (!settled && !gone)
            quarantine->list[kept++] = *entry;
    }
    if (kept != quarantine->count)
        quarantine->version++;
    quarantine->count = kept;
    return given_up;
}
