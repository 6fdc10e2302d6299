#include "collect/tenant.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "collect/collector.h"
#include "collect/services.h"
#include "splunk/params.h"
#include "splunk/proxy.h"

#define LOCK_RETRY_MS   250
#define DISK_RETRY_MS   10000
#define AHEAD_MOST      (INT64_C(86400) * TICKS_PER_SECOND)     /* clocks may be wrong by less */

static void phase_fire(void *ctx, int64_t now_ms);
static struct secret_intake *intake_new(struct tenant *t);

static void wake_workers(void *ctx)
{
    struct tenant *t = ctx;
    int kind;

    tenant_stir(t);
    for (kind = 0; kind < WORKER_COUNT; kind++)
        worker_wake(&t->workers[kind], loop_now(t->col->loop));
}

struct tenant *tenant_new(struct collector *col, struct input *input)
{
    struct tenant *t = mem_alloc(sizeof(*t));
    CLEANUP(mem_freep) char *stanza = mem_format("%s://%s", SCHEME_NAME, input->name);
    int kind;

    t->col = col;
    t->input = *input;
    *input = (struct input){ .name = NULL };
    t->label = input_label(t->input.name);
    t->api = api_at(t->input.api);
    t->login_url = mem_text(service_login_url(&t->input));
    t->base_url = mem_text(service_base_url(&t->input));
    t->resource = mem_text(service_resource(&t->input));
    if (t->base_url[strlen(t->base_url) - 1] == '/')
        t->base_url[strlen(t->base_url) - 1] = '\0';
    t->proxy = t->input.proxy ? proxy_with_password(t->input.proxy, t->input.proxy_password) : NULL;
    t->route = (struct http_route){ .ca_file = t->input.ca_file, .proxy = t->proxy };
    t->frame = event_frame_new(stanza, t->input.has_sourcetype ? NULL : t->api->sourcetype);
    t->dedup = dedup_new();
    t->cp_path = checkpoint_path(col->checkpoint_dir, t->input.name);
    t->rate = collector_rate(col, t->input.tenant_id, t->input.client_id, t->api);
    t->phase_timer = (struct timer){ .fire = phase_fire, .ctx = t };
    t->status_timer = (struct timer){ .fire = status_fire, .ctx = t };
    t->save_timer = (struct timer){ .fire = tenant_save_fire, .ctx = t };
    t->secrets = intake_new(t);
    t->listener = (struct token_listener){ .changed = wake_workers, .ctx = t };
    t->state = STATE_WAITING;
    tenant_stir(t);
    for (kind = 0; kind < WORKER_COUNT; kind++)
        worker_start(&t->workers[kind], t, (enum worker_kind)kind);
    return t;
}

void tenant_free(struct tenant *t)
{
    int kind;

    if (!t)
        return;
    for (kind = 0; kind < WORKER_COUNT; kind++)
        worker_release(&t->workers[kind]);
    timer_cancel(t->col->loop, &t->phase_timer);
    timer_cancel(t->col->loop, &t->status_timer);
    timer_cancel(t->col->loop, &t->save_timer);
    secret_intake_free(t->secrets);
    acks_release(&t->acks);
    dedup_free(t->dedup);
    checkpoint_release(&t->cp);
    event_frame_free(t->frame);
    mem_free_secret(t->proxy);
    free(t->cp_path);
    free(t->label);
    free(t->sign_in_error);
    free(t->login_url);
    free(t->base_url);
    free(t->resource);
    input_free(&t->input);
    free(t);
}

ticks tenant_service_now(const struct tenant *t)
{
    return ticks_from_ms(clock_wall_ms() + t->clock_offset_ms);
}

/* Lock and checkpoint. */

static void wait_with(struct tenant *t, const struct err *err, int64_t wait_ms)
{
    bool news = !text_same(t->problem.text, err->text);

    if (news)
        log_event(EVENT_WAITING, "input=%s tenant=%s %s", t->label, t->input.tenant_id, err->text);
    t->problem = *err;
    if (news)       /* its state was "waiting" from the first, so no change of state will tell */
        status_line(t, clock_ms());
    timer_set(t->col->loop, &t->phase_timer, clock_ms() + wait_ms);
}

static void set_cursor(struct tenant *t)
{
    tenant_stir(t);
    t->has_begin = true;
    t->saved_cursor = t->cursor;
    acks_add(&t->acks, &t->cursor, 0, clock_ms());
}

static bool same_alerts(const char *a, const char *b)
{
    return text_same(a, api_incidents.name) == text_same(b, api_incidents.name);
}

/* The file is another tenant's or another API's: its cursor is good for the same kind of alert, its ids are not. */
static void take_over(struct tenant *t)
{
    bool alike = same_alerts(t->cp.api, t->api->name);
    ticks from = t->cursor.backfill.active ? t->cursor.backfill.next : t->cursor.watermark;

    log_event(EVENT_CHECKPOINT_RENEWED, "input=%s tenant=%s api=%s the checkpoint was of tenant_id %s, api %s; %s",
              t->label, t->input.tenant_id, t->api->name, t->cp.tenant_id, t->cp.api,
              alike ? "reading goes on at its cursor" : "reading begins at start_time");
    dedup_free(t->dedup);
    t->dedup = dedup_new();
    free(t->cp.tenant_id);
    free(t->cp.api);
    t->cp.tenant_id = mem_text(t->input.tenant_id);
    t->cp.api = mem_text(t->api->name);
    if (!alike)
        return;
    cursor_start(&t->cursor, ticks_back(from, t->input.overlap) > t->cursor.begin ? ticks_back(from, t->input.overlap)
                                                                                 : t->cursor.begin);
    t->cursor.watermark = from;
    set_cursor(t);
}

