/* Fetching, renewing and storing the tokens of an account. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "auth/principal_parts.h"
#include "net/retry.h"

#define TOKEN_TIMEOUT_S   30
#define FORM_MAX          (256 * 1024)
#define USABLE_MARGIN_MS  15000     /* a token that ends sooner is not used for another request, ... */
#define USABLE_PART       10        /* ... or sooner than this part of its life, where that is short */
#define STORE_RETRY_MS    5000

static void begin(struct access *access);
static void send_request(void *ctx);
static void store_fire(void *ctx, int64_t now_ms);

void access_init(struct access *access)
{
    access->slot.go = send_request;
    access->slot.ctx = access;
    access->store_timer = (struct timer){ .fire = store_fire, .ctx = access };
}

void access_listen(struct access *access, struct access_listener *listener)
{
    listener->next = access->listeners;
    access->listeners = listener;
}

void access_tell(struct access *access)
{
    struct access_listener *listener;

    for (listener = access->listeners; listener; listener = listener->next)
        listener->changed(listener->ctx);
}

/* Failing. */

static void next_redeems(struct principal *principal)
{
    struct access *access;

    principal->redeeming = NULL;
    for (access = principal->accesses; access; access = access->next) {
        if (!access->wanted)
            continue;
        access->wanted = false;
        access_tell(access);
    }
}

static void finish(struct access *access, bool ok)
{
    void (*exchanged)(void *ctx, bool ok, const struct err *err) = access->exchanged;

    access->sending = false;
    if (access->principal->redeeming == access)
        next_redeems(access->principal);
    if (access->grant == GRANT_AUTHORIZATION_CODE && exchanged) {
        access->exchanged = NULL;
        access->failed = false;     /* a spent code says nothing about the other credentials */
        mem_free_secretp(&access->code);
        exchanged(access->exchanged_ctx, ok, ok ? NULL : &access->err);
    } else if (access->code && !access->sending) {
        begin(access);              /* a code that came while another request was under way */
    }
    access_tell(access);
}

static void failed(struct access *access)
{
    int64_t now_ms = clock_ms();
    uint32_t random = random_below(UINT32_MAX);

    access->failed = true;
    if (access->err.kind == ERR_AUTH) {
        access->retry_ms = now_ms + refused_wait_ms(++access->refusals);
    } else {
        access->refusals = 0;
        access->retry_ms = now_ms + retry_wait_ms(++access->failures, access->err.wait_ms, random);
    }
    finish(access, false);
}

static void succeeded(struct access *access)
{
    token_release(&access->token);
    access->token = access->fresh;
    access->token_number++;
    access->fresh = (struct token){ .expires_ms = 0 };
    access->failed = false;
    access->failures = access->refusals = 0;
    finish(access, true);
}

/* The new refresh token goes into the store first. */

static void stored(void *ctx, bool ok, const struct err *err)
{
    struct access *access = ctx;
    struct principal *principal = access->principal;

    if (ok) {
        access->storing = false;
        mem_free_secret(principal->refresh_token);
        principal->refresh_token = access->fresh.refresh_token;
        access->fresh.refresh_token = NULL;
        succeeded(access);
        return;
    }
    log_event(EVENT_STORE_FAILED, "tenant=%s client=%s the new refresh token could not be stored, its access token "
              "is not used before that, trying again in %d s: %s", principal->tenant_id, principal->client_id,
              STORE_RETRY_MS / 1000, err->text);
    if (err->kind == ERR_AUTH)
        principal->principals->session_lost(principal->principals->ctx);
    access->failed = true;
    err_set(&access->err, ERR_RETRY, "the new refresh token cannot be stored in Splunk's password store: %s",
            err->text);
    access->retry_ms = clock_ms() + STORE_RETRY_MS;
    timer_set(principal->principals->loop, &access->store_timer, access->retry_ms);
    access_tell(access);
}

static void store_fire(void *ctx, int64_t now_ms UNUSED)
{
    struct access *access = ctx;
    struct principal *principal = access->principal;
    CLEANUP(mem_freep) char *name = secret_name_refresh(principal->tenant_id, principal->client_id);

    splunkd_store_secret(principal->principals->splunkd, name, access->fresh.refresh_token, stored, access);
}

static void store(struct access *access)
{
    if (!access->principal->principals->splunkd || text_same(access->fresh.refresh_token, access->principal->refresh_token)) {
        mem_free_secretp(&access->fresh.refresh_token);
        succeeded(access);
        return;
    }
    access->storing = true;
    store_fire(access, 0);
}

/* Asking for a token. */

static bool other_assertion_form(struct access *access)
{
    struct principal *principal = access->principal;

    if (!principal->certificate || principal->form == ASSERTION_RS256 || !assertion_refused(&access->err))
        return false;
    principal->form = ASSERTION_RS256;
    log_event(EVENT_ASSERTION, "tenant=%s client=%s the tenant does not take a PS256 client assertion, RS256 is "
              "tried", principal->tenant_id, principal->client_id);
    return true;
}

