#include "collect/collector.h"

#include <poll.h>
#include <stdlib.h>

#include "base/mem.h"
#include "collect/bad_input.h"
#include "collect/feed.h"
#include "collect/last_save.h"
#include "collect/log_output.h"
#include "collect/metrics.h"
#include "collect/output.h"
#include "collect/retirement.h"
#include "collect/sharing.h"
#include "collect/tenant.h"
#include "messages/log_events.h"
#include "splunk/app.h"
#include "splunk/stanza.h"
#include "state/store_file.h"

#define REQUESTS_MOST      100 /* in flight: as many as one HTTP/2 connection usually carries */
#define REQUESTS_BURST     5   /* started in one go: responses are looked at in between */
#define MINUTE_MS          60000
#define LOOK_EVERY_MS      5000 /* at files that others may change */
#define METRICS_MS         (5 * 60 * 1000)
#define DAY_MS             (24 * 60 * MINUTE_MS)
#define HURRY_S            10 /* for an answer about the customers' state */
#define STORE_MOST_MS      50 /* of the store's work in one go; the disk makes everybody wait */
/* After SIGTERM there is a second. Until these milliseconds: refresh tokens may go into the password store; a torn
 * event may be completed and the reader may catch up; checkpoints are synced to the disk (later ones are only
 * written). */
#define PASSWORDS_UNTIL_MS 300
#define CLOSE_UNTIL_MS     450
#define SYNC_UNTIL_MS      600
#define SHARE_UNTIL_MS     850 /* the last checkpoints go into the store that forwarders share */

struct collector {
    struct env env;
    struct output output;
    struct log_output log;
    struct rest *rest;         /* splunkd */
    struct rest *hurried_rest; /* the same for what is of use only while it is fresh */
    struct kvstore *kvstore;
    struct data_inputs *hurried_inputs;
    struct sharing sharing;
    struct tenant **tenants;
    size_t count;
    struct bad_input **bad_inputs;
    size_t bad_count;
    struct timer tick_timer;  /* when a look at an input is due, and every ten seconds */
    struct timer store_timer; /* set while the store has questions to answer */
    struct watch store_watch; /* a save has ended */
    int64_t look_due_ms, metrics_due_ms, daily_due_ms;
    uint64_t metrics_events;
    size_t audits;
};

/* The regular look. */

static void log_metrics(struct collector *col, int64_t now_ms)
{
    struct metrics metrics = { .inputs = col->count,
                               .events_before = col->metrics_events,
                               .every_ms = METRICS_MS,
                               .pending_bytes = outbox_pending(col->env.outbox),
                               .loop_ms = loop_take_longest_round_ms(col->env.loop),
                               .up_ms = now_ms - col->env.started_ms };
    size_t i;

    for (i = 0; i < col->count; i++) {
        const struct tally *tally = tenant_tally(col->tenants[i]);

        metrics.events += tally->new_events;
        metrics.bytes += tally->bytes;
        metrics.requests += tally->requests;
    }
    metrics_log(&metrics);
    col->metrics_events = metrics.events;
    col->metrics_due_ms = now_ms + METRICS_MS;
}

/* Says once a day what is about all inputs together. */
static void log_daily(struct collector *col, int64_t now_ms)
{
    const struct feed **feeds = mem_alloc((col->count + 1) * sizeof(*feeds));
    size_t i;

    for (i = 0; i < col->count; i++)
        feeds[i] = tenant_feed(col->tenants[i]);
    retirement_log(feeds, col->count);
    free(feeds);
    col->daily_due_ms = now_ms + DAY_MS;
}

static void tick(void *ctx, int64_t now_ms)
{
    struct collector *col = ctx;
    int64_t next_ms = clock_next(now_ms, CLOCK_IDLE_MS), due_ms;
    uint64_t settled;
    size_t i;

    if (!output_is_read(&col->output))
        return;
    outbox_note(col->env.outbox, now_ms);
    if (now_ms >= col->look_due_ms) {
        col->look_due_ms = clock_next(now_ms, LOOK_EVERY_MS);
        principals_look_at_files(col->env.principals);
        store_look(col->env.store);
    }
    settled = outbox_settled(col->env.outbox, now_ms);
    for (i = 0; i < col->count; i++) {
        due_ms = tenant_tick(col->tenants[i], settled, now_ms);
        next_ms = due_ms < next_ms ? due_ms : next_ms;
    }
    if (now_ms >= col->metrics_due_ms)
        log_metrics(col, now_ms);
    if (now_ms >= col->daily_due_ms)
        log_daily(col, now_ms);
    timer_set(col->env.loop, &col->tick_timer, next_ms);
}

/* What happens to an input brings the regular look forward. */
static void tenant_changed(void *ctx)
{
    struct collector *col = ctx;
    int64_t due_ms = clock_next(loop_now(col->env.loop), CLOCK_SECOND_MS);

    if (timer_is_set(&col->tick_timer) && col->tick_timer.due_ms > due_ms)
        timer_set(col->env.loop, &col->tick_timer, due_ms);
}

