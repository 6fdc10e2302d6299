#include "base/sketch.h"

#include <string.h>

#define CELL_BITS 9
#define ALPHA     0.7197831 /* 0.7213 / (1 + 1.079 / SKETCH_CELLS) */
#define MOST      1e18      /* one value for each hash: no estimate is larger */
#define SMALL     2.5       /* up to that many values for each cell, empty cells tell more */

void sketch_add(struct sketch *sketch, uint64_t hash)
{
    uint64_t bits = hash >> CELL_BITS | UINT64_C(1) << (64 - CELL_BITS);
    uint8_t *most = &sketch->most[hash % SKETCH_CELLS];
    uint8_t run = (uint8_t)(__builtin_ctzll(bits) + 1);

    if (run > *most)
        *most = run;
}

/* Returns the number of values after which that many cells are expected to be empty still: the harmonic sum of the coupon
 * collector. */
static double count_by_empty(int empty)
{
    double sum = 0;
    int i;

    for (i = empty + 1; i <= SKETCH_CELLS; i++)
        sum += (double)SKETCH_CELLS / i;
    return sum;
}

/* Counts the cells by what they hold. Most are empty in most sketches: eight at a time are. */
static void count_cells(const struct sketch *sketch, int ret[UINT8_MAX + 1])
{
    const uint8_t *at = sketch->most, *end = at + SKETCH_CELLS;
    uint64_t eight;
    int i;

    for (; at < end; at += sizeof(eight)) {
        memcpy(&eight, at, sizeof(eight));
        if (!eight)
            ret[0] += (int)sizeof(eight);
        for (i = 0; eight && i < (int)sizeof(eight); i++)
            ret[at[i]]++;
    }
}

uint64_t sketch_count(const struct sketch *sketch)
{
    int cells[UINT8_MAX + 1] = { 0 }, empty, run;
    double sum = 0, count;

    count_cells(sketch, cells);
    empty = cells[0];
    for (run = 0; run < 64; run++)
        if (cells[run])
            sum += cells[run] / (double)(UINT64_C(1) << run);
    count = ALPHA * SKETCH_CELLS * SKETCH_CELLS / sum;
    if (count <= SMALL * SKETCH_CELLS && empty)
        count = count_by_empty(empty);
    return (uint64_t)((count < MOST ? count : MOST) + 0.5);
}
