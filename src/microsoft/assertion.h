/* microsoft/assertion.h - client assertions (RFC 7523): a JWT signed with a certificate's key, sent in place of a
 * client secret.
 *
 * OpenSSL keeps the key in memory and overwrites it when it is freed. Each request gets a new assertion: it has its
 * own jti and expires after ten minutes (an old one is AADSTS700024). Microsoft documents PS256 with the certificate's
 * SHA-256 (x5t#S256). Some tenants still need RS256 with SHA-1 (x5t), so the caller tries the other algorithm if
 * assertion_refused(). */
#pragma once

#include "base/err.h"
#include "microsoft/token.h"

enum assertion_form { ASSERTION_PS256, ASSERTION_RS256 };

struct assertion_key;

/* Reads a PEM file with an RSA private key and its certificate, in any order; other certificates (a chain) are skipped.
 * Returns NULL with ERR_AUTH and a sentence for the administrator: no such file, not PEM, key or certificate missing,
 * not a pair, key with a passphrase, not RSA or too short, certificate expired or not valid yet at now_unix_ms. Free
 * with assertion_key_free(). */
struct assertion_key *assertion_key_read(const char *path, int64_t now_unix_ms, struct err *err);
void assertion_key_free(struct assertion_key *key); /* NULL is allowed */

/* Returns the whole days until the certificate expires: 0 on its last day, negative afterward. */
int64_t assertion_days_left(const struct assertion_key *key, int64_t now_unix_ms);

/* Returns true if a text of Graph (customKeyIdentifier) is the certificate's thumbprint: SHA-1 or SHA-256, in hex or
 * base64. */
bool assertion_is_named(const struct assertion_key *key, const char *identifier);

/* Returns a new assertion for a request (audience: its URL; issuer and subject: its client_id), by the service's clock:
 * now_unix_ms plus clock_offset_ms (service minus ours, from its Date header; 0: unknown). NULL with ERR_AUTH if the
 * certificate has expired. A secret: free with mem_free_secret(). */
char *assertion_new(const struct assertion_key *key, enum assertion_form form, const struct token_request *request,
                    int64_t now_unix_ms, int64_t clock_offset_ms, struct err *err);

/* Returns true if token_read() failed because the assertion's algorithm or certificate was not accepted. The other
 * algorithm may be. */
bool assertion_refused(const struct err *err);
