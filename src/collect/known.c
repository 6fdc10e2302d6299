#include "collect/known.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FIRST_SHIFT 2           /* the first block has 4 entries, each further one twice as many, until */
#define BLOCK_SHIFT 9           /* 512: 16 kB */
#define FIRST_BITS  4

/* The entries lie in the order of their coming, in blocks that stay where they are. What grows by copying is only the
 * index: open addressing, linear probing, four bytes a slot. With 2^bits slots, a slot's lower `bits` bits are the
 * number of an entry plus one (0: the slot is empty), and the bits above are as many of the key's, so that other keys
 * are nearly always told apart without a look at the entry. */
struct known {
    struct known_entry **blocks;
    uint32_t            *index;
    size_t               count;
    size_t               block_count;
    unsigned             bits;      /* 0: no index yet */
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
    for (i = 0; i < known->block_count; i++)
        free(known->blocks[i]);
    free(known->blocks);
    free(known->index);
    free(known);
}

struct hash128 known_key(const char *id, size_t id_len, ticks time)
{
    struct hash128 key = hash128_of(id, id_len);

    key.low ^= (uint64_t)time;
    if (!key.high && !key.low)      /* to the reader of a checkpoint, a hash of zeros is damage */
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

static struct known_entry *entry_at(const struct known *known, size_t number)
{
    size_t moved = number + ((size_t)1 << FIRST_SHIFT);

    return &known->blocks[block_of(number)][moved & (((size_t)1 << shift_of(moved)) - 1)];
}

static void add_block(struct known *known)
{
    size_t block = known->block_count++;
    size_t entries = (size_t)1 << (block < BLOCK_SHIFT - FIRST_SHIFT ? block + FIRST_SHIFT : BLOCK_SHIFT);

    if (!(block & (block - 1)))     /* the list of blocks has room up to the next power of two */
        known->blocks = mem_grow(known->blocks, block ? 2 * block : 1, sizeof(*known->blocks));
    known->blocks[block] = mem_grow(NULL, entries, sizeof(**known->blocks));
}

static void free_blocks_behind(struct known *known, size_t count)
{
    size_t needed = count ? block_of(count - 1) + 1 : 0;

    while (known->block_count > needed)
        free(known->blocks[--known->block_count]);
}

/* The index. */

static bool same(struct hash128 a, struct hash128 b)
{
    return a.high == b.high && a.low == b.low;
}

static size_t last_slot(const struct known *known)
{
    return ((size_t)1 << known->bits) - 1;
}

static size_t first_try(const struct known *known, struct hash128 key)
{
    return (size_t)(key.high >> (64 - known->bits));
}

static struct known_entry *find(const struct known *known, struct hash128 key)
{
    size_t at, last = last_slot(known);
    uint32_t slot, number_mask = (uint32_t)last;

    if (!known->count)
        return NULL;
    for (at = first_try(known, key); (slot = known->index[at]) != 0; at = (at + 1) & last) {
        struct known_entry *entry;

        if ((slot ^ (uint32_t)key.high) & ~number_mask)
            continue;
        entry = entry_at(known, (slot & number_mask) - 1);
        if (same(entry->key, key))
            return entry;
    }
    return NULL;
}

static void index_entry(struct known *known, struct hash128 key, size_t number)
{
    size_t at = first_try(known, key), last = last_slot(known);

    while (known->index[at])
        at = (at + 1) & last;
    known->index[at] = ((uint32_t)key.high & ~(uint32_t)last) | (uint32_t)(number + 1);
}

/* Filled anew from the entries. That the old index is handed to realloc() is for the sake of its pages: where they stay
 * in use, only the new half costs page faults. */
static void reindex(struct known *known, unsigned bits)
{
    size_t number, slots = (size_t)1 << bits;

    assert(bits <= 32);     /* number + 1 stays below 2^bits, as a quarter is empty: 2^31 entries would take 64 GB */
    if (bits != known->bits)
        known->index = mem_grow(known->index, slots, sizeof(*known->index));
    known->bits = bits;
    memset(known->index, 0, slots * sizeof(*known->index));
    for (number = 0; number < known->count; number++)
        index_entry(known, entry_at(known, number)->key, number);
}

/* The set. */

bool known_has(const struct known *known, struct hash128 key)
{
    return find(known, key) != NULL;
}

void known_add(struct known *known, struct known_entry entry)
{
    struct known_entry *old = find(known, entry.key);
    size_t number = known->count;

    if (old) {
        *old = entry;
        return;
    }
    if (!known->bits)
        reindex(known, FIRST_BITS);
    else if ((number + 1) * 4 > (last_slot(known) + 1) * 3)
        reindex(known, known->bits + 1);
    if (block_of(number) == known->block_count)
        add_block(known);
    *entry_at(known, number) = entry;
    index_entry(known, entry.key, number);
    known->count++;
}

size_t known_count(const struct known *known)
{
    return known->count;
}

void known_each(const struct known *known, void (*fn)(void *ctx, const struct known_entry *entry), void *ctx)
{
    size_t number;

    for (number = 0; number < known->count; number++)
        fn(ctx, entry_at(known, number));
}

void known_prune(struct known *known, bool (*keep)(void *ctx, const struct known_entry *entry), void *ctx)
{
    size_t number, left = 0;
    unsigned bits = known->bits;

    for (number = 0; number < known->count; number++) {
        const struct known_entry *entry = entry_at(known, number);

        if (keep(ctx, entry))
            *entry_at(known, left++) = *entry;
    }
    if (left == known->count)
        return;
    known->count = left;
    free_blocks_behind(known, left);
    while (bits > FIRST_BITS && left * 4 < (size_t)1 << bits)
        bits--;
    reindex(known, bits);
}
