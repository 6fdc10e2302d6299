#include "base/backoff.h"

#define FIRST_MS 1000

/* Returns first_ms, doubled for each time after the first, at most max_ms. */
static int64_t doubled(int64_t first_ms, int64_t max_ms, int times)
{
    int64_t wait_ms = first_ms;

    for (; times > 1 && wait_ms < max_ms; times--)
        wait_ms *= 2;
    return wait_ms < max_ms ? wait_ms : max_ms;
}

/* Returns a random part of range_ms. */
static int64_t part_of(int64_t range_ms, uint32_t random)
{
    return (int64_t)((uint64_t)range_ms * random >> 32);
}

int64_t backoff_wait_ms(int failures, int64_t asked_ms, uint32_t random)
{
    int64_t wait_ms = doubled(FIRST_MS, BACKOFF_MAX_MS, failures);

    wait_ms = wait_ms / 2 + part_of(wait_ms - wait_ms / 2, random);
    if (asked_ms <= 0)
        return wait_ms;
    if (asked_ms > BACKOFF_ASKED_MAX_MS)
        asked_ms = BACKOFF_ASKED_MAX_MS;
    asked_ms += part_of(asked_ms / 10, random);
    return asked_ms > wait_ms ? asked_ms : wait_ms;
}

int64_t backoff_refused_ms(int refusals)
{
    return doubled(BACKOFF_REFUSED_MS, BACKOFF_REFUSED_MAX_MS, refusals);
}

int64_t backoff_quick_ms(int tries)
{
    static const int64_t waits_ms[BACKOFF_QUICK_TRIES] = { 2000, 10000, 60000 };

    return tries < 1 ? waits_ms[0] : tries > BACKOFF_QUICK_TRIES ? 0 : waits_ms[tries - 1];
}

int64_t backoff_full_query_ms(int times)
{
    return doubled(BACKOFF_FULL_QUERY_MS, BACKOFF_REFUSED_MAX_MS, times);
}
