#include "collect/secrets.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "collect/collector.h"
#include "microsoft/signin.h"
#include "splunk/data_inputs.h"
#include "splunk/mask.h"
#include "splunk/proxy.h"

#define RETRY_MS 10000

/* What is done for one secret that stands in the stanza in clear. The order is that of the work: the proxy is needed
 * to get anywhere, the code is exchanged last. */
enum secret_kind { SECRET_PROXY, SECRET_CLIENT, SECRET_REFRESH, SECRET_CODE, SECRET_KINDS };

static const char *const param_names[SECRET_KINDS] = { "proxy", "client_secret", "refresh_token",
                                                       "authorization_code" };

struct secrets_job {
    struct tenant   *tenant;
    enum secret_kind at;
    char            *names[SECRET_KINDS];       /* in the store; the code has none */
    bool             to_mask[SECRET_KINDS];     /* stands in clear in inputs.conf */
    struct timer     timer;
    bool             warned;
};

static void go_on(struct secrets_job *job);

static char **clear_text(struct tenant *t, enum secret_kind kind)
{
    switch (kind) {
    case SECRET_PROXY: return &t->input.proxy_password;
    case SECRET_CLIENT: return &t->input.client_secret;
    case SECRET_REFRESH: return &t->input.refresh_token;
    default: return &t->input.authorization_code;
    }
}

/* Puts the secret to use. */
static void use(struct tenant *t, enum secret_kind kind, const char *value)
{
    switch (kind) {
    case SECRET_PROXY:
        if (!t->input.proxy)
            return;
        mem_free_secret(t->proxy);
        t->proxy = proxy_with_password(t->input.proxy, value);
        t->route.proxy = t->proxy;
        return;
    case SECRET_CLIENT:
        principal_set_secret(tenant_principal(t), value);
        return;
    case SECRET_REFRESH:
        principal_set_refresh_token(tenant_principal(t), value);
        return;
    default:
        return;
    }
}

static void imported(struct secrets_job *job)
{
    struct tenant *t = job->tenant;

    checkpoint_add_imported(&t->cp, param_names[job->at], *clear_text(t, job->at));
    t->cp_changed = true;
    tenant_stir(t);
    job->to_mask[job->at] = true;
}

static void next(struct secrets_job *job)
{
    job->at++;
    job->warned = false;
    go_on(job);
}

/* Splunk's store, or Microsoft, does not answer: a secret given in clear can be used meanwhile, but not a refresh
 * token, which rotates and must have a place. */
static void later(struct secrets_job *job, const struct err *err)
{
    struct tenant *t = job->tenant;

    if (!job->warned)
        log_event(EVENT_SECRET_WAITS, "input=%s tenant=%s parameter=%s %s, trying again in %d s", t->label,
                  t->input.tenant_id, param_names[job->at], err->text, RETRY_MS / 1000);
    job->warned = true;
    t->problem = *err;
    timer_set(t->col->loop, &job->timer, clock_ms() + RETRY_MS);
}

static void stored(void *ctx, bool ok, const struct err *err)
{
    struct secrets_job *job = ctx;
    struct tenant *t = job->tenant;

    if (!ok && job->at == SECRET_REFRESH) {
        later(job, err);
        return;
    }
    use(t, job->at, *clear_text(t, job->at));
    if (!ok) {
        log_event(EVENT_SECRET_NOT_STORED, "input=%s tenant=%s parameter=%s Splunk's password store did not take it, "
                  "so it is used as it stands in inputs.conf: %s", t->label, t->input.tenant_id, param_names[job->at],
                  err->text);
    } else {
        log_event(EVENT_SECRET_STORED, "input=%s tenant=%s parameter=%s moved to Splunk's password store", t->label,
                  t->input.tenant_id, param_names[job->at]);
        imported(job);
    }
    next(job);
}

/* The code. */

static void code_refused(const struct tenant *t, const struct err *err)
{
    CLEANUP(mem_freep) char *address = signin_address(t->login_url, t->input.tenant_id, t->input.client_id,
                                                      t->input.redirect_uri, t->resource, t->api->v1_token);

    log_event(EVENT_CODE_REFUSED, "input=%s tenant=%s the authorization code was not accepted: %s. Sign in again at "
              "%s", t->label, t->input.tenant_id, err->text, address);
}

