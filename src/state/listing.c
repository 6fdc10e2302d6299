#include "state/listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SLOTS_FIRST 64
#define GAP_FIRST   TICKS_PER_SECOND /* between two times that become one window; doubled until there are few enough */

static int by_value(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

struct listing *listing_new(const struct window *window, uint64_t *keys, size_t count, size_t ids_most)
{
    struct listing *listing = mem_alloc(sizeof(*listing));
    size_t i, kept = 0;

    if (count)
        qsort(keys, count, sizeof(*keys), by_value);
    for (i = 0; i < count; i++)
        if (!kept || keys[i] != keys[kept - 1])
            keys[kept++] = keys[i];
    *listing = (struct listing){ .window = *window, .ids_most = ids_most, .keys = keys, .key_count = kept };
    listing->seen = mem_alloc(kept / 8 + 1);
    return listing;
}

void listing_free(struct listing *listing)
{
    size_t i;

    if (!listing)
        return;
    for (i = 0; i < listing->other_count; i++)
        free(listing->others[i].id);
    free(listing->others);
    free(listing->slots);
    free(listing->seen);
    free(listing->keys);
    free(listing);
}

/* Returns the place of a key of the ledger; key_count: the ledger lacks it. */
static size_t place_of(const struct listing *listing, uint64_t key)
{
    size_t low = 0, high = listing->key_count, middle;

    while (low < high) {
        middle = low + (high - low) / 2;
        if (listing->keys[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < listing->key_count && listing->keys[low] == key ? low : listing->key_count;
}

/* Returns the slot that has the key, or the free one where it belongs. */
static uint32_t *slot_of(const struct listing *listing, uint64_t key)
{
    size_t at = (size_t)key & (listing->slot_count - 1);

    while (listing->slots[at] && listing->others[listing->slots[at] - 1].key != key)
        at = (at + 1) & (listing->slot_count - 1);
    return &listing->slots[at];
}

static void grow_slots(struct listing *listing)
{
    size_t i;

    free(listing->slots);
    listing->slot_count = listing->slot_count ? listing->slot_count * 2 : SLOTS_FIRST;
    listing->slots = mem_alloc(listing->slot_count * sizeof(*listing->slots));
    for (i = 0; i < listing->other_count; i++)
        *slot_of(listing, listing->others[i].key) = (uint32_t)i + 1;
}

/* Returns the entry of a version that the ledger did not have, and makes one if there is none. */
static struct listed *other(struct listing *listing, uint64_t key, ticks time)
{
    uint32_t *slot;

    if (listing->other_count * 2 >= listing->slot_count)
        grow_slots(listing);
    slot = slot_of(listing, key);
    if (*slot)
        return &listing->others[*slot - 1];
    if (listing->other_count == listing->other_cap) {
        listing->other_cap = listing->other_cap ? listing->other_cap * 2 : SLOTS_FIRST / 2;
        listing->others = mem_grow(listing->others, listing->other_cap, sizeof(*listing->others));
    }
    listing->others[listing->other_count++] = (struct listed){ .key = key, .time = time };
    *slot = (uint32_t)listing->other_count;
    return &listing->others[listing->other_count - 1];
}

static bool is_inside(const struct listing *listing, ticks time)
{
    return time >= listing->window.lo && time < listing->window.hi;
}

bool listing_take(struct listing *listing, uint64_t key, ticks time, const char *id, size_t id_len)
{
    size_t at = place_of(listing, key);
    struct listed *entry;

    if (!is_inside(listing, time))
        return false;
    if (at < listing->key_count) {
        listing->seen_count += !(listing->seen[at / 8] >> at % 8 & 1);
        listing->seen[at / 8] |= (unsigned char)(1u << at % 8);
        return false;
    }
    entry = other(listing, key, time);
    entry->listed = true;
    if (!entry->id && listing->ids < listing->ids_most) {
        entry->id = mem_alloc(id_len + 1);
        memcpy(entry->id, id, id_len);
        listing->ids++;
    }
    return !entry->written;
}

void listing_take_odd(struct listing *listing, uint64_t key)
{
    struct listed *entry = other(listing, key, 0);

    entry->odd = true;
}

void listing_written(struct listing *listing, uint64_t key, ticks time)
{
    if (is_inside(listing, time) && place_of(listing, key) == listing->key_count)
        other(listing, key, time)->written = true;
}

static bool is_missing(const struct listed *entry)
{
    return entry->listed && !entry->odd && !entry->written;
}

void listing_settle(struct listing *listing)
{
    size_t i;

    for (i = 0; i < listing->other_count; i++)
        listing->others[i].missing = is_missing(&listing->others[i]);
}

void listing_count(const struct listing *listing, struct listing_counts *ret)
{
    size_t i;

    *ret = (struct listing_counts){ .listed = listing->seen_count,
                                    .written = listing->key_count,
                                    .superseded = listing->key_count - listing->seen_count };
    for (i = 0; i < listing->other_count; i++) {
        const struct listed *entry = &listing->others[i];

        ret->odd += entry->odd;
        ret->listed += entry->listed && !entry->odd;
        ret->missing += is_missing(entry);
        ret->repaired += entry->missing && entry->written;
        ret->fresh += entry->listed && !entry->odd && entry->written;
    }
}

/* Windows. */

static int by_time(const void *a, const void *b)
{
    ticks left = *(const ticks *)a, right = *(const ticks *)b;

    return (left > right) - (left < right);
}

/* Returns the times of what is missing, sorted. The caller frees them. */
static ticks *missing_times(const struct listing *listing, size_t *count)
{
    ticks *times = mem_alloc((listing->other_count + 1) * sizeof(*times));
    size_t i;

    *count = 0;
    for (i = 0; i < listing->other_count; i++)
        if (is_missing(&listing->others[i]))
            times[(*count)++] = listing->others[i].time;
    if (*count)
        qsort(times, *count, sizeof(*times), by_time);
    return times;
}

/* Joins times that are at most `gap` apart. Returns how many windows that makes. */
static size_t join(const ticks *times, size_t count, ticks resolution, ticks gap, struct window *ret, size_t most)
{
    size_t i, spans = 0;
    ticks lo;

    for (i = 0; i < count; i++) {
        lo = times[i] - times[i] % resolution;
        if (spans && spans <= most && lo <= ret[spans - 1].hi + gap)
            ret[spans - 1].hi = lo + resolution;
        else if (++spans <= most)
            ret[spans - 1] = (struct window){ lo, lo + resolution };
    }
    return spans;
}

size_t listing_spans(const struct listing *listing, ticks resolution, struct window *ret, size_t most)
{
    size_t count, spans;
    ticks *times = missing_times(listing, &count), gap = GAP_FIRST;

    spans = join(times, count, resolution, 0, ret, most);
    for (; spans > most; gap *= 2)
        spans = join(times, count, resolution, gap, ret, most);
    free(times);
    return spans;
}
