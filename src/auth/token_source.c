#include "auth/token_source.h"

#include <stdlib.h>

#include "auth/token_source_private.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"

#define USABLE_MARGIN_MS 15000 /* a token that expires sooner is not used for another request, ... */
#define USABLE_PART      10    /* ... or sooner than this part of a short life */

/* Listeners. */

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

/* The end of a try. */

static void code_exchange_free(struct code_exchange *exchange)
{
    mem_free_secret(exchange->code);
    free(exchange->redirect_uri);
    free(exchange->hosts);
    free(exchange);
}

/* Recursion: a source that ends its try lets one of those go on that wait for the refresh token, which takes it or
 * fails at once. Each step ends one try, so the depth is at most the number of sources, one for each API.
 * NOLINTBEGIN(misc-no-recursion) */

/* Lets the sources that wait for the refresh token go on; the first one takes it. */
static void give_up_redeeming(struct token_source *source, int64_t now_ms)
{
    struct principal *principal = source->principal;
    struct credential_user *other;

    if (principal->redeemer != &source->user)
        return;
    principal->redeemer = NULL;
    for (other = principal->users; other; other = other->next)
        token_source_step((struct token_source *)other, ON_REDEEMED, now_ms);
}

/* Takes the code that the request exchanged out of the queue; NULL: it had another grant. */
static struct code_exchange *take_exchange(struct token_source *source)
{
    struct code_exchange *exchange = source->codes;

    if (source->grant != GRANT_AUTHORIZATION_CODE)
        return NULL;
    source->codes = exchange->next;
    return exchange;
}

static void end_try(struct token_source *source, bool ok, int64_t now_ms)
{
    struct code_exchange *exchange = take_exchange(source);
    struct err err = source->err;

    give_up_redeeming(source, now_ms);
    if (exchange) {
        exchange->done(exchange->ctx, ok, ok ? NULL : &err);
        code_exchange_free(exchange);
    }
    if (source->codes)
        token_source_step(source, ON_CODE, now_ms);
    token_source_tell(source);
}

static void use_fetched(struct token_source *source, int64_t now_ms)
{
    struct principal *principal = source->principal;

    if (source->fetched.refresh_token) {
        mem_free_secret(principal->refresh_token);
        principal->refresh_token = mem_take(&source->fetched.refresh_token);
        if (source->grant == GRANT_AUTHORIZATION_CODE) {
            mem_freep(&principal->refresh_hosts);
            principal->refresh_hosts = mem_text(source->codes->hosts);
        }
    }
    token_release(&source->token);
    source->token = source->fetched;
    source->fetched = (struct token){ 0 };
    source->token_number++;
    source->token_ms = now_ms;
    source->failures = source->refusals = 0;
    end_try(source, true, now_ms);
}

static void plan_retry(struct token_source *source, int64_t now_ms)
{
    uint32_t random = random_below(UINT32_MAX);

    if (source->err.kind == ERR_AUTH) {
        source->retry_ms = now_ms + backoff_refused_ms(++source->refusals);
    } else {
        source->refusals = 0;
        source->retry_ms = now_ms + backoff_wait_ms(++source->failures, source->err.wait_ms, random);
    }
}

static void refuse(struct token_source *source, int64_t now_ms)
{
    if (token_fetch_may_serve(source, &source->err)) {
        err_set(&source->err, ERR_AUTH,
                "no credential: neither client_secret nor client_certificate nor client_assertion nor refresh_token is "
                "given, and none is stored for client_id %s. Our administrator: enter one in the input",
                source->principal->client_id);
        remedy_set(&source->err, "no_credential", ACT_PROVIDER,
                   "enter client_secret, client_certificate, client_assertion or a sign-in in the input");
    }
    plan_retry(source, now_ms);
}

static void forgive(struct token_source *source)
{
    if (!source->failures && !source->refusals)
        return;
    source->failures = source->refusals = 0;
    token_source_tell(source);
}

/* The machine. */

static bool redeems(const struct token_source *source)
{
    return token_fetch_grant(source) != GRANT_CLIENT_CREDENTIALS;
}

static void claim_redeeming(struct token_source *source)
{
    if (redeems(source))
        source->principal->redeemer = &source->user;
}

static void timer_fired(void *ctx, int64_t now_ms)
{
    token_source_step(ctx, ON_TIMER, now_ms);
}

static void slot_acquired(void *ctx)
{
    token_source_step(ctx, ON_SLOT, clock_ms());
}

static bool usable(const struct token_source *source, int64_t now_ms)
{
    int64_t margin_ms = source->token.lifetime_ms / USABLE_PART;

    return token_fresh(&source->token, now_ms, margin_ms < USABLE_MARGIN_MS ? margin_ms : USABLE_MARGIN_MS);
}

static struct source_facts facts_of(const struct token_source *source, int64_t now_ms)
{
    const struct principal *principal = source->principal;
    bool has = principal->client_secret || principal->certificate || principal->federation || principal->refresh_token;
    struct err err;

    return (struct source_facts){ .due = !usable(source, now_ms) || now_ms >= token_renew_at_ms(&source->token),
                                  .lacks_assertion = principal->federation &&
                                                     federation_is_due(principal->federation, now_ms),
                                  .retry_due = now_ms >= source->retry_ms,
                                  .credential = source->codes || (has && token_fetch_may_serve(source, &err)),
                                  .redeems = redeems(source),
                                  .redeemer_busy = principal->redeemer && principal->redeemer != &source->user,
                                  .code_sent = source->grant == GRANT_AUTHORIZATION_CODE };
}

