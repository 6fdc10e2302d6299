#include "pacing/rate.h"

#include "base/backoff.h"

#define MINUTE_MS 60000.0
#define HOUR_MS   3600000.0
#define USED      0.9  /* part of a limit that is used */
#define BURST     0.25 /* part of that which may go at once: the size of a bucket */
#define FIRST                                                                                                          \
    0.4 /* part of a bucket that is there at the start: together with the process before this one,
                               which may have used its own within the hour, it must stay below the limit */
#define UNKNOWN                                                                                                        \
    10                       /* requests of the hour that a process starts with if the one before was killed: few enough
                               that being killed every 75 s stays below the limit */
#define BACKFILL_RESERVE   2 /* requests that a backfill leaves for polls */
#define POLLS_PER_BACKFILL 2 /* requests of polls before a waiting backfill has its turn */
/* Requests that a backfill makes in a row after its bucket was empty: with a pause before each page, the processor's
 * caches would be cold for every page. Only if no poll asked within ALONE_MS: a busy input's polls would take what is
 * saved up. */
#define BACKFILL_TOGETHER  5
#define ALONE_MS           5000
/* Requests are to spare above these parts of the buckets: a backfill takes the minute's below, and a process begins with
 * less of the hour's. */
#define SOONER_MINUTE      0.5
#define SOONER_HOUR        0.25
#define SCARCE_MS          (30 * 60000) /* after the service asked to wait, nothing is to spare */
#define SPARE_PART         3            /* audits use a third of the limits at most, ... */
#define SPARE_LEAVES       0.5          /* ... leave this part of each bucket to others, ... */
#define SPARE_AGAIN_MS     1000         /* ... and look again after this while others wait */

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
    *rate = (struct rate){ .limits = limits,
                           .minute = limits.minute_size * FIRST,
                           .hour = limits.hour_size * FIRST,
                           .free_minute = limits.minute_size * FIRST,
                           .free_hour = limits.hour_size * FIRST,
                           .spare_minute = limits.minute_size / SPARE_PART,
                           .spare_hour = limits.hour_size * FIRST / SPARE_PART,
                           .at_ms = now_ms,
                           .polled_ms = now_ms - ALONE_MS };
}

/* Returns the rate that is used for this one. */
static struct rate *used(struct rate *rate)
{
    while (rate->same)
        rate = rate->same;
    return rate;
}

void rate_was_used(struct rate *rate)
{
    rate = used(rate);
    rate->minute = rate->free_minute = rate->spare_minute = 0;
}