/* The store, the password store and the output report. */

static void store_asks(void *ctx)
{
    struct collector *col = ctx;

    if (!timer_is_set(&col->store_timer))
        timer_set(col->env.loop, &col->store_timer, loop_now(col->env.loop));
}

/* Half of the time is left for the responses. */
static void pump_store(void *ctx, int64_t now_ms UNUSED)
{
    struct collector *col = ctx;

    if (store_pump(col->env.store, STORE_MOST_MS))
        timer_set(col->env.loop, &col->store_timer, clock_ms() + STORE_MOST_MS);
}

static void save_ended(void *ctx, short revents UNUSED)
{
    pump_store(ctx, 0);
}

/* A process that is killed and started again every few seconds must stay below the limits of a minute, too. One that
 * starts after a minute of rest may use what a rested process may. */
static void store_opened(void *ctx, int64_t idle_ms)
{
    struct collector *col = ctx;

    if (idle_ms >= 0 && idle_ms < MINUTE_MS + CLOCK_IDLE_MS)
        rate_pool_was_used(col->env.rates);
    else
        rate_pool_was_not_used(col->env.rates);
}

static void tell_each(const struct collector *col, void (*tell)(struct tenant *tenant))
{
    size_t i;

    for (i = 0; i < col->count; i++)
        tell(col->tenants[i]);
}

static void secrets_came(struct collector *col, void (*tell)(struct tenant *tenant))
{
    tell_each(col, tell);
    if (col->env.share)
        share_secrets_loaded(col->env.share);
}

static void secrets_loaded(void *ctx)
{
    secrets_came(ctx, tenant_secrets_loaded);
}

static void secrets_reloaded(void *ctx)
{
    secrets_came(ctx, tenant_secrets_reloaded);
}

static void store_troubled(void *ctx)
{
    tell_each(ctx, tenant_store_troubled);
}

static bool any_refused(void *ctx)
{
    const struct collector *col = ctx;
    size_t i;

    for (i = 0; i < col->count; i++)
        if (tenant_is_refused(col->tenants[i]))
            return true;
    return col->env.share && share_wants_secrets(col->env.share);
}

static void session_over(void *ctx)
{
    const struct collector *col = ctx;

    loop_stop(col->env.loop);
}

static void wrote(void *ctx)
{
    struct collector *col = ctx;

    output_wrote(&col->output);
}

/* Beginning and end. */

static void add_tenant(struct collector *col, const struct config *config, const struct raw_stanza *stanza)
{
    struct input input = { .name = NULL };
    struct err err;

    if (stanza_is_disabled(stanza)) /* whatever else it holds */
        return;
    if (!input_from_stanza(stanza, CHECK_LASTING_FILES, &input, &err) ||
        (input.share_url && !sharing_take(&col->sharing, &col->env, config, &input, &err))) {
        input_free(&input);
        col->bad_inputs = mem_grow(col->bad_inputs, col->bad_count + 1, sizeof(*col->bad_inputs));
        col->bad_inputs[col->bad_count++] = bad_input_new(&col->env, stanza, &err);
        return;
    }
    col->tenants = mem_grow(col->tenants, col->count + 1, sizeof(*col->tenants));
    col->tenants[col->count] = tenant_new(&col->env, col->count, &input);
    col->count++;
}

static void init_states(struct collector *col, const struct config *config)
{
    struct env *env = &col->env;

    col->hurried_rest = rest_new(env->loop, env->http, config->server_uri, config->session_key, getenv("SPLUNK_HOME"));
    rest_hurry(col->hurried_rest, HURRY_S);
    rest_listen(col->hurried_rest, secret_watch_doubt_session, env->secrets);
    col->kvstore = kvstore_new(col->hurried_rest, APP_NAME, STATE_COLLECTION);
    col->hurried_inputs = data_inputs_new(col->hurried_rest);
    env->states = state_writer_new(&(struct state_writer_spec){ .loop = env->loop,
                                                                .kvstore = col->kvstore,
                                                                .data_inputs = col->hurried_inputs,
                                                                .forwarder = config->server_host });
}

