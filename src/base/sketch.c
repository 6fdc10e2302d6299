#include "base/sketch.h"

#define CELL_BITS 9
#define ALPHA     0.7197831 /* 0.7213 / (1 + 1.079 / SKETCH_CELLS) */
#define MOST      1e18      /* one value for each hash: no estimate is larger */
#define FEW       42        /* empty cells, as of 2.5 values for each cell: more than those tell more than the runs */

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

static int count_empty(const struct sketch *sketch)
{
    int empty = 0, i;

    for (i = 0; i < SKETCH_CELLS; i++)
        empty += !sketch->most[i];
    return empty;
}

uint64_t sketch_count(const struct sketch *sketch)
{
    int empty = count_empty(sketch), i;
    double sum = 0, count;

    if (empty >= FEW)
        return (uint64_t)(count_by_empty(empty) + 0.5);
    for (i = 0; i < SKETCH_CELLS; i++)
        sum += 1 / (double)(UINT64_C(1) << sketch->most[i]);
    count = ALPHA * SKETCH_CELLS * SKETCH_CELLS / sum;
    return (uint64_t)((count < MOST ? count : MOST) + 0.5);
}