static bool load(struct tenant *t)
{
    struct err err;

    switch (checkpoint_load(t->cp_path, &t->cp, t->dedup, &err)) {
    case CHECKPOINT_READ:
        t->cursor = t->cp.cursor;
        if (!text_same(t->cp.tenant_id, t->input.tenant_id) || !text_same(t->cp.api, t->api->name))
            take_over(t);
        else
            set_cursor(t);
        return true;
    case CHECKPOINT_UNREADABLE:
        wait_with(t, &err, DISK_RETRY_MS);
        return false;
    case CHECKPOINT_BAD:
        log_event(EVENT_CHECKPOINT_BAD, "input=%s tenant=%s %s; it was renamed to .bad and reading begins at "
                  "start_time", t->label, t->input.tenant_id, err.text);
        dedup_free(t->dedup);
        t->dedup = dedup_new();
        break;
    case CHECKPOINT_NONE:
        break;
    }
    t->cp.tenant_id = mem_text(t->input.tenant_id);
    t->cp.api = mem_text(t->api->name);
    return true;
}

static bool lock(struct tenant *t)
{
    struct lock_file *file;
    struct err err;

    file = collector_lock(t->col, &err);
    if (!file) {
        err_prefix(&err, "the checkpoint folder cannot be used, events are held back");
        wait_with(t, &err, DISK_RETRY_MS);
        return false;
    }
    if (!lock_input(file, t->input.name, &err)) {
        wait_with(t, &err, LOCK_RETRY_MS);
        return false;
    }
    return true;
}

void tenant_start(struct tenant *t)
{
    phase_fire(t, clock_ms());
}

static void phase_fire(void *ctx, int64_t now_ms UNUSED)
{
    struct tenant *t = ctx;

    if (t->phase != PHASE_LOCK || !lock(t) || !load(t))
        return;
    t->phase = PHASE_SECRETS;
    if (secret_watch_loaded(t->col->secret_watch))
        secret_intake_start(t->secrets);
}

/* Secrets. */

void tenant_store_loaded(struct tenant *t)
{
    if (t->phase == PHASE_SECRETS)
        secret_intake_start(t->secrets);
}

static bool was_imported(void *ctx, const char *param, const char *value)
{
    const struct tenant *t = ctx;

    return checkpoint_has_imported(&t->cp, param, value);
}

static void import(void *ctx, const char *param, const char *value)
{
    struct tenant *t = ctx;

    checkpoint_add_imported(&t->cp, param, value);
    t->cp_changed = true;
    tenant_stir(t);
}

static void use_proxy(void *ctx, const char *password)
{
    struct tenant *t = ctx;

    mem_free_secret(t->proxy);
    t->proxy = t->input.proxy ? proxy_with_password(t->input.proxy, password) : NULL;
    t->route.proxy = t->proxy;
}

static struct principal *principal_of(void *ctx)
{
    struct tenant *t = ctx;

    if (!t->principal)
        t->principal = principal_get(t->col->principals, &(struct principal_spec){
            .tenant_id = t->input.tenant_id, .client_id = t->input.client_id, .login_url = t->login_url,
            .certificate = t->input.client_certificate, .route = &t->route });
    return t->principal;
}

static void secrets_wait(void *ctx, const struct err *err)
{
    struct tenant *t = ctx;

    t->problem = *err;
}

static void secrets_done(void *ctx, bool changed UNUSED)
{
    struct tenant *t = ctx;
    struct err err;

    if (t->cp_changed && t->has_begin)
        tenant_save(t, 0, true, &err);      /* on failure the scheduler tries again */
    secret_intake_mask(t->secrets);
    t->source = token_source_get(principal_of(t), t->resource, t->api->v1_token);
    token_source_listen(t->source, &t->listener);
    t->phase = PHASE_RUN;
    wake_workers(t);
}

static struct secret_intake *intake_new(struct tenant *t)
{
    return secret_intake_new(&(struct secret_intake_spec){
        .loop = t->col->loop, .splunkd = t->col->splunkd, .input = &t->input, .label = t->label,
        .login_url = t->login_url, .resource = t->resource, .v1 = t->api->v1_token
    }, &(struct secret_intake_owner){
        .imported = was_imported, .import = import, .use_proxy = use_proxy, .principal = principal_of,
        .waits = secrets_wait, .done = secrets_done, .ctx = t });
}

bool tenant_certificate_days(const struct tenant *t, int64_t *ret)
{
    return t->source && principal_certificate_days(token_source_principal(t->source), ret);
}

/* A checkpoint that was edited, or written when the service's clock was wrong: whatever comes until then would be
 * passed over, with nothing to show for it. */
static bool is_ahead(const struct tenant *t)
{
    return cursor_is_ahead(&t->cursor, tenant_service_now(t) + AHEAD_MOST);
}

void tenant_begin(struct tenant *t, const struct token_view *view)
{
    const struct start_time *start = &t->input.start_time;
    struct err err;

    if (view->has_clock && !t->tally.requests)  /* later the answers themselves know better: a host's clock may jump */
        t->clock_offset_ms = view->clock_offset_ms;
    if (t->has_begin && (!view->has_clock || t->tally.requests || !is_ahead(t)))
        return;
    if (t->has_begin)
        log_event(EVENT_CHECKPOINT_BAD, "input=%s tenant=%s checkpoint '%s' holds times that are still to come, by "
                  "the service's clock; reading begins at start_time", t->label, t->input.tenant_id, t->cp_path);
    cursor_start(&t->cursor, start->relative ? ticks_back(tenant_service_now(t), start->back_s) : start->time);
    set_cursor(t);
    /* The beginning of a relative start_time must not move with a restart. Should this fail, the next save says so. */
    if (!tenant_save(t, 0, false, &err))
        t->cp_changed = true;
}
