/* base/ticks.h - Microsoft's timestamps as integers of 100 nanoseconds since 1970-01-01 UTC.
 *
 * The services write 0 to 7 fraction digits and drop trailing zeros: as text, ".9Z" would sort after ".9333333Z".
 * Therefore times are compared as ticks, and text is only for reading and for requests. */
#pragma once

#include "base/compiler.h"

typedef int64_t ticks;

#define TICKS_PER_SECOND INT64_C(10000000)
#define TICKS_PER_MS     INT64_C(10000)
#define TICKS_OPEN       INT64_MAX /* an end that is not set: "up to now" */
#define TICKS_TEXT_MAX   64        /* size of the buffers below, including the zero */

/* Reads ISO 8601: "2026-11-01" or "2026-11-01T08:35:12", with 0 to 9 fraction digits (after the seventh they are
 * dropped), then nothing or "Z" (UTC) or "+02:00" or "-0530". A blank in place of "T" and lower case are accepted.
 * Years 1 to 9999, real calendar days; second 60 counts as 59. Returns false if anything else is in the text. */
bool ticks_parse(const char *text, size_t len, ticks *ret);

/* A date in UTC. ticks_of_date() returns false for one that is not in the calendar; second 60 counts as 59. */
struct date {
    int year, month, day, hour, minute, second;
};
bool ticks_of_date(const struct date *date, ticks *ret);

/* Writes "2026-11-01T08:35:12.1333333Z", always seven digits. Times before year 1 or after 9999 become the first or the
 * last moment of that range. */
void ticks_text(ticks time, char ret[TICKS_TEXT_MAX]);
/* The same with 0 to 7 digits, rounded down. */
void ticks_text_digits(ticks time, int digits, char ret[TICKS_TEXT_MAX]);
/* Writes epoch seconds for Splunk's <time>, "1793522112.1333333". Returns the length. */
size_t ticks_epoch_text(ticks time, char ret[TICKS_TEXT_MAX]);

ticks ticks_from_ms(int64_t unix_ms); /* limited to the range of ticks */
int64_t ticks_to_ms(ticks time);      /* rounded down */

/* Return time - seconds and time + seconds, limited to the range of ticks. TICKS_OPEN stays TICKS_OPEN. */
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
