/* What a lane does next: the next span or poll, a try after a failure, a smaller piece, a slow retry after a
 * refusal. */
#include "base/backoff.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "collect/collector.h"
#include "collect/worker_private.h"
#include "messages/log_events.h"

#define SMALLER_EVERY    3          /* after so many failures in a row a smaller piece is asked for */
#define SMALLEST_PAGE    1
#define SUCCESSES_BEFORE_GROWTH     20         /* after so many a page size that failed is tried again */
#define BROKEN_TRIES     2          /* an answer that breaks among its records is asked for again so often as it is */
#define GRAIN_TRIES      4          /* ... and a piece that cannot be made smaller, before it is left behind */
#define GRAIN_TRIES_ALONE 30        /* ... when nothing else came whole meanwhile: all may be cut on the way */
#define POLL_SLOTS        3          /* polls are due at so many moments of their interval */
#define FIRST_WAIT_PART  10         /* the first pause is at least the interval divided by this */

static void next_try(struct worker *worker, int64_t wait_ms)
{
    worker->due_ms = clock_ms() + wait_ms;
    worker_wake(worker, worker->due_ms);
}

/* Smaller pieces: a page or a span that fails again and again may be too heavy for the service. */
static void ask_for_less(struct worker *worker)
{
    struct tenant *t = worker->tenant;
    size_t top = worker_page_top(worker);

    if (top > SMALLEST_PAGE)
        worker->page_size = top / 4 > SMALLEST_PAGE ? top / 4 : SMALLEST_PAGE;
    cursor_split(&t->cursor, worker->kind, t->plans, &worker->window, NULL, t->api->resolution(worker->variant), t->input.overlap,
                worker->sent_at);
    worker_wake(&t->workers[WORKER_BACKFILL], clock_ms());
}

/* Is it time for that? At once when a page failed that had just been made larger; while pages can still shrink, the
 * pauses stay short. */
static bool shrink(struct worker *worker)
{
    if (worker->failures == 1 && worker->page_size && worker->successes) {
        worker->too_large = worker->page_size;
        return true;
    }
    return worker->failures % SMALLER_EVERY == 0;
}

void worker_failed(struct worker *worker, const struct err *err, bool may_be_size)
{
    struct tenant *t = worker->tenant;
    bool shrinks = may_be_size && worker_page_top(worker) > SMALLEST_PAGE;
    int64_t wait_ms = backoff_wait_ms(++worker->failures > SMALLER_EVERY && shrinks ? SMALLER_EVERY : worker->failures,
                                    err->wait_ms, random_below(UINT32_MAX));

    chain_forget(worker);
    if (may_be_size && shrink(worker))
        ask_for_less(worker);
    worker->successes = 0;
    t->problem = *err;
    if (worker->failures == 1 || worker->failures % 10 == 0)
        log_event(EVENT_TROUBLE, "input=%s tenant=%s api=%s tries=%d %s, trying again in %lld s", t->label,
                  t->input.tenant_id, t->api->name, worker->failures, err->text, (long long)(wait_ms + 999) / 1000);
    next_try(worker, wait_ms);
}

void worker_throttled(struct worker *worker, const struct err *err)
{
    struct tenant *t = worker->tenant;
    int64_t wait_ms = backoff_wait_ms(++worker->failures, err->wait_ms, random_below(UINT32_MAX)), now_ms = clock_ms();

    chain_forget(worker);
    t->tally.throttled_ms += wait_ms;
    rate_hold(t->rate, now_ms + wait_ms);
    t->problem = *err;
    next_try(worker, wait_ms);
}

void worker_refused(struct worker *worker, const struct err *err)
{
    struct tenant *t = worker->tenant;
    int64_t wait_ms = backoff_refused_ms(++worker->refusals);

    chain_forget(worker);
    worker->rejected = false;     /* the next try may renew the token again */
    t->problem = *err;
    if (worker->refusals == 1)
        log_event(EVENT_REFUSED, "input=%s tenant=%s api=%s %s. Trying again in %lld minutes", t->label,
                  t->input.tenant_id, t->api->name, err->text, (long long)wait_ms / 60000);
    next_try(worker, wait_ms);
}

void worker_recovered(struct worker *worker)
{
    struct tenant *t = worker->tenant;

    if (worker->failures || worker->refusals)
        log_event(EVENT_RECOVERED, "input=%s tenant=%s api=%s tries=%d answers again", t->label, t->input.tenant_id,
                  t->api->name, worker->failures + worker->refusals);
    worker->failures = worker->refusals = 0;
    worker->rejected = false;
    mem_freep(&t->sign_in_error);
    if (++worker->successes > SUCCESSES_BEFORE_GROWTH)
        worker->too_large = 0;
    if (!worker->too_large || worker->page_size * 2 < worker->too_large)
        worker->page_size *= 2;
    if (worker->page_size >= t->api->top)
        worker->page_size = 0;
}

