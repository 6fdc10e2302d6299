/* microsoft/signin.h - the authorization code out of whatever a person pastes.
 *
 * The sign-in ends on an address that does not resolve (https://SiemMsspConnector), so the person copies the address
 * bar. Browsers lower-case the host and add a slash; parameters come in any order; there may be blanks around it; or
 * only the code is pasted. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* The address to open for an authorization code sign-in, all values percent-encoded. v1 uses resource=, v2 scope= with
 * offline_access. Caller frees. */
char *signin_address(const char *login_url, const char *tenant_id, const char *client_id, const char *redirect_uri,
                     const char *resource, bool v1);

/* PKCE (RFC 7636): a random verifier, and what is added to the address for it. Only where the verifier can wait in
 * memory for the code. The text is secret: free with mem_free_secret(). */
char *signin_verifier(void);
void signin_add_challenge(struct buf *address, const char *verifier);

/* In place of a code: "show me the address". */
#define SIGNIN_WISH "?"

/* Takes the code out. ERR_INPUT when the text holds none, ERR_AUTH when the address carries error= (its description,
 * decoded, is in the text). *ret is secret: free with mem_free_secret(). */
bool signin_code(const char *pasted, char **ret, struct err *err);
