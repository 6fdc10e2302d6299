/* command/redeem.h - redeems a code for a refresh token at the token endpoint. With a device code it asks until
 * somebody has signed in. It repeats a request in another form if the response suggests one. */
#pragma once

#include "microsoft/assertion.h"
#include "microsoft/token.h"

struct redeem_spec {
    struct loop *loop;
    struct http *http;
    const struct http_route *route;
    struct token_request request;    /* grant: GRANT_AUTHORIZATION_CODE or GRANT_DEVICE_CODE */
    const struct assertion_key *key; /* signs in place of a client secret; NULL: none */
    const char *assertion;           /* client_assertion (auth/federation.h) in place of a secret; NULL: none */
    int64_t interval_s, give_up_ms;  /* device code: pause, and monotonic end */
};

struct redeem;

/* Starts. Everything that *spec points to must outlive it. done is called once, from the loop or before this returns,
 * with the token (secret, borrowed), or NULL and err. */
typedef void redeem_done_fn(void *ctx, const char *refresh_token, const struct err *err);
struct redeem *redeem_start(const struct redeem_spec *spec, redeem_done_fn *done, void *ctx);
void redeem_free(struct redeem *redeem); /* NULL is allowed */
