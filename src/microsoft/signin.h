/* microsoft/signin.h - the address at which a user signs in, and the authorization code in the text that is pasted
 * back.
 *
 * The sign-in ends on an address that does not resolve (https://SiemMsspConnector), so the person copies the address
 * bar. Browsers lower-case the host and add a slash; parameters come in any order; blanks may surround the text; or
 * only the code is pasted. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Returns the address to open for the authorization code grant, all values percent-encoded. v1 uses resource=, v2
 * scope= with offline_access. Caller frees. */
char *signin_address(const char *login_url, const char *tenant_id, const char *client_id, const char *redirect_uri,
                     const char *resource, bool v1);

/* Returns the address at which an administrator of the tenant consents to all permissions of the app registration. The
 * answer goes to the redirect URI, which has to be registered. Caller frees. */
char *signin_consent_address(const char *login_url, const char *tenant_id, const char *client_id,
                             const char *redirect_uri);

/* PKCE (RFC 7636): returns a random verifier, and adds its challenge to the address. Only for a process that lives
 * until the code comes. The verifier is a secret: free with mem_free_secret(). */
char *signin_verifier(void);
void signin_add_challenge(struct buf *address, const char *verifier);

/* Entered in place of a code: show the address. */
#define SIGNIN_WISH "?"

/* Finds the code in the text. ERR_INPUT if it has none, ERR_AUTH if the address has error= (err then has its
 * description, decoded). *ret is a secret: free with mem_free_secret(). */
bool signin_code(const char *pasted, char **ret, struct err *err);
