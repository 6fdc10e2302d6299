#include "collect/collector_private.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#define REQUESTS_MOST    100        /* under way at once: as many as one HTTP/2 connection usually carries */
#define REQUESTS_AT_ONCE 5          /* let through in one go: answers are looked at in between */
#define FLUSH_AT         (128 * 1024)
#define MINUTE_MS        60000
#define START_AT_ONCE    16
/* SIGTERM leaves a second. So long after it: refresh tokens may go into the store; a torn event may be completed and
 * the pipe's reader catch up; checkpoints are synced to the disk (later ones are written without). */
#define STORE_UNTIL_MS   300
#define CLOSE_UNTIL_MS   450
#define SYNC_UNTIL_MS    600

struct shared_rate {
    struct shared_rate *next;
    uint64_t      hash;             /* of the tenant's id */
    char         *tenant_id, *client_id;
    const char   *family;
    struct rate rate;
};

/* The output. */

void collector_stop_unread(struct collector *col)
{
    if (!loop_stopping(col->loop))
        log_event(EVENT_STOP, "reason=stdout_closed nobody reads the events any more");
    loop_stop(col->loop);
}

static void flush(struct collector *col)
{
    enum outbox_state state = outbox_flush(col->outbox);

    col->stdout_watch.events = state == OUTBOX_BLOCKED ? POLLOUT : 0;
    if (state == OUTBOX_CLOSED)
        collector_stop_unread(col);
}

static void flush_and_go_on(struct collector *col)
{
    flush(col);
    if (outbox_has_room(col->outbox))
        http_resume_all(col->http);
}

static void stdout_ready(void *ctx, short revents)
{
    if (revents & POLLOUT)
        flush_and_go_on(ctx);
    else
        collector_stop_unread(ctx);
}

static void flush_fire(void *ctx, int64_t now_ms UNUSED)
{
    flush_and_go_on(ctx);
}

void collector_events_added(struct collector *col)
{
    if (outbox_pending(col->outbox) >= FLUSH_AT)
        flush(col);
    if (outbox_pending(col->outbox) && !col->flush_timer.heap_index)
        timer_set(col->loop, &col->flush_timer, loop_now(col->loop));
}

/* What tenants share. */

/* Searched one by one, like the accounts, but by a hash: ids that differ at their ends only would cost thousands of
 * tenants a good part of a second. */
struct rate *collector_rate(struct collector *col, const char *tenant_id, const char *client_id,
                                const struct api *api)
{
    uint64_t hash = hash128_of(tenant_id, strlen(tenant_id)).low;
    struct shared_rate *shared;

    for (shared = col->rates; shared; shared = shared->next)
        if (shared->hash == hash && text_same(shared->tenant_id, tenant_id) &&
            text_same(shared->client_id, client_id) && text_same(shared->family, api->family))
            return &shared->rate;
    shared = mem_alloc(sizeof(*shared));
    shared->hash = hash;
    shared->tenant_id = mem_text(tenant_id);
    shared->client_id = mem_text(client_id);
    shared->family = api->family;
    rate_start(&shared->rate, rate_limits_for(api->per_minute, api->per_hour), clock_ms());
    shared->next = col->rates;
    col->rates = shared;
    return &shared->rate;
}

/* The folder was cleaned under us: lock everything anew in the new file before the old one is let go. What the inputs
 * know is in memory alone now, also that of quiet ones, which would not be saved again by themselves. */
static bool lock_anew(struct collector *col, struct err *err)
{
    struct lock_file *old = col->lock, *file;
    struct err ignored;
    size_t i;

    if (!file_make_folder(col->checkpoint_dir, err) || !(file = lock_open(col->checkpoint_dir, err)))
        return false;
    for (i = 0; i < col->count; i++) {
        struct tenant *t = col->tenants[i];

        if (t->phase == PHASE_LOCK)
            continue;
        lock_input(file, t->input.name, &ignored);
        collector_save_anew(t);
    }
    lock_close(old);
    col->lock = file;
    return true;
}

/* A process that is killed and started again every few seconds must stay below the limits of a minute, too. */
static void take_over_rates(struct collector *col)
{
    int64_t idle_ms = lock_idle_ms(col->lock);
    struct shared_rate *shared;

    if (idle_ms < 0 || idle_ms >= MINUTE_MS + CLOCK_IDLE_MS)
        return;
    for (shared = col->rates; shared; shared = shared->next)
        rate_was_used(&shared->rate);
}

struct lock_file *collector_lock(struct collector *col, struct err *err)
{
    if (col->lock && !lock_is_current(col->lock))
        return lock_anew(col, err) ? col->lock : NULL;
    if (!col->lock && file_make_folder(col->checkpoint_dir, err)) {
        col->lock = lock_open(col->checkpoint_dir, err);
        if (col->lock) {
            take_over_rates(col);
            lock_touch(col->lock);
        }
    }
    return col->lock;
}

/* Beginning and end. */

/* A few at a time, so that the first ones are under way while the others' checkpoints are read. */
static void start_some(void *ctx, int64_t now_ms)
{
    struct collector *col = ctx;
    size_t until = col->begun + START_AT_ONCE;

    for (; col->begun < col->count && col->begun < until; col->begun++)
        tenant_start(col->tenants[col->begun]);
    if (col->begun < col->count)
        timer_set(col->loop, &col->start_timer, now_ms);
}