static void init_env(struct collector *col, struct loop *loop, const struct config *config, int out_fd)
{
    struct env *env = &col->env;

    env->loop = loop;
    log_output_init(&col->log, loop);
    env->started_ms = clock_ms();
    env->audits = &col->audits;
    env->http = http_new(loop);
    env->limiter = limiter_new(loop, REQUESTS_MOST, REQUESTS_BURST);
    output_init(&col->output, loop, env->http, env->limiter, out_fd);
    env->outbox = col->output.outbox;
    env->rates = rate_pool_new();
    env->store = store_file_new(config->checkpoint_dir,
                                &(struct store_watcher){ .asked = store_asks, .opened = store_opened, .ctx = col });
    col->store_watch = (struct watch){ .fd = store_fd(env->store), .events = POLLIN, .ready = save_ended, .ctx = col };
    watch_add(loop, &col->store_watch);
    col->rest = rest_new(loop, env->http, config->server_uri, config->session_key, getenv("SPLUNK_HOME"));
    env->passwords = passwords_new(col->rest);
    passwords_listen(env->passwords, store_troubled, col);
    env->data_inputs = data_inputs_new(col->rest);
    env->notices = notices_new(col->rest);
    env->secrets = secret_watch_new(loop, env->passwords,
                                    &(struct secret_watch_owner){ .loaded = secrets_loaded,
                                                                  .reloaded = secrets_reloaded,
                                                                  .wanted = any_refused,
                                                                  .session_over = session_over,
                                                                  .ctx = col });
    rest_listen(col->rest, secret_watch_doubt_session, env->secrets);
    env->gates = secret_gates_new(loop);
    env->principals = principals_new(loop, env->http, env->limiter, env->passwords, secret_watch_session_lost,
                                     env->secrets);
    env->expiries = expiries_new(loop, env->http);
    init_states(col, config);
    env->wrote = wrote;
    env->changed = tenant_changed;
    env->ctx = col;
}

struct collector *collector_new(struct loop *loop, const struct config *config, int out_fd)
{
    struct collector *col = mem_alloc(sizeof(*col));
    size_t i;

    col->tick_timer = (struct timer){ .fire = tick, .ctx = col };
    col->store_timer = (struct timer){ .fire = pump_store, .ctx = col };
    init_env(col, loop, config, out_fd);
    col->metrics_due_ms = col->env.started_ms + METRICS_MS;
    for (i = 0; i < config->count; i++)
        add_tenant(col, config, &config->stanzas[i]);
    return col;
}

static struct last_save last_save_of(const struct collector *col)
{
    return (struct last_save){ &col->env, col->tenants, col->count };
}

static bool storing(void *ctx)
{
    return principals_storing(ctx);
}

/* Memory ran out: whatever is being done is finished, and the process ends as after SIGTERM. */
static void memory_low(void *ctx)
{
    const struct collector *col = ctx;

    loop_stop(col->env.loop);
}

/* Memory ran out again, anywhere. */
static void save_now(void *ctx)
{
    const struct last_save save = last_save_of(ctx);

    last_save_now(&save, CLOSE_UNTIL_MS);
}

bool collector_run(struct collector *col)
{
    struct env *env = &col->env;
    struct last_save save;
    int64_t stopped_ms;
    size_t i;

    log_event(EVENT_START, "inputs=%zu version=%s", col->count, VERSION);
    output_flush(&col->output);
    mem_keep_back(&(struct mem_end){ memory_low, save_now, col });
    secret_watch_start(env->secrets);
    state_writer_start(env->states);
    for (i = 0; i < col->count; i++)
        tenant_start(col->tenants[i]);
    timer_set(env->loop, &col->tick_timer, clock_ms());
    loop_run(env->loop);
    stopped_ms = clock_ms();
    limiter_close(env->limiter); /* the successor of a refresh token redeemed now could not be stored any more */
    loop_drain(env->loop, stopped_ms + PASSWORDS_UNTIL_MS, storing, env->principals);
    outbox_close(env->outbox, (int)(stopped_ms + CLOSE_UNTIL_MS - clock_ms()));
    save = last_save_of(col);
    last_save_all(&save, stopped_ms + SYNC_UNTIL_MS);
    sharing_end(&col->sharing, stopped_ms + SHARE_UNTIL_MS);
    mem_give_back();
    if (mem_ran_out())
        return false;
    log_event(EVENT_STOPPED, "inputs=%zu uptime_s=%lld", col->count, (long long)(clock_ms() - env->started_ms) / 1000);
    return true;
}

void collector_free(struct collector *col)
{
    struct env *env = &col->env;
    size_t i;

    state_writer_free(env->states);
    kvstore_free(col->kvstore);
    data_inputs_free(col->hurried_inputs);
    for (i = 0; i < col->count; i++)
        tenant_free(col->tenants[i]);
    for (i = 0; i < col->bad_count; i++)
        bad_input_free(col->bad_inputs[i]);
    sharing_release(&col->sharing);
    free(col->tenants);
    expiries_free(env->expiries);
    free(col->bad_inputs);
    principals_free(env->principals);
    secret_gates_free(env->gates);
    secret_watch_free(env->secrets);
    notices_free(env->notices);
    data_inputs_free(env->data_inputs);
    passwords_free(env->passwords);
    rest_free(col->rest);
    rest_free(col->hurried_rest);
    http_free(env->http);
    limiter_free(env->limiter);
    rate_pool_free(env->rates);
    output_free(&col->output);
    watch_remove(env->loop, &col->store_watch);
    store_free(env->store);
    log_output_free(&col->log);
    free(col);
}
