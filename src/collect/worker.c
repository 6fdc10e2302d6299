#include "collect/worker.h"

#include "base/digest.h"
#include "base/mem.h"
#include "collect/classify.h"
#include "collect/poll_due.h"
#include "collect/records.h"
#include "collect/worker_answer.h"
#include "collect/worker_log.h"
#include "collect/worker_request.h"

#define SILENCE_S 60    /* a response that stays silent for this long is given up */
#define FRESH_MS  10000 /* a token counts as fresh for this long, so that one serves all who need one */

/* Towards a request. */

#define NO_WORK INT64_MAX

/* Returns how long until the quarantine has something to request, by the service's clock. */
static int64_t quarantine_wait_ms(const struct feed *feed)
{
    int64_t now_s = feed_service_now(feed) / TICKS_PER_SECOND;
    int64_t next_s = quarantine_next_s(&feed->progress.quarantine, now_s);

    return next_s == INT64_MAX ? NO_WORK : (next_s - now_s) * 1000;
}

/* Returns how long until the worker has something to read; NO_WORK: until it is told. */
static int64_t work_wait_ms(const struct worker *worker)
{
    const struct feed *feed = worker->reading.feed;

    if (!feed->open || !feed_may_read(feed))
        return NO_WORK;
    switch (worker->reading.kind) {
    case WORKER_LIVE: return 0;
    case WORKER_BACKFILL: return feed->progress.cursor.backfill.active ? 0 : NO_WORK;
    default:
        if (worker->reading.suspicion.state == SUSPICION_PROBE) /* though another clock says now that nothing was due */
            return 0;
        return quarantine_wait_ms(feed);
    }
}

void worker_step(struct worker *worker, int64_t now_ms)
{
    struct token_view view;
    int64_t wait_ms;

    switch (worker->state) {
    case WORKER_IDLE:
        wait_ms = work_wait_ms(worker);
        if (wait_ms == NO_WORK)
            return;
        if (wait_ms && now_ms + wait_ms > worker->due_ms) { /* due_ms stays: work may come sooner */
            worker->port->wake(worker, now_ms + wait_ms);
            return;
        }
        if (now_ms < worker->due_ms) {
            worker->port->wake(worker, worker->due_ms);
            return;
        }
        worker->state = WORKER_TOKEN;
        if (worker->reading.attempts.fresh_token)
            worker->port->renew(worker, now_ms);
        worker->reading.attempts.fresh_token = false;
        /* fall through */
    case WORKER_TOKEN:
        switch (worker->port->token(worker, now_ms, &view)) {
        case TOKEN_BUSY: /* the tenant listens and calls again */ return;
        case TOKEN_FAILED:
            worker->port->wake(worker, view.retry_ms);
            worker->reading.feed->owner->changed(worker->reading.feed->ctx);
            return;
        case TOKEN_READY: break;
        }
        worker->state = WORKER_RATE;
        /* fall through */
    case WORKER_RATE:
        wait_ms = worker->port->rate(worker, now_ms);
        if (wait_ms) {
            worker->port->wake(worker, now_ms + wait_ms);
            return;
        }
        worker->state = WORKER_SLOT;
        worker->port->slot(worker);
        return;
    case WORKER_SLOT:
    case WORKER_REQUEST: return;
    }
}

void worker_granted(struct worker *worker, int64_t now_ms)
{
    struct token_view view;

    if (!feed_may_read(worker->reading.feed)) { /* woken when it may */
        worker->port->release(worker);
        worker->state = WORKER_IDLE;
        return;
    }
    /* The token may have changed while the slot was waited for. */
    if (worker->port->token(worker, now_ms, &view) != TOKEN_READY) {
        worker->port->release(worker);
        worker->state = WORKER_TOKEN;
        worker->port->wake(worker, now_ms);
        return;
    }
    worker->state = WORKER_REQUEST;
    worker->token = view.token;
    worker->port->send(worker, &view);
}

void worker_wake(struct worker *worker)
{
    worker->port->wake(worker, loop_now(worker->reading.feed->env->loop));
}

