/* What a lane does next: the next span or poll, a try after a failure, a smaller piece, a slow retry after a
 * refusal. */
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "collect/collector.h"
#include "collect/lane_parts.h"
#include "net/retry.h"

#define SMALLER_EVERY    3          /* after so many failures in a row a smaller piece is asked for */
#define SMALLEST_PAGE    1
#define SMOOTH_PAGES     20         /* after so many a page size that failed is tried again */
#define BROKEN_TRIES     2          /* an answer that breaks among its records is asked for again so often as it is */
#define GRAIN_TRIES      4          /* ... and a piece that cannot be made smaller, before it is left behind */
#define GRAIN_TRIES_ALONE 30        /* ... when nothing else came whole meanwhile: all may be cut on the way */
#define COMPANIES        3          /* polls are due at so many moments of their interval */
#define FIRST_WAIT_PART  10         /* the first pause is at least the interval divided by this */

static void next_try(struct lane *lane, int64_t wait_ms)
{
    lane->due_ms = clock_ms() + wait_ms;
    lane_wake(lane, lane->due_ms);
}

/* Smaller pieces: a page or a span that fails again and again may be too heavy for the service. */
static void ask_for_less(struct lane *lane)
{
    struct tenant *t = lane->tenant;
    size_t top = lane_page_top(lane);

    if (top > SMALLEST_PAGE)
        lane->page_size = top / 4 > SMALLEST_PAGE ? top / 4 : SMALLEST_PAGE;
    cursor_split(&t->cursor, lane->kind, t->plans, &lane->window, NULL, t->api->resolution(lane->form), t->input.overlap,
                lane->sent_at);
    lane_wake(&t->lanes[LANE_FILL], clock_ms());
}

/* Is it time for that? At once when a page failed that had just been made larger; while pages can still shrink, the
 * pauses stay short. */
static bool shrink(struct lane *lane)
{
    if (lane->failures == 1 && lane->page_size && lane->smooth) {
        lane->too_large = lane->page_size;
        return true;
    }
    return lane->failures % SMALLER_EVERY == 0;
}

void lane_failed(struct lane *lane, const struct err *err, bool may_be_size)
{
    struct tenant *t = lane->tenant;
    bool shrinks = may_be_size && lane_page_top(lane) > SMALLEST_PAGE;
    int64_t wait_ms = retry_wait_ms(++lane->failures > SMALLER_EVERY && shrinks ? SMALLER_EVERY : lane->failures,
                                    err->wait_ms, random_below(UINT32_MAX));

    chain_forget(lane);
    if (may_be_size && shrink(lane))
        ask_for_less(lane);
    lane->smooth = 0;
    t->trouble = *err;
    if (lane->failures == 1 || lane->failures % 10 == 0)
        log_event(EVENT_TROUBLE, "input=%s tenant=%s api=%s tries=%d %s, trying again in %lld s", t->label,
                  t->input.tenant_id, t->api->name, lane->failures, err->text, (long long)(wait_ms + 999) / 1000);
    next_try(lane, wait_ms);
}

void lane_throttled(struct lane *lane, const struct err *err)
{
    struct tenant *t = lane->tenant;
    int64_t wait_ms = retry_wait_ms(++lane->failures, err->wait_ms, random_below(UINT32_MAX)), now_ms = clock_ms();

    chain_forget(lane);
    t->tally.throttled_ms += wait_ms;
    budget_hold(t->budget, now_ms + wait_ms);
    t->trouble = *err;
    next_try(lane, wait_ms);
}

void lane_refused(struct lane *lane, const struct err *err)
{
    struct tenant *t = lane->tenant;
    int64_t wait_ms = refused_wait_ms(++lane->refusals);

    chain_forget(lane);
    lane->rejected = false;     /* the next try may renew the token again */
    t->trouble = *err;
    if (lane->refusals == 1)
        log_event(EVENT_REFUSED, "input=%s tenant=%s api=%s %s. Trying again in %lld minutes", t->label,
                  t->input.tenant_id, t->api->name, err->text, (long long)wait_ms / 60000);
    next_try(lane, wait_ms);
}

void lane_recovered(struct lane *lane)
{
    struct tenant *t = lane->tenant;

    if (lane->failures || lane->refusals)
        log_event(EVENT_RECOVERED, "input=%s tenant=%s api=%s tries=%d answers again", t->label, t->input.tenant_id,
                  t->api->name, lane->failures + lane->refusals);
    lane->failures = lane->refusals = 0;
    lane->rejected = false;
    mem_freep(&t->access_trouble);
    if (++lane->smooth > SMOOTH_PAGES)
        lane->too_large = 0;
    if (!lane->too_large || lane->page_size * 2 < lane->too_large)
        lane->page_size *= 2;
    if (lane->page_size >= t->api->top)
        lane->page_size = 0;
}

