#include "pacing/limiter.h"

#include <stdlib.h>

#include "base/mem.h"

#define SLOW_AFTER_MS 3000
#define SLOW_AGAIN_MS 1000
#define SLOW_MAX      500

struct queue {
    struct slot *first, *last;
    unsigned held;    /* slots that are held and not slow */
    unsigned started; /* slots granted at started_ms */
    int64_t started_ms;
    bool granting; /* a slot may be released from inside its go(), which must not recurse */
};

struct limiter {
    struct loop *loop;
    struct queue queues[2]; /* [0] tokens, [1] pages */
    unsigned max_held, burst, slow;
    bool full;             /* the output, until limiter_resume() ... */
    int64_t full_until_ms; /* ... came last; 0: never */
    struct timer burst_timer;
};

static void next_burst(void *ctx, int64_t now_ms);

struct limiter *limiter_new(struct loop *loop, unsigned max_held, unsigned burst)
{
    struct limiter *limiter = mem_alloc(sizeof(*limiter));

    limiter->loop = loop;
    limiter->max_held = max_held;
    limiter->burst = burst;
    limiter->burst_timer = (struct timer){ .fire = next_burst, .ctx = limiter };
    return limiter;
}

void limiter_free(struct limiter *limiter)
{
    if (!limiter)
        return;
    timer_cancel(limiter->loop, &limiter->burst_timer);
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

/* Returns true if another slot may be granted in this millisecond, else sets the timer for the next one. It takes tens
 * of milliseconds to start a hundred requests: all at once, they would delay the first answer by that time. */
static bool burst_left(struct limiter *limiter, struct queue *queue)
{
    int64_t now_ms = loop_now(limiter->loop);

    if (queue->started_ms != now_ms) {
        queue->started_ms = now_ms;
        queue->started = 0;
    }
    if (queue->started < limiter->burst)
        return true;
    if (!timer_is_set(&limiter->burst_timer))
        timer_set(limiter->loop, &limiter->burst_timer, now_ms + 1);
    return false;
}

/* Returns how many slots may be held in the queue. */
static unsigned most_held(const struct limiter *limiter, const struct queue *queue)
{
    return limiter->full && queue == &limiter->queues[1] ? 0 : limiter->max_held;
}

/* Grants slots to the front of the queue, as many as the limit and the burst allow. */
static void grant(struct limiter *limiter, struct queue *queue)
{
    struct slot *slot;

    if (queue->granting)
        return;
    queue->granting = true;
    while ((slot = queue->first) && queue->held < most_held(limiter, queue) && burst_left(limiter, queue)) {
        dequeue(queue, slot);
        slot->state = SLOT_HELD;
        queue->held++;
        queue->started++;
        timer_set(limiter->loop, &slot->slow_timer, loop_now(limiter->loop) + SLOW_AFTER_MS);
        slot->go(slot->ctx);
    }
    queue->granting = false;
}

static void next_burst(void *ctx, int64_t now_ms UNUSED)
{
    struct limiter *limiter = ctx;

    grant(limiter, &limiter->queues[1]);
    grant(limiter, &limiter->queues[0]);
}

/* Returns true if the output is or was full while a request could have been slow because of that. */
static bool output_is_slow(const struct limiter *limiter)
{
    return limiter->full ||
           (limiter->full_until_ms && loop_now(limiter->loop) - limiter->full_until_ms < SLOW_AFTER_MS);
}

static void became_slow(void *ctx, int64_t now_ms UNUSED)
{
    struct slot *slot = ctx;
    struct limiter *limiter = slot->limiter;
    struct queue *queue = &limiter->queues[slot->page];

    /* Waits until another slow one ends, or until it is the service that is slow and not splunkd. */
    if (limiter->slow >= SLOW_MAX || (slot->page && output_is_slow(limiter))) {
        timer_set(limiter->loop, &slot->slow_timer, loop_now(limiter->loop) + SLOW_AGAIN_MS);
        return;
    }
    slot->state = SLOT_SLOW;
    queue->held--;
    limiter->slow++;
    grant(limiter, queue);
}

void limiter_acquire(struct limiter *limiter, struct slot *slot)
{
    if (slot->state != SLOT_FREE)
        return;
    slot->limiter = limiter;
    slot->slow_timer.fire = became_slow;
    slot->slow_timer.ctx = slot;
    enqueue(&limiter->queues[slot->page], slot);
    grant(limiter, &limiter->queues[slot->page]);
}

void limiter_release(struct slot *slot)
{
    struct limiter *limiter = slot->limiter;
    struct queue *queue;

    if (slot->state == SLOT_FREE) /* then slot->limiter may be NULL */
        return;
    queue = &limiter->queues[slot->page];
    if (slot->state == SLOT_QUEUED) {
        dequeue(queue, slot);
        return;
    }
    if (slot->state == SLOT_HELD)
        queue->held--;
    else
        limiter->slow--;
    slot->state = SLOT_FREE;
    timer_cancel(limiter->loop, &slot->slow_timer);
    grant(limiter, queue);
}

void limiter_hold(struct limiter *limiter)
{
    limiter->full = true;
}

void limiter_resume(struct limiter *limiter)
{
    if (!limiter->full)
        return;
    limiter->full = false;
    limiter->full_until_ms = loop_now(limiter->loop);
    grant(limiter, &limiter->queues[1]);
}

void limiter_close(struct limiter *limiter)
{
    limiter->max_held = 0;
}
