/* Fetching, renewing and storing the tokens of an account. */
#include <stdlib.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "auth/principal_private.h"
#include "messages/log_events.h"

#define TOKEN_TIMEOUT_S   30
#define FORM_MAX          (256 * 1024)
#define USABLE_MARGIN_MS  15000     /* a token that ends sooner is not used for another request, ... */
#define USABLE_PART       10        /* ... or sooner than this part of its life, where that is short */
#define STORE_RETRY_MS    5000

static void begin(struct token_source *source);
static void send_request(void *ctx);
static void store_fire(void *ctx, int64_t now_ms);

void token_source_init(struct token_source *source)
{
    source->slot.go = send_request;
    source->slot.ctx = source;
    source->store_timer = (struct timer){ .fire = store_fire, .ctx = source };
}

void token_source_listen(struct token_source *source, struct token_listener *listener)
{
    listener->next = source->listeners;
    source->listeners = listener;
}

void token_source_tell(struct token_source *source)
{
    struct token_listener *listener;

    for (listener = source->listeners; listener; listener = listener->next)
        listener->changed(listener->ctx);
}

/* Failing. */

static void next_redeems(struct principal *principal)
{
    struct token_source *source;

    principal->redeeming = NULL;
    for (source = principal->sources; source; source = source->next) {
        if (!source->wanted)
            continue;
        source->wanted = false;
        token_source_tell(source);
    }
}

static void finish(struct token_source *source, bool ok)
{
    void (*exchanged)(void *ctx, bool ok, const struct err *err) = source->exchanged;

    source->sending = false;
    if (source->principal->redeeming == source)
        next_redeems(source->principal);
    if (source->grant == GRANT_AUTHORIZATION_CODE && exchanged) {
        source->exchanged = NULL;
        source->failed = false;     /* a spent code says nothing about the other credentials */
        mem_free_secretp(&source->code);
        exchanged(source->exchanged_ctx, ok, ok ? NULL : &source->err);
    } else if (source->code && !source->sending) {
        begin(source);              /* a code that came while another request was under way */
    }
    token_source_tell(source);
}

static void failed(struct token_source *source)
{
    int64_t now_ms = clock_ms();
    uint32_t random = random_below(UINT32_MAX);

    source->failed = true;
    if (source->err.kind == ERR_AUTH) {
        source->retry_ms = now_ms + backoff_refused_ms(++source->refusals);
    } else {
        source->refusals = 0;
        source->retry_ms = now_ms + backoff_wait_ms(++source->failures, source->err.wait_ms, random);
    }
    finish(source, false);
}

static void succeeded(struct token_source *source)
{
    token_release(&source->token);
    source->token = source->fresh;
    source->token_number++;
    source->fresh = (struct token){ .expires_ms = 0 };
    source->failed = false;
    source->failures = source->refusals = 0;
    finish(source, true);
}

/* The new refresh token goes into the store first. */

static void stored(void *ctx, bool ok, const struct err *err)
{
    struct token_source *source = ctx;
    struct principal *principal = source->principal;

    if (ok) {
        source->storing = false;
        mem_free_secret(principal->refresh_token);
        principal->refresh_token = source->fresh.refresh_token;
        source->fresh.refresh_token = NULL;
        succeeded(source);
        return;
    }
    log_event(EVENT_STORE_FAILED, "tenant=%s client=%s the new refresh token could not be stored, its access token "
              "is not used before that, trying again in %d s: %s", principal->tenant_id, principal->client_id,
              STORE_RETRY_MS / 1000, err->text);
    if (err->kind == ERR_AUTH)
        principal->principals->session_lost(principal->principals->ctx);
    source->failed = true;
    err_set(&source->err, ERR_RETRY, "the new refresh token cannot be stored in Splunk's password store: %s",
            err->text);
    source->retry_ms = clock_ms() + STORE_RETRY_MS;
    timer_set(principal->principals->loop, &source->store_timer, source->retry_ms);
    token_source_tell(source);
}

static void store_fire(void *ctx, int64_t now_ms UNUSED)
{
    struct token_source *source = ctx;
    struct principal *principal = source->principal;
    CLEANUP(mem_freep) char *name = secret_name_refresh(principal->tenant_id, principal->client_id);

    passwords_store(principal->principals->passwords, name, source->fresh.refresh_token, stored, source);
}

static void store(struct token_source *source)
{
    if (!source->principal->principals->passwords || text_same(source->fresh.refresh_token, source->principal->refresh_token)) {
        mem_free_secretp(&source->fresh.refresh_token);
        succeeded(source);
        return;
    }
    source->storing = true;
    store_fire(source, 0);
}

/* Asking for a token. */

static bool other_assertion_form(struct token_source *source)
{
    struct principal *principal = source->principal;

    if (!principal->certificate || principal->form == ASSERTION_RS256 || !assertion_refused(&source->err))
        return false;
    principal->form = ASSERTION_RS256;
    log_event(EVENT_ASSERTION, "tenant=%s client=%s the tenant does not take a PS256 client assertion, RS256 is "
              "tried", principal->tenant_id, principal->client_id);
    return true;
}

