/* microsoft/assertion.h - client assertions (RFC 7523): a statement signed with a certificate's key, sent in place of
 * a client secret.
 *
 * The key lives in memory only, in OpenSSL's hands, and is overwritten when freed. An assertion is made fresh for each
 * request: it has its own jti and ends after ten minutes (an old one is AADSTS700024). Microsoft documents PS256 with
 * the certificate's SHA-256 (x5t#S256); some tenants still want RS256 with SHA-1 (x5t), so the caller tries the other
 * form when assertion_refused(). */
#pragma once

#include "base/err.h"
#include "microsoft/token.h"

enum assertion_form { ASSERTION_PS256, ASSERTION_RS256 };

struct assertion_key;

/* Reads a PEM file with an RSA private key and its certificate, in any order; other certificates (a chain) are passed
 * over. NULL with a sentence for the administrator: no such file, not PEM, key or certificate missing, they do not
 * belong together, key protected by a passphrase, not RSA or too short, certificate expired or not valid yet at
 * now_unix_ms. Always ERR_AUTH: a person must act. Free with assertion_key_free(). */
struct assertion_key *assertion_key_read(const char *path, int64_t now_unix_ms, struct err *err);
void assertion_key_free(struct assertion_key *key);     /* NULL is fine */

/* Whole days until the certificate ends: 0 on its last day, negative when it has ended. */
int64_t assertion_days_left(const struct assertion_key *key, int64_t now_unix_ms);

/* A new assertion for this request (audience: its address; issuer and subject: its client_id), by the service's clock:
 * ours at now_unix_ms plus clock_offset_ms (service minus ours, from its Date header; 0: unknown). NULL with ERR_AUTH
 * when the certificate has ended meanwhile. Secret: free with mem_free_secret(). */
char *assertion_new(const struct assertion_key *key, enum assertion_form form, const struct token_request *request,
                    int64_t now_unix_ms, int64_t clock_offset_ms, struct err *err);

/* Did token_read() fail because the assertion's form or certificate was not accepted? Then the other form may be. */
bool assertion_refused(const struct err *err);
