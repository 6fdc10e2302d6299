#include "auth/secret_watch.h"

#include <stdlib.h>

#include "base/clock.h"
#include "messages/log_events.h"
#include "base/mem.h"
#include "base/text.h"

#define RETRY_MS         30000
#define RELOAD_MS        60000
#define SESSION_GRACE_MS 60000

struct secret_watch {
    struct loop *loop;
    struct passwords *passwords;
    struct secret_watch_owner owner;
    struct timer reload_timer; /* not set while the store is being read */
    struct timer session_timer;
    bool loaded, session_lost;
    struct err logged; /* the last failure; "": none since the last success */
};

static void failed(struct secret_watch *watch, const struct err *err)
{
    if (!text_same(watch->logged.text, err->text))
        log_event(EVENT_STORE_UNREADABLE, "why=%s Splunk's password store cannot be read; trying again in %d s",
                  QUOTED(err->text), RETRY_MS / 1000);
    watch->logged = *err;
    if (err->kind == ERR_AUTH)
        secret_watch_session_lost(watch);
}

static void loaded(void *ctx, bool ok, const struct err *err)
{
    struct secret_watch *watch = ctx;
    const struct secret_watch_owner *owner = &watch->owner;
    bool first = !watch->loaded;

    timer_set(watch->loop, &watch->reload_timer, clock_ms() + (ok ? RELOAD_MS : RETRY_MS));
    if (!ok) {
        failed(watch, err);
        return;
    }
    watch->logged.text[0] = '\0';
    watch->loaded = true;
    if (first)
        owner->loaded(owner->ctx);
    else
        owner->reloaded(owner->ctx);
}

static void reload_fire(void *ctx, int64_t now_ms)
{
    struct secret_watch *watch = ctx;

    if (!watch->loaded || watch->owner.wanted(watch->owner.ctx))
        passwords_load(watch->passwords, loaded, watch);
    else
        timer_set(watch->loop, &watch->reload_timer, now_ms + RELOAD_MS);
}

static void session_fire(void *ctx, int64_t now_ms UNUSED)
{
    const struct secret_watch *watch = ctx;

    log_event(EVENT_STOP_KEY, "reason=session_key splunkd no longer takes this process's session key; it ends so "
                              "that splunkd starts it with a fresh one");
    watch->owner.session_over(watch->owner.ctx);
}

void secret_watch_session_lost(void *ctx)
{
    struct secret_watch *watch = ctx;

    if (watch->session_lost)
        return;
    watch->session_lost = true;
    log_event(EVENT_SESSION_KEY,
              "splunkd no longer takes this process's session key; inputs go on with what they "
              "hold, and the process ends in %d s to get a fresh key",
              SESSION_GRACE_MS / 1000);
    timer_set(watch->loop, &watch->session_timer, clock_ms() + SESSION_GRACE_MS);
}

void secret_watch_doubt_session(void *ctx)
{
    struct secret_watch *watch = ctx;

    if (!watch->session_lost && timer_is_set(&watch->reload_timer)) {
        timer_cancel(watch->loop, &watch->reload_timer);
        passwords_load(watch->passwords, loaded, watch);
    }
}

struct secret_watch *secret_watch_new(struct loop *loop, struct passwords *passwords,
                                      const struct secret_watch_owner *owner)
{
    struct secret_watch *watch = mem_alloc(sizeof(*watch));

    *watch = (struct secret_watch){ .loop = loop,
                                    .passwords = passwords,
                                    .owner = *owner,
                                    .reload_timer = { .fire = reload_fire, .ctx = watch },
                                    .session_timer = { .fire = session_fire, .ctx = watch } };
    return watch;
}

void secret_watch_free(struct secret_watch *watch)
{
    if (!watch)
        return;
    timer_cancel(watch->loop, &watch->reload_timer);
    timer_cancel(watch->loop, &watch->session_timer);
    free(watch);
}

void secret_watch_start(struct secret_watch *watch)
{
    passwords_load(watch->passwords, loaded, watch);
}

bool secret_watch_loaded(const struct secret_watch *watch)
{
    return watch->loaded;
}

int64_t secret_watch_next_ms(const struct secret_watch *watch)
{
    return timer_is_set(&watch->reload_timer) ? watch->reload_timer.due_ms : 0;
}
