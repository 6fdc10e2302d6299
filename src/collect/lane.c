/* One lane of a tenant: token, budget, a place at the gate, a request, and what its answer means. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "collect/collector.h"
#include "collect/harvest.h"
#include "collect/tenant.h"
#include "collect/verdict.h"
#include "net/retry.h"

#define SILENCE_S        60         /* a download that stays silent for so long is given up */
#define SMALLER_EVERY    3          /* after so many failures in a row a smaller piece is asked for */
#define SMALLEST_PAGE    1
#define SMOOTH_PAGES     20         /* after so many a page size that failed is tried again */
#define BROKEN_TRIES     2          /* an answer that breaks among its records is asked for again so often as it is */
#define GRAIN_TRIES      4          /* ... and a piece that cannot be made smaller, before it is left behind */
#define GRAIN_TRIES_ALONE 30        /* ... when nothing else came whole meanwhile: something on the way may cut it all */
#define FILL_RESERVE     2          /* requests of the budget that a back-fill leaves for polls */
#define HOLDS_LEAST      20         /* an answer that ends earlier was cut for another reason than its size */
#define CHAIN_PAGES_MAX  10000
#define CHAIN_ALIKE_MAX  3          /* pages with the same records, one after the other, before the chain is given up */
#define CHAIN_EMPTY_MAX  100        /* ... and empty ones, which may lead on to full ones */
#define CHAIN_PASSES_MAX 24
#define CHAIN_QUIET_MOST 5          /* so many quiet passes are enough for records that cannot be told apart */
#define FIRST_WAIT_LEAST 0.1        /* the first pause is somewhere between this part of the interval and all of it */

static void timer_fired(void *ctx, int64_t now_ms);
static void lane_send(void *ctx);

void lane_start(struct lane *lane, struct tenant *t, enum lane_kind kind)
{
    lane->tenant = t;
    lane->kind = kind;
    lane->timer = (struct timer){ .fire = timer_fired, .ctx = lane };
    lane->ticket.go = lane_send;
    lane->ticket.ctx = lane;
    lane->ticket.page = true;
    lane->handler = (struct page_handler){ .record = harvest_record, .bad = harvest_bad, .ctx = lane,
                                           .headroom = event_frame_headroom(t->frame) };
}

static void request_ends(struct lane *lane)
{
    gate_leave(&lane->ticket);
    page_free(lane->page);
    lane->page = NULL;
    mem_free_secretp(&lane->authorization);
}

static void chain_forget(struct lane *lane)
{
    free(lane->link);
    lane->link = NULL;
    lane->chain = lane->unfiltered = false;
    lane->skip = lane->pages = lane->passes = lane->quiet = lane->kept_before = 0;
    lane->alike = 0;
    known_free(lane->seen);
    lane->seen = NULL;
}

void lane_release(struct lane *lane)
{
    if (!lane->tenant)
        return;
    timer_cancel(lane->tenant->col->loop, &lane->timer);
    if (lane->request)
        http_cancel(lane->request);
    lane->request = NULL;
    request_ends(lane);
    chain_forget(lane);
}

static void timer_fired(void *ctx, int64_t now_ms)
{
    lane_step(ctx, now_ms);
}

void lane_wake(struct lane *lane, int64_t due_ms)
{
    if (!lane->timer.place || due_ms < lane->timer.due_ms)
        timer_set(lane->tenant->col->loop, &lane->timer, due_ms);
}

/* Towards a request. */

static void access_failed(struct lane *lane, const struct access_view *view)
{
    struct tenant *t = lane->tenant;

    if (!text_same(t->access_trouble, view->err->text)) {
        log_line(view->err->kind == ERR_AUTH ? LOG_ERROR : LOG_WARN, "event=%s input=%s tenant=%s api=%s %s%s",
                 view->err->kind == ERR_AUTH ? "refused" : "trouble", t->label, t->input.tenant_id, t->api->name,
                 view->err->text, view->err->kind == ERR_AUTH ? "" : ", trying again");
        free(t->access_trouble);
        t->access_trouble = mem_text(view->err->text);
    }
    t->trouble = *view->err;
    lane_wake(lane, view->retry_ms);
    status_update(t);
}

