/* base/clock.h - the two clocks.
 *
 * Waits are measured on the monotonic clock; the wall clock is only for dates. Functions that decide something take the
 * time as an argument, so that a test can choose any moment. */
#pragma once

#include "base/compiler.h"

int64_t clock_ms(void);      /* monotonic milliseconds (CLOCK_BOOTTIME: counts while the machine sleeps) */
int64_t clock_wall_ms(void); /* milliseconds since 1970 UTC; may jump */

/* Writes when a wait that begins now is over, by this host's wall clock and time zone, as splunkd.log has it: "02:25",
 * or "02:25:10" for less than a minute. Returns ret. */
#define CLOCK_TEXT_MAX 16
const char *clock_text_after(int64_t wait_ms, char ret[CLOCK_TEXT_MAX]);

/* Writes when something is tried again: "retrying in 30 s", or from a minute on "again at 02:25 (in 15 min)". Returns
 * ret. */
#define CLOCK_AGAIN_MAX 64
const char *clock_again(int64_t wait_ms, char ret[CLOCK_AGAIN_MAX]);

#define CLOCK_SECOND_MS 1000
#define CLOCK_IDLE_MS   10000 /* between checks that repeat while nothing else happens */

/* Returns the first multiple of every_ms after now_ms: periodic work then happens at the same moment, in one wake-up.
 * now_ms may be negative: an offset was subtracted soon after boot. */
static inline int64_t clock_next(int64_t now_ms, int64_t every_ms)
{
    int64_t over_ms = now_ms % every_ms;

    return now_ms - over_ms + (over_ms < 0 ? 0 : every_ms);
}

/* The same, with the period divided into `turns` moments: returns the next one of member `number`. */
static inline int64_t clock_next_turn(int64_t now_ms, int64_t every_ms, size_t number, size_t turns)
{
    int64_t own_ms = (int64_t)(number % turns) * (every_ms / (int64_t)turns);

    return clock_next(now_ms - own_ms, every_ms) + own_ms;
}
