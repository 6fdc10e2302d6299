/* collect/gate.h - how many requests are under way at once.
 *
 * Who wants to send asks with a ticket and is let through in turn, tokens and pages apart from each other: they go to
 * different hosts, so neither keeps the other waiting. A request that has been under way for a few seconds
 * no longer counts: hundreds of tenants behind a dead host must not keep the others out. */
#pragma once

#include "net/loop.h"

struct gate;

struct ticket {
    void (*go)(void *ctx);      /* called once per gate_ask(), perhaps at once */
    void  *ctx;
    bool   page;                /* a page, else a token */
    bool   patient;             /* nobody waits for its answer: not held up for the sake of others' */
    /* the gate's: */
    enum { TICKET_OUT, TICKET_QUEUED, TICKET_IN, TICKET_SLOW } state;
    struct gate   *gate;
    struct ticket *next, *prev;
    struct timer   slow;
};

/* Of each kind, at most so many under way, and at_once let through in one millisecond of the loop's clock, the patient
 * ones not counted: each further round would look at all that are under way. */
struct gate *gate_new(struct loop *loop, unsigned most, unsigned at_once);
void gate_free(struct gate *gate);

void gate_ask(struct gate *gate, struct ticket *ticket);    /* nothing if it is queued or in already */
void gate_leave(struct ticket *ticket);                     /* fine in any state, also when never asked */
bool ticket_is_out(const struct ticket *ticket);
/* Nobody is let through any more: at the end of the process, before the owners of tickets go, one by one. */
void gate_close(struct gate *gate);