void lane_step(struct lane *lane, int64_t now_ms)
{
    struct tenant *t = lane->tenant;
    struct access_view view;
    int64_t wait_ms;

    if (t->phase != PHASE_RUN || lane->request || !ticket_is_out(&lane->ticket))
        return;
    if (lane->kind == LANE_FILL && !t->place.fill.active)
        return;
    if (now_ms < lane->due_ms) {
        lane_wake(lane, lane->due_ms);
        return;
    }
    switch (access_ask(t->access, now_ms, &view)) {
    case ACCESS_BUSY:
        return;         /* the listener wakes both lanes */
    case ACCESS_FAILED:
        access_failed(lane, &view);
        return;
    case ACCESS_READY:
        break;
    }
    wait_ms = budget_take(t->budget, lane->kind == LANE_FILL ? FILL_RESERVE : 0, now_ms);
    if (wait_ms) {
        lane_wake(lane, now_ms + wait_ms);
        return;
    }
    gate_ask(t->col->gate, &lane->ticket);
}

static size_t page_top(const struct lane *lane)
{
    const struct api *api = lane->tenant->api;
    size_t top = lane->kind == LANE_FILL ? api->top : api->top_first;

    return lane->page_size && lane->page_size < top ? lane->page_size : top;
}

static bool sink_ready(void *ctx)
{
    struct lane *lane = ctx;

    return outbox_has_room(lane->tenant->col->outbox);
}

static bool sink_data(void *ctx, const char *bytes, size_t len)
{
    struct lane *lane = ctx;
    struct collector *col = lane->tenant->col;
    bool ok = page_feed(lane->page, bytes, len, outbox_buffer(col->outbox));

    collector_events_added(col);
    return ok;
}

static void lane_url(struct lane *lane, struct buf *url)
{
    struct tenant *t = lane->tenant;

    if (lane->link) {
        buf_add_text(url, lane->link);
        return;
    }
    lane->top = t->api->url(&(struct api_query){ .base = t->base_url, .lo = lane->span.lo, .hi = lane->span.hi, .top = lane->top,
                                     .skip = lane->skip, .form = lane->form, .filter = t->input.filter }, url);
}

/* Through the gate: the token may have changed while this waited, so it is asked for once more. */
static void lane_send(void *ctx)
{
    static const struct http_sink sink = { sink_ready, sink_data };
    struct lane *lane = ctx;
    struct tenant *t = lane->tenant;
    struct buf url = BUF_INIT(1 << 20);
    struct access_view view;

    if (access_ask(t->access, loop_now(t->col->loop), &view) != ACCESS_READY) {
        gate_leave(&lane->ticket);
        lane_wake(lane, loop_now(t->col->loop));
        return;
    }
    tenant_begin(t, &view);
    if (!lane->chain)
        place_next(&t->place, lane->kind, &t->sweeps[lane->kind], t->input.overlap, &lane->span);
    lane->top = page_top(lane);
    if (!lane->pages)       /* the pages of a pass count as of its first */
        lane->sent_at = tenant_service_now(t);
    lane->page_harvest = (struct harvest){ .oldest = TICKS_OPEN, .newest = INT64_MIN };
    if (!lane->pages) {
        lane->harvest = lane->page_harvest;
        lane->kept = 0;
    }
    lane->odd = lane->replaced = lane->bad = 0;
    lane->sum = 0;
    lane->outside = 0;
    lane->probed = lane->held_back = false;
    if (!lane->chain)
        lane->fresh = 0;
    lane->page = page_new(&t->api->shape, &lane->handler);
    lane->authorization = mem_text(view.authorization);
    lane_url(lane, &url);
    t->tally.requests++;
    lane->request = http_start(t->col->http, &(struct http_spec){
        .url = buf_text(&url), .authorization = view.authorization, .headers = t->api->headers, .route = &t->route,
        .sink = &sink, .done = lane_answered, .ctx = lane, .timeout_s = SILENCE_S });
    buf_free(&url);
}

/* What the answer means. */

static void next_try(struct lane *lane, int64_t wait_ms)
{
    lane->due_ms = clock_ms() + wait_ms;
    lane_wake(lane, lane->due_ms);
}

