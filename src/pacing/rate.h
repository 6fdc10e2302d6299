/* pacing/rate.h - keeps the requests of one app in one tenant below the service's published limits.
 *
 * Two token buckets, for the minute and for the hour. A bucket of size B with refill rate R lets at most B + 60 R (or
 * 3600 R) requests through in any minute (or hour); sizes and rates are chosen so that this is 90 % of the limit.
 * Inputs with the same tenant, app and API family use one rate (rate_pool.h), because the service counts them together.
 * */
#pragma once

#include "base/compiler.h"

struct rate_limits {
    double minute_size, minute_rate;    /* requests; requests per millisecond */
    double hour_size, hour_rate;        /* 0: no hourly limit */
};

/* Private to rate.c, except for its size. */
struct rate {
    struct rate_limits limits;
    double  minute, hour;               /* requests left in each bucket */
    int64_t at_ms;                      /* of the last refill */
    int64_t hold_until_ms;              /* the service asked to wait */
    int64_t backfill_waits_ms;          /* until then a backfill counts as waiting for its turn */
    int64_t polled_ms;                  /* a poll asked last */
    int     polls;                      /* requests of polls since the last one of a backfill */
};

/* Returns limits of 90 % of the given requests per minute and hour (0: no hourly limit). */
struct rate_limits rate_limits_for(int per_minute, int per_hour);
/* Initializes a rate. The buckets are 40 % full: the process before this one may have used the rest. */
void rate_start(struct rate *rate, struct rate_limits limits, int64_t now_ms);

/* Empties the bucket of the minute: another process used the rate within the last minute. */
void rate_was_used(struct rate *rate);

/* Takes one request and returns 0, or takes nothing and returns the milliseconds to wait before asking again. A
 * backfill leaves two requests for polls, so that new alerts need not wait. Under contention a backfill gets one
 * request in three. Without polls a backfill waits until it can make five requests in a row. */
int64_t rate_take(struct rate *rate, bool backfill, int64_t now_ms);

/* Allows no request before until_ms. */
void rate_hold(struct rate *rate, int64_t until_ms);
