#include "base/digest.h"

#include <openssl/evp.h>
#include <openssl/params.h>

#include "check.h"

/* From the reference implementation's vectors of SipHash-2-4-128: key 00..0f, input 00, 01, 02 ... of that length. */
static const struct { size_t len; const char *hex; } vectors[] = {
    { 0, "a3817f04ba25a8e66df67214c7550293" },  { 1, "da87c1d86b99af44347659119b22fc45" },
    { 2, "8177228da4a45dc7fca38bdef60affe4" },  { 3, "9c70b60c5267a94e5f33b6b02985ed51" },
    { 4, "f88164c12d9c8faf7d0f6e7c7bcd5579" },  { 5, "1368875980776f8854527a07690e9627" },
    { 6, "14eeca338b208613485ea0308fd7a15e" },  { 7, "a1f1ebbed8dbc153c0b84aa61ff08239" },
    { 8, "3b62a9ba6258f5610f83e264f31497b4" },  { 9, "264499060ad9baabc47f8b02bb6d71ed" },
    { 15, "5493e99933b0a8117e08ec0f97cfc3d9" },
};

/* The published bytes are the two words, least significant byte first. */
static void word_hex(uint64_t word, char *to)
{
    unsigned char bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(word >> 8 * i);
    hex_text(bytes, sizeof(bytes), to);
}

static void test_siphash(void **state UNUSED)
{
    unsigned char input[64];
    char hex[33];

    for (size_t i = 0; i < sizeof(input); i++)
        input[i] = (unsigned char)i;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct hash128 got = hash128_of(input, vectors[i].len);

        word_hex(got.high, hex);
        word_hex(got.low, hex + 16);
        CHECK(strcmp(hex, vectors[i].hex) == 0, "length %zu: %s, not %s", vectors[i].len, hex, vectors[i].hex);
    }
}

/* OpenSSL's SipHash, where it is built in, as a second witness for every length up to a few blocks. */
static void test_siphash_of_openssl(void **state UNUSED)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
    unsigned char key[16], input[300], out[16];
    size_t size = 16, got_len;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_size_t("size", &size), OSSL_PARAM_construct_end() };
    char got[33], want[33];

    for (size_t i = 0; i < sizeof(input); i++)
        input[i] = (unsigned char)(i * 7);
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (unsigned char)i;
    for (size_t len = 0; mac && len <= sizeof(input); len++) {
        EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
        struct hash128 hash = hash128_of(input, len);

        CHECK(EVP_MAC_init(ctx, key, sizeof(key), params) && EVP_MAC_update(ctx, input, len) &&
              EVP_MAC_final(ctx, out, &got_len, sizeof(out)) && got_len == 16, "OpenSSL failed at %zu", len);
        hex_text(out, sizeof(out), want);
        word_hex(hash.high, got);
        word_hex(hash.low, got + 16);
        CHECK_TEXT(got, want);
        EVP_MAC_CTX_free(ctx);
    }
    EVP_MAC_free(mac);
}

/* Every single bit of an input must matter, at each place of a word. */
static void test_bits_matter(void **state UNUSED)
{
    unsigned char input[40] = { 0 };
    struct hash128 plain = hash128_of(input, sizeof(input));

    for (size_t bit = 0; bit < sizeof(input) * 8; bit++) {
        input[bit / 8] ^= (unsigned char)(1 << bit % 8);
        struct hash128 other = hash128_of(input, sizeof(input));

        CHECK(other.high != plain.high || other.low != plain.low, "bit %zu does not matter", bit);
        input[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    for (size_t len = 0; len < sizeof(input); len++) {
        struct hash128 shorter = hash128_of(input, len);

        CHECK(shorter.high != plain.high, "length %zu does not matter", len);
    }
}

static void test_sha256(void **state UNUSED)
{
    static const struct { const char *text, *hex; } rows[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    };
    unsigned char bytes[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sha256_of(rows[i].text, strlen(rows[i].text), bytes);
        hex_text(bytes, sizeof(bytes), hex);
        CHECK_TEXT(hex, rows[i].hex);
    }
}

static void test_random(void **state UNUSED)
{
    static const unsigned char zeros[32];
    unsigned char a[32] = { 0 }, b[32] = { 0 };
    bool seen[7] = { false };

    random_bytes(a, sizeof(a));
    random_bytes(b, sizeof(b));
    CHECK(memcmp(a, b, sizeof(a)) && memcmp(a, zeros, sizeof(a)), "not random");
    for (int i = 0; i < 1000; i++) {
        uint32_t value = random_below(7);

        CHECK(value < 7, "%u is not below 7", value);
        seen[value % 7] = true;
    }
    for (int i = 0; i < 7; i++)
        CHECK(seen[i], "%d never came", i);
    CHECK(random_below(0) == 0 && random_below(1) == 0, "nothing below 0 or 1 but 0");
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_siphash),
    cmocka_unit_test(test_siphash_of_openssl),
    cmocka_unit_test(test_bits_matter),
    cmocka_unit_test(test_sha256),
    cmocka_unit_test(test_random),
};

UNIT(digest, cases, NULL, NULL)