static void act(struct token_source *source, enum source_action action, int64_t now_ms)
{
    switch (action) {
    case DO_NOTHING: return;
    case DO_TELL: token_source_tell(source); return;
    case DO_FETCH_ASSERTION:
        federation_fetch(source->principal->federation, source->principal->principals->http);
        return;
    case DO_ACQUIRE:
        claim_redeeming(source);
        limiter_acquire(source->principal->principals->limiter, &source->slot);
        return;
    case DO_RELEASE: limiter_release(&source->slot); return;
    case DO_SEND:
        claim_redeeming(source);
        token_fetch_start(source, now_ms);
        return;
    case DO_STORE: token_store(source); return;
    case DO_STORE_LATER: token_store_later(source, now_ms); return;
    case DO_USE: use_fetched(source, now_ms); return;
    case DO_FAIL:
        source->failed++;
        plan_retry(source, now_ms);
        end_try(source, false, now_ms);
        return;
    case DO_REFUSE: refuse(source, now_ms); return;
    case DO_FAIL_CODE:
        source->failures = source->refusals = 0;
        end_try(source, false, now_ms);
        return;
    case DO_FORGIVE: forgive(source); return;
    }
}

/* The action comes last, since it may lead to the next event. */
void token_source_step(struct token_source *source, enum source_event event, int64_t now_ms)
{
    struct source_facts facts = facts_of(source, now_ms);
    struct source_next next = token_next(source->state, event, &facts);

    source->state = next.state;
    act(source, next.action, now_ms);
}

/* NOLINTEND(misc-no-recursion) */

/* What the principal tells. */

static void free_source(struct credential_user *user)
{
    struct token_source *source = (struct token_source *)user;
    struct code_exchange *exchange;

    limiter_release(&source->slot);
    timer_cancel(source->principal->principals->loop, &source->store_timer);
    if (source->request)
        http_cancel(source->request);
    while ((exchange = source->codes)) {
        source->codes = exchange->next;
        code_exchange_free(exchange);
    }
    token_release(&source->token);
    token_release(&source->fetched);
    free(source->resource);
    free(source->api);
    free(source);
}

static void credential_changed(struct credential_user *user)
{
    token_source_step((struct token_source *)user, ON_CREDENTIAL, clock_ms());
}

static void assertion_settled(struct credential_user *user)
{
    token_source_step((struct token_source *)user, ON_ASSERTION, clock_ms());
}

static bool is_storing(const struct credential_user *user)
{
    const struct token_source *source = (const struct token_source *)user;

    return source->state == SOURCE_STORING || (source->state == SOURCE_REQUEST && source->principal->redeemer == user);
}

/* What others call. */

struct token_source *token_source_get(struct principal *principal, const char *resource, bool v1, const char *api)
{
    struct credential_user *user;
    struct token_source *source;

    for (user = principal->users; user; user = user->next) {
        source = (struct token_source *)user;
        if (text_same(source->resource, resource) && source->v1 == v1 && text_same(source->api, api))
            return source;
    }
    source = mem_alloc(sizeof(*source));
    *source = (struct token_source){ .user = { .credential_changed = credential_changed,
                                               .storing = is_storing,
                                               .assertion_settled = assertion_settled,
                                               .free = free_source,
                                               .next = principal->users },
                                     .principal = principal,
                                     .resource = mem_text(resource),
                                     .v1 = v1,
                                     .api = mem_text(api),
                                     .slot = { .go = slot_acquired, .ctx = source },
                                     .store_timer = { .fire = timer_fired, .ctx = source } };
    principal->users = &source->user;
    return source;
}

struct principal *token_source_principal(const struct token_source *source)
{
    return source->principal;
}

enum token_state token_source_peek(const struct token_source *source, int64_t now_ms, struct token_view *ret)
{
    *ret = (struct token_view){ .clock_offset_ms = source->clock_offset_ms,
                                .has_clock = source->has_clock,
                                .err = &source->err,
                                .failed = source->failed,
                                .storing = source->state == SOURCE_STORING || source->state == SOURCE_STORE_WAIT,
                                .fails = source->failures || source->refusals };
    if (usable(source, now_ms)) {
        ret->authorization = source->token.authorization;
        ret->token = source->token_number;
        ret->expires_ms = source->token.expires_ms;
        ret->fetched_ms = source->token_ms;
        return TOKEN_READY;
    }
    ret->retry_ms = source->retry_ms;
    return source->state == SOURCE_RETRY || source->state == SOURCE_STORE_WAIT ? TOKEN_FAILED : TOKEN_BUSY;
}

enum token_state token_source_ask(struct token_source *source, int64_t now_ms, struct token_view *ret)
{
    token_source_step(source, ON_ASK, now_ms);
    return token_source_peek(source, now_ms, ret);
}

void token_source_reject(struct token_source *source, uint64_t token)
{
    if (source->token_number == token)
        token_release(&source->token);
}

void token_source_refetch(struct token_source *source, uint64_t token)
{
    if (source->token_number != token)
        return;
    token_release(&source->token);
    token_source_step(source, ON_ASK, clock_ms());
}

void token_source_forgive(struct token_source *source)
{
    token_source_step(source, ON_CREDENTIAL, clock_ms());
}

void token_source_exchange(struct token_source *source, const char *code, const char *redirect_uri, const char *hosts,
                           void (*done)(void *ctx, bool ok, const struct err *err), void *ctx)
{
    struct code_exchange *exchange = mem_alloc(sizeof(*exchange)), **slot = &source->codes;

    *exchange = (struct code_exchange){ .code = mem_text(code),
                                        .redirect_uri = mem_text(redirect_uri),
                                        .hosts = mem_text(hosts),
                                        .done = done,
                                        .ctx = ctx };
    while (*slot)
        slot = &(*slot)->next;
    *slot = exchange;
    token_source_step(source, ON_CODE, clock_ms());
}
