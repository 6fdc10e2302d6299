/* base/digest.h - hashes, random bytes and random GUIDs, on OpenSSL's public interface. */
#pragma once

#include "base/compiler.h"

/* A hash of 128 bits that identifies a piece of content: an alert's id, or all its bytes. SipHash-2-4 with a fixed key:
 * fast on short input, and no collision is to be expected among all the alerts that a Splunk could hold. */
struct hash128 {
    uint64_t high, low;
};
struct hash128 hash128_of(const void *bytes, size_t len);

#define SHA256_BYTES 32
void sha256_of(const void *bytes, size_t len, unsigned char ret[SHA256_BYTES]);

/* Makes OpenSSL use our memory functions, which end the process when memory runs out. Call before any other use of
 * OpenSSL. Otherwise OpenSSL would continue with parts missing, and reject every certificate. */
void crypto_begin(void);

/* Fills to[0..len) with random bytes for secrets. Ends the process if the system has none. */
void random_bytes(void *to, size_t len);
/* Returns a number in [0, below), 0 for below = 0. For jitter, not for secrets. */
uint32_t random_below(uint32_t below);

/* Writes a random version 4 GUID (RFC 9562), "a3f1b0c2-...", for client-request-id and jti. */
#define RANDOM_GUID_MAX 37
void random_guid(char ret[RANDOM_GUID_MAX]);

/* Writes 2 * len lower-case hex digits and a zero. */
void hex_text(const unsigned char *bytes, size_t len, char *ret);
