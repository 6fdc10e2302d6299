#include "collect/tenant_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "collect/status.h"
#include "splunk/app.h"

#define LOOK_MS 60000 /* between looks at an input to which nothing happens */

/* What the feed's workers report. */

static bool feed_writable(void *ctx, struct err *err)
{
    struct tenant *t = ctx;
    bool ok = saver_writable(&t->saver, err);

    if (!ok && t->share && t->claim.held)
        share_lease_unsaved(&t->share->lease);
    return ok;
}

static void feed_changed(void *ctx)
{
    tenant_changed(ctx);
}

static void feed_wake_others(void *ctx)
{
    struct tenant *t = ctx;

    worker_wake(&t->workers[WORKER_BACKFILL]);
    worker_wake(&t->workers[WORKER_QUARANTINE]);
}

static const struct feed_owner feed_owner = { feed_writable, feed_changed, feed_wake_others, NULL };
static const struct feed_owner shared_feed_owner = { feed_writable, feed_changed, feed_wake_others, tenant_may_read };

/* What the opening reports. */

static void set_proxy(void *ctx, const char *password)
{
    struct tenant *t = ctx;

    mem_free_secret(t->proxy);
    t->proxy = target_proxy(&t->input, password);
    t->feed.route.proxy = t->proxy;
}

static struct principal *get_principal(void *ctx)
{
    struct tenant *t = ctx;
    struct principal_spec spec = target_principal(&t->input, &t->opening.to, &t->feed.route);

    if (!t->principal)
        t->principal = principal_get(t->env->principals, &spec);
    return t->principal;
}

static void opening_waits(void *ctx, const struct err *err, bool is_news)
{
    struct tenant *t = ctx;

    t->feed.problem = *err;
    if (is_news) /* its state was "waiting" from the start, so no change of state will tell */
        tenant_tell_status(t, clock_ms());
}

static void wake_workers(void *ctx)
{
    struct tenant *t = ctx;
    int kind;

    for (kind = 0; kind < WORKER_COUNT; kind++)
        worker_wake(&t->workers[kind]);
}

static void source_changed(void *ctx)
{
    struct tenant *t = ctx;

    tenant_changed(t);
    if (t->opening.state != OPENING_OPEN)
        timer_set(t->env->loop, &t->opening.timer, loop_now(t->env->loop));
    if (t->feed.open)
        wake_workers(t);
    audit_wake(&t->audit);
}

static void has_source(void *ctx, struct token_source *source)
{
    struct tenant *t = ctx;

    t->feed.problem.text[0] = '\0'; /* the store has done its part */
    if (t->feed.source)             /* the input opens again */
        return;
    t->feed.source = source;
    token_source_listen(source, &t->listener);
}

void tenant_wake(struct tenant *t)
{
    wake_workers(t);
    audit_start(&t->audit, t->known, clock_ms());
}

static void opened(void *ctx)
{
    struct tenant *t = ctx;

    if (t->claim.unsynced) /* if there are no news, the one before it could be hours old at the next loss of power */
        t->saver.changed = true;
    manifest_start(&t->manifest, clock_ms());
    tenant_wake(t);
}

static const struct opening_owner opening_owner = { get_principal, set_proxy, opening_waits,       has_source,
                                                    feed_changed,  opened,    tenant_share_stopped };

/* What the store answers. */

static void claimed(void *ctx)
{
    struct tenant *t = ctx;

    t->feed.problem.text[0] = '\0'; /* nobody else has it any more */
    opening_claimed(&t->opening);
}

static void busy(void *ctx, const struct err *err)
{
    struct tenant *t = ctx;

    opening_busy(&t->opening, err);
}

static void loaded(void *ctx, enum store_found found, const struct buf *text, const struct err *err)
{
    struct tenant *t = ctx;

    t->known = found == STORE_FOUND;
    tenant_share_loaded(t, found, text, err);
}

static void compose(void *ctx, struct buf *text)
{
    struct tenant *t = ctx;

    saver_compose(&t->saver, text);
    if (t->share && !mem_ran_out()) /* it takes memory */
        share_lease_composed(&t->share->lease, text);
}