/* After a response. */

static void caught_up(struct worker *worker, int64_t now_ms)
{
    if (worker->reading.kind != WORKER_LIVE)
        return;
    worker->due_ms = poll_due_ms(worker->reading.feed, worker->due_ms, now_ms);
    worker->reading.feed->read_ms = now_ms;
}

void worker_ended(struct worker *worker, const struct next *next, int64_t now_ms)
{
    struct feed *feed = worker->reading.feed;
    int64_t wait_ms = next->wait_ms;

    worker_log(&worker->reading, next);
    switch (next->kind) {
    case NEXT_NOW:
        mem_freep(&feed->sign_in_error);
        rate_succeeded(feed->rate, now_ms);
        break;
    case NEXT_POLL:
        mem_freep(&feed->sign_in_error);
        rate_succeeded(feed->rate, now_ms);
        caught_up(worker, now_ms);
        break;
    case NEXT_THROTTLED:
        wait_ms = rate_throttled(feed->rate, next->wait_ms, random_below(UINT32_MAX), now_ms);
        feed->tally.throttled_ms += wait_ms;
        /* fall through */
    case NEXT_RETRY:
    case NEXT_REFUSED:
        feed->problem = next->err;
        worker->due_ms = now_ms + wait_ms;
        break;
    case NEXT_NEW_TOKEN: token_source_reject(feed->source, worker->token); break;
    case NEXT_VARIANT: break;
    }
    if (next->wake_others)
        feed->owner->wake_others(feed->ctx);
    worker->port->release(worker);
    worker->state = WORKER_IDLE;
    feed->owner->changed(feed->ctx);
    worker_step(worker, now_ms);
}

/* The real port. */

static enum token_state port_token(struct worker *worker, int64_t now_ms, struct token_view *ret)
{
    return token_source_ask(worker->reading.feed->source, now_ms, ret);
}

/* A token that is valid is kept while the login service fails: other inputs may still use it. */
static void port_renew(struct worker *worker, int64_t now_ms)
{
    struct token_source *source = worker->reading.feed->source;
    struct token_view view;

    if (token_source_peek(source, now_ms, &view) == TOKEN_READY && !view.fails &&
        (view.token == worker->token || now_ms - view.fetched_ms >= FRESH_MS))
        token_source_refetch(source, view.token);
}

static int64_t port_rate(struct worker *worker, int64_t now_ms)
{
    return rate_take(worker->reading.feed->rate, &worker->waiter, now_ms);
}

static int64_t port_spare_rate(struct worker *worker, int64_t now_ms)
{
    return rate_take_spare(worker->reading.feed->rate, now_ms);
}

static void port_slot(struct worker *worker)
{
    limiter_acquire(worker->reading.feed->env->limiter, &worker->slot);
}

static void port_release(struct worker *worker)
{
    if (worker->request)
        http_cancel(worker->request);
    worker->request = NULL;
    if (worker->waiter.waits)
        rate_leave(worker->reading.feed->rate, &worker->waiter);
    limiter_release(&worker->slot);
    page_free(worker->page);
    worker->page = NULL;
}

static void port_wake(struct worker *worker, int64_t due_ms)
{
    if (!timer_is_set(&worker->timer) || due_ms < worker->timer.due_ms)
        timer_set(worker->reading.feed->env->loop, &worker->timer, due_ms);
}

static bool sink_ready(void *ctx)
{
    const struct worker *worker = ctx;
    const struct env *env = worker->reading.feed->env;

    if (!feed_may_read(worker->reading.feed))
        return false;
    if (outbox_has_room(env->outbox))
        return true;
    limiter_hold(env->limiter);
    return false;
}

static bool sink_data(void *ctx, const char *bytes, size_t len)
{
    struct worker *worker = ctx;
    const struct env *env = worker->reading.feed->env;
    bool ok = page_feed(worker->page, bytes, len, outbox_buffer(env->outbox));

    env->wrote(env->ctx);
    return ok;
}

