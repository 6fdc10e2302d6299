/* microsoft/app_ends.h - when the secrets and certificates of an app registration end, as Microsoft Graph tells.
 *
 * Two requests. The app's own service principal in any tenant names its home tenant (appOwnerOrganizationId); an app may
 * read that without any permission (Graph, Get servicePrincipal). In the home tenant the registration has
 * passwordCredentials and keyCredentials; reading it takes Application.Read.All there (Graph, Get application). Graph
 * shows the first three characters of a secret (hint), and of a certificate a thumbprint (customKeyIdentifier). Pure. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/ticks.h"
#include "microsoft/assertion.h"

#define APP_ENDS_PERMISSION "Application.Read.All"
#define APP_ENDS_HINT       3 /* characters */

/* Append the URLs of the requests. graph: scheme://host[:port]. */
void app_ends_owner_url(const char *graph, const char *client_id, struct buf *ret);
void app_ends_url(const char *graph, const char *client_id, struct buf *ret);

/* Returns the home tenant's GUID; NULL: the body does not name it. Caller frees. */
char *app_ends_owner(const char *body, size_t len);

struct app_ends {
    bool has_secret, has_certificate; /* one of the registration's is the one in use */
    ticks secret, certificate;        /* its end */
};

/* Reads the registration. hint: the first characters of the secret in use; NULL: none is. key: the certificate in use;
 * NULL: none is. Of several secrets that begin alike, the one that ends first counts, and none that ended before now.
 * Returns false (ERR_INPUT) if the body is no such answer. */
bool app_ends_read(const char *body, size_t len, const char *hint, const struct assertion_key *key, ticks now,
                   struct app_ends *ret, struct err *err);