/* Many polls together cost less than each alone: they share wake-ups and what the processor's caches hold. So polls are
 * due at a few moments of the interval, each input's at its own one of them. A poll that was late, or tried again, is
 * followed at the next own moment that is half an interval away. */
static int64_t next_poll_ms(const struct worker *worker, int64_t now_ms)
{
    const struct tenant *t = worker->tenant;
    int64_t interval_ms = t->input.poll_interval * 1000;
    int64_t least_ms = t->read_ms ? worker->due_ms + interval_ms / 2 : now_ms + interval_ms / FIRST_WAIT_PART;

    if (least_ms <= now_ms)
        least_ms = now_ms + 1;
    return clock_next_turn(least_ms - 1, interval_ms, t->number, POLL_SLOTS);
}

static void wait_for_next_poll(struct worker *worker)
{
    struct tenant *t = worker->tenant;
    int64_t now_ms = clock_ms();

    worker->due_ms = next_poll_ms(worker, now_ms);
    t->read_ms = now_ms;
    worker_wake(worker, worker->due_ms);
}

void worker_window_read(struct worker *worker)
{
    struct tenant *t = worker->tenant;
    bool was_backfilling = t->cursor.backfill.active, caught_up;
    size_t capacity = t->api->top ? worker_page_top(worker) : t->api->capacity;

    if (worker->page_cap && worker->page_cap < capacity)
        capacity = worker->page_cap;
    if (worker->unfiltered)   /* what came was everything */
        worker->window.hi = worker->kind == WORKER_BACKFILL ? t->cursor.backfill.end : TICKS_OPEN;
    caught_up = cursor_read(&t->cursor, worker->kind, &t->plans[worker->kind], &worker->window, &worker->harvest, capacity,
                           t->input.overlap, worker->sent_at);
    acks_add(&t->acks, &t->cursor, outbox_end(t->col->outbox), clock_ms());
    chain_forget(worker);
    worker_recovered(worker);
    if (was_backfilling && !t->cursor.backfill.active)
        log_event(EVENT_BACKFILL_DONE, "input=%s tenant=%s api=%s new=%llu", t->label, t->input.tenant_id,
                  t->api->name, (unsigned long long)t->tally.new_events);
    if (caught_up)
        worker->broken_tries = 0;
    if (!caught_up)
        worker_wake(worker, loop_now(t->col->loop));
    else if (worker->kind == WORKER_LIVE)
        wait_for_next_poll(worker);
}

static void skip_window(struct worker *worker, const struct err *err)
{
    struct tenant *t = worker->tenant;
    char lo[TICKS_TEXT_MAX], hi[TICKS_TEXT_MAX];

    ticks_text(worker->window.lo, lo);
    ticks_text(worker->window.hi == TICKS_OPEN ? worker->sent_at : worker->window.hi, hi);
    t->tally.bad_records++;
    log_event(EVENT_BAD_RECORD, "input=%s tenant=%s api=%s from=%s to=%s %s; what cannot be read there is left "
              "behind", t->label, t->input.tenant_id, t->api->name, lo, hi, err->text);
    worker->broken_tries = BROKEN_TRIES;
    worker->grain_tries = 0;
    quarantine_add(&t->quarantine, &worker->window);
    worker_window_read(worker);
    if (t->plans[worker->kind].width && worker->bisection_width)      /* the spans behind it need not be as small */
        t->plans[worker->kind].width = worker->bisection_width;
}

/* The answer came whole, but its JSON breaks among the records. The broken one is hunted down by halving the span, so
 * that the others get through; it alone is left behind. That takes a proof that others do get through: a proxy that
 * cuts every answer short must not cost an alert. */
void worker_broken(struct worker *worker, const struct err *err)
{
    struct tenant *t = worker->tenant;

    if (quarantine_has(&t->quarantine, &worker->window)) {   /* still what it was */
        worker_window_read(worker);
        return;
    }
    if (!worker->broken_tries++) {
        worker->whole_before = t->tally.whole;
        worker->bisection_width = (worker->window.hi == TICKS_OPEN ? worker->sent_at : worker->window.hi) - worker->window.lo;
    }
    if (worker->broken_tries > BROKEN_TRIES) {
        if (cursor_split(&t->cursor, worker->kind, t->plans, &worker->window, NULL, t->api->resolution(worker->variant),
                        t->input.overlap, worker->sent_at)) {
            chain_forget(worker);
            worker->grain_tries = 0;
            worker_wake(worker, loop_now(t->col->loop));
            worker_wake(&t->workers[WORKER_BACKFILL], loop_now(t->col->loop));
            return;
        }
        if (++worker->grain_tries > (t->tally.whole != worker->whole_before ? GRAIN_TRIES : GRAIN_TRIES_ALONE)) {
            skip_window(worker, err);
            return;
        }
    }
    worker_failed(worker, err, false);
}
