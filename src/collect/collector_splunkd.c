/* What the process has of splunkd: its session key and its password store. */
#include "collect/collector_private.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "collect/secrets.h"

#define SECRETS_RETRY_MS 30000
#define SECRETS_LOOK_MS  60000      /* with a refused input: has somebody stored a new secret? */
#define SESSION_GRACE_MS 60000

void collector_session_fire(void *ctx, int64_t now_ms UNUSED)
{
    struct collector *col = ctx;

    log_event(EVENT_STOP_KEY, "reason=session_key splunkd no longer takes this process's session key; it ends so "
              "that splunkd starts it with a fresh one");
    loop_stop(col->loop);
}

void collector_session_lost(void *ctx)
{
    struct collector *col = ctx;

    if (col->session_lost)
        return;
    col->session_lost = true;
    log_event(EVENT_SESSION_KEY, "splunkd no longer takes this process's session key; inputs go on with what they "
              "hold, and the process ends in %d s to get a fresh key", SESSION_GRACE_MS / 1000);
    timer_set(col->loop, &col->session_timer, clock_ms() + SESSION_GRACE_MS);
}

/* A secret that somebody stored while we run (another input, the sign-in command) reaches its account here. */
static void secrets_to_principals(struct collector *col)
{
    size_t i;

    for (i = 0; i < col->count; i++) {
        struct tenant *t = col->tenants[i];

        if (t->phase == PHASE_RUN && t->state == STATE_REFUSED)
            secrets_refresh(t);
    }
}

static void secrets_loaded(void *ctx, bool ok, const struct err *err)
{
    struct collector *col = ctx;
    bool first = !col->secrets_loaded;
    size_t i;

    col->secrets_loading = false;
    timer_set(col->loop, &col->secrets_timer, clock_ms() + (ok ? SECRETS_LOOK_MS : SECRETS_RETRY_MS));
    if (!ok) {
        if (!text_same(col->secrets_err.text, err->text))
            log_event(EVENT_STORE_UNREADABLE, "Splunk's password store cannot be read: %s. Trying again in %d s",
                      err->text, SECRETS_RETRY_MS / 1000);
        col->secrets_err = *err;
        if (err->kind == ERR_AUTH)
            collector_session_lost(col);
        return;
    }
    col->secrets_err.text[0] = '\0';
    col->secrets_loaded = true;
    for (i = 0; first && i < col->count; i++)
        if (col->tenants[i]->phase == PHASE_SECRETS)
            secrets_start(col->tenants[i]);
    if (!first)
        secrets_to_principals(col);
}

static bool any_refused(const struct collector *col)
{
    size_t i;

    for (i = 0; i < col->count; i++)
        if (col->tenants[i]->state == STATE_REFUSED)
            return true;
    return false;
}

void collector_secrets_fire(void *ctx, int64_t now_ms)
{
    struct collector *col = ctx;

    if (!col->secrets_loaded || any_refused(col))
        collector_load_secrets(col);
    else
        timer_set(col->loop, &col->secrets_timer, now_ms + SECRETS_LOOK_MS);
}

void collector_load_secrets(struct collector *col)
{
    if (col->secrets_loading)
        return;
    col->secrets_loading = true;
    passwords_load(col->passwords, secrets_loaded, col);
}
