/* net/loop.h - the one place that waits.
 *
 * One thread, one curl multi handle, timers and a few file descriptors. Everything else starts something or takes a
 * result, and returns at once. Times are monotonic milliseconds (base/clock.h). */
#pragma once

#include "base/compiler.h"

struct loop;

/* Never NULL. One process needs one. Prepares libcurl. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);      /* NULL is fine; requests still under way are dropped without a result */

/* Waits and dispatches until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
bool loop_stopping(const struct loop *loop);

/* After loop_run(): lets transfers under way go on, without firing timers, while busy() says so, until_ms at most. */
void loop_drain(struct loop *loop, int64_t until_ms, bool (*busy)(void *ctx), void *ctx);

/* With patience, what arrives is looked at some milliseconds later, together with what else has arrived by then: a
 * round costs the same for one answer as for many. */
void loop_set_patient(struct loop *loop, bool patient);

/* The time at which the present round began. */
int64_t loop_now(const struct loop *loop);

/* A timer lives inside its owner; the loop only links it. Zero-initialise, set fire and ctx once. */
struct timer {
    void   (*fire)(void *ctx, int64_t now_ms);
    void    *ctx;
    int64_t  due_ms;
    size_t   heap_index;    /* of the loop; 0: not waiting */
};
/* Moves it if it is waiting already. Set to "now" from inside of a timer, it fires in the next round. */
void timer_set(struct loop *loop, struct timer *timer, int64_t due_ms);
void timer_cancel(struct loop *loop, struct timer *timer);                  /* fine if it is not waiting */

/* A descriptor to wait for. Lives inside its owner, like a timer. Where neither event is asked for, POLLERR tells that
 * something is wrong with it: a pipe's reader is gone, say. */
struct watch {
    int     fd;
    short   events;     /* POLLIN, POLLOUT; 0: neither now */
    void  (*ready)(void *ctx, short revents);
    void   *ctx;
    struct watch *next; /* the loop's */
};
void watch_add(struct loop *loop, struct watch *watch);
void watch_remove(struct loop *loop, struct watch *watch);

/* From now on SIGTERM, SIGINT and SIGHUP call loop_stop(), SIGPIPE does nothing, and the end of the parent process
 * stops the loop too (its pid is compared each CLOCK_IDLE_MS, since a death signal is lost when the parent's thread
 * ends). */
void loop_catch_signals(struct loop *loop);

/* How long rounds took: the longest since the last call, for the process's own metrics. */
int64_t loop_take_longest_round_ms(struct loop *loop);
static inline bool timer_is_set(const struct timer *timer)
{
    return timer->heap_index != 0;
}
