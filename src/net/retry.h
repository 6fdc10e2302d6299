/* net/retry.h - how long to wait after a failure. Pure arithmetic: no clock, no state. */
#pragma once

#include "base/compiler.h"

enum {
    RETRY_MOST_MS = 5 * 60 * 1000,          /* longest pause between tries of what passes by itself */
    RETRY_ASKED_MOST_MS = 24 * 3600 * 1000, /* longest wait that a server may ask for */
    REFUSED_FIRST_MS = 15 * 60 * 1000,      /* after a refusal that a person must mend */
    REFUSED_MOST_MS = 4 * 3600 * 1000
};

/* Pause before the next try after `failures` in a row (1 for the first): 1 s doubling to RETRY_MOST_MS, of which
 * the upper half is at random, so that tenants that failed together do not come back together. random is uniform in
 * 0..UINT32_MAX. asked_ms > 0 is what the server wants: obeyed, plus up to a tenth at random. */
int64_t retry_wait_ms(int failures, int64_t asked_ms, uint32_t random);

/* Pause after a refusal: 15 minutes doubling to 4 hours. */
int64_t refused_wait_ms(int refusals);

/* Retry-After (RFC 9110 section 10.2.3): seconds, whole or with a fraction (Graph sends "2.128"), or an HTTP-date
 * measured from now_unix_ms, the answer's own Date where it has one; a date that has passed is 0. More than
 * RETRY_ASKED_MOST_MS is held at that; negative, unreadable or absurd (over 30 days, which no service means): -1. */
int64_t retry_after_ms(const char *value, int64_t now_unix_ms);

/* "You can send requests again in 52 seconds.": the first "in N second(s)" or "after N seconds" of a body, or a
 * JSON member "retryAfter"/"retry_after" of N. Held and refused as above. -1: none. */
int64_t retry_after_in_body_ms(const char *body, size_t len);

/* An HTTP-date (RFC 9110 section 5.6.7, the three forms) as unix milliseconds; false if it is none. A year of two
 * digits (RFC 850) is 1970 to 2069. */
bool http_date_ms(const char *text, int64_t *ret);
