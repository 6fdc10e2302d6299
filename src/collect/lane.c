/* One lane of a tenant on its way to a request: token, budget, a place at the gate. What the answer means is in
 * answer.c. */
#include "collect/collector.h"
#include "collect/harvest.h"
#include "collect/lane_parts.h"

#define SILENCE_S        60         /* a download that stays silent for so long is given up */

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

void lane_request_ends(struct lane *lane)
{
    gate_leave(&lane->ticket);
    page_free(lane->page);
    lane->page = NULL;
}

void lane_release(struct lane *lane)
{
    if (!lane->tenant)
        return;
    timer_cancel(lane->tenant->col->loop, &lane->timer);
    if (lane->request)
        http_cancel(lane->request);
    lane->request = NULL;
    lane_request_ends(lane);
    chain_forget(lane);
}

static void timer_fired(void *ctx, int64_t now_ms)
{
    lane_step(ctx, now_ms);
}

void lane_wake(struct lane *lane, int64_t due_ms)
{
    if (!lane->timer.heap_index || due_ms < lane->timer.due_ms)
        timer_set(lane->tenant->col->loop, &lane->timer, due_ms);
}

/* One of the polls that come again and again and mostly find little: so it seems, until its span is chosen. */
static bool seems_steady(const struct lane *lane)
{
    const struct tenant *t = lane->tenant;

    return lane->kind == LANE_LIVE && t->read_ms && !lane->chain && !t->plans[LANE_LIVE].active;
}

void lane_step(struct lane *lane, int64_t now_ms)
{
    struct tenant *t = lane->tenant;
    struct access_view view;
    int64_t wait_ms;

    if (t->phase != PHASE_RUN || lane->request || !ticket_is_out(&lane->ticket))
        return;
    if (lane->kind == LANE_FILL && !t->cursor.fill.active)
        return;
    if (now_ms < lane->due_ms) {
        lane_wake(lane, lane->due_ms);
        return;
    }
    switch (access_ask(t->access, now_ms, &view)) {
    case ACCESS_BUSY:
        return;         /* the listener wakes both lanes */
    case ACCESS_FAILED:
        lane_wake(lane, view.retry_ms);
        tenant_look(t);         /* says what it is */
        return;
    case ACCESS_READY:
        break;
    }
    wait_ms = budget_take(t->budget, lane->kind == LANE_FILL, now_ms);
    if (wait_ms) {
        lane_wake(lane, now_ms + wait_ms);
        return;
    }
    lane->ticket.patient = seems_steady(lane);
    gate_ask(t->col->gate, &lane->ticket);
}

size_t lane_page_top(const struct lane *lane)
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
    lane->top = t->api->url(&(struct api_query){
        .base = t->base_url, .lo = lane->window.lo, .hi = lane->window.hi, .top = lane->top, .skip = lane->skip,
        .form = lane->form, .filter = t->input.filter }, url);
}

static void choose_window(struct lane *lane)
{
    struct tenant *t = lane->tenant;
    struct window_plan *plan = &t->plans[lane->kind];

    cursor_next(&t->cursor, lane->kind, plan, t->input.overlap, &lane->window);
    cursor_avoid(&t->quarantine, lane->kind, plan, &lane->window, tenant_service_now(t));
    lane->fresh = 0;
}

/* The print of an answer to just this question that would bring nothing. */
static struct hash128 seen_before(const struct lane *lane)
{
    const struct reading *last = &lane->last;

    if (lane->chain || last->window.lo != lane->window.lo || last->window.hi != lane->window.hi || last->top != lane->top ||
        last->form != lane->form)
        return (struct hash128){ 0, 0 };
    return last->print;
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
        choose_window(lane);
    lane->top = lane_page_top(lane);
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
    lane->stale = true;
    lane->page = page_new(&t->api->shape, &lane->handler);
    lane->token = view.token;
    lane_url(lane, &url);
    t->tally.requests++;
    lane->request = http_start(t->col->http, &(struct http_spec){
        .url = buf_text(&url), .authorization = view.authorization, .headers = t->api->headers, .route = &t->route,
        .sink = &sink, .done = lane_answered, .ctx = lane, .timeout_s = SILENCE_S,
        .patient = lane->ticket.patient && lane->window.hi == TICKS_OPEN, .seen = seen_before(lane) });
    buf_free(&url);
}