static void answered(void *ctx, const struct http_result *result)
{
    struct worker *worker = ctx;
    struct reading *reading = &worker->reading;
    struct feed *feed = reading->feed;
    struct classified classified;
    struct next next;
    int64_t now_ms = clock_ms();

    worker->request = NULL;
    feed->tally.bytes += result->wire_bytes;
    worker_request_dated(reading, result->date_ms, now_ms - worker->sent_ms);
    classified = classify(result, &(struct classify_facts){ .page = worker->page,
                                                            .bad_records = reading->answer.bad > 0,
                                                            .rejected = reading->attempts.rejected,
                                                            .can_simplify = reading->variant + 1 < feed->api->variants,
                                                            .has_filter = feed->input->filter != NULL,
                                                            .permission = feed->api->permission });
    next = worker_answer(reading, worker->page, &classified, now_ms);
    worker_ended(worker, &next, now_ms);
}

static bool may_repeat(void *ctx)
{
    const struct feed *feed = ((struct worker *)ctx)->reading.feed;

    return feed_may_read(feed) && rate_take_again(feed->rate, loop_now(feed->env->loop));
}

static void port_send(struct worker *worker, const struct token_view *view)
{
    static const struct http_sink sink = { sink_ready, sink_data };
    struct next nothing = { .kind = NEXT_NOW, .backfill_done = worker->reading.kind == WORKER_BACKFILL };
    int64_t now_ms = clock_ms();
    struct reading *reading = &worker->reading;
    struct feed *feed = reading->feed;
    CLEANUP(buf_free) struct buf url = BUF_INIT(WORKER_URL_MOST);

    if (!worker_request_prepare(reading, now_ms)) {
        worker_ended(worker, &nothing, now_ms);
        return;
    }
    worker_request_url(reading, &url);
    worker->page = page_new(&feed->api->shape, &worker->handler);
    worker->sent_ms = clock_ms();
    feed->tally.requests++;
    worker->request = http_start(feed->env->http, &(struct http_spec){ .url = buf_text(&url),
                                                                       .authorization = view->authorization,
                                                                       .headers = feed->api->headers,
                                                                       .route = &feed->route,
                                                                       .sink = &sink,
                                                                       .done = answered,
                                                                       .may_repeat = may_repeat,
                                                                       .ctx = worker,
                                                                       .timeout_s = SILENCE_S });
}

const struct worker_port worker_port = { port_renew, port_token,   port_rate, port_slot,
                                         port_send,  port_release, port_wake };
const struct worker_port worker_spare_port = { port_renew, port_token,   port_spare_rate, port_slot,
                                               port_send,  port_release, port_wake };

/* Beginning and end. */

static void timer_fired(void *ctx, int64_t now_ms)
{
    worker_step(ctx, now_ms);
}

static void slot_granted(void *ctx)
{
    struct worker *worker = ctx;

    worker_granted(worker, loop_now(worker->reading.feed->env->loop));
}

void worker_init(struct worker *worker, struct feed *feed, enum worker_kind kind)
{
    *worker = (struct worker){ .port = &worker_port };
    worker->reading.feed = feed;
    worker->reading.kind = kind;
    worker->timer = (struct timer){ .fire = timer_fired, .ctx = worker };
    worker->slot = (struct slot){ .go = slot_granted, .ctx = worker, .page = true };
    worker->waiter = (struct rate_waiter){ .backfill = kind != WORKER_LIVE };
    worker->handler = records_handler(&worker->reading);
}

void worker_release(struct worker *worker)
{
    if (!worker->port)
        return;
    timer_cancel(worker->reading.feed->env->loop, &worker->timer);
    worker->port->release(worker);
    pages_forget(&worker->reading.pages);
}

void workers_init(struct worker *workers, struct feed *feed)
{
    int kind;

    for (kind = 0; kind < WORKER_COUNT; kind++)
        worker_init(&workers[kind], feed, (enum worker_kind)kind);
}

void workers_release(struct worker *workers)
{
    int kind;

    for (kind = 0; kind < WORKER_COUNT; kind++)
        worker_release(&workers[kind]);
}
