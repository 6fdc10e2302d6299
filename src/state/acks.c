#include "state/acks.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SAME_MS 1000

void acks_release(struct acks *acks)
{
    free(acks->pending);
    *acks = (struct acks){ .count = 0 };
}

static void append(struct acks *acks, const struct pending_cursor *pending)
{
    if (acks->count == acks->cap) {
        acks->cap = acks->cap * 2 + 4;
        acks->pending = mem_grow(acks->pending, acks->cap, sizeof(*acks->pending));
    }
    acks->pending[acks->count++] = *pending;
}

void acks_add(struct acks *acks, const struct cursor *cursor, uint64_t pos, int64_t now_ms)
{
    struct pending_cursor *last;

    if (!acks->count) {
        append(acks, &(struct pending_cursor){ pos, now_ms, *cursor });
        return;
    }
    last = &acks->pending[acks->count - 1];
    if (cursor_same(&last->cursor, cursor))
        return;
    /* The first entry stays: it is what may be saved meanwhile, and a busy input must not keep moving it away. */
    if (last->pos != pos && (acks->count == 1 || now_ms - last->at_ms >= SAME_MS)) {
        append(acks, &(struct pending_cursor){ pos, now_ms, *cursor });
        return;
    }
    last->pos = pos;
    last->cursor = *cursor;
}

const struct pending_cursor *acks_confirmed(struct acks *acks, uint64_t pos)
{
    size_t done = 0;

    while (done < acks->count && acks->pending[done].pos <= pos)
        done++;
    if (!done)
        return NULL;
    if (done > 1) {
        memmove(acks->pending, acks->pending + done - 1, (acks->count - done + 1) * sizeof(*acks->pending));
        acks->count -= done - 1;
    }
    return &acks->pending[0];
}