static void answered(void *ctx, const struct http_result *result)
{
    struct access *access = ctx;
    int64_t now_ms = clock_ms();

    access->request = NULL;
    limiter_release(&access->slot);
    if (result->date_ms) {
        access->clock_offset_ms = result->date_ms - clock_wall_ms();
        access->has_clock = true;
    }
    token_release(&access->fresh);
    if (!token_read(result, access->grant, now_ms, &access->fresh, &access->err)) {
        if (other_assertion_form(access))
            limiter_acquire(access->principal->principals->limiter, &access->slot);
        else
            failed(access);
        return;
    }
    if (access->fresh.refresh_token)
        store(access);
    else
        succeeded(access);
}

static enum token_grant grant_of(const struct access *access)
{
    if (access->code)
        return GRANT_AUTHORIZATION_CODE;
    return access->principal->refresh_token ? GRANT_REFRESH_TOKEN : GRANT_CLIENT_CREDENTIALS;
}

static char *assertion_of(struct access *access, const struct token_request *request)
{
    const struct assertion_key *key = certificate_key(access->principal->cert, &access->err);

    return key ? assertion_new(key, access->principal->form, request, clock_wall_ms(), access->clock_offset_ms,
                               &access->err) : NULL;
}

static void send_request(void *ctx)
{
    struct access *access = ctx;
    struct principal *principal = access->principal;
    struct buf url = BUF_INIT(FORM_MAX), form = BUF_INIT(FORM_MAX);
    CLEANUP(mem_free_secretp) char *assertion = NULL;
    struct token_request request = {
        .login_url = principal->login_url, .tenant_id = principal->tenant_id, .client_id = principal->client_id,
        .client_secret = principal->client_secret, .resource = access->resource, .v1 = access->v1,
        .grant = access->grant = grant_of(access), .refresh_token = principal->refresh_token, .code = access->code,
        .redirect_uri = access->redirect_uri
    };

    if (principal->certificate) {
        request.client_secret = NULL;
        request.client_assertion = assertion = assertion_of(access, &request);
        if (!assertion) {
            limiter_release(&access->slot);
            failed(access);
            return;
        }
    }
    token_build(&request, &url, &form);
    access->request = http_start(principal->principals->http, &(struct http_spec){
        .url = buf_text(&url), .form = buf_text(&form), .route = principal->route, .done = answered, .ctx = access,
        .timeout_s = TOKEN_TIMEOUT_S });
    buf_free(&url);
    buf_free_secret(&form);
}

/* Is there anything to sign in with? */
static bool has_credential(struct access *access)
{
    const struct principal *principal = access->principal;

    if (principal->client_secret || principal->certificate || principal->refresh_token || access->code)
        return true;
    err_set(&access->err, ERR_AUTH, "no credential: neither client_secret nor client_certificate nor refresh_token is "
            "given, and none is stored for client_id %s. Our administrator: enter one in the input",
            principal->client_id);
    return false;
}

static void begin(struct access *access)
{
    struct principal *principal = access->principal;

    if (!has_credential(access)) {
        access->grant = GRANT_CLIENT_CREDENTIALS;
        access->failed = true;
        access->retry_ms = clock_ms() + refused_wait_ms(++access->refusals);
        return;
    }
    if (grant_of(access) != GRANT_CLIENT_CREDENTIALS) {
        if (principal->redeeming && principal->redeeming != access) {
            access->wanted = true;
            return;
        }
        principal->redeeming = access;
    }
    access->sending = true;
    limiter_acquire(principal->principals->limiter, &access->slot);
}

static bool usable(const struct access *access, int64_t now_ms)
{
    int64_t margin_ms = access->token.lifetime_ms / USABLE_PART;

    return token_fresh(&access->token, now_ms, margin_ms < USABLE_MARGIN_MS ? margin_ms : USABLE_MARGIN_MS);
}

enum access_state access_peek(const struct access *access, int64_t now_ms, struct access_view *ret)
{
    *ret = (struct access_view){ .clock_offset_ms = access->clock_offset_ms, .has_clock = access->has_clock,
                                 .err = &access->err, .fails = access->failed };
    if (usable(access, now_ms)) {
        ret->authorization = access->token.authorization;
        ret->token = access->token_number;
        ret->expires_ms = access->token.expires_ms;
        return ACCESS_READY;
    }
    ret->retry_ms = access->retry_ms;
    if (access->storing)
        return access->store_timer.heap_index ? ACCESS_FAILED : ACCESS_BUSY;
    return access->failed && !access->sending && !access->wanted ? ACCESS_FAILED : ACCESS_BUSY;
}

enum access_state access_ask(struct access *access, int64_t now_ms, struct access_view *ret)
{
    bool waits = access->failed && now_ms < access->retry_ms;

    if (!access->sending && !access->storing && !waits &&
        (!usable(access, now_ms) || now_ms >= token_renew_at_ms(&access->token)))
        begin(access);
    return access_peek(access, now_ms, ret);
}

void access_reject(struct access *access, uint64_t token)
{
    if (access->token_number == token)
        token_release(&access->token);
}

void access_exchange(struct access *access, const char *code, const char *redirect_uri,
                     void (*done)(void *ctx, bool ok, const struct err *err), void *ctx)
{
    mem_free_secret(access->code);
    free(access->redirect_uri);
    access->code = mem_text(code);
    access->redirect_uri = mem_text(redirect_uri);
    access->exchanged = done;
    access->exchanged_ctx = ctx;
    if (!access->sending && !access->storing)
        begin(access);
}
