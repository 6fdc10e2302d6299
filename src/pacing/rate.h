/* pacing/rate.h - keeps the requests of one app in one tenant below the service's published limits.
 *
 * Two token buckets, for the minute and for the hour. A bucket of size B with refill rate R lets at most B + 60 R (or
 * 3600 R) requests through in any minute (or hour); sizes and rates are chosen so that this is 90 % of the limit.
 * Inputs with the same tenant, app and API family use one rate (rate_pool.h), because the service counts them together.
 *
 * There are two queues, for polls and for backfills. Who has waited longest goes first, and while both kinds wait,
 * every third request is a backfill's. A waiter may go as soon as there is a request for it and for all before it.
 *
 * An audit comes last: it has a third of the limits at most, takes nothing while anybody waits, and leaves half of each
 * bucket. */
#pragma once

#include "base/compiler.h"

struct rate_limits {
    double minute_size, minute_rate; /* requests; requests per millisecond */
    double hour_size, hour_rate;     /* 0: no hourly limit */
};

/* Somebody who asks for requests. Part of its owner; set `backfill` once. */
struct rate_waiter {
    bool backfill;
    /* private to the rate: */
    bool waits; /* is in a queue */
    struct rate_waiter *next;
};

/* Private to rate.c, except for its size. */
struct rate {
    struct rate_limits limits;
    double minute, hour;             /* requests left in each bucket */
    double spare_minute, spare_hour; /* requests that audits may make of them */
    double free_minute, free_hour;   /* what the buckets would have if this process had taken nothing */
    struct rate *same;               /* was joined to this one, which is used instead; NULL: to none */
    int64_t at_ms;                   /* of the last refill */
    int64_t hold_until_ms;           /* the service asked to wait */
    int throttles;                   /* in a row; those that came during a wait count as one */
    int64_t scarce_until_ms;         /* others may use the same limit: the service asked to wait a while ago */
    int64_t polled_ms;               /* a poll asked last */
    int polls;                       /* requests of polls since the last one of a backfill, at most two */
    struct rate_waiter *waiting[2];  /* [0] polls, [1] backfills; who has waited longest comes first */
};

/* Returns limits of 90 % of the given requests per minute and hour (0: no hourly limit). */
struct rate_limits rate_limits_for(int per_minute, int per_hour);
/* Initializes a rate. The buckets are 40 % full: the process before this one may have used the rest. See
 * rate_was_used() for what is known of it. */
void rate_start(struct rate *rate, struct rate_limits limits, int64_t now_ms);

/* Empties the bucket of the minute: another process used the rate within the last minute. */
void rate_was_used(struct rate *rate);
/* Fills the bucket of the minute: no process did. */
void rate_was_not_used(struct rate *rate);

/* The hour's limit holds across restarts: a process that ends says how many requests the hour's bucket has, and the
 * next one continues from there. */

/* Both rates turned out to be of one app in one tenant: from now on `other` is used for both, less what was taken of each,
 * and who waits for this one waits there. This one may still be named in all calls. */
void rate_join(struct rate *rate, struct rate *other, int64_t now_ms);
/* Returns until when the service asked to wait; past or 0: it does not. */
int64_t rate_hold_until(struct rate *rate);

/* Returns the requests that are left of the hour; -1: there is no hourly limit. */
double rate_hour_left(struct rate *rate, int64_t now_ms);
/* An earlier process left this many, ago_ms ago. Never raises what is there. */
void rate_resume(struct rate *rate, double hour_left, int64_t ago_ms);
/* An earlier process ended without saying what it left: ten requests are there at most. */
void rate_resume_unknown(struct rate *rate);

/* Takes one request and returns 0. Otherwise the waiter has a place in its queue, and the result is the milliseconds to
 * wait before asking again. A backfill leaves two requests for polls, so that new alerts need not wait. Without polls a
 * backfill waits until it can make five requests in a row. */
int64_t rate_take(struct rate *rate, struct rate_waiter *waiter, int64_t now_ms);
/* Takes one request for an audit and returns 0, or returns the milliseconds to wait before asking again. There is no
 * queue for it. */
int64_t rate_take_spare(struct rate *rate, int64_t now_ms);
/* Takes one request for one that was lost on its way and goes out once more, without a place in the queue. Returns false
 * if none is left now, or if the service asked to wait. */
bool rate_take_again(struct rate *rate, int64_t now_ms);
/* Gives up the place in the queue, if there is one. A waiter must do so before it is freed. */
void rate_leave(struct rate *rate, struct rate_waiter *waiter);

/* Returns true if requests that could wait may be sent as well: nobody waits, the service has not asked anybody to wait
 * in the last half hour, and the buckets are full enough for what may come. Takes nothing. */
bool rate_has_spare(struct rate *rate, int64_t now_ms);

/* The service asked to wait for asked_ms. Allows no request before that, or before our own backoff, which grows with
 * each time in a row. random: uniform in 0..UINT32_MAX. Returns the wait, the larger of the two. */
int64_t rate_throttled(struct rate *rate, int64_t asked_ms, uint32_t random, int64_t now_ms);
/* A request succeeded: what comes next is no longer in a row. Ignored during a wait: that request was sent before. */
void rate_succeeded(struct rate *rate, int64_t now_ms);