static void saved(void *ctx, bool ok, const struct err *err)
{
    struct tenant *t = ctx;

    if (!ok && t->ending)
        feed_log(&t->feed, EVENT_CHECKPOINT_FAILED, err->text, "what was written since its last save comes again");
    if (t->share)
        (ok ? share_lease_saved : share_lease_unsaved)(&t->share->lease);
    if (t->ending) /* nothing depends on it any more */
        return;
    saver_saved(&t->saver, ok, err, clock_ms());
    manifest_saved(&t->manifest, clock_ms());
    opening_saved(&t->opening);
    tenant_changed(t);
}

static void vanished(void *ctx)
{
    struct tenant *t = ctx;

    saver_vanished(&t->saver);
    tenant_changed(t);
}

void tenant_reset_workers(struct tenant *t)
{
    audit_stop(&t->audit);
    workers_release(t->workers);
    workers_init(t->workers, &t->feed);
}

/* Another process reads for this input now. What is in flight ends without a result, and what is known of the progress
 * is out of date. */
static void lost(void *ctx)
{
    struct tenant *t = ctx;

    feed_log(&t->feed, EVENT_WAITING, NULL,
             "the lock file in the checkpoint folder was removed, and another process took over this input; reading "
             "stops until that process ends");
    t->feed.open = false;
    tenant_reset_workers(t);
    progress_release(&t->feed.progress);
    progress_init(&t->feed.progress, t->input.overlap);
    saver_forget(&t->saver);
    ledger_forget(t->feed.ledger);
    if (!t->ending && tenant_is_here(t))
        opening_start_again(&t->opening);
    tenant_changed(t);
}

static const struct claim_owner claim_owner = { claimed, busy, loaded, compose, saved, vanished, lost };

/* What the audit asks for. */

static void audit_save(void *ctx)
{
    struct tenant *t = ctx;

    t->saver.changed = true;
    tenant_changed(t);
}

static void audit_ended(void *ctx)
{
    struct tenant *t = ctx;

    manifest_audited(&t->manifest, clock_ms());
}

static const struct audit_owner audit_owner = { audit_save, audit_ended };

/* From beginning to end. */

static void status_timer_fired(void *ctx, int64_t now_ms)
{
    tenant_log_status(ctx, now_ms);
}

static void init_feed(struct tenant *t, size_t number)
{
    CLEANUP(mem_freep) char *stanza = mem_format("%s://%s", SCHEME_NAME, t->input.name);
    const struct api *api = t->target.api;
    const struct env *env = t->env;

    t->feed = (struct feed){ .env = env,
                             .input = &t->input,
                             .label = t->label,
                             .cap = log_cap_new(),
                             .number = number,
                             .api = api,
                             .base_url = t->target.base_url,
                             .since_ms = env->started_ms,
                             .owner = t->input.share_url ? &shared_feed_owner : &feed_owner,
                             .ctx = t };
    t->feed.route.ca_file = t->input.ca_file;
    t->feed.frame = event_frame_new(stanza, t->input.has_sourcetype ? NULL : api->sourcetype);
    t->feed.rate = rate_pool_get(env->rates, t->input.tenant_id, t->input.client_id, api->family, api->per_minute,
                                 api->per_hour, env->started_ms);
    progress_init(&t->feed.progress, t->input.overlap);
    t->feed.ledger = feed_ledger_new(&t->input, api);
    t->feed.loss.as = target_sign_in_as(&t->input);
}

struct tenant *tenant_new(const struct env *env, size_t number, struct input *input)
{
    struct tenant *t = mem_alloc(sizeof(*t));

