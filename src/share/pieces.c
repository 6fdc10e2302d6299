#include "share/pieces.h"

#include <stdlib.h>

#include "base/mem.h"

#define PIECE_FULL ((size_t)PIECE_MOST * 9 / 10)

/* The pieces to come, and what they come from. */
struct division {
    const struct pieces *old;
    struct pieces made;
    void (*changed)(void *ctx, int n, const struct version *list, size_t count);
    void *ctx;
};

void pieces_free(struct pieces *pieces)
{
    free(pieces->list);
    *pieces = (struct pieces){ .count = 0 };
}

static bool has_number(const struct pieces *pieces, int n)
{
    size_t i;

    for (i = 0; i < pieces->count; i++)
        if (pieces->list[i].n == n)
            return true;
    return false;
}

/* Returns a number that neither an old piece has nor a new one. */
static int free_number(const struct division *division)
{
    int n = 0;

    while (has_number(division->old, n) || has_number(&division->made, n))
        n++;
    return n;
}

static struct hash128 sum_of(const struct version *list, size_t count)
{
    struct hash128 sum = { 0, 0 };
    size_t i;

    for (i = 0; i < count; i++) {
        sum.high += list[i].key.high ^ (uint64_t)list[i].time;
        sum.low += list[i].key.low;
    }
    return sum;
}

/* Adds a piece. was: the one that it continues; NULL: it is new. */
static void add_piece(struct division *division, const struct piece *was, const struct version *list, size_t count)
{
    struct pieces *made = &division->made;
    struct piece piece = { .n = was ? was->n : free_number(division),
                           .from = was ? was->from : *list,
                           .count = count,
                           .sum = sum_of(list, count) };

    if (!was || piece.count != was->count || piece.sum.high != was->sum.high || piece.sum.low != was->sum.low)
        division->changed(division->ctx, piece.n, list, count);
    made->list[made->count++] = piece;
}

/* Returns how many versions each piece of a range gets that has become too large. The last one grows at its end: its
 * pieces are filled, with a little room for versions that come late. Others get halves. */
static size_t share_of_piece(const struct piece *was, size_t count, bool is_last)
{
    size_t parts = (count + PIECE_MOST - 1) / PIECE_MOST;

    if (parts <= 1 || !was)
        return PIECE_MOST;
    return is_last ? PIECE_FULL : (count + parts - 1) / parts;
}

static void add_range(struct division *division, const struct piece *was, const struct version *list, size_t count,
                      bool is_last)
{
    size_t most = share_of_piece(was, count, is_last), len;

    for (; count; list += len, count -= len, was = NULL) {
        len = count < most ? count : most;
        add_piece(division, was, list, len);
    }
}

/* Returns how many of the versions are below the bound. */
static size_t count_below(const struct version *list, size_t count, const struct version *bound)
{
    size_t low = 0, high = count, middle;

    while (low < high) {
        middle = low + (high - low) / 2;
        if (version_compare(&list[middle], bound) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void divide(struct division *division, const struct versions *versions)
{
    const struct pieces *old = division->old;
    const struct version *list = versions->list;
    size_t left = versions->count, i, len;

    if (!old->count)
        add_range(division, NULL, list, left, true);
    for (i = 0; i < old->count; i++, list += len, left -= len) {
        len = i + 1 < old->count ? count_below(list, left, &old->list[i + 1].from) : left;
        add_range(division, &old->list[i], list, len, i + 1 == old->count);
    }
}

static void ignore(void *ctx UNUSED, int n UNUSED, const struct version *list UNUSED, size_t count UNUSED)
{
}

bool pieces_update(struct pieces *pieces, const struct versions *versions,
                   void (*changed)(void *ctx, int n, const struct version *list, size_t count), void *ctx)
{
    size_t full = versions->count / PIECE_MOST + 1;
    /* Each range of old ones is divided into at most one more than it needs. */
    struct piece *list = mem_grow(NULL, full * 2 + pieces->count + 2, sizeof(*list));
    struct division division = { .old = pieces, .made = { .list = list }, .changed = ignore, .ctx = ctx };

    if (full > PIECES_MOST) {
        free(list);
        return false;
    }
    divide(&division, versions);
    if (division.made.count > full * 2 + 2 || division.made.count > PIECES_MOST) /* many are nearly empty */
        pieces_free(pieces);
    division.made.count = 0;
    division.changed = changed;
    divide(&division, versions);
    pieces_free(pieces);
    *pieces = division.made;
    return true;
}
