/* One lane of a tenant on its way to a request: token, budget, a place at the gate. What the answer means is in
 * answer.c. */
#include "collect/collector.h"
#include "collect/harvest.h"
#include "collect/worker_private.h"

#define SILENCE_S        60         /* a download that stays silent for so long is given up */

static void timer_fired(void *ctx, int64_t now_ms);
static void worker_send(void *ctx);

void worker_start(struct worker *worker, struct tenant *t, enum worker_kind kind)
{
    worker->tenant = t;
    worker->kind = kind;
    worker->timer = (struct timer){ .fire = timer_fired, .ctx = worker };
    worker->slot.go = worker_send;
    worker->slot.ctx = worker;
    worker->slot.page = true;
    worker->handler = (struct page_handler){ .record = harvest_record, .bad = harvest_bad, .ctx = worker,
                                           .headroom = event_frame_headroom(t->frame) };
}

void worker_request_ends(struct worker *worker)
{
    limiter_release(&worker->slot);
    page_free(worker->page);
    worker->page = NULL;
}

void worker_release(struct worker *worker)
{
    if (!worker->tenant)
        return;
    timer_cancel(worker->tenant->col->loop, &worker->timer);
    if (worker->request)
        http_cancel(worker->request);
    worker->request = NULL;
    worker_request_ends(worker);
    chain_forget(worker);
}

static void timer_fired(void *ctx, int64_t now_ms)
{
    worker_step(ctx, now_ms);
}

void worker_wake(struct worker *worker, int64_t due_ms)
{
    if (!worker->timer.heap_index || due_ms < worker->timer.due_ms)
        timer_set(worker->tenant->col->loop, &worker->timer, due_ms);
}

void worker_step(struct worker *worker, int64_t now_ms)
{
    struct tenant *t = worker->tenant;
    struct token_view view;
    int64_t wait_ms;

    if (t->phase != PHASE_RUN || worker->request || !slot_is_free(&worker->slot))
        return;
    if (worker->kind == WORKER_BACKFILL && !t->cursor.backfill.active)
        return;
    if (now_ms < worker->due_ms) {
        worker_wake(worker, worker->due_ms);
        return;
    }
    switch (token_source_ask(t->source, now_ms, &view)) {
    case TOKEN_BUSY:
        return;         /* the listener wakes both lanes */
    case TOKEN_FAILED:
        worker_wake(worker, view.retry_ms);
        tenant_look(t);         /* says what it is */
        return;
    case TOKEN_READY:
        break;
    }
    wait_ms = rate_take(t->rate, worker->kind == WORKER_BACKFILL, now_ms);
    if (wait_ms) {
        worker_wake(worker, now_ms + wait_ms);
        return;
    }
    limiter_acquire(t->col->limiter, &worker->slot);
}

size_t worker_page_top(const struct worker *worker)
{
    const struct api *api = worker->tenant->api;
    size_t top = worker->kind == WORKER_BACKFILL ? api->top : api->top_first;

    return worker->page_size && worker->page_size < top ? worker->page_size : top;
}

static bool sink_ready(void *ctx)
{
    struct worker *worker = ctx;

    return outbox_has_room(worker->tenant->col->outbox);
}

static bool sink_data(void *ctx, const char *bytes, size_t len)
{
    struct worker *worker = ctx;
    struct collector *col = worker->tenant->col;
    bool ok = page_feed(worker->page, bytes, len, outbox_buffer(col->outbox));

    collector_events_added(col);
    return ok;
}

static void worker_url(struct worker *worker, struct buf *url)
{
    struct tenant *t = worker->tenant;

    if (worker->link) {
        buf_add_text(url, worker->link);
        return;
    }
    worker->top = t->api->url(&(struct api_query){
        .base = t->base_url, .lo = worker->window.lo, .hi = worker->window.hi, .top = worker->top, .skip = worker->skip,
        .variant = worker->variant, .filter = t->input.filter }, url);
}

static void choose_window(struct worker *worker)
{
    struct tenant *t = worker->tenant;
    struct window_plan *plan = &t->plans[worker->kind];

    cursor_next(&t->cursor, worker->kind, plan, t->input.overlap, &worker->window);
    cursor_avoid(&t->quarantine, worker->kind, plan, &worker->window, tenant_service_now(t));
    worker->fresh = 0;
}

/* Through the gate: the token may have changed while this waited, so it is asked for once more. */
static void worker_send(void *ctx)
{
    static const struct http_sink sink = { sink_ready, sink_data };
    struct worker *worker = ctx;
    struct tenant *t = worker->tenant;
    struct buf url = BUF_INIT(1 << 20);
    struct token_view view;

    if (token_source_ask(t->source, loop_now(t->col->loop), &view) != TOKEN_READY) {
        limiter_release(&worker->slot);
        worker_wake(worker, loop_now(t->col->loop));
        return;
    }
    tenant_begin(t, &view);
    if (!worker->chain)
        choose_window(worker);
    worker->top = worker_page_top(worker);
    if (!worker->pages)       /* the pages of a pass count as of its first */
        worker->sent_at = tenant_service_now(t);
    worker->page_harvest = (struct harvest){ .oldest = TICKS_OPEN, .newest = INT64_MIN };
    if (!worker->pages) {
        worker->harvest = worker->page_harvest;
        worker->kept = 0;
    }
    worker->malformed = worker->replaced = worker->bad = 0;
    worker->sum = 0;
    worker->outside = 0;
    worker->probed = worker->held_back = false;
    worker->page = page_new(&t->api->shape, &worker->handler);
    worker->token = view.token;
    worker_url(worker, &url);
    t->tally.requests++;
    worker->request = http_start(t->col->http, &(struct http_spec){
        .url = buf_text(&url), .authorization = view.authorization, .headers = t->api->headers, .route = &t->route,
        .sink = &sink, .done = worker_answered, .ctx = worker, .timeout_s = SILENCE_S });
    buf_free(&url);
}
