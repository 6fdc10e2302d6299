/* base/backoff.h - the pause after failures in a row. Pure arithmetic: no clock, no state. */
#pragma once

#include "base/compiler.h"

enum {
    BACKOFF_MAX_MS = 5 * 60 * 1000,          /* between retries of a transient failure */
    BACKOFF_ASKED_MAX_MS = 24 * 3600 * 1000, /* longest delay that a server may ask for */
    BACKOFF_REFUSED_MS = 15 * 60 * 1000,     /* after the first refusal that a person has to resolve */
    BACKOFF_REFUSED_MAX_MS = 4 * 3600 * 1000,
    BACKOFF_QUICK_TRIES = 3,               /* repetitions before a refusal counts as one */
    BACKOFF_FULL_QUERY_MS = 10 * 60 * 1000 /* with a simpler query before the full one is tried again */
};

/* Returns the pause before the next try after `failures` in a row (1 after the first): 1 s, doubled each time up to
 * BACKOFF_MAX_MS. The upper half of it is random, so that tenants which failed together do not retry together. random
 * is uniform in 0..UINT32_MAX. asked_ms > 0 is the delay that the server asked for: kept, up to BACKOFF_ASKED_MAX_MS,
 * plus up to a tenth at random. Our own pause counts if it is longer: a server that asks for one second each time must
 * not be asked every second forever. */
int64_t backoff_wait_ms(int failures, int64_t asked_ms, uint32_t random);

/* Returns the pause after `refusals` in a row: 15 minutes, doubled each time up to 4 hours. */
int64_t backoff_refused_ms(int refusals);

/* Returns the pause before repetition number `tries` of a request that was refused, since a refusal may pass in
 * seconds: 2 s, 10 s, 60 s. Returns 0 after BACKOFF_QUICK_TRIES of them: it is a refusal. */
int64_t backoff_quick_ms(int tries);

/* Returns the pause before the full query is tried again, for the n-th time: 10 minutes, doubled up to 4 hours. */
int64_t backoff_full_query_ms(int times);
