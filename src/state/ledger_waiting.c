#include "state/ledger_waiting.h"

#include <stdlib.h>

#include "base/mem.h"
#include "state/ledger_file.h"

#define FIRST_BLOCK 15  /* entries: 256 bytes */
#define BLOCK       254 /* ... 4 KiB */

void waiting_clear(struct waiting_list *list)
{
    struct waiting_block *block, *next;

    for (block = list->first; block; block = next) {
        next = block->next;
        free(block);
    }
    list->first = list->last = NULL;
}

static struct waiting_block *add_block(struct waiting_list *list)
{
    uint32_t cap = list->last ? BLOCK : FIRST_BLOCK;
    struct waiting_block *block = mem_alloc(sizeof(*block) + cap * sizeof(block->entries[0]));

    block->cap = cap;
    *(list->last ? &list->last->next : &list->first) = block;
    list->last = block;
    return block;
}

void waiting_add(struct waiting_list *list, uint64_t key, uint32_t day, uint64_t pos)
{
    struct waiting_block *block = list->last;

    if (!block || block->end == block->cap)
        block = add_block(list);
    block->entries[block->end++] = (struct waiting){ .key = key, .pos = pos, .day = day };
}

/* A place in the list. */
struct place {
    const struct waiting_block *block;
    uint32_t at;
};

static struct place first_of(const struct waiting_list *list)
{
    return (struct place){ list->first, list->first ? list->first->first : 0 };
}

/* Returns the next version up to pos; NULL: there is none. */
static const struct waiting *next_of(struct place *place, uint64_t pos)
{
    const struct waiting *entry;

    while (place->block && place->at == place->block->end) {
        place->block = place->block->next;
        place->at = place->block ? place->block->first : 0;
    }
    entry = place->block ? &place->block->entries[place->at++] : NULL;
    return entry && entry->pos <= pos ? entry : NULL;
}

uint32_t waiting_day_after(const struct waiting_list *list, uint64_t pos, uint32_t day)
{
    struct place place = first_of(list);
    const struct waiting *entry;
    uint32_t found = LEDGER_NO_DAY;

    while ((entry = next_of(&place, pos)))
        if (entry->day > day && (found == LEDGER_NO_DAY || entry->day < found))
            found = entry->day;
    return found;
}

void waiting_walk(const struct waiting_list *list, uint64_t pos, uint32_t day, void (*fn)(void *ctx, uint64_t key),
                  void *ctx)
{
    struct place place = first_of(list);
    const struct waiting *entry;

    while ((entry = next_of(&place, pos)))
        if (entry->day == day)
            fn(ctx, entry->key);
}

void waiting_drop(struct waiting_list *list, uint64_t pos)
{
    struct waiting_block *block;

    while ((block = list->first)) {
        while (block->first < block->end && block->entries[block->first].pos <= pos)
            block->first++;
        if (block->first < block->end)
            return;
        list->first = block->next;
        if (list->last == block)
            list->last = NULL;
        free(block);
    }
}

bool waiting_has_until(const struct waiting_list *list, uint32_t day)
{
    struct place place = first_of(list);
    const struct waiting *entry;

    while ((entry = next_of(&place, UINT64_MAX)))
        if (entry->day <= day)
            return true;
    return false;
}
