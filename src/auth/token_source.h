/* auth/token_source.h - access tokens for one resource of one service principal: fetched, renewed, rotated.
 *
 * Microsoft may return a new refresh token with any response, and the new one replaces the old one. It is in Splunk's
 * password store before its access token is used. A refresh token is redeemed by one source of a principal at a time.
 *
 * Nothing is fetched until somebody asks. After a refusal that a person has to resolve, the next try is 15 min later,
 * doubling to 4 h; after other failures, 1 s doubling to 5 min; at once when a credential changes. Times are monotonic
 * milliseconds (base/clock.h). */
#pragma once

#include "base/err.h"

struct principal;
struct token_source;

/* Finds the principal's source of tokens for this resource, or creates it. v1: the token endpoint's version. api: the
 * origin that its tokens go to if that is no host of their audience (binding_api()); NULL: it is one, or none are used.
 * Inputs that differ in it share no token, and no credential is used that may not serve it. Owned by the principal. */
struct token_source *token_source_get(struct principal *principal, const char *resource, bool v1, const char *api);
struct principal *token_source_principal(const struct token_source *source);

/* Lives inside its owner, which outlives the source. changed() is called whenever the source may have a new answer for
 * token_source_ask(), perhaps from inside of that call. */
struct token_listener {
    void (*changed)(void *ctx);
    void *ctx;
    struct token_listener *next; /* the source's */
};
/* Adds the listener, once; it cannot be removed. */
void token_source_listen(struct token_source *source, struct token_listener *listener);

enum token_state {
    TOKEN_READY, /* `authorization` is valid */
    TOKEN_BUSY,  /* no token yet; the listeners will be told */
    TOKEN_FAILED /* no token: `err` says why; the next try is not before `retry_ms` */
};
struct token_view {
    const char *authorization; /* TOKEN_READY: header value, valid until the next call or event; a secret */
    uint64_t token;            /* TOKEN_READY: its number, for token_source_reject() */
    int64_t expires_ms;        /* TOKEN_READY */
    int64_t fetched_ms;        /* TOKEN_READY: when it came */
    const struct err *err;     /* of the last failure; owned by the source */
    int64_t retry_ms;          /* TOKEN_FAILED */
    int64_t clock_offset_ms;   /* the login service's clock minus ours, if has_clock */
    bool has_clock;
    uint64_t failed; /* requests for a token that failed, since the source was created */
    bool storing;    /* a new refresh token waits for the password store */
    bool fails;      /* the last try to get a token failed, even if the old token is still valid */
};

/* Returns the token for a request now, and starts to fetch one if there is none, or if the present one expires soon
 * enough to be renewed. A token that is valid for less than 15 s (or a tenth of its life) does not count. */
enum token_state token_source_ask(struct token_source *source, int64_t now_ms, struct token_view *ret);
/* Returns the same without starting anything. */
enum token_state token_source_peek(const struct token_source *source, int64_t now_ms, struct token_view *ret);

/* Forgets the token of this number (token_view.token), which the service refused with 401. The next ask fetches one. */
void token_source_reject(struct token_source *source, uint64_t token);
/* Forgets the token of this number and starts to fetch a fresh one: a token lists the permissions of the moment when it
 * was issued, so after a 403 only a fresh one shows that a person has added one. Does nothing if a newer token is there
 * already. A backoff in progress is not cut short. */
void token_source_refetch(struct token_source *source, uint64_t token);

/* Forgets that tries failed: the next ask fetches at once. For a command that waits for a person. */
void token_source_forgive(struct token_source *source);

/* Exchanges an authorization code for a refresh token, stores it and makes the access token ready. Copies its texts.
 * hosts: where the refresh token may go besides Microsoft's own hosts (passwords_store()).
 * done() is called once, with ok as soon as the refresh token is stored; otherwise err->kind is ERR_AUTH if the code is
 * of no further use. An unreadable certificate fails before this returns. Several exchanges take turns. */
void token_source_exchange(struct token_source *source, const char *code, const char *redirect_uri, const char *hosts,
                           void (*done)(void *ctx, bool ok, const struct err *err), void *ctx);