static void answered(void *ctx, const struct http_result *result)
{
    struct token_source *source = ctx;
    int64_t now_ms = clock_ms();

    source->request = NULL;
    limiter_release(&source->slot);
    if (result->date_ms) {
        source->clock_offset_ms = result->date_ms - clock_wall_ms();
        source->has_clock = true;
    }
    token_release(&source->fresh);
    if (!token_read(result, source->grant, now_ms, &source->fresh, &source->err)) {
        if (other_assertion_form(source))
            limiter_acquire(source->principal->principals->limiter, &source->slot);
        else
            failed(source);
        return;
    }
    if (source->fresh.refresh_token)
        store(source);
    else
        succeeded(source);
}

static enum token_grant grant_of(const struct token_source *source)
{
    if (source->code)
        return GRANT_AUTHORIZATION_CODE;
    return source->principal->refresh_token ? GRANT_REFRESH_TOKEN : GRANT_CLIENT_CREDENTIALS;
}

static char *assertion_of(struct token_source *source, const struct token_request *request)
{
    const struct assertion_key *key = certificate_key(source->principal->cert, &source->err);

    return key ? assertion_new(key, source->principal->form, request, clock_wall_ms(), source->clock_offset_ms,
                               &source->err) : NULL;
}

static void send_request(void *ctx)
{
    struct token_source *source = ctx;
    struct principal *principal = source->principal;
    struct buf url = BUF_INIT(FORM_MAX), form = BUF_INIT(FORM_MAX);
    CLEANUP(mem_free_secretp) char *assertion = NULL;
    struct token_request request = {
        .login_url = principal->login_url, .tenant_id = principal->tenant_id, .client_id = principal->client_id,
        .client_secret = principal->client_secret, .resource = source->resource, .v1 = source->v1,
        .grant = source->grant = grant_of(source), .refresh_token = principal->refresh_token, .code = source->code,
        .redirect_uri = source->redirect_uri
    };

    if (principal->certificate) {
        request.client_secret = NULL;
        request.client_assertion = assertion = assertion_of(source, &request);
        if (!assertion) {
            limiter_release(&source->slot);
            failed(source);
            return;
        }
    }
    token_build(&request, &url, &form);
    source->request = http_start(principal->principals->http, &(struct http_spec){
        .url = buf_text(&url), .form = buf_text(&form), .route = principal->route, .done = answered, .ctx = source,
        .timeout_s = TOKEN_TIMEOUT_S });
    buf_free(&url);
    buf_free_secret(&form);
}

/* Is there anything to sign in with? */
static bool has_credential(struct token_source *source)
{
    const struct principal *principal = source->principal;

    if (principal->client_secret || principal->certificate || principal->refresh_token || source->code)
        return true;
    err_set(&source->err, ERR_AUTH, "no credential: neither client_secret nor client_certificate nor refresh_token is "
            "given, and none is stored for client_id %s. Our administrator: enter one in the input",
            principal->client_id);
    return false;
}

static void begin(struct token_source *source)
{
    struct principal *principal = source->principal;

    if (!has_credential(source)) {
        source->grant = GRANT_CLIENT_CREDENTIALS;
        source->failed = true;
        source->retry_ms = clock_ms() + backoff_refused_ms(++source->refusals);
        return;
    }
    if (grant_of(source) != GRANT_CLIENT_CREDENTIALS) {
        if (principal->redeeming && principal->redeeming != source) {
            source->wanted = true;
            return;
        }
        principal->redeeming = source;
    }
    source->sending = true;
    limiter_acquire(principal->principals->limiter, &source->slot);
}

static bool usable(const struct token_source *source, int64_t now_ms)
{
    int64_t margin_ms = source->token.lifetime_ms / USABLE_PART;

    return token_fresh(&source->token, now_ms, margin_ms < USABLE_MARGIN_MS ? margin_ms : USABLE_MARGIN_MS);
}

enum token_state token_source_peek(const struct token_source *source, int64_t now_ms, struct token_view *ret)
{
    *ret = (struct token_view){ .clock_offset_ms = source->clock_offset_ms, .has_clock = source->has_clock,
                                 .err = &source->err, .fails = source->failed };
    if (usable(source, now_ms)) {
        ret->authorization = source->token.authorization;
        ret->token = source->token_number;
        ret->expires_ms = source->token.expires_ms;
        return TOKEN_READY;
    }
    ret->retry_ms = source->retry_ms;
    if (source->storing)
        return timer_is_set(&source->store_timer) ? TOKEN_FAILED : TOKEN_BUSY;
    return source->failed && !source->sending && !source->wanted ? TOKEN_FAILED : TOKEN_BUSY;
}

enum token_state token_source_ask(struct token_source *source, int64_t now_ms, struct token_view *ret)
{
    bool waits = source->failed && now_ms < source->retry_ms;

    if (!source->sending && !source->storing && !waits &&
        (!usable(source, now_ms) || now_ms >= token_renew_at_ms(&source->token)))
        begin(source);
    return token_source_peek(source, now_ms, ret);
}

void token_source_reject(struct token_source *source, uint64_t token)
{
    if (source->token_number == token)
        token_release(&source->token);
}

void token_source_exchange(struct token_source *source, const char *code, const char *redirect_uri,
                     void (*done)(void *ctx, bool ok, const struct err *err), void *ctx)
{
    mem_free_secret(source->code);
    free(source->redirect_uri);
    source->code = mem_text(code);
    source->redirect_uri = mem_text(redirect_uri);
    source->exchanged = done;
    source->exchanged_ctx = ctx;
    if (!source->sending && !source->storing)
        begin(source);
}
