/* base/sketch.h - about how many different values were seen, in 512 bytes whatever their number (HyperLogLog: P. Flajolet
 * and others, 2007). Exact to a few for small numbers, within some 5 percent (one standard deviation) for large ones. */
#pragma once

#include "base/compiler.h"

#define SKETCH_CELLS 512

struct sketch {
    uint8_t most[SKETCH_CELLS]; /* longest run of zero bits, plus one, of the values that fell into this cell */
};

/* Adds a value by a hash of it. The same again changes nothing. */
void sketch_add(struct sketch *sketch, uint64_t hash);
uint64_t sketch_count(const struct sketch *sketch);