void rate_was_not_used(struct rate *rate)
{
    rate = used(rate);
    rate->minute = rate->free_minute = rate->limits.minute_size;
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
    rate->free_minute = filled(rate->free_minute, l->minute_size, l->minute_rate, passed);
    rate->free_hour = filled(rate->free_hour, l->hour_size, l->hour_rate, passed);
    rate->spare_minute = filled(rate->spare_minute, l->minute_size / SPARE_PART, l->minute_rate / SPARE_PART, passed);
    rate->spare_hour = filled(rate->spare_hour, l->hour_size / SPARE_PART, l->hour_rate / SPARE_PART, passed);
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

double rate_hour_left(struct rate *rate, int64_t now_ms)
{
    rate = used(rate);
    if (rate->limits.hour_size <= 0)
        return -1;
    refill(rate, now_ms);
    return rate->hour;
}

void rate_resume(struct rate *rate, double hour_left, int64_t ago_ms)
{
    const struct rate_limits *l = &rate->limits;
    double left = filled(hour_left, l->hour_size, l->hour_rate, ago_ms > 0 ? ago_ms : 0);

    rate = used(rate);
    if (left < rate->hour)
        rate->hour = left;
}

void rate_resume_unknown(struct rate *rate)
{
    rate_resume(rate, UNKNOWN, 0);
}

/* The queues. */

static int count(const struct rate_waiter *queue)
{
    int n = 0;

    for (; queue; queue = queue->next)
        n++;
    return n;
}

static int place_of(const struct rate *rate, const struct rate_waiter *waiter)
{
    const struct rate_waiter *other;
    int place = 0;

    for (other = rate->waiting[waiter->backfill]; other && other != waiter; other = other->next)
        place++;
    return place;
}

/* Returns how many waiters of the other kind have their turn before the one at this place. */
static int others_ahead(const struct rate *rate, bool backfill, int place)
{
    int turns = backfill ? POLLS_PER_BACKFILL * (place + 1) - rate->polls : (rate->polls + place) / POLLS_PER_BACKFILL;
    int others = count(rate->waiting[!backfill]);

    return turns < 0 ? 0 : turns < others ? turns : others;
}

static void join(struct rate *rate, struct rate_waiter *waiter)
{
    struct rate_waiter **end = &rate->waiting[waiter->backfill];

    while (*end)
        end = &(*end)->next;
    *end = waiter;
    waiter->next = NULL;
    waiter->waits = true;
}

void rate_leave(struct rate *rate, struct rate_waiter *waiter)
{
    struct rate_waiter **at = &used(rate)->waiting[waiter->backfill];

    if (!waiter->waits)
        return;
    while (*at && *at != waiter)
        at = &(*at)->next;
    if (*at)
        *at = waiter->next;
    waiter->waits = false;
}

/* Returns the milliseconds until the waiter's turn. */
static int64_t until_turn(struct rate *rate, const struct rate_waiter *waiter, int64_t now_ms)
{
    int place = place_of(rate, waiter), ahead = place + others_ahead(rate, waiter->backfill, place);
    bool its_turn = waiter->waits && !place && rate->polls >= POLLS_PER_BACKFILL;
    int64_t wait;

    if (now_ms < rate->hold_until_ms)
        return rate->hold_until_ms - now_ms;
    refill(rate, now_ms);
    if (!waiter->backfill)
        return until(rate, ahead);
    wait = until(rate, ahead + (its_turn ? 0 : BACKFILL_RESERVE));
    if (wait && now_ms - rate->polled_ms >= ALONE_MS)
        wait = until(rate, ahead + BACKFILL_RESERVE + BACKFILL_TOGETHER - 1);
    return wait;
}

int64_t rate_take(struct rate *rate, struct rate_waiter *waiter, int64_t now_ms)
{
    int64_t wait;

    rate = used(rate);
    if (!waiter->backfill)
        rate->polled_ms = now_ms;
    wait = until_turn(rate, waiter, now_ms);
    if (wait) {
        if (!waiter->waits)
            join(rate, waiter);
        return wait;
    }
    rate_leave(rate, waiter);
    rate->minute -= 1;
    rate->hour -= 1;
    rate->polls = waiter->backfill ? 0 : rate->polls < POLLS_PER_BACKFILL ? rate->polls + 1 : rate->polls;
    return 0;
}

bool rate_take_again(struct rate *rate, int64_t now_ms)
{
    rate = used(rate);
    if (now_ms < rate->hold_until_ms)
        return false;
    refill(rate, now_ms);
    if (until(rate, 0))
        return false;
    rate->minute -= 1;
    rate->hour -= 1;
    return true;
}

bool rate_has_spare(struct rate *rate, int64_t now_ms)
{
    const struct rate_limits *l = &rate->limits;

    rate = used(rate);
    refill(rate, now_ms);
    return now_ms >= rate->scarce_until_ms && !rate->waiting[0] && !rate->waiting[1] &&
           rate->minute >= l->minute_size * SOONER_MINUTE &&
           (l->hour_size <= 0 || rate->hour >= l->hour_size * SOONER_HOUR);
}

/* Audits. */

static int64_t max_ms(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Returns the milliseconds until both buckets have a request that an audit may take. */
static int64_t until_spare(const struct rate *rate)
{
    const struct rate_limits *l = &rate->limits;
    int64_t wait = max_ms(until_one(rate->minute - l->minute_size * SPARE_LEAVES, l->minute_rate),
                          until_one(rate->spare_minute, l->minute_rate / SPARE_PART));

    if (l->hour_size <= 0)
        return wait;
    wait = max_ms(wait, until_one(rate->hour - l->hour_size * SPARE_LEAVES, l->hour_rate));
    return max_ms(wait, until_one(rate->spare_hour, l->hour_rate / SPARE_PART));
}

int64_t rate_take_spare(struct rate *rate, int64_t now_ms)
{
    int64_t wait;

    rate = used(rate);
    if (now_ms < rate->hold_until_ms)
        return rate->hold_until_ms - now_ms;
    if (rate->waiting[0] || rate->waiting[1])
        return SPARE_AGAIN_MS;
    refill(rate, now_ms);
    wait = until_spare(rate);
    if (wait)
        return wait;
    rate->minute -= 1;
    rate->hour -= 1;
    rate->spare_minute -= 1;
    rate->spare_hour -= 1;
    return 0;
}

/* Throttling. */

int64_t rate_throttled(struct rate *rate, int64_t asked_ms, uint32_t random, int64_t now_ms)
{
    int64_t wait_ms;

    rate = used(rate);
    if (now_ms >= rate->hold_until_ms)
        rate->throttles++;
    wait_ms = backoff_wait_ms(rate->throttles, 0, random);
    if (asked_ms > wait_ms)
        wait_ms = asked_ms;
    if (now_ms + wait_ms > rate->hold_until_ms)
        rate->hold_until_ms = now_ms + wait_ms;
    rate->scarce_until_ms = rate->hold_until_ms + SCARCE_MS;
    return wait_ms;
}

void rate_succeeded(struct rate *rate, int64_t now_ms)
{
    rate = used(rate);
    if (now_ms >= rate->hold_until_ms)
        rate->throttles = 0;
}

/* Joined rates. */

/* Appends the waiters of a queue to another one. */
static void append(struct rate_waiter **queue, struct rate_waiter *others)
{
    while (*queue)
        queue = &(*queue)->next;
    *queue = others;
}

void rate_join(struct rate *rate, struct rate *other, int64_t now_ms)
{
    rate = used(rate);
    other = used(other);
    if (rate == other)
        return;
    refill(rate, now_ms);
    refill(other, now_ms);
    other->minute -= rate->free_minute - rate->minute;
    other->hour -= rate->free_hour - rate->hour;
    other->spare_minute = rate->spare_minute < other->spare_minute ? rate->spare_minute : other->spare_minute;
    other->spare_hour = rate->spare_hour < other->spare_hour ? rate->spare_hour : other->spare_hour;
    other->hold_until_ms = max_ms(rate->hold_until_ms, other->hold_until_ms);
    other->scarce_until_ms = max_ms(rate->scarce_until_ms, other->scarce_until_ms);
    other->polled_ms = max_ms(rate->polled_ms, other->polled_ms);
    other->throttles = rate->throttles > other->throttles ? rate->throttles : other->throttles;
    append(&other->waiting[0], rate->waiting[0]);
    append(&other->waiting[1], rate->waiting[1]);
    rate->waiting[0] = rate->waiting[1] = NULL;
    rate->same = other;
}

int64_t rate_hold_until(struct rate *rate)
{
    return used(rate)->hold_until_ms;
}
