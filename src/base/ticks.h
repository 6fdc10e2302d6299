/* base/ticks.h - Microsoft's timestamps as integers of 100 nanoseconds.
 *
 * The services print 0 to 7 fraction digits and drop trailing zeros, so as text ".9Z" sorts after ".9333333Z".
 * Times are therefore compared as ticks since 1970-01-01 UTC, and text is only for reading and asking. */
#pragma once

#include "base/compiler.h"

typedef int64_t ticks;

#define TICKS_PER_SECOND  INT64_C(10000000)
#define TICKS_PER_MS      INT64_C(10000)
#define TICKS_OPEN        INT64_MAX     /* an end that is not set: "up to now" */
#define TICKS_TEXT_MAX    64            /* bytes that ticks_text() may need, with the zero */

/* Reads ISO 8601: "2026-11-01", "2026-11-01T08:35:12", with 0 to 9 fraction digits (past the seventh they are
 * dropped), then nothing or "Z" (UTC) or "+02:00" / "-0530". A blank in place of "T" is accepted, and lower case.
 * Years 1 to 9999, real calendar days, second 60 counts as 59. The whole text must be used up. */
bool ticks_parse(const char *text, size_t len, ticks *ret);

/* UTC. False for what the calendar does not have; second 60 counts as 59. */
struct date {
    int year, month, day, hour, minute, second;
};
bool ticks_of_date(const struct date *date, ticks *ret);

/* "2026-11-01T08:35:12.1333333Z", always seven digits; times before year 1 or after 9999 are held at those ends. */
void ticks_text(ticks time, char ret[TICKS_TEXT_MAX]);
/* The same with 0 to 7 digits; digits cut off are rounded down. */
void ticks_text_digits(ticks time, int digits, char ret[TICKS_TEXT_MAX]);
/* Epoch seconds as Splunk's <time> wants them: "1793522112.1333333". Returns the length. */
size_t ticks_epoch_text(ticks time, char ret[TICKS_TEXT_MAX]);

ticks ticks_from_ms(int64_t unix_ms);
int64_t ticks_to_ms(ticks time);        /* rounded down */

/* time - seconds and time + seconds without overflow; TICKS_OPEN stays open. */
ticks ticks_back(ticks time, int64_t seconds);
ticks ticks_ahead(ticks time, int64_t seconds);

static inline ticks ticks_max(ticks a, ticks b)
{
    return a > b ? a : b;
}

static inline ticks ticks_min(ticks a, ticks b)
{
    return a < b ? a : b;
}
