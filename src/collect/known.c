#include "collect/known.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FIRST_SLOTS 16

struct known {
    struct known_entry *slots;      /* open addressing, linear probing; key 0/0 is an empty slot */
    size_t              size;       /* a power of two, or 0 */
    size_t              count;
};

struct known *known_new(void)
{
    return mem_alloc(sizeof(struct known));
}

void known_free(struct known *known)
{
    if (!known)
        return;
    free(known->slots);
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

static struct known_entry *slot_of(const struct known *known, struct hash128 key)
{
    size_t at = key.high & (known->size - 1);

    while (!empty(&known->slots[at]) &&
           (known->slots[at].key.high != key.high || known->slots[at].key.low != key.low))
        at = (at + 1) & (known->size - 1);
    return &known->slots[at];
}

bool known_has(const struct known *known, struct hash128 key)
{
    return known->size && !empty(slot_of(known, key));
}

static void resize(struct known *known, size_t size)
{
    struct known_entry *old = known->slots;
    size_t i, old_size = known->size;

    known->slots = mem_alloc(size * sizeof(*known->slots));
    known->size = size;
    for (i = 0; i < old_size; i++)
        if (!empty(&old[i]))
            *slot_of(known, old[i].key) = old[i];
    free(old);
}

void known_add(struct known *known, struct known_entry entry)
{
    struct known_entry *slot;

    if ((known->count + 1) * 4 > known->size * 3)
        resize(known, known->size ? known->size * 2 : FIRST_SLOTS);
    slot = slot_of(known, entry.key);
    if (empty(slot))
        known->count++;
    *slot = entry;
}

size_t known_count(const struct known *known)
{
    return known->count;
}

void known_each(const struct known *known, void (*fn)(void *ctx, const struct known_entry *entry), void *ctx)
{
    size_t i;

    for (i = 0; i < known->size; i++)
        if (!empty(&known->slots[i]))
            fn(ctx, &known->slots[i]);
}

void known_prune(struct known *known, bool (*keep)(void *ctx, const struct known_entry *entry), void *ctx)
{
    size_t i, left = 0, size = FIRST_SLOTS;

    for (i = 0; i < known->size; i++) {
        struct known_entry *slot = &known->slots[i];

        if (empty(slot))
            continue;
        if (keep(ctx, slot))
            left++;
        else
            *slot = (struct known_entry){ .time = 0 };
    }
    if (left == known->count)
        return;
    known->count = left;
    while ((left + 1) * 2 > size)
        size *= 2;
    if (known->size)
        resize(known, size);    /* also closes the gaps that broke probe chains */
}
