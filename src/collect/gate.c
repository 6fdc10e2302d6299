#include "collect/gate.h"

#include <stdlib.h>

#include "base/mem.h"

#define SLOW_AFTER_MS 3000
#define SLOW_AGAIN_MS 1000
#define SLOW_MOST     500   /* requests that are slow but still hold a connection and memory */

struct gate {
    struct loop   *loop;
    struct queue {
        struct ticket *first, *last;
        unsigned       in;          /* let through and not slow */
        unsigned       portion;     /* let through at portion_ms */
        int64_t        portion_ms;
        bool           letting_in;      /* somebody let in may leave at once, which must not begin anew from there */
    } queues[2];                    /* [0] tokens, [1] pages */
    unsigned       most, at_once, slow;
    struct timer   next_portion;
};

static void let_next_portion_in(void *ctx, int64_t now_ms);

struct gate *gate_new(struct loop *loop, unsigned most, unsigned at_once)
{
    struct gate *gate = mem_alloc(sizeof(*gate));

    gate->loop = loop;
    gate->most = most;
    gate->at_once = at_once;
    gate->next_portion = (struct timer){ .fire = let_next_portion_in, .ctx = gate };
    return gate;
}

void gate_free(struct gate *gate)
{
    if (!gate)
        return;
    timer_cancel(gate->loop, &gate->next_portion);
    free(gate);
}

bool ticket_is_out(const struct ticket *ticket)
{
    return ticket->state == TICKET_OUT;
}

static void enqueue(struct queue *queue, struct ticket *ticket)
{
    ticket->state = TICKET_QUEUED;
    ticket->next = NULL;
    ticket->prev = queue->last;
    if (queue->last)
        queue->last->next = ticket;
    else
        queue->first = ticket;
    queue->last = ticket;
}

static void dequeue(struct queue *queue, struct ticket *ticket)
{
    if (ticket->prev)
        ticket->prev->next = ticket->next;
    else
        queue->first = ticket->next;
    if (ticket->next)
        ticket->next->prev = ticket->prev;
    else
        queue->last = ticket->prev;
    ticket->state = TICKET_OUT;
}

/* A hundred requests take tens of milliseconds to start: in one go, the first answer would wait for all of them. */
static bool portion_left(struct gate *gate, struct queue *queue)
{
    int64_t now_ms = loop_now(gate->loop);

    if (queue->portion_ms != now_ms) {
        queue->portion_ms = now_ms;
        queue->portion = 0;
    }
    if (queue->portion < gate->at_once)
        return true;
    if (!gate->next_portion.heap_index)
        timer_set(gate->loop, &gate->next_portion, now_ms + 1);
    return false;
}

static void let_in(struct gate *gate, struct queue *queue)
{
    struct ticket *ticket;

    if (queue->letting_in)
        return;
    queue->letting_in = true;
    while ((ticket = queue->first) && queue->in < gate->most && (ticket->patient || portion_left(gate, queue))) {
        queue->portion += !ticket->patient;
        dequeue(queue, ticket);
        ticket->state = TICKET_IN;
        queue->in++;
        timer_set(gate->loop, &ticket->slow, loop_now(gate->loop) + SLOW_AFTER_MS);
        ticket->go(ticket->ctx);
    }
    queue->letting_in = false;
}

static void let_next_portion_in(void *ctx, int64_t now_ms UNUSED)
{
    struct gate *gate = ctx;

    let_in(gate, &gate->queues[1]);
    let_in(gate, &gate->queues[0]);
}

static void became_slow(void *ctx, int64_t now_ms UNUSED)
{
    struct ticket *ticket = ctx;
    struct gate *gate = ticket->gate;
    struct queue *queue = &gate->queues[ticket->page];

    if (gate->slow >= SLOW_MOST) {      /* it takes the place of the next slow one that ends */
        timer_set(gate->loop, &ticket->slow, loop_now(gate->loop) + SLOW_AGAIN_MS);
        return;
    }
    ticket->state = TICKET_SLOW;
    queue->in--;
    gate->slow++;
    let_in(gate, queue);
}

void gate_ask(struct gate *gate, struct ticket *ticket)
{
    if (ticket->state != TICKET_OUT)
        return;
    ticket->gate = gate;
    ticket->slow.fire = became_slow;
    ticket->slow.ctx = ticket;
    enqueue(&gate->queues[ticket->page], ticket);
    let_in(gate, &gate->queues[ticket->page]);
}

void gate_leave(struct ticket *ticket)
{
    struct gate *gate = ticket->gate;
    struct queue *queue;

    if (ticket->state == TICKET_OUT)    /* and perhaps never asked, so that there is no gate */
        return;
    queue = &gate->queues[ticket->page];
    if (ticket->state == TICKET_QUEUED) {
        dequeue(queue, ticket);
        return;
    }
    if (ticket->state == TICKET_IN)
        queue->in--;
    else
        gate->slow--;
    ticket->state = TICKET_OUT;
    timer_cancel(gate->loop, &ticket->slow);
    let_in(gate, queue);
}

void gate_close(struct gate *gate)
{
    gate->most = 0;
}
