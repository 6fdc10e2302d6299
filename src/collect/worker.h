/* collect/worker.h - reads one input's alerts: the live worker polls, the backfill worker takes the older part, the
 * quarantine worker retries the windows that failed.
 *
 * A state machine with at most one request in flight:
 *
 *   IDLE --due--> TOKEN --ready--> RATE --allowed--> SLOT --granted--> REQUEST --response--> IDLE
 *
 * A token that is still being fetched, a rate that is used up and a slot that is not free are waited for in the
 * state of that name. The state changes in three functions only: worker_step() on the way to a slot,
 * worker_granted() with the slot, worker_ended() after the response. What a response means is decided by helpers
 * (worker_answer.h, worker_retry.h); worker.c acts on it. */
#pragma once

#include "collect/reading.h"

enum worker_state {
    WORKER_IDLE,   /* until due_ms: next poll, or next try after a failure */
    WORKER_TOKEN,  /* waits for an access token */
    WORKER_RATE,   /* waits until the rate limit allows a request */
    WORKER_SLOT,   /* waits for a slot of the concurrency limiter */
    WORKER_REQUEST /* a request is in flight */
};

struct worker;

/* What a worker asks of the rest of the program; a seam for tests. worker_port is the real one. */
struct worker_port {
    void (*renew)(struct worker *worker, int64_t now_ms); /* the next token must be a fresh one */
    enum token_state (*token)(struct worker *worker, int64_t now_ms, struct token_view *ret);
    int64_t (*rate)(struct worker *worker, int64_t now_ms); /* 0: allowed; else ms to wait */
    void (*slot)(struct worker *worker);                    /* calls worker_granted(), perhaps at once */
    void (*send)(struct worker *worker, const struct token_view *view);
    void (*release)(struct worker *worker);              /* gives back place, slot, page and request */
    void (*wake)(struct worker *worker, int64_t due_ms); /* calls worker_step() then, or sooner */
};
extern const struct worker_port worker_port;
extern const struct worker_port worker_spare_port; /* takes what is spare of the rate: for audits */

struct worker {
    enum worker_state state;
    int64_t due_ms; /* IDLE: the next request is sent then */
    struct reading reading;
    const struct worker_port *port;

    struct timer timer;
    struct slot slot;
    struct rate_waiter waiter;
    struct http_request *request;
    struct page *page;
    struct page_handler handler;
    uint64_t token;  /* the one that the request carries */
    int64_t sent_ms; /* when the request was sent */
};

void worker_init(struct worker *worker, struct feed *feed, enum worker_kind kind);
/* Ends what is in flight without a result. Allowed in any state. */
void worker_release(struct worker *worker);
/* The same for all workers of an input, one of each kind. */
void workers_init(struct worker *workers, struct feed *feed);
void workers_release(struct worker *workers);

/* Takes the steps towards a request that are possible now. Allowed at any time: while the input is not open, nothing is
 * due, or a request is in flight, it does nothing. */
void worker_step(struct worker *worker, int64_t now_ms);

/* Takes a step soon, from the event loop. */
void worker_wake(struct worker *worker);

/* The limiter granted a slot. */
void worker_granted(struct worker *worker, int64_t now_ms);

/* The request ended, and helpers decided what comes next. Sets due_ms and the state, logs a failure, and steps on. */
void worker_ended(struct worker *worker, const struct next *next, int64_t now_ms);
