#include "pacing/rate.h"

#define MINUTE_MS 60000.0
#define HOUR_MS   3600000.0
#define USED      0.9       /* part of a limit that is used */
#define BURST     0.25      /* part of that which may go at once: the size of a bucket */
#define FIRST     0.4       /* part of a bucket that is there at the start: together with the process before this one,
                               which may have used its own within the hour, it must stay below the limit */
#define BACKFILL_RESERVE   2        /* requests that a backfill leaves for polls */
#define POLLS_PER_BACKFILL 2        /* requests of polls before a waiting backfill has its turn */
#define TURN_MS            1000     /* a backfill that does not come within this time loses its turn */
/* Requests that a backfill makes in a row after its bucket was empty: with a pause before each page, the processor's
 * caches would be cold for every page. Only if no poll asked within ALONE_MS: a busy input's polls would take what is
 * saved up. */
#define BACKFILL_TOGETHER  5
#define ALONE_MS           5000

struct rate_limits rate_limits_for(int per_minute, int per_hour)
{
    struct rate_limits limits;

    limits.minute_size = per_minute * USED * BURST;
    limits.minute_rate = (per_minute * USED - limits.minute_size) / MINUTE_MS;
    limits.hour_size = per_hour * USED * BURST;
    limits.hour_rate = (per_hour * USED - limits.hour_size) / HOUR_MS;
    return limits;
}

void rate_start(struct rate *rate, struct rate_limits limits, int64_t now_ms)
{
    *rate = (struct rate){ .limits = limits, .minute = limits.minute_size * FIRST,
                               .hour = limits.hour_size * FIRST, .at_ms = now_ms,
                               .polled_ms = now_ms - ALONE_MS };
}

void rate_was_used(struct rate *rate)
{
    rate->minute = 0;
}

/* Returns the level of a bucket after a refill of ms milliseconds. */
static double filled(double level, double size, double rate, int64_t ms)
{
    level += rate * (double)ms;
    return level > size ? size : level;
}

/* Returns the milliseconds until the bucket has one request. */
static int64_t until_one(double level, double rate)
{
    return level >= 1 ? 0 : (int64_t)((1 - level) / rate) + 1;
}

static void refill(struct rate *rate, int64_t now_ms)
{
    const struct rate_limits *l = &rate->limits;
    int64_t passed = now_ms - rate->at_ms;

    if (passed <= 0)
        return;
    rate->minute = filled(rate->minute, l->minute_size, l->minute_rate, passed);
    rate->hour = filled(rate->hour, l->hour_size, l->hour_rate, passed);
    rate->at_ms = now_ms;
}

/* Returns the milliseconds until both buckets have one request more than the reserve. */
static int64_t until(const struct rate *rate, double reserve)
{
    const struct rate_limits *l = &rate->limits;
    int64_t wait = until_one(rate->minute - reserve, l->minute_rate);
    int64_t hour_wait = l->hour_size > 0 ? until_one(rate->hour - reserve, l->hour_rate) : 0;

    return hour_wait > wait ? hour_wait : wait;
}

int64_t rate_take(struct rate *rate, bool backfill, int64_t now_ms)
{
    bool backfills_turn = now_ms < rate->backfill_waits_ms && rate->polls >= POLLS_PER_BACKFILL;
    int64_t wait;

    if (!backfill)
        rate->polled_ms = now_ms;
    if (now_ms < rate->hold_until_ms)
        return rate->hold_until_ms - now_ms;
    refill(rate, now_ms);
    wait = until(rate, backfill && !backfills_turn ? BACKFILL_RESERVE : 0);
    if (backfill && wait && now_ms - rate->polled_ms >= ALONE_MS)
        wait = until(rate, BACKFILL_RESERVE + BACKFILL_TOGETHER - 1);
    if (backfill && wait)
        rate->backfill_waits_ms = now_ms + wait + TURN_MS;
    if (!backfill && !wait && backfills_turn)
        wait = TURN_MS / 10;
    if (wait)
        return wait;
    rate->minute -= 1;
    rate->hour -= 1;
    rate->polls = backfill ? 0 : rate->polls + 1;
    if (backfill)
        rate->backfill_waits_ms = 0;
    return 0;
}

void rate_hold(struct rate *rate, int64_t until_ms)
{
    if (until_ms > rate->hold_until_ms)
        rate->hold_until_ms = until_ms;
}
