/* state/window.h - a window of update times. */
#pragma once

#include "base/ticks.h"

struct window {
    ticks lo, hi; /* lo <= time < hi; hi is TICKS_OPEN for "up to now" */
};

static inline bool window_same(const struct window *a, const struct window *b)
{
    return a->lo == b->lo && a->hi == b->hi;
}