    t->env = env;
    t->input = *input;
    *input = (struct input){ .name = NULL };
    t->label = input_label(t->input.name);
    target_of(&t->input, &t->target);
    init_feed(t, number);
    t->claim = (struct claim){ .store = env->store,
                               .name = t->input.name,
                               .ledger = t->feed.ledger,
                               .owner = &claim_owner,
                               .ctx = t };
    saver_init(&t->saver, &t->feed, &t->claim);
    if (t->input.share_url)
        tenant_share_init(t);
    manifest_init(&t->manifest, &t->feed);
    t->audit = (struct audit){ .feed = &t->feed, .owner = &audit_owner, .ctx = t };
    t->opening = (struct opening){ .feed = &t->feed,
                                   .input = &t->input,
                                   .saver = &t->saver,
                                   .to = target_destination(&t->target),
                                   .owner = &opening_owner,
                                   .ctx = t };
    secret_gate_join(env->gates, t->input.client_id, &t->opening.ticket,
                     t->input.client_secret || t->input.refresh_token);
    workers_init(t->workers, &t->feed);
    t->listener = (struct token_listener){ .changed = source_changed, .ctx = t };
    t->status_timer = (struct timer){ .fire = status_timer_fired, .ctx = t };
    t->record = (struct state_record){ .input_name = t->input.name, .source = &tenant_state, .ctx = t };
    state_writer_add(env->states, &t->record);
    timer_set(env->loop, &t->status_timer, status_next_ms(number, env->started_ms, env->started_ms));
    return t;
}

void tenant_free(struct tenant *t)
{
    if (!t)
        return;
    tenant_share_free(t);
    audit_stop(&t->audit);
    workers_release(t->workers);
    timer_cancel(t->env->loop, &t->status_timer);
    manifest_release(&t->manifest);
    opening_release(&t->opening);
    store_release(&t->claim);
    ledger_free(t->feed.ledger);
    saver_release(&t->saver);
    progress_release(&t->feed.progress);
    feed_log_counts(&t->feed, true, clock_ms());
    log_cap_free(t->feed.cap);
    event_frame_free(t->feed.frame);
    free(t->feed.sign_in_error);
    free(t->feed.loss.as);
    mem_free_secret(t->proxy);
    free(t->label);
    input_free(&t->input);
    free(t);
}

void tenant_start(struct tenant *t)
{
    if (t->share)
        tenant_share_start(t);
    else
        opening_start(&t->opening);
}

void tenant_secrets_loaded(struct tenant *t)
{
    tenant_share_secrets(t);
    if (t->opening.state == OPENING_SECRETS)
        opening_step(&t->opening, clock_ms());
}

void tenant_secrets_reloaded(struct tenant *t)
{
    tenant_share_secrets(t);
    if (t->state == HEALTH_REFUSED)
        secret_intake_refresh(t->opening.intake);
}

static void begin_again(struct tenant *t, int64_t now_ms)
{
    tenant_reset_workers(t);
    opening_begin_again(&t->opening, now_ms);
}

int64_t tenant_tick(struct tenant *t, uint64_t settled, int64_t now_ms)
{
    bool by_clock;
    int64_t save_ms;

    if (now_ms < t->look_ms)
        return t->look_ms;
    t->look_ms = clock_next(now_ms, LOOK_MS); /* unless something happens meanwhile */
    by_clock = tenant_update_health(t, now_ms);
    feed_log_counts(&t->feed, false, now_ms);
    if (opening_began_late(&t->opening, now_ms))
        begin_again(t, now_ms);
    if ((t->opening.state == OPENING_TOKEN || t->opening.state == OPENING_OPEN) && tenant_is_here(t)) {
        saver_tick(&t->saver, settled, now_ms);
        tenant_share_tick(t, settled, now_ms);
    }
    save_ms = by_clock || t->share ? 0 : saver_look_ms(&t->saver); /* a lease goes by the clock */
    if (save_ms < t->look_ms)
        t->look_ms = save_ms > now_ms ? save_ms : clock_next(now_ms, CLOCK_SECOND_MS);
    return t->look_ms;
}

void tenant_ends(struct tenant *t)
{
    t->ending = true;
    saver_cancel(&t->saver);
}

void tenant_save_last(struct tenant *t, uint64_t taken, enum store_durability durability)
{
    if (durability == STORE_SYNCED)
        durability = saver_last_durability(&t->saver, taken);
    if (t->feed.open)
        saver_ends(&t->saver, clock_ms());
    if (saver_has_news(&t->saver, taken))
        saver_save(&t->saver, taken, durability);
}

const struct tally *tenant_tally(const struct tenant *t)
{
    return &t->feed.tally;
}

const struct feed *tenant_feed(const struct tenant *t)
{
    return &t->feed;
}
