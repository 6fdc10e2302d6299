#include "state/dedup.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FIRST_SHIFT 2 /* the first block has 4 entries, each further one twice as many, until */
#define BLOCK_SHIFT 9 /* 512: 16 kB */
#define FIRST_BITS  4

/* The entries lie in the order of their coming, in blocks that stay where they are. What grows by copying is only the
 * index: open addressing, linear probing, four bytes a slot. With 2^bits slots, a slot's lower `bits` bits are the
 * number of an entry plus one (0: the slot is empty), and the bits above are as many of the key's, so that other keys
 * are nearly always told apart without a look at the entry. */
struct dedup {
    struct dedup_entry **blocks;
    uint32_t *index;
    size_t count;
    size_t block_count;
    unsigned bits;         /* 0: no index yet */
    struct dedup *partial; /* NULL until it is asked for */
};

struct dedup *dedup_new(void)
{
    return mem_alloc(sizeof(struct dedup));
}

/* Frees a set without the one of what was written in part. */
static void free_set(struct dedup *dedup)
{
    size_t i;

    for (i = 0; i < dedup->block_count; i++)
        free(dedup->blocks[i]);
    free(dedup->blocks);
    free(dedup->index);
    free(dedup);
}

void dedup_free(struct dedup *dedup)
{
    if (!dedup)
        return;
    if (dedup->partial) /* it has none of its own */
        free_set(dedup->partial);
    free_set(dedup);
}

struct dedup *dedup_partial(struct dedup *dedup)
{
    if (!dedup->partial)
        dedup->partial = dedup_new();
    return dedup->partial;
}

struct hash128 dedup_key(const char *id, size_t id_len, ticks time)
{
    struct hash128 key = hash128_of(id, id_len);

    key.low ^= (uint64_t)time;
    if (!key.high && !key.low) /* to the reader of a checkpoint, a hash of zeros is damage */
        key.low = 1;
    return key;
}

/* Entries by number. */

/* Numbers are moved up by the size of the first block: then blocks of doubling size begin at powers of two. */
static unsigned shift_of(size_t moved)
{
    unsigned shift = 63 - (unsigned)__builtin_clzll(moved);

    return shift < BLOCK_SHIFT ? shift : BLOCK_SHIFT;
}

static size_t block_of(size_t number)
{
    size_t moved = number + ((size_t)1 << FIRST_SHIFT);
    unsigned shift = shift_of(moved);

    return shift - FIRST_SHIFT + (moved >> shift) - 1;
}

static struct dedup_entry *entry_at(const struct dedup *dedup, size_t number)
{
    size_t moved = number + ((size_t)1 << FIRST_SHIFT);

    return &dedup->blocks[block_of(number)][moved & (((size_t)1 << shift_of(moved)) - 1)];
}

static void add_block(struct dedup *dedup)
{
    size_t block = dedup->block_count++;
    size_t entries = (size_t)1 << (block < BLOCK_SHIFT - FIRST_SHIFT ? block + FIRST_SHIFT : BLOCK_SHIFT);

    if (!(block & (block - 1))) /* the list of blocks has room up to the next power of two */
        dedup->blocks = mem_grow(dedup->blocks, block ? 2 * block : 1, sizeof(*dedup->blocks));
    dedup->blocks[block] = mem_grow(NULL, entries, sizeof(**dedup->blocks));
}

static void free_blocks_behind(struct dedup *dedup, size_t count)
{
    size_t needed = count ? block_of(count - 1) + 1 : 0;

    while (dedup->block_count > needed)
        free(dedup->blocks[--dedup->block_count]);
}

/* The index. */

static bool same(struct hash128 a, struct hash128 b)
{
    return a.high == b.high && a.low == b.low;
}

static size_t last_slot(const struct dedup *dedup)
{
    return ((size_t)1 << dedup->bits) - 1;
}

static size_t first_try(const struct dedup *dedup, struct hash128 key)
{
    return (size_t)(key.high >> (64 - dedup->bits));
}

static struct dedup_entry *find(const struct dedup *dedup, struct hash128 key)
{
    size_t at, last = last_slot(dedup);
    uint32_t slot, number_mask = (uint32_t)last;

    if (!dedup->count)
        return NULL;
    for (at = first_try(dedup, key); (slot = dedup->index[at]) != 0; at = (at + 1) & last) {
        struct dedup_entry *entry;

        if ((slot ^ (uint32_t)key.high) & ~number_mask)
            continue;
        entry = entry_at(dedup, (slot & number_mask) - 1);
        if (same(entry->key, key))
            return entry;
    }
    return NULL;
}

static void index_entry(struct dedup *dedup, struct hash128 key, size_t number)
{
    size_t at = first_try(dedup, key), last = last_slot(dedup);

    while (dedup->index[at])
        at = (at + 1) & last;
    dedup->index[at] = ((uint32_t)key.high & ~(uint32_t)last) | (uint32_t)(number + 1);
}

/* Fills the index again from the entries. The old index is handed to realloc() for the sake of its pages: if they
 * stay in use, only the new half costs page faults. */
static void reindex(struct dedup *dedup, unsigned bits)
{
    size_t number, slots = (size_t)1 << bits;

    assert(bits <= 32); /* number + 1 stays below 2^bits, as a quarter is empty: 2^31 entries would take 64 GB */
    if (bits != dedup->bits)
        dedup->index = mem_grow(dedup->index, slots, sizeof(*dedup->index));
    dedup->bits = bits;
    memset(dedup->index, 0, slots * sizeof(*dedup->index));
    for (number = 0; number < dedup->count; number++)
        index_entry(dedup, entry_at(dedup, number)->key, number);
}

/* The set. */

bool dedup_has(const struct dedup *dedup, struct hash128 key)
{
    return find(dedup, key) != NULL;
}

void dedup_add(struct dedup *dedup, struct dedup_entry entry)
{
    struct dedup_entry *old = find(dedup, entry.key);
    size_t number = dedup->count;

    if (old) {
        *old = entry;
        return;
    }
    if (!dedup->bits)
        reindex(dedup, FIRST_BITS);
    else if ((number + 1) * 4 > (last_slot(dedup) + 1) * 3)
        reindex(dedup, dedup->bits + 1);
    if (block_of(number) == dedup->block_count)
        add_block(dedup);
    *entry_at(dedup, number) = entry;
    index_entry(dedup, entry.key, number);
    dedup->count++;
}

bool dedup_renew(struct dedup *dedup, struct hash128 key, ticks time)
{
    struct dedup_entry *entry = find(dedup, key);

    if (!entry)
        return false;
    entry->time = ticks_max(entry->time, time);
    return true;
}

size_t dedup_count(const struct dedup *dedup)
{
    return dedup->count;
}

void dedup_each(const struct dedup *dedup, void (*fn)(void *ctx, const struct dedup_entry *entry), void *ctx)
{
    size_t number;

    for (number = 0; number < dedup->count; number++)
        fn(ctx, entry_at(dedup, number));
}

void dedup_prune(struct dedup *dedup, bool (*keep)(void *ctx, const struct dedup_entry *entry), void *ctx)
{
    size_t number, left = 0;
    unsigned bits = dedup->bits;

    for (number = 0; number < dedup->count; number++) {
        const struct dedup_entry *entry = entry_at(dedup, number);

        if (keep(ctx, entry))
            *entry_at(dedup, left++) = *entry;
    }
    if (left == dedup->count)
        return;
    dedup->count = left;
    free_blocks_behind(dedup, left);
    while (bits > FIRST_BITS && left * 4 < (size_t)1 << bits)
        bits--;
    reindex(dedup, bits);
}
