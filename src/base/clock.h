/* base/clock.h - the two clocks.
 *
 * Waiting is measured on the monotonic clock; the wall clock only helps where a date must be named. Functions that
 * decide something take the time as an argument, so that a test can stand at any moment. */
#pragma once

#include "base/compiler.h"

int64_t clock_ms(void);         /* monotonic milliseconds; goes on while the machine sleeps */
int64_t clock_wall_ms(void);    /* milliseconds since 1970 UTC; may jump */

#define CLOCK_SECOND_MS 1000
#define CLOCK_IDLE_MS   10000   /* between the looks at what must be looked at again and again, while all is at rest */

/* The first multiple of every_ms behind now_ms: what happens regularly happens at the same moment, in one wake-up.
 * now_ms may be below zero: a moment's distance, on a machine that was just started. */
static inline int64_t clock_next(int64_t now_ms, int64_t every_ms)
{
    int64_t over_ms = now_ms % every_ms;

    return now_ms - over_ms + (over_ms < 0 ? 0 : every_ms);
}

/* The same where each of many has one of `turns` moments of every_ms for its own, told by its number. */
static inline int64_t clock_next_turn(int64_t now_ms, int64_t every_ms, size_t number, size_t turns)
{
    int64_t own_ms = (int64_t)(number % turns) * (every_ms / (int64_t)turns);

    return clock_next(now_ms - own_ms, every_ms) + own_ms;
}
