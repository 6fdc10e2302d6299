/* base/digest.h - hashes and random bytes, on OpenSSL's public interface. */
#pragma once

#include "base/compiler.h"

/* 128 bits that stand for a piece of content: an alert's id, or all its bytes. SipHash-2-4 with a fixed key: fast on
 * short input, and two alerts with one value are not to be expected in any number of alerts a Splunk could hold. */
struct hash128 {
    uint64_t high, low;
};
struct hash128 hash128_of(const void *bytes, size_t len);

#define SHA256_BYTES 32
void sha256_of(const void *bytes, size_t len, unsigned char ret[SHA256_BYTES]);

/* First of all: OpenSSL takes its memory by ours from now on, so a lack of it ends the process, which starts again from
 * its checkpoints. By itself OpenSSL goes on with what could not be set up, and no connection is trusted any more. */
void crypto_begin(void);

/* From the kernel; ends the process if it has none. */
void random_bytes(void *to, size_t len);
/* Uniform in [0, below). Not for secrets: jitter. */
uint32_t random_below(uint32_t below);

void hex_text(const unsigned char *bytes, size_t len, char *ret);      /* ret holds 2 * len + 1 */
