/* A new refresh token on its way into the password store. Its access token is not used before it is there. */
#include "auth/token_source_private.h"
#include "base/clock.h"
#include "base/mem.h"
#include "messages/log_events.h"

#define RETRY_MS 5000

static void stored(void *ctx, bool ok, const struct err *err)
{
    struct token_source *source = ctx;
    const struct principal *principal = source->principal;

    if (!ok) {
        log_event(EVENT_STORE_FAILED,
                  "tenant=%s client=%s why=%s the new refresh token could not be stored, its access token is not used "
                  "before that, trying again in %d s",
                  principal->tenant_id, principal->client_id, QUOTED(err->text), RETRY_MS / 1000);
        if (err->kind == ERR_AUTH)
            principal->principals->session_lost(principal->principals->ctx);
        err_set(&source->err, ERR_RETRY, "the new refresh token cannot be stored in Splunk's password store: %s",
                err->text);
        event_blame(&source->err, EVENT_STORE_FAILED);
    }
    token_source_step(source, ok ? ON_STORED : ON_NOT_STORED, clock_ms());
}

void token_store(struct token_source *source)
{
    const struct principal *principal = source->principal;
    CLEANUP(mem_freep) char *name = secret_name_refresh(principal->tenant_id, principal->client_id);
    const char *value = source->fetched.refresh_token;

    if (source->grant == GRANT_AUTHORIZATION_CODE)
        passwords_store(principal->principals->passwords, name, value, source->codes->hosts, stored, source);
    else
        passwords_rotate(principal->principals->passwords, name, principal->refresh_token, value,
                         principal->refresh_hosts, stored, source);
}

void token_store_later(struct token_source *source, int64_t now_ms)
{
    source->failures++;
    source->retry_ms = now_ms + RETRY_MS;
    timer_set(source->principal->principals->loop, &source->store_timer, source->retry_ms);
    token_source_tell(source);
}
