#include "pacing/limiter.h"

#include <stdlib.h>

#include "base/mem.h"

#define SLOW_AFTER_MS 3000
#define SLOW_AGAIN_MS 1000
#define SLOW_MOST     500   /* requests that are slow but still hold a connection and memory */

struct limiter {
    struct loop   *loop;
    struct queue {
        struct slot *first, *last;
        unsigned       in;          /* let through and not slow */
        unsigned       portion;     /* let through at portion_ms */
        int64_t        portion_ms;
        bool           letting_in;      /* somebody let in may leave at once, which must not begin anew from there */
    } queues[2];                    /* [0] tokens, [1] pages */
    unsigned       most, at_once, slow;
    struct timer   next_portion;
};

static void let_next_portion_in(void *ctx, int64_t now_ms);

struct limiter *limiter_new(struct loop *loop, unsigned most, unsigned at_once)
{
    struct limiter *limiter = mem_alloc(sizeof(*limiter));

    limiter->loop = loop;
    limiter->most = most;
    limiter->at_once = at_once;
    limiter->next_portion = (struct timer){ .fire = let_next_portion_in, .ctx = limiter };
    return limiter;
}

void limiter_free(struct limiter *limiter)
{
    if (!limiter)
        return;
    timer_cancel(limiter->loop, &limiter->next_portion);
    free(limiter);
}

bool slot_is_free(const struct slot *slot)
{
    return slot->state == SLOT_FREE;
}

static void enqueue(struct queue *queue, struct slot *slot)
{
    slot->state = SLOT_QUEUED;
    slot->next = NULL;
    slot->prev = queue->last;
    if (queue->last)
        queue->last->next = slot;
    else
        queue->first = slot;
    queue->last = slot;
}

static void dequeue(struct queue *queue, struct slot *slot)
{
    if (slot->prev)
        slot->prev->next = slot->next;
    else
        queue->first = slot->next;
    if (slot->next)
        slot->next->prev = slot->prev;
    else
        queue->last = slot->prev;
    slot->state = SLOT_FREE;
}

/* A hundred requests take tens of milliseconds to start: in one go, the first answer would wait for all of them. */
static bool portion_left(struct limiter *limiter, struct queue *queue)
{
    int64_t now_ms = loop_now(limiter->loop);

    if (queue->portion_ms != now_ms) {
        queue->portion_ms = now_ms;
        queue->portion = 0;
    }
    if (queue->portion < limiter->at_once)
        return true;
    if (!limiter->next_portion.heap_index)
        timer_set(limiter->loop, &limiter->next_portion, now_ms + 1);
    return false;
}

static void let_in(struct limiter *limiter, struct queue *queue)
{
    struct slot *slot;

    if (queue->letting_in)
        return;
    queue->letting_in = true;
    while ((slot = queue->first) && queue->in < limiter->most && (slot->patient || portion_left(limiter, queue))) {
        queue->portion += !slot->patient;
        dequeue(queue, slot);
        slot->state = SLOT_HELD;
        queue->in++;
        timer_set(limiter->loop, &slot->slow, loop_now(limiter->loop) + SLOW_AFTER_MS);
        slot->go(slot->ctx);
    }
    queue->letting_in = false;
}

static void let_next_portion_in(void *ctx, int64_t now_ms UNUSED)
{
    struct limiter *limiter = ctx;

    let_in(limiter, &limiter->queues[1]);
    let_in(limiter, &limiter->queues[0]);
}

static void became_slow(void *ctx, int64_t now_ms UNUSED)
{
    struct slot *slot = ctx;
    struct limiter *limiter = slot->limiter;
    struct queue *queue = &limiter->queues[slot->page];

    if (limiter->slow >= SLOW_MOST) {      /* it takes the place of the next slow one that ends */
        timer_set(limiter->loop, &slot->slow, loop_now(limiter->loop) + SLOW_AGAIN_MS);
        return;
    }
    slot->state = SLOT_SLOW;
    queue->in--;
    limiter->slow++;
    let_in(limiter, queue);
}

void limiter_acquire(struct limiter *limiter, struct slot *slot)
{
    if (slot->state != SLOT_FREE)
        return;
    slot->limiter = limiter;
    slot->slow.fire = became_slow;
    slot->slow.ctx = slot;
    enqueue(&limiter->queues[slot->page], slot);
    let_in(limiter, &limiter->queues[slot->page]);
}

void limiter_release(struct slot *slot)
{
    struct limiter *limiter = slot->limiter;
    struct queue *queue;

    if (slot->state == SLOT_FREE)    /* and perhaps never asked, so that there is no gate */
        return;
    queue = &limiter->queues[slot->page];
    if (slot->state == SLOT_QUEUED) {
        dequeue(queue, slot);
        return;
    }
    if (slot->state == SLOT_HELD)
        queue->in--;
    else
        limiter->slow--;
    slot->state = SLOT_FREE;
    timer_cancel(limiter->loop, &slot->slow);
    let_in(limiter, queue);
}

void limiter_close(struct limiter *limiter)
{
    limiter->most = 0;
}
