/* microsoft/token.h - access tokens of one tenant and client for one resource.
 *
 * Pure: builds requests and reads answers; sending is the caller's. Microsoft may hand back a new refresh token with
 * any answer and expects it to replace the old one. Saving it before the access token is used is the caller's part:
 * nothing here knows of Splunk. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "net/http.h"

enum token_grant { GRANT_CLIENT_CREDENTIALS, GRANT_REFRESH_TOKEN, GRANT_AUTHORIZATION_CODE,
                   GRANT_DEVICE_CODE };

/* What a request is made of; all borrowed. */
struct token_request {
    const char *login_url;          /* scheme://host[:port] */
    const char *tenant_id;
    const char *client_id;
    const char *client_secret;      /* NULL: none */
    const char *client_assertion;   /* signed JWT instead of the secret (assertion.h); NULL: none */
    const char *resource;           /* audience, e.g. https://graph.microsoft.com */
    bool        v1;                 /* the v1 endpoint with resource=, else v2 with scope=<resource>/.default */
    enum token_grant grant;
    const char *refresh_token;
    const char *code;               /* already taken out of a pasted address (signin.h); or the device code */
    const char *code_verifier;      /* of the address that the code was asked for with (PKCE); NULL: none */
    const char *redirect_uri;
};

/* Appends address and form (the form is secret: use buf_free_secret). */
void token_build(const struct token_request *request, struct buf *url, struct buf *form);

/* Appends only the address: it is also the audience of a client assertion. */
void token_address(const struct token_request *request, struct buf *url);

struct token {
    char   *authorization;          /* "Bearer ..."; secret; NULL: none yet */
    char   *refresh_token;          /* a new one that must be saved before the token is used; NULL: none came */
    int64_t expires_ms;             /* monotonic */
    int64_t lifetime_ms;
};
void token_release(struct token *token);    /* members overwritten and freed */

/* Reads the answer to a token request. On false *ret is untouched, and err->kind is ERR_AUTH (a person must act; the
 * text holds the AADSTS code, whose move it is and what to do), ERR_RETRY (with the wait asked for), or ERR_INPUT for
 * an answer that cannot be read. grant tells the advice for a dead refresh token or code apart: an answer to
 * GRANT_AUTHORIZATION_CODE without a refresh token is ERR_AUTH, since the code is spent and nothing is left for the
 * next time; one to GRANT_CLIENT_CREDENTIALS never sets refresh_token. */
bool token_read(const struct http_result *result, enum token_grant grant, int64_t now_ms, struct token *ret,
                struct err *err);

/* Good for at least margin_ms more? */
bool token_fresh(const struct token *token, int64_t now_ms, int64_t margin_ms);
/* When to fetch the next one: ahead of expiry, by a tenth of the life, 5 minutes at most. */
int64_t token_renew_at_ms(const struct token *token);
