/* microsoft/claims.h - the permissions in an access token, for people: roles of an app, scopes of a user.
 *
 * Microsoft calls access tokens opaque, and only the API may judge them. Use this for messages, never for a decision
 * about access. */
#pragma once

#include "base/compiler.h"

struct claims {
    bool readable; /* the token is a JWT whose payload could be read */
    bool user;     /* the token is for a signed-in user (scp), not for the app alone (roles) */
    char *tenant;  /* the GUID of the tenant (tid); "": none */
    char *granted; /* "SecurityAlert.Read.All User.Read", in the order of the token; "": none */
};

/* Reads the claims of a header value, "Bearer ...". Free with claims_release(). */
void claims_read(const char *authorization, struct claims *ret);
void claims_release(struct claims *claims); /* frees the members */

/* Returns true if one of the words (separated by blanks, as in api->permissions) is granted. */
bool claims_hold(const struct claims *claims, const char *permissions);
