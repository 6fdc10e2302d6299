#include "collect/known.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FIRST_SLOTS 8
#define SHELVES     16

/* Open addressing, linear probing; key 0/0 is an empty slot. */
struct shelf {
    struct known_entry *slots;
    size_t              size;
    size_t              count;
};

/* Many small tables instead of a large one: when they grow, the old and the new copy of a sixteenth are there at
 * once. */
struct known {
    struct shelf shelves[SHELVES];
};

struct known *known_new(void)
{
    return mem_alloc(sizeof(struct known));
}

void known_free(struct known *known)
{
    size_t i;

    if (!known)
        return;
    for (i = 0; i < SHELVES; i++)
        free(known->shelves[i].slots);
    free(known);
}

static bool empty(const struct known_entry *slot)
{
    return !slot->key.high && !slot->key.low;
}

struct hash128 known_key(const char *id, size_t id_len, ticks time)
{
    struct hash128 key = hash128_of(id, id_len);

    key.low ^= (uint64_t)time;
    if (!key.high && !key.low)
        key.low = 1;
    return key;
}

static size_t shelf_of(struct hash128 key)
{
    return key.high % SHELVES;
}

static struct known_entry *slot_of(const struct shelf *shelf, struct hash128 key)
{
    size_t at = (size_t)((key.high >> 32) * shelf->size >> 32);     /* the upper half, spread over any size */

    while (!empty(&shelf->slots[at]) &&
           (shelf->slots[at].key.high != key.high || shelf->slots[at].key.low != key.low))
        at = at + 1 < shelf->size ? at + 1 : 0;
    return &shelf->slots[at];
}

bool known_has(const struct known *known, struct hash128 key)
{
    const struct shelf *shelf = &known->shelves[shelf_of(key)];

    return shelf->size && !empty(slot_of(shelf, key));
}

static void resize(struct shelf *shelf, size_t size)
{
    struct known_entry *old = shelf->slots;
    size_t i, old_size = shelf->size;

    shelf->slots = mem_alloc(size * sizeof(*shelf->slots));
    shelf->size = size;
    for (i = 0; i < old_size; i++)
        if (!empty(&old[i]))
            *slot_of(shelf, old[i].key) = old[i];
    free(old);
}

void known_add(struct known *known, struct known_entry entry)
{
    struct shelf *shelf = &known->shelves[shelf_of(entry.key)];
    struct known_entry *slot;

    if ((shelf->count + 1) * 4 > shelf->size * 3)
        resize(shelf, shelf->size ? shelf->size + shelf->size / 2 : FIRST_SLOTS);
    slot = slot_of(shelf, entry.key);
    if (empty(slot))
        shelf->count++;
    *slot = entry;
}

size_t known_count(const struct known *known)
{
    size_t i, count = 0;

    for (i = 0; i < SHELVES; i++)
        count += known->shelves[i].count;
    return count;
}

void known_each(const struct known *known, void (*fn)(void *ctx, const struct known_entry *entry), void *ctx)
{
    const struct shelf *shelf;
    size_t i;

    for (shelf = known->shelves; shelf < known->shelves + SHELVES; shelf++)
        for (i = 0; i < shelf->size; i++)
            if (!empty(&shelf->slots[i]))
                fn(ctx, &shelf->slots[i]);
}

static void shelf_prune(struct shelf *shelf, bool (*keep)(void *ctx, const struct known_entry *entry), void *ctx)
{
    size_t i, left = 0;

    for (i = 0; i < shelf->size; i++) {
        struct known_entry *slot = &shelf->slots[i];

        if (empty(slot))
            continue;
        if (keep(ctx, slot))
            left++;
        else
            *slot = (struct known_entry){ .time = 0 };
    }
    if (left == shelf->count)
        return;
    shelf->count = left;
    resize(shelf, FIRST_SLOTS + left * 2);      /* also closes the gaps that broke probe chains */
}

void known_prune(struct known *known, bool (*keep)(void *ctx, const struct known_entry *entry), void *ctx)
{
    size_t i;

    for (i = 0; i < SHELVES; i++)
        shelf_prune(&known->shelves[i], keep, ctx);
}
