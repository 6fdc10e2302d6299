/* net/loop.h - the one place that waits.
 *
 * One thread, one curl multi handle, timers and a few file descriptors. All other code starts something or handles a
 * result, and returns at once. Times are monotonic milliseconds (base/clock.h). */
#pragma once

#include "base/compiler.h"

struct loop;

/* Creates the loop and initializes libcurl. Never returns NULL. A process needs one. */
struct loop *loop_new(void);
/* NULL is allowed. Transfers in flight end without a result; http_free() comes before. */
void loop_free(struct loop *loop);

/* Waits and dispatches until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
bool loop_stopping(const struct loop *loop);

/* After loop_run(): continues the transfers in flight, without firing timers or calling watches, while busy() returns
 * true and until_ms has not come. */
void loop_drain(struct loop *loop, int64_t until_ms, bool (*busy)(void *ctx), void *ctx);

/* Returns the time at which the present round started. */
int64_t loop_now(const struct loop *loop);

/* A timer is part of its owner; the loop only links it. Initialize it with zeros and set fire and ctx once. */
struct timer {
    void (*fire)(void *ctx, int64_t now_ms);
    void *ctx;
    int64_t due_ms;
    size_t heap_index; /* private to the loop */
};
/* Sets the timer, or moves it if it is set. A timer that is set to now from inside a timer fires in the next round. */
void timer_set(struct loop *loop, struct timer *timer, int64_t due_ms);
void timer_cancel(struct loop *loop, struct timer *timer); /* allowed if it is not set */
/* Returns true from timer_set() until it fires or is canceled. */
bool timer_is_set(const struct timer *timer);

/* A file descriptor to wait for. Part of its owner, like a timer. With events = 0, ready() is called with POLLERR on an
 * error or a hang-up, such as the end of a pipe's reader. */
struct watch {
    int fd;
    short events; /* POLLIN, POLLOUT, 0; may change between calls */
    void (*ready)(void *ctx, short revents);
    void *ctx;
    struct watch *next; /* private to the loop */
};
void watch_add(struct loop *loop, struct watch *watch);
void watch_remove(struct loop *loop, struct watch *watch); /* allowed if it was not added */

/* From now on SIGTERM, SIGINT and SIGHUP call loop_stop(), and SIGPIPE is ignored. The end of the parent process stops
 * the loop too: its pid is compared every CLOCK_IDLE_MS, because prctl(PR_SET_PDEATHSIG) fires when the parent's thread
 * ends, not the process. */
void loop_catch_signals(struct loop *loop);
/* Returns true from the arrival of such a signal on, for long work that the loop is waiting for. */
bool loop_signaled(void);

/* late() is called before anything else when the loop wakes up LOOP_LATE_MS later than it wanted: the process was frozen,
 * or the host stood still. One at a time; NULL: nobody is told. */
enum { LOOP_LATE_MS = 2000 };
void loop_tell_late(struct loop *loop, void (*late)(void *ctx, int64_t now_ms), void *ctx);

/* Returns the longest duration of a round since the last call, for the metrics. */
int64_t loop_take_longest_round_ms(struct loop *loop);
