/* microsoft/claims.h - what an access token says about itself, for people: roles of an app, scopes of a user.
 *
 * Microsoft calls access tokens opaque, and only the API may judge them; so this is for messages, never for a
 * decision. */
#pragma once

#include "base/compiler.h"

struct claims {
    bool  readable;         /* the token is a JWT whose payload could be read */
    bool  user;             /* it speaks for a signed-in user (scp) rather than for the app alone (roles) */
    char *granted;          /* "SecurityAlert.Read.All SecurityIncident.Read.All", sorted as given; "" when none */
};

/* authorization is a header value, "Bearer ...". Free with claims_release(). */
void claims_read(const char *authorization, struct claims *ret);
void claims_release(struct claims *claims);

/* Is one of the words (separated by blanks, as api->permissions has them) granted? */
bool claims_hold(const struct claims *claims, const char *permissions);
