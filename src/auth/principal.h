/* auth/principal.h - service principals: one app in one tenant by one way to the login service, with its credential.
 *
 * A principal owns the credential (client secret, certificate, refresh token) and the token sources, one for each
 * resource. Inputs of the same tenant and app share them, so that a refresh token is redeemed in one place only. */
#pragma once

#include "net/http.h"
#include "pacing/limiter.h"
#include "splunk/passwords.h"

struct principals;
struct principal;

struct principal_spec {
    const char *tenant_id, *client_id, *login_url;
    const char *certificate;        /* path of a PEM file; NULL: none */
    const char *assertion;          /* client_assertion (splunk/input.h); NULL: none */
    const struct http_route *route; /* to the login service */
};

/* loop, http, limiter and splunkd are borrowed and must outlive the result. splunkd may be NULL: a
 * rotated refresh token is then dropped, so no principal may be given one. session_lost is called when splunkd refuses
 * our session key. Never returns NULL. */
struct principals *principals_new(struct loop *loop, struct http *http, struct limiter *limiter,
                                  struct passwords *passwords, void (*session_lost)(void *ctx), void *ctx);
/* Frees the principals and their token sources; requests in flight end without a result. NULL is allowed. Calls to
 * splunkd that are still pending would answer to freed memory: free it after the loop has ended, then free splunkd. */
void principals_free(struct principals *principals);

/* Returns true while a refresh token is being redeemed or a rotated one is on its way into the store: if the process
 * ended then, the token would be lost. */
bool principals_storing(const struct principals *principals);

/* Returns what a principal signs in with: "secret", "certificate", "managed_identity", "token_file" or
 * "refresh_token" (whatever the app itself shows besides); "none". */
const char *principal_credential(const struct principal *principal);

/* Reads the certificate files and looks at the token files that have changed; principals that were refused with the old ones try again at once. */
void principals_look_at_files(struct principals *principals);

/* Finds the principal with this tenant, app, login service, certificate and route, or creates it. Copies *spec, route
 * included. Owned by principals. */
struct principal *principal_get(struct principals *principals, const struct principal_spec *spec);
/* Replaces a credential with a copy of the value; NULL: none. hosts: the origins that its tokens may go to besides hosts
 * of their audience, separated by blanks; NULL: none. After a change, sources that failed try again at once. */
void principal_set_secret(struct principal *principal, const char *client_secret, const char *hosts);
void principal_set_refresh_token(struct principal *principal, const char *refresh_token, const char *hosts);
/* Returns the same app with the same credential in another tenant, for requests of the app itself: without a refresh
 * token, which is of one tenant. To be called again before each use, as the secret may have changed. */
struct principal *principal_in_tenant(struct principal *principal, const char *tenant_id);
/* Returns true if the app signs in with a secret or a certificate of its registration: no refresh token takes its place,
 * and no assertion of somebody else. */
bool principal_shows_own(const struct principal *principal);
/* Sets *ret to the whole days until the certificate expires. Returns false without a readable certificate. */
bool principal_certificate_days(const struct principal *principal, int64_t *ret);
