/* pacing/limiter.h - a limit on the requests in flight.
 *
 * A request asks for a slot and starts when it holds one. Token requests and page requests have a limit and a queue
 * of their own, because they go to different hosts: neither kind waits for the other. A request that has held its
 * slot for 3 seconds is slow and no longer counts: hundreds of tenants with a host that does not answer must not
 * block the others. At most 500 slow requests are in flight, since each still has a connection and memory.
 *
 * While splunkd does not read, no page is requested, since nobody would take the response. Nor does a page request
 * count as slow then: others in its place would need memory for their responses, too. */
#pragma once

#include "net/loop.h"

struct limiter;

/* Part of its owner. Initialize with zeros and set the first three members once. */
struct slot {
    void (*go)(void *ctx); /* starts the request: once per limiter_acquire(), maybe before that returns */
    void *ctx;
    bool page; /* true: a page request; false: a token request */
    /* private to the limiter: */
    enum { SLOT_FREE, SLOT_QUEUED, SLOT_HELD, SLOT_SLOW } state;
    struct limiter *limiter;
    struct slot *next, *prev;
    struct timer slow_timer;
};

/* Creates a limiter for max_held slots of each kind. `burst` of them start in one millisecond of the loop's clock, the
 * others later, so that answers are handled in between. Never returns NULL. The loop must outlive it. */
struct limiter *limiter_new(struct loop *loop, unsigned max_held, unsigned burst);
void limiter_free(struct limiter *limiter); /* NULL is allowed. All slots must be free. */

void limiter_acquire(struct limiter *limiter, struct slot *slot); /* does nothing unless the slot is free */
void limiter_release(struct slot *slot); /* allowed in any state; a queued slot leaves the queue */
bool slot_is_free(const struct slot *slot);

/* The output is full: grants no slot for pages until limiter_resume(), and considers no page request slow until a
 * few seconds later. Both are allowed in any state. */
void limiter_hold(struct limiter *limiter);
void limiter_resume(struct limiter *limiter);

/* Grants no slot from now on: for the end of the process, while the owners of slots are freed one by one. */
void limiter_close(struct limiter *limiter);