/* Many polls together cost less than each alone: they share wake-ups and what the processor's caches hold. So polls are
 * due at a few moments of the interval, each input's at its own one of them. A poll that was late, or tried again, is
 * followed at the next own moment that is half an interval away. */
static int64_t next_poll_ms(const struct lane *lane, int64_t now_ms)
{
    const struct tenant *t = lane->tenant;
    int64_t interval_ms = t->input.poll_interval * 1000;
    int64_t least_ms = t->read_ms ? lane->due_ms + interval_ms / 2 : now_ms + interval_ms / FIRST_WAIT_PART;

    if (least_ms <= now_ms)
        least_ms = now_ms + 1;
    return clock_next_turn(least_ms - 1, interval_ms, t->number, COMPANIES);
}

static void wait_for_next_poll(struct lane *lane)
{
    struct tenant *t = lane->tenant;
    int64_t now_ms = clock_ms();

    lane->due_ms = next_poll_ms(lane, now_ms);
    t->read_ms = now_ms;
    lane_wake(lane, lane->due_ms);
}

void lane_window_read(struct lane *lane)
{
    struct tenant *t = lane->tenant;
    bool was_filling = t->cursor.fill.active, caught_up;
    size_t room = t->api->top ? lane_page_top(lane) : t->api->room;

    if (lane->holds && lane->holds < room)
        room = lane->holds;
    if (lane->unfiltered)   /* what came was everything */
        lane->window.hi = lane->kind == LANE_FILL ? t->cursor.fill.end : TICKS_OPEN;
    caught_up = cursor_read(&t->cursor, lane->kind, &t->plans[lane->kind], &lane->window, &lane->harvest, room,
                           t->input.overlap, lane->sent_at);
    acks_add(&t->acks, &t->cursor, outbox_end(t->col->outbox), clock_ms());
    chain_forget(lane);
    lane_recovered(lane);
    if (was_filling && !t->cursor.fill.active)
        log_event(EVENT_BACKFILL_DONE, "input=%s tenant=%s api=%s new=%llu", t->label, t->input.tenant_id,
                  t->api->name, (unsigned long long)t->tally.new_events);
    if (caught_up)
        lane->broken_tries = 0;
    if (!caught_up)
        lane_wake(lane, loop_now(t->col->loop));
    else if (lane->kind == LANE_LIVE)
        wait_for_next_poll(lane);
}

static void leave_behind(struct lane *lane, const struct err *err)
{
    struct tenant *t = lane->tenant;
    char lo[TICKS_TEXT_MAX], hi[TICKS_TEXT_MAX];

    ticks_text(lane->window.lo, lo);
    ticks_text(lane->window.hi == TICKS_OPEN ? lane->sent_at : lane->window.hi, hi);
    t->tally.bad_records++;
    log_event(EVENT_BAD_RECORD, "input=%s tenant=%s api=%s from=%s to=%s %s; what cannot be read there is left "
              "behind", t->label, t->input.tenant_id, t->api->name, lo, hi, err->text);
    lane->broken_tries = BROKEN_TRIES;
    lane->grain_tries = 0;
    quarantine_add(&t->quarantine, &lane->window);
    lane_window_read(lane);
    if (t->plans[lane->kind].width && lane->hunt_width)      /* the spans behind it need not be as small */
        t->plans[lane->kind].width = lane->hunt_width;
}

/* The answer came whole, but its JSON breaks among the records. The broken one is hunted down by halving the span, so
 * that the others get through; it alone is left behind. That takes a proof that others do get through: a proxy that
 * cuts every answer short must not cost an alert. */
void lane_broken(struct lane *lane, const struct err *err)
{
    struct tenant *t = lane->tenant;

    if (quarantine_has(&t->quarantine, &lane->window)) {   /* still what it was */
        lane_window_read(lane);
        return;
    }
    if (!lane->broken_tries++) {
        lane->whole_before = t->tally.whole;
        lane->hunt_width = (lane->window.hi == TICKS_OPEN ? lane->sent_at : lane->window.hi) - lane->window.lo;
    }
    if (lane->broken_tries > BROKEN_TRIES) {
        if (cursor_split(&t->cursor, lane->kind, t->plans, &lane->window, NULL, t->api->resolution(lane->form),
                        t->input.overlap, lane->sent_at)) {
            chain_forget(lane);
            lane->grain_tries = 0;
            lane_wake(lane, loop_now(t->col->loop));
            lane_wake(&t->lanes[LANE_FILL], loop_now(t->col->loop));
            return;
        }
        if (++lane->grain_tries > (t->tally.whole != lane->whole_before ? GRAIN_TRIES : GRAIN_TRIES_ALONE)) {
            leave_behind(lane, err);
            return;
        }
    }
    lane_failed(lane, err, false);
}
