/* base/clock.h - the two clocks.
 *
 * Waiting is measured on the monotonic clock; the wall clock only helps where a date must be named. Functions that
 * decide something take the time as an argument, so that a test can stand at any moment. */
#pragma once

#include "base/compiler.h"

int64_t clock_ms(void);         /* monotonic milliseconds; goes on while the machine sleeps */
int64_t clock_wall_ms(void);    /* milliseconds since 1970 UTC; may jump */

#define CLOCK_SECOND_MS 1000
#define CLOCK_BEAT_MS   10000   /* between the looks at what must be looked at again and again, while all is at rest */

/* The next multiple of every_ms of clock_ms(): what happens regularly happens at the same moment, in one wake-up. */
static inline int64_t clock_next(int64_t now_ms, int64_t every_ms)
{
    return now_ms - now_ms % every_ms + every_ms;
}
