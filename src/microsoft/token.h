/* microsoft/token.h - access tokens of one tenant and client for one resource.
 *
 * Pure functions: they build requests and parse responses; the caller sends. Microsoft may return a new refresh token
 * with any response and expects it to replace the old one. The caller saves it before it uses the access token. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "net/http.h"

enum token_grant { GRANT_CLIENT_CREDENTIALS, GRANT_REFRESH_TOKEN, GRANT_AUTHORIZATION_CODE, GRANT_DEVICE_CODE };

/* The parts of a request. All are borrowed. */
struct token_request {
    const char *login_url; /* scheme://host[:port] */
    const char *tenant_id;
    const char *client_id;
    const char *client_secret;    /* NULL: none */
    const char *client_assertion; /* signed JWT instead of the secret (assertion.h); NULL: none */
    const char *resource;         /* audience, e.g. https://graph.microsoft.com */
    bool v1;                      /* the v1 endpoint with resource=, else v2 with scope=<resource>/.default */
    enum token_grant grant;
    const char *refresh_token;
    const char *code;          /* the authorization code (signin.h) or the device code */
    const char *code_verifier; /* PKCE: of the address at which the user signed in; NULL: none */
    const char *redirect_uri;
};

/* Appends URL and form. The form is a secret: free it with buf_free_secret(). */
void token_build(const struct token_request *request, struct buf *url, struct buf *form);

/* Appends the URL only, which is also the audience of a client assertion. */
void token_address(const struct token_request *request, struct buf *url);

struct token {
    char *authorization; /* secret: "Bearer ..."; NULL: none yet */
    char *refresh_token; /* secret: a new one, to be saved before the token is used; NULL: none came */
    int64_t expires_ms;  /* monotonic */
    int64_t lifetime_ms;
};
void token_release(struct token *token); /* overwrites and frees the members */

/* Parses the response to a token request. On false *ret is untouched, and err->kind is ERR_AUTH (a person has to act;
 * the text has the AADSTS code, who has to act and what to do), ERR_RETRY (with the wait that the service asks for),
 * or ERR_INPUT for a malformed response. The advice depends on the grant. A response to GRANT_AUTHORIZATION_CODE
 * without a refresh token is ERR_AUTH, since the code is used up; one to GRANT_CLIENT_CREDENTIALS never sets
 * refresh_token. */
bool token_read(const struct http_result *result, enum token_grant grant, int64_t now_ms, struct token *ret,
                struct err *err);

/* Returns true if the token is valid for at least margin_ms more. */
bool token_fresh(const struct token *token, int64_t now_ms, int64_t margin_ms);
/* Returns when to fetch the next token: a tenth of the lifetime before it expires, at most 5 minutes. */
int64_t token_renew_at_ms(const struct token *token);
