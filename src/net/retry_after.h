/* net/retry_after.h - the delay that a service asks for, in a header or in a body, and HTTP dates. Pure: no clock. */
#pragma once

#include "base/compiler.h"

/* Reads the value of Retry-After (RFC 9110 section 10.2.3): seconds, whole or with a fraction (Graph sends "2.128"), or
 * an HTTP-date. now_unix_ms is the time that a date is compared with: the answer's own Date if it has one. Returns
 * milliseconds, at most BACKOFF_ASKED_MAX_MS; 0 for a date that has passed; -1 for a value that is negative, unreadable
 * or longer than 30 days, which no service means. */
int64_t retry_after_ms(const char *value, int64_t now_unix_ms);

/* Finds the delay in a body such as "You can send requests again in 52 seconds.": the first "in N second(s)" or "after
 * N second(s)", or a JSON member "retryAfter" or "retry_after" with N seconds. Limits as above; -1: none. */
int64_t retry_after_in_body_ms(const char *body, size_t len);

/* Reads an HTTP-date (RFC 9110 section 5.6.7, all three formats) as Unix milliseconds. A year of two digits (RFC 850)
 * is 1970 to 2069. Returns false if the text is none. */
bool http_date_ms(const char *text, int64_t *ret);