/* Smaller pieces: a page or a span that fails again and again may be too heavy for the service. */
static void ask_for_less(struct lane *lane)
{
    struct tenant *t = lane->tenant;
    size_t top = page_top(lane);

    if (top > SMALLEST_PAGE)
        lane->page_size = top / 4 > SMALLEST_PAGE ? top / 4 : SMALLEST_PAGE;
    place_split(&t->place, lane->kind, t->sweeps, &lane->span, NULL, t->api->grain(lane->form), t->input.overlap,
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

static void failed(struct lane *lane, const struct err *err, bool may_be_size)
{
    struct tenant *t = lane->tenant;
    bool shrinks = may_be_size && page_top(lane) > SMALLEST_PAGE;
    int64_t wait_ms = retry_wait_ms(++lane->failures > SMALLER_EVERY && shrinks ? SMALLER_EVERY : lane->failures,
                                    err->wait_ms, random_below(UINT32_MAX));

    chain_forget(lane);
    if (may_be_size && shrink(lane))
        ask_for_less(lane);
    lane->smooth = 0;
    t->trouble = *err;
    if (lane->failures == 1 || lane->failures % 10 == 0)
        log_warn("event=trouble input=%s tenant=%s api=%s tries=%d %s, trying again in %lld s", t->label,
                 t->input.tenant_id, t->api->name, lane->failures, err->text, (long long)(wait_ms + 999) / 1000);
    next_try(lane, wait_ms);
}

static void throttled(struct lane *lane, const struct err *err)
{
    struct tenant *t = lane->tenant;
    int64_t wait_ms = retry_wait_ms(++lane->failures, err->wait_ms, random_below(UINT32_MAX)), now_ms = clock_ms();

    chain_forget(lane);
    t->tally.throttled_ms += wait_ms;
    budget_hold(t->budget, now_ms + wait_ms);
    t->trouble = *err;
    next_try(lane, wait_ms);
}

static void refused(struct lane *lane, const struct err *err)
{
    struct tenant *t = lane->tenant;
    int64_t wait_ms = refused_wait_ms(++lane->refusals);

    chain_forget(lane);
    lane->rejected = false;     /* the next try may renew the token again */
    t->trouble = *err;
    if (lane->refusals == 1)
        log_error("event=refused input=%s tenant=%s api=%s %s. Trying again in %lld minutes", t->label,
                  t->input.tenant_id, t->api->name, err->text, (long long)wait_ms / 60000);
    next_try(lane, wait_ms);
}

static void recovered(struct lane *lane)
{
    struct tenant *t = lane->tenant;

    if (lane->failures || lane->refusals)
        log_info("event=recovered input=%s tenant=%s api=%s tries=%d answers again", t->label, t->input.tenant_id,
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

/* The poll is complete: the next one after the interval. The first pause differs from input to input, so that they do
 * not all come at once for ever after. */
static void wait_for_next_poll(struct lane *lane)
{
    struct tenant *t = lane->tenant;
    int64_t interval_ms = t->input.poll_interval * 1000, now_ms = clock_ms();

    if (!t->read_ms)
        interval_ms = (int64_t)((double)interval_ms * (FIRST_WAIT_LEAST + (1 - FIRST_WAIT_LEAST) *
                                                       random_below(1 << 16) / (1 << 16)));
    lane->due_ms = lane->due_ms && lane->due_ms + interval_ms > now_ms && t->read_ms ? lane->due_ms + interval_ms
                                                                                      : now_ms + interval_ms;
    t->read_ms = now_ms;
    lane_wake(lane, lane->due_ms);
}

static void span_read(struct lane *lane)
{
    struct tenant *t = lane->tenant;
    bool was_filling = t->place.fill.active, caught_up;
    size_t room = t->api->top ? page_top(lane) : t->api->room;

    if (lane->holds && lane->holds < room)
        room = lane->holds;
    if (lane->unfiltered)   /* what came was everything */
        lane->span.hi = lane->kind == LANE_FILL ? t->place.fill.end : TICKS_OPEN;
    caught_up = place_read(&t->place, lane->kind, &t->sweeps[lane->kind], &lane->span, &lane->harvest, room,
                           t->input.overlap, lane->sent_at);
    trail_add(&t->trail, &t->place, outbox_end(t->col->outbox), clock_ms());
    chain_forget(lane);
    recovered(lane);
    if (was_filling && !t->place.fill.active)
        log_info("event=backfill_done input=%s tenant=%s api=%s new=%llu", t->label, t->input.tenant_id,
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

    ticks_text(lane->span.lo, lo);
    ticks_text(lane->span.hi == TICKS_OPEN ? lane->sent_at : lane->span.hi, hi);
    t->tally.bad_records++;
    log_error("event=bad_record input=%s tenant=%s api=%s from=%s to=%s %s; what cannot be read there is left behind",
              t->label, t->input.tenant_id, t->api->name, lo, hi, err->text);
    lane->broken_tries = BROKEN_TRIES;
    lane->grain_tries = 0;
    span_read(lane);
}

/* The answer came whole, but its JSON breaks among the records. The broken one is hunted down by halving the span, so
 * that the others get through; it alone is left behind. That takes a proof that others do get through: a proxy that cuts
 * every answer short must not cost an alert. */
static void broken(struct lane *lane, const struct err *err)
{
    struct tenant *t = lane->tenant;

    if (!lane->broken_tries++)
        lane->whole_before = t->tally.whole;
    if (lane->broken_tries > BROKEN_TRIES) {
        if (place_split(&t->place, lane->kind, t->sweeps, &lane->span, NULL, t->api->grain(lane->form),
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
    failed(lane, err, false);
}

static void harvest_join(struct harvest *sum, const struct harvest *page)
{
    sum->count += page->count;
    if (page->oldest < sum->oldest)
        sum->oldest = page->oldest;
    if (page->newest > sum->newest)
        sum->newest = page->newest;
}

/* May this link be followed? The token goes nowhere but to the configured host. */
static bool link_is_good(const struct lane *lane, const char *link, struct err *err)
{
    const struct tenant *t = lane->tenant;
    CLEANUP(mem_freep) char *host = url_host(link);

    if (!url_same_origin(link, t->base_url))
        return err_set(err, ERR_RETRY, "the next-page link leads to another host ('%s') and is not followed", host);
    if (text_same(link, lane->link))
        return err_set(err, ERR_RETRY, "the service gives the same next-page link again and again");
    if (lane->alike >= (lane->sum ? CHAIN_ALIKE_MAX : CHAIN_EMPTY_MAX))
        return err_set(err, ERR_RETRY, "the service gives the same page again and again");
    if (lane->pages >= CHAIN_PAGES_MAX)
        return err_set(err, ERR_RETRY, "the chain of next-page links does not end after %d pages", CHAIN_PAGES_MAX);
    return true;
}

/* Did the passes bring all of the span? One is not enough: its pages came one after the other while the set may have
 * changed. The last one must have held as many records as the one before and nothing new, and all passes together as
 * many different ones as it had, since a service that shuffles shows some twice and others never. */
static bool passes_agree(struct lane *lane)
{
    lane->quiet = lane->passes && !lane->fresh && lane->kept == lane->kept_before ? lane->quiet + 1 : 0;
    lane->kept_before = lane->kept;
    return lane->quiet && (known_count(lane->seen) >= lane->kept || lane->quiet >= CHAIN_QUIET_MOST);
}

static void pass_ends(struct lane *lane)
{
    struct err err;

    if (lane->pages == 1 || passes_agree(lane)) {
        span_read(lane);
        return;
    }
    if (++lane->passes > CHAIN_PASSES_MAX) {
        err_set(&err, ERR_RETRY, "the alerts change faster than their pages can be read");
        failed(lane, &err, false);
        return;
    }
    free(lane->link);
    lane->link = NULL;
    lane->skip = lane->pages = 0;
    lane->fresh = 0;
    lane_wake(lane, loop_now(lane->tenant->col->loop));
}

static void chain_goes_on(struct lane *lane, const char *link, bool full)
{
    struct err err;

    lane->chain = true;
    lane->pages++;
    lane->alike = lane->sum == lane->sum_before ? lane->alike + 1 : 1;
    lane->sum_before = lane->sum;
    if (!lane->seen)
        lane->seen = known_new();
    if (link && !link_is_good(lane, link, &err)) {
        failed(lane, &err, false);
        return;
    }
    if (link) {
        char *next = mem_text(link);

        free(lane->link);
        lane->link = next;
    } else if (full && lane->tenant->api->has_skip) {
        lane->skip += lane->page_harvest.count;
    } else {
        pass_ends(lane);
        return;
    }
    lane_wake(lane, loop_now(lane->tenant->col->loop));
}

/* The service may end its answers earlier than asked: spans are made to fit that. */
static void learn_size(struct lane *lane, const char *link)
{
    size_t count = lane->page_harvest.count > HOLDS_LEAST ? lane->page_harvest.count : HOLDS_LEAST;

    if (link && lane->page_harvest.count && (!lane->holds || count > lane->holds))
        lane->holds = count;
    else if (!link && lane->holds && count > lane->holds)
        lane->holds = 0;
}

/* A whole page is here, all its records are written. Did it hold all of the span? */
static void page_read(struct lane *lane, const char *link)
{
    struct tenant *t = lane->tenant;
    bool full = link || (lane->top && lane->page_harvest.count >= lane->top);
    bool split = false;

    harvest_join(&lane->harvest, &lane->page_harvest);
    learn_size(lane, link);
    if (!lane->chain && !full) {
        span_read(lane);
        return;
    }
    /* A record or two from outside the span were just updated; a page full of them says that the filter is ignored, so
     * that smaller spans would bring the same again. */
    if (!lane->chain && full && lane->outside > 10 && lane->outside * 2 > lane->page_harvest.count)
        lane->unfiltered = true;
    if (!lane->chain && lane->page_harvest.count && !lane->unfiltered)
        split = place_split(&t->place, lane->kind, t->sweeps, &lane->span, &lane->page_harvest,
                            t->api->grain(lane->form), t->input.overlap, lane->sent_at);
    if (!split) {
        chain_goes_on(lane, link, full);
        return;
    }
    recovered(lane);
    lane_wake(lane, loop_now(t->col->loop));
    lane_wake(&t->lanes[LANE_FILL], loop_now(t->col->loop));
}

/* A 200 whose body was read to its end or to where it broke. */
static void answer_read(struct lane *lane)
{
    struct tenant *t = lane->tenant;
    CLEANUP(mem_freep) char *link = mem_text(page_next_link(lane->page));
    struct err err;

    harvest_warn(lane);
    if (lane->held_back) {
        err_set(&err, ERR_RETRY, "events are held back since the checkpoint cannot be written: %s", lane->held_why);
        failed(lane, &err, false);
        return;
    }
    if (page_tangled(lane->page)) {     /* good records may have gone with the bad one: hunt it down */
        err_set(&err, ERR_RETRY, "the answer holds a record whose quotes are out of step");
        broken(lane, &err);
        return;
    }
    if (lane->bad > lane->bad_accepted && lane->bad_tries < LANE_BAD_TRIES) {
        lane->bad_tries++;
        err_set(&err, ERR_RETRY, "the answer holds a record that is no JSON");
        failed(lane, &err, false);
        return;
    }
    if (!lane->chain || lane->bad > lane->bad_accepted)
        lane->bad_accepted = lane->bad;
    lane->bad_tries = 0;
    lane->rejected = false;
    t->tally.ok++;
    t->tally.whole += lane->page_harvest.count > 0;
    page_read(lane, link);
}

/* The service's own clock bounds the cursor. */
static void take_clock(struct lane *lane, const struct http_result *result)
{
    if (!result->date_ms)
        return;
    lane->tenant->clock_offset_ms = result->date_ms - clock_wall_ms();
    if (ticks_from_ms(result->date_ms) < lane->sent_at)
        lane->sent_at = ticks_from_ms(result->date_ms);
}

void lane_answered(void *ctx, const struct http_result *result)
{
    struct lane *lane = ctx;
    struct tenant *t = lane->tenant;
    struct verdict verdict;

    lane->request = NULL;
    t->tally.bytes += result->wire_bytes;
    take_clock(lane, result);
    verdict_of(lane, result, &verdict);
    switch (verdict.kind) {
    case VERDICT_READ:
        answer_read(lane);
        break;
    case VERDICT_TOKEN:
        access_reject(t->access, lane->authorization);
        lane->rejected = true;
        lane_wake(lane, loop_now(t->col->loop));
        break;
    case VERDICT_FORM:
        log_info("event=form input=%s tenant=%s api=%s form=%d %s, a simpler form is tried", t->label,
                 t->input.tenant_id, t->api->name, lane->form + 1, verdict.err.text);
        chain_forget(lane);
        lane->form++;
        lane_wake(lane, loop_now(t->col->loop));
        break;
    case VERDICT_THROTTLED:
        t->tally.throttled++;
        throttled(lane, &verdict.err);
        break;
    case VERDICT_FAILED:
        t->tally.failed++;
        failed(lane, &verdict.err, verdict.may_be_size);
        break;
    case VERDICT_BROKEN:
        t->tally.failed++;
        harvest_warn(lane);
        broken(lane, &verdict.err);
        break;
    case VERDICT_REFUSED:
        t->tally.refused++;
        refused(lane, &verdict.err);
        break;
    }
    request_ends(lane);
    status_update(t);
    lane_step(lane, clock_ms());
}
