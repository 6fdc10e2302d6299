/* collect/retirement.h - the log line about services that Microsoft ends: one for all inputs of such an API, since it
 * concerns them all and hundreds of lines would hide it. */
#pragma once

#include "collect/feed.h"

#define RETIREMENT_NAMES 20 /* inputs that the line names; the others are counted */

/* Writes a line for each API that ends and that some of the inputs read. */
void retirement_log(const struct feed *const *feeds, size_t count);