static void add_tenant(struct collector *col, const struct raw_stanza *stanza)
{
    struct input input = { .name = NULL };
    CLEANUP(mem_freep) char *label = NULL;
    struct tenant *t;
    struct err err;

    if (stanza_is_disabled(stanza))     /* whatever else it holds */
        return;
    if (!input_from_stanza(stanza, true, &input, &err)) {
        label = input_label(stanza_input_name(stanza));
        log_event(EVENT_BAD_INPUT, "input=%s %s. This input does not run until it is corrected", label, err.text);
        return;
    }
    t = tenant_new(col, &input);
    t->number = col->count;
    status_start(t, col->started_ms);
    col->tenants = mem_grow(col->tenants, col->count + 1, sizeof(*col->tenants));
    col->tenants[col->count++] = t;
}

/* The password store and the session key. */

static void store_loaded(void *ctx)
{
    struct collector *col = ctx;
    size_t i;

    for (i = 0; i < col->count; i++)
        tenant_store_loaded(col->tenants[i]);
}

static bool any_refused(void *ctx)
{
    const struct collector *col = ctx;
    size_t i;

    for (i = 0; i < col->count; i++)
        if (col->tenants[i]->state == STATE_REFUSED)
            return true;
    return false;
}

/* Another input, or the sign-in command, may have stored a secret while we run. */
static void store_reloaded(void *ctx)
{
    struct collector *col = ctx;
    size_t i;

    for (i = 0; i < col->count; i++)
        if (col->tenants[i]->state == STATE_REFUSED)
            secret_intake_refresh(col->tenants[i]->secrets);
}

static void session_over(void *ctx)
{
    const struct collector *col = ctx;

    loop_stop(col->loop);
}

struct collector *collector_new(struct loop *loop, const struct config *config, int out_fd)
{
    struct collector *col = mem_alloc(sizeof(*col));
    size_t i;

    col->loop = loop;
    col->started_ms = clock_ms();
    col->metrics_due_ms = col->started_ms + COLLECTOR_METRICS_MS;
    col->http = http_new(loop);
    col->limiter = limiter_new(loop, REQUESTS_MOST, REQUESTS_AT_ONCE);
    col->outbox = outbox_new(out_fd);
    col->checkpoint_dir = mem_text(config->checkpoint_dir);
    col->splunkd = splunkd_new(loop, col->http, config, getenv("SPLUNK_HOME"));
    col->secret_watch = secret_watch_new(loop, col->splunkd, &(struct secret_watch_owner){
        .loaded = store_loaded, .reloaded = store_reloaded, .wanted = any_refused, .session_over = session_over,
        .ctx = col });
    col->principals = principals_new(loop, col->http, col->limiter, col->splunkd, secret_watch_session_lost,
                                     col->secret_watch);
    col->stdout_watch = (struct watch){ .fd = out_fd, .ready = stdout_ready, .ctx = col };
    col->flush_timer = (struct timer){ .fire = flush_fire, .ctx = col };
    col->stirred_end = &col->stirred;
    col->tick_timer = (struct timer){ .fire = collector_tick, .ctx = col };
    col->start_timer = (struct timer){ .fire = start_some, .ctx = col };
    watch_add(loop, &col->stdout_watch);
    for (i = 0; i < config->count; i++)
        add_tenant(col, &config->stanzas[i]);
    return col;
}

/* Every checkpoint as far as splunkd has taken the events. What is still in the pipe comes again at the next start. */
static void save_all(struct collector *col, int64_t sync_until_ms)
{
    uint64_t taken = outbox_taken(col->outbox);
    struct err err;
    size_t i;

    collector_look_at_folder(col);
    for (i = 0; i < col->count; i++) {
        struct tenant *t = col->tenants[i];

        if (!tenant_has_news(t, taken))
            continue;
        if (!tenant_save(t, taken, clock_ms() < sync_until_ms, &err))
            log_event(EVENT_CHECKPOINT_FAILED, "input=%s tenant=%s %s; what was written since its last save comes "
                      "again", t->label, t->input.tenant_id, err.text);
    }
}

static bool storing(void *ctx)
{
    return principals_storing(ctx);
}

void collector_run(struct collector *col)
{
    int64_t stopped_ms;

    log_event(EVENT_START, "inputs=%zu version=%s", col->count, VERSION);
    flush(col);
    secret_watch_start(col->secret_watch);
    timer_set(col->loop, &col->start_timer, clock_ms());
    timer_set(col->loop, &col->tick_timer, clock_ms());
    loop_run(col->loop);
    stopped_ms = clock_ms();
    limiter_close(col->limiter);      /* the successor of a refresh token that is redeemed now could no longer be stored */
    loop_drain(col->loop, stopped_ms + STORE_UNTIL_MS, storing, col->principals);
    outbox_close(col->outbox, (int)(stopped_ms + CLOSE_UNTIL_MS - clock_ms()));
    save_all(col, stopped_ms + SYNC_UNTIL_MS);
    log_event(EVENT_STOPPED, "inputs=%zu uptime_s=%lld", col->count,
              (long long)(clock_ms() - col->started_ms) / 1000);
}

void collector_free(struct collector *col)
{
    struct shared_rate *shared;
    size_t i;

    if (!col)
        return;
    for (i = 0; i < col->count; i++)
        tenant_free(col->tenants[i]);
    free(col->tenants);
    principals_free(col->principals);
    secret_watch_free(col->secret_watch);
    splunkd_free(col->splunkd);
    http_free(col->http);
    limiter_free(col->limiter);
    outbox_free(col->outbox);
    lock_close(col->lock);
    while ((shared = col->rates)) {
        col->rates = shared->next;
        free(shared->tenant_id);
        free(shared->client_id);
        free(shared);
    }
    free(col->checkpoint_dir);
    free(col);
}
