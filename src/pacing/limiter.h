/* collect/limiter.h - how many requests are under way at once.
 *
 * Who wants to send asks with a ticket and is let through in turn, tokens and pages apart from each other: they go to
 * different hosts, so neither keeps the other waiting. A request that has been under way for a few seconds
 * no longer counts: hundreds of tenants behind a dead host must not keep the others out. */
#pragma once

#include "net/loop.h"

struct limiter;

struct slot {
    void (*go)(void *ctx);      /* called once per limiter_acquire(), perhaps at once */
    void  *ctx;
    bool   page;                /* a page, else a token */
    bool   patient;             /* nobody waits for its answer: not held up for the sake of others' */
    /* the gate's: */
    enum { SLOT_FREE, SLOT_QUEUED, SLOT_HELD, SLOT_SLOW } state;
    struct limiter   *limiter;
    struct slot *next, *prev;
    struct timer   slow;
};

/* Of each kind, at most so many under way, and at_once let through in one millisecond of the loop's clock, the patient
 * ones not counted: each further round would look at all that are under way. */
struct limiter *limiter_new(struct loop *loop, unsigned most, unsigned at_once);
void limiter_free(struct limiter *limiter);

void limiter_acquire(struct limiter *limiter, struct slot *slot);    /* nothing if it is queued or in already */
void limiter_release(struct slot *slot);                     /* fine in any state, also when never asked */
bool slot_is_free(const struct slot *slot);
/* Nobody is let through any more: at the end of the process, before the owners of tickets go, one by one. */
void limiter_close(struct limiter *limiter);
