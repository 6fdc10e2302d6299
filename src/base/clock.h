/* base/clock.h - the two clocks.
 *
 * Waiting is measured on the monotonic clock; the wall clock only helps where a date must be named. Functions that
 * decide something take the time as an argument, so that a test can stand at any moment. */
#pragma once

#include "base/compiler.h"

int64_t clock_ms(void);         /* monotonic milliseconds; goes on while the machine sleeps */
int64_t clock_wall_ms(void);    /* milliseconds since 1970 UTC; may jump */

/* The next whole second of clock_ms(): what happens each second happens at the same moment, in one wake-up. */
static inline int64_t clock_next_second(int64_t now_ms)
{
    return now_ms - now_ms % 1000 + 1000;
}
