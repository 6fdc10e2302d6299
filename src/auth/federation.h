/* auth/federation.h - assertions that others issue, for apps that trust a federated credential: of a managed identity,
 * or from a token file (client_assertion in splunk/input.h).
 *
 * One token of a managed identity serves all principals that name the same identity: it is fetched once, and again
 * shortly before it expires. A failure is answered from memory until it is time to ask the service again. A token file
 * is read at each sign-in. No assertion is ever logged. */
#pragma once

#include "base/err.h"
#include "net/http.h"

struct federation;

/* Called when a fetch has ended. recovered: with a token, after failures. */
typedef void federation_settled_fn(void *ctx, const struct federation *federation, bool recovered);

/* Finds the entry of this client_assertion and of the cloud of this sign-in service in the list, or creates it. Fetches
 * and reads nothing. Owned by the list; NULL is an empty list. */
struct federation *federation_get(struct federation **list, const char *assertion, const char *login_url,
                                  federation_settled_fn *settled, void *ctx);
struct federation *federation_next(const struct federation *federation); /* NULL: none */
/* Cancels what is being fetched; http must still be there. */
void federations_free(struct federation **list);

/* Returns "managed_identity" or "token_file". */
const char *federation_word(const struct federation *federation);

/* Returns true if federation_fetch() has to be called, and settled() to be waited for, before federation_take(). */
bool federation_is_due(const struct federation *federation, int64_t now_ms);
/* Starts to fetch the token of a managed identity, unless that is being done. */
void federation_fetch(struct federation *federation, struct http *http);

/* Returns the assertion: a secret, free it with mem_free_secret(). NULL with err. service_unix_ms: the sign-in service's
 * clock. */
char *federation_take(struct federation *federation, int64_t service_unix_ms, struct err *err);
/* The sign-in service refused the assertion: a token that it calls too old is not used again. */
void federation_refused(struct federation *federation, const struct err *err);

/* Returns true if a token file could not be used and has changed since. */
bool federation_renewed(struct federation *federation);