static void exchanged(void *ctx, bool ok, const struct err *err)
{
    struct secrets_job *job = ctx;
    struct tenant *t = job->tenant;

    if (!ok && err->kind != ERR_AUTH) {
        later(job, err);
        return;
    }
    if (ok) {
        log_event(EVENT_SIGNED_IN, "input=%s tenant=%s the authorization code was exchanged for a refresh token",
                  t->label, t->input.tenant_id);
    } else {
        code_refused(t, err);
    }
    imported(job);
    next(job);
}

static void exchange(struct secrets_job *job)
{
    struct tenant *t = job->tenant;
    CLEANUP(mem_free_secretp) char *code = NULL;
    struct err err;

    if (!signin_code(t->input.authorization_code, &code, &err)) {
        code_refused(t, &err);
        imported(job);
        next(job);
        return;
    }
    token_source_exchange(token_source_get(tenant_principal(t), t->resource, t->api->v1_token), code, t->input.redirect_uri,
                    exchanged, job);
}

/* Masking. */

static void masked(void *ctx, bool ok, const struct err *err)
{
    struct secrets_job *job = ctx;
    struct tenant *t = job->tenant;

    if (!ok)
        log_event(EVENT_NOT_MASKED, "input=%s tenant=%s the secret stays readable in inputs.conf of app '%s': %s",
                  t->label, t->input.tenant_id, t->input.app, err->text);
}

static void mask(struct secrets_job *job)
{
    struct tenant *t = job->tenant;
    const char *list[2 * SECRET_KINDS + 1];
    CLEANUP(mem_freep) char *proxy = NULL;
    size_t n = 0;
    int kind;

    for (kind = 0; kind < SECRET_KINDS; kind++) {
        if (!job->to_mask[kind])
            continue;
        list[n++] = param_names[kind];
        if (kind == SECRET_PROXY)
            list[n++] = proxy = proxy_masked(t->input.proxy);
        else
            list[n++] = kind == SECRET_CODE ? "" : SECRET_MASK;
    }
    list[n] = NULL;
    if (n)
        data_inputs_edit(t->col->data_inputs, t->input.app, t->input.name, list, masked, job);
}

static void finish(struct secrets_job *job)
{
    struct tenant *t = job->tenant;
    struct err err;

    if (t->cp_changed && t->has_begin)
        tenant_save(t, 0, true, &err);      /* what cannot be saved now is tried again by the tick */
    mask(job);
    tenant_secrets_ready(t);
}

/* One secret after the other. */

static void go_on(struct secrets_job *job)
{
    struct tenant *t = job->tenant;
    const char *clear, *in_store;

    for (; job->at < SECRET_KINDS; job->at++) {
        clear = *clear_text(t, job->at);
        in_store = job->names[job->at] ? passwords_get(t->col->passwords, job->names[job->at]) : NULL;
        if (!clear) {
            use(t, job->at, in_store);
            continue;
        }
        if (checkpoint_has_imported(&t->cp, param_names[job->at], clear) && (in_store || job->at == SECRET_CODE)) {
            job->to_mask[job->at] = true;
            use(t, job->at, in_store);
            continue;
        }
        if (job->at == SECRET_CODE) {
            exchange(job);
            return;
        }
        passwords_store(t->col->passwords, job->names[job->at], clear, stored, job);
        return;
    }
    finish(job);
}

static void timer_fired(void *ctx, int64_t now_ms UNUSED)
{
    go_on(ctx);
}

void secrets_start(struct tenant *t)
{
    struct secrets_job *job = t->secrets;

    if (!t->col->secrets_loaded)        /* the collector calls again when the store has been read */
        return;
    if (!job) {
        job = t->secrets = mem_alloc(sizeof(*job));
        job->tenant = t;
        job->timer = (struct timer){ .fire = timer_fired, .ctx = job };
        job->names[SECRET_PROXY] = secret_name_proxy(t->input.name);
        job->names[SECRET_CLIENT] = secret_name_client(t->input.client_id);
        job->names[SECRET_REFRESH] = secret_name_refresh(t->input.tenant_id, t->input.client_id);
    }
    go_on(job);
}

void secrets_refresh(struct tenant *t)
{
    const struct secrets_job *job = t->secrets;
    int kind;

    for (kind = SECRET_CLIENT; job && kind <= SECRET_REFRESH; kind++) {
        const char *in_store = passwords_get(t->col->passwords, job->names[kind]);

        if (in_store)
            use(t, (enum secret_kind)kind, in_store);
    }
}

void secrets_free(struct secrets_job *job)
{
    int kind;

    if (!job)
        return;
    timer_cancel(job->tenant->col->loop, &job->timer);
    for (kind = 0; kind < SECRET_KINDS; kind++)
        free(job->names[kind]);
    free(job);
}
