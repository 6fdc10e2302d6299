/* collect/rate.h - requests of one app in one tenant, kept below the service's published limits.
 *
 * Two token buckets, for the minute and for the hour. A bucket of size B refilled at rate R lets at most B + 60 R (or
 * 3600 R) through in any minute (hour); sizes are chosen so that this stays below the limit. Inputs of the same tenant
 * and app share one budget, since the service counts them together; so does a wait that the service asked for. */
#pragma once

#include "base/compiler.h"

struct rate_limits {
    double minute_size, minute_rate;    /* requests; requests a millisecond */
    double hour_size, hour_rate;        /* 0: no hourly limit */
};

struct rate {
    struct rate_limits limits;
    double  minute, hour;               /* what is left */
    int64_t at_ms;
    int64_t hold_until_ms;              /* the service asked to wait */
    int64_t backfill_waits_ms;              /* until then a back-fill counts as waiting for its turn */
    int64_t polled_ms;                  /* when a poll asked last */
    int     polls;                      /* requests of polls since the back-fill's last one */
};

/* Limits of so many requests a minute and an hour (0: none), less a tenth. */
struct rate_limits rate_limits_for(int per_minute, int per_hour);
void rate_start(struct rate *rate, struct rate_limits limits, int64_t now_ms);

/* Another process used the same budget within the last minute: nothing of that minute is left. */
void rate_was_used(struct rate *rate);

/* Takes one request out and returns 0, or takes nothing and returns how many ms to wait before asking again. A
 * back-fill (fill) leaves a few for polls, so that new alerts need not wait; where polls would use all there is, it has
 * every third request. Where it is alone it waits until it can make several requests in a row. */
int64_t rate_take(struct rate *rate, bool backfill, int64_t now_ms);

/* No request before that time. */
void rate_hold(struct rate *rate, int64_t until_ms);
