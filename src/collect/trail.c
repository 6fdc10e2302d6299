#include "collect/trail.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SAME_MS 1000

void trail_release(struct trail *trail)
{
    free(trail->marks);
    *trail = (struct trail){ .count = 0 };
}

void trail_add(struct trail *trail, const struct cursor *cursor, uint64_t pos, int64_t now_ms)
{
    struct trail_mark *last = trail->count ? &trail->marks[trail->count - 1] : NULL;

    if (last && cursor_same(&last->cursor, cursor))
        return;
    /* The first mark is left alone: it is what may be saved meanwhile, and must not move away under a busy input. */
    if (!last || (last->pos != pos && (trail->count == 1 || now_ms - last->at_ms >= SAME_MS))) {
        if (trail->count == trail->cap) {
            trail->cap = trail->cap * 2 + 4;
            trail->marks = mem_grow(trail->marks, trail->cap, sizeof(*trail->marks));
        }
        last = &trail->marks[trail->count++];
        last->at_ms = now_ms;
    }
    last->pos = pos;
    last->cursor = *cursor;
}

const struct trail_mark *trail_behind(struct trail *trail, uint64_t pos)
{
    size_t behind = 0;

    while (behind < trail->count && trail->marks[behind].pos <= pos)
        behind++;
    if (!behind)
        return NULL;
    if (behind > 1) {
        memmove(trail->marks, trail->marks + behind - 1, (trail->count - behind + 1) * sizeof(*trail->marks));
        trail->count -= behind - 1;
    }
    return &trail->marks[0];
}
