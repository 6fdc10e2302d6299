/* collect/principal.h - sign-ins: who gets access tokens with what, shared by all inputs that sign in alike.
 *
 * An account is one app in one tenant by one way to the login service. It owns the credential (client secret,
 * certificate, refresh token) and the accesses: one token for each resource. Inputs of the same tenant and app share
 * them, so that one refresh token is redeemed by one place only and rotates without races.
 *
 * A refresh token that came with an answer is in Splunk's password store before the access token is used. */
#pragma once

#include "pacing/limiter.h"
#include "microsoft/token.h"
#include "splunk/passwords.h"

struct principals;
struct principal;
struct token_source;

struct principal_spec {
    const char *tenant_id, *client_id, *login_url;
    const char *certificate;            /* PEM file or NULL */
    const struct http_route *route;     /* of the first input that asks; it must stay */
};

/* splunkd may be NULL (no store: rotated tokens cannot be kept, so the refresh grant is refused). session_lost is
 * called when splunkd no longer takes our session key. */
struct principals *principals_new(struct loop *loop, struct http *http, struct limiter *limiter, struct passwords *passwords,
                              void (*session_lost)(void *ctx), void *ctx);
void principals_free(struct principals *principals);

/* Is a refresh token being redeemed, or a rotated one on its way into the store? */
bool principals_storing(const struct principals *principals);

/* Reads certificate files that have changed again; who was refused with the old ones tries again at once. */
void principals_look_at_certificates(struct principals *principals);

/* Finds or makes it. Owned by accounts. */
struct principal *principal_get(struct principals *principals, const struct principal_spec *spec);
/* Credentials as they are now; NULL: none. A change lets a refused account try again at once. */
void principal_set_secret(struct principal *principal, const char *client_secret);
void principal_set_refresh_token(struct principal *principal, const char *refresh_token);
/* Days until the certificate ends; false without a readable certificate. */
bool principal_certificate_days(const struct principal *principal, int64_t *ret);

struct principal *token_source_principal(const struct token_source *source);
struct token_source *token_source_get(struct principal *principal, const char *resource, bool v1);

/* Told whenever the access may have become usable or has failed. Lives inside its owner. */
struct token_listener {
    void (*changed)(void *ctx);
    void  *ctx;
    struct token_listener *next;
};
void token_source_listen(struct token_source *source, struct token_listener *listener);

enum token_state {
    TOKEN_READY,       /* authorization is good */
    TOKEN_BUSY,        /* being fetched: the listener will be told */
    TOKEN_FAILED       /* err says why; not before retry_ms */
};
struct token_view {
    const char *authorization;  /* header value, secret; owned by the access, good until the loop goes on */
    uint64_t token;             /* which one this is, for token_source_reject() */
    const struct err *err;
    int64_t retry_ms;
    int64_t clock_offset_ms;    /* service minus ours; only when has_clock */
    bool    has_clock;
    int64_t expires_ms;
    bool    fails;              /* the last try to get one failed, whether the token is still good or not */
};
/* The token for a request now, or a step towards one. Renews ahead of expiry while the old token is still used. */
enum token_state token_source_ask(struct token_source *source, int64_t now_ms, struct token_view *ret);

/* How it stands, without a step. */
enum token_state token_source_peek(const struct token_source *source, int64_t now_ms, struct token_view *ret);

/* The service refused this token (401): forget it, unless a newer one is there already. */
void token_source_reject(struct token_source *source, uint64_t token);

/* Exchanges an authorization code for a refresh token, stores it and makes the access ready; then done. */
void token_source_exchange(struct token_source *source, const char *code, const char *redirect_uri,
                     void (*done)(void *ctx, bool ok, const struct err *err), void *ctx);
