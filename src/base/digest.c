#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/die.h"
#include "base/mem.h"

#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = ROTL(s->v1, 13) ^ s->v0;
    s->v0 = ROTL(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = ROTL(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = ROTL(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = ROTL(s->v1, 17) ^ s->v2;
    s->v2 = ROTL(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    sip_round(s);
    s->v0 ^= word;
}

static uint64_t sip_end(struct sip *s)
{
    int i;

    for (i = 0; i < 4; i++)
        sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* Computes SipHash-2-4 with 128 bits (Aumasson and Bernstein). The key is fixed, since values are saved between runs.
 * */
struct hash128 hash128_of(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    const uint64_t k0 = UINT64_C(0x0706050403020100), k1 = UINT64_C(0x0f0e0d0c0b0a0908);
    struct sip s = { k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
                     k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573) };
    struct hash128 ret;
    uint64_t word;
    size_t left = len;

    for (; left >= 8; at += 8, left -= 8) {
        memcpy(&word, at, 8);
        sip_word(&s, word);
    }
    word = 0;
    memcpy(&word, at, left);
    sip_word(&s, word | (uint64_t)len << 56);
    s.v2 ^= 0xee;
    ret.high = sip_end(&s);
    s.v1 ^= 0xdd;
    ret.low = sip_end(&s);
    return ret;
}

/* Keeps its context and the algorithm: to look them up costs more than to hash the 70 bytes of an alert version. For the
 * thread of the event loop. */
void sha256_of(const void *bytes, size_t len, unsigned char ret[SHA256_BYTES])
{
    static EVP_MD_CTX *context;
    static EVP_MD *sha256;

    if (!context) {
        context = EVP_MD_CTX_new();
        sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    }
    if (!context || !sha256 || !EVP_DigestInit_ex2(context, sha256, NULL) || !EVP_DigestUpdate(context, bytes, len) ||
        !EVP_DigestFinal_ex(context, ret, NULL))
        die("OpenSSL cannot compute SHA-256 on this host");
}

static void *crypto_alloc(size_t size, const char *file UNUSED, int line UNUSED)
{
    return mem_lib_alloc(size);
}

static void *crypto_grow(void *old, size_t size, const char *file UNUSED, int line UNUSED)
{
    if (size)
        return mem_lib_grow(old, size);
    mem_lib_free(old);
    return NULL;
}

static void crypto_free(void *memory, const char *file UNUSED, int line UNUSED)
{
    mem_lib_free(memory);
}

void crypto_begin(void)
{
    if (!CRYPTO_set_mem_functions(crypto_alloc, crypto_grow, crypto_free))
        die("OpenSSL does not accept the program's memory functions");
}

void random_bytes(void *to, size_t len)
{
    if (RAND_bytes(to, (int)len) != 1)
        die("the system has no random bytes");
}

uint32_t random_below(uint32_t below)
{
    uint64_t value;

    random_bytes(&value, sizeof(value));
    return below ? (uint32_t)(value % below) : 0;
}

void hex_text(const unsigned char *bytes, size_t len, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    size_t i;

    for (i = 0; i < len; i++) {
        ret[2 * i] = digits[bytes[i] >> 4];
        ret[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret[2 * len] = '\0';
}

/* Returns bytes for one GUID, straight from the kernel, sixteen GUIDs to a system call. Each request has a GUID, which
 * must be unique and is no secret: OpenSSL's generator would add 7,000 instructions. */
static void guid_bytes(unsigned char ret[16])
{
    static unsigned char stock[256];
    static size_t left;

    if (!left) {
        if (getrandom(stock, sizeof(stock), 0) != sizeof(stock)) /* a kernel older than 3.17 */
            random_bytes(stock, sizeof(stock));
        left = sizeof(stock);
    }
    left -= 16;
    memcpy(ret, stock + left, 16);
}

void random_guid(char ret[RANDOM_GUID_MAX])
{
    static const size_t groups[] = { 8, 4, 4, 4, 12 };
    char hex[2 * 16 + 1], *at = hex;
    unsigned char b[16];
    size_t i;

    guid_bytes(b);
    b[6] = (unsigned char)((b[6] & 0x0F) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
    hex_text(b, sizeof(b), hex);
    for (i = 0; i < COUNT_OF(groups); i++) {
        memcpy(ret, at, groups[i]);
        at += groups[i];
        ret += groups[i];
        *ret++ = i + 1 < COUNT_OF(groups) ? '-' : '\0';
    }
}
