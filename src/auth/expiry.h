/* auth/expiry.h - when the credentials of each app end: asked of Microsoft Graph once a day for each client ID
 * (microsoft/app_ends.h), with the app's own sign-in, once an input of it works.
 *
 * The log warns 30, 7 and 1 days before a secret ends, once each, for the app and not for each of its inputs. What
 * cannot be read is said in one line a day that names the permission; nothing else depends on it. An app whose inputs
 * sign in as a user, or with client_assertion, is left out: no credential of its registration is in use. A certificate's file tells its end too (auth/certificate.h), and warns; a registration
 * may end it sooner. */
#pragma once

#include "auth/principal.h"

struct expiries;

/* loop and http must outlive it. Never returns NULL. */
struct expiries *expiries_new(struct loop *loop, struct http *http);
void expiries_free(struct expiries *expiries); /* before principals; NULL is allowed */

/* An input of this principal's app works. graph: where Graph is, scheme://host[:port], and its audience; api: see
 * token_source_get(). All texts are copied. The first look is a minute later. expiries may be NULL. */
struct expiry_place {
    const char *graph, *resource, *api;
};
void expiries_note(struct expiries *expiries, struct principal *principal, const struct expiry_place *place);

/* Set *ret to the whole days until the secret or the certificate of the principal ends, 0 on its last day, as Graph told
 * at the last look. Return false if that is not known, or another one is in use since. expiries may be NULL. */
bool expiries_secret_days(const struct expiries *expiries, const struct principal *principal, int64_t *ret);
bool expiries_certificate_days(const struct expiries *expiries, const struct principal *principal, int64_t *ret);
