#include "microsoft/assertion.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "check.h"

#define DAY_MS INT64_C(86400000)

static const struct token_request request = {
    .login_url = "https://login.microsoftonline.com", .tenant_id = "contoso.example",
    .client_id = "11111111-2222-3333-4444-555555555555", .resource = "https://graph.microsoft.com"
};

static char folder[] = "/tmp/test_assertion.XXXXXX";
static EVP_PKEY *key_one, *key_two, *key_small, *key_ec;
static X509 *cert_one, *cert_two, *cert_small, *cert_ec, *cert_old, *cert_early;

static X509 *certificate(EVP_PKEY *key, long from_days, long to_days)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);

    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), from_days * 86400 - 60);
    X509_gmtime_adj(X509_getm_notAfter(cert), to_days * 86400 + 60);
    X509_set_pubkey(cert, key);
    X509_sign(cert, key, EVP_sha256());
    return cert;
}

static void make_keys(void)
{
    key_one = EVP_RSA_gen(2048);
    key_two = EVP_RSA_gen(2048);
    key_small = EVP_RSA_gen(1024);
    key_ec = EVP_EC_gen("P-256");
    cert_one = certificate(key_one, -1, 30);
    cert_two = certificate(key_two, -1, 30);
    cert_small = certificate(key_small, -1, 30);
    cert_ec = certificate(key_ec, -1, 30);
    cert_old = certificate(key_one, -30, -2);
    cert_early = certificate(key_one, 2, 30);
}

static void free_keys(void)
{
    EVP_PKEY *keys[] = { key_one, key_two, key_small, key_ec };
    X509 *certs[] = { cert_one, cert_two, cert_small, cert_ec, cert_old, cert_early };

    for (size_t i = 0; i < COUNT_OF(keys); i++)
        EVP_PKEY_free(keys[i]);
    for (size_t i = 0; i < COUNT_OF(certs); i++)
        X509_free(certs[i]);
}

/* One file of the given parts; the caller frees the path. before and after are text around the PEM blocks. */
static char *pem_file(const char *name, const char *before, EVP_PKEY *key, const char *passphrase, X509 *first,
                      X509 *second, const char *after)
{
    char *path = mem_format("%s/%s.pem", folder, name);
    FILE *file = fopen(path, "w");

    fputs(before, file);
    if (first)
        PEM_write_X509(file, first);
    if (key)
        PEM_write_PrivateKey(file, key, passphrase ? EVP_aes_128_cbc() : NULL, NULL, 0, NULL,
                             (void *)(uintptr_t)passphrase);
    if (second)
        PEM_write_X509(file, second);
    fputs(after, file);
    fclose(file);
    return path;
}

static void forget(char *path)
{
    unlink(path);
    free(path);
}

static struct buf decoded(const char *part, size_t len)
{
    struct buf text = BUF_INIT(65536), ret = BUF_INIT(65536);
    size_t i;

    for (i = 0; i < len; i++)
        buf_add_char(&text, part[i] == '-' ? '+' : part[i] == '_' ? '/' : part[i]);
    while (text.len % 4)
        buf_add_char(&text, '=');
    ret.len = (size_t)EVP_DecodeBlock((unsigned char *)buf_room(&ret, text.len), (unsigned char *)text.data,
                                      (int)text.len);
    ret.len -= (size_t)(text.len - len);        /* the decoder counts the padding's zeros */
    ret.data[ret.len] = '\0';
    buf_free(&text);
    return ret;
}

static bool verifies(const char *jwt, enum assertion_form form, EVP_PKEY *key)
{
    const char *dot = strrchr(jwt, '.');
    struct buf signature = decoded(dot + 1, strlen(dot + 1));
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options;
    bool ok = EVP_DigestVerifyInit(ctx, &options, EVP_sha256(), NULL, key) > 0;

    if (form == ASSERTION_PS256)
        ok = ok && EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) > 0 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(options, 32) > 0;
    ok = ok && EVP_DigestVerify(ctx, (unsigned char *)signature.data, signature.len, (const unsigned char *)jwt,
                                (size_t)(dot - jwt)) == 1;
    EVP_MD_CTX_free(ctx);
    buf_free(&signature);
    return ok;
}

static cJSON *part(const char *jwt, int number)
{
    struct buf text;
    cJSON *tree;

    for (; number; number--)
        jwt = strchr(jwt, '.') + 1;
    text = decoded(jwt, strcspn(jwt, "."));
    tree = json_parse(text.data, text.len);
    buf_free(&text);
    return tree;
}

static void check_thumbprint(const char *text, const EVP_MD *kind)
{
    unsigned char want[EVP_MAX_MD_SIZE];
    unsigned len;
    struct buf got = decoded(text ? text : "", text ? strlen(text) : 0);

    X509_digest(cert_one, kind, want, &len);
    CHECK(got.len == len && memcmp(got.data, want, len) == 0, "the thumbprint '%s' is wrong", text ? text : "");
    buf_free(&got);
}

static void check_claims(const char *jwt, const char *audience, int64_t from_s)
{
    cJSON *claims = part(jwt, 1);
    int64_t nbf = 0, iat = 0, exp = 0;

    CHECK_TEXT(json_text(claims, "aud") ? json_text(claims, "aud") : "", audience);
    CHECK_TEXT(json_text(claims, "iss") ? json_text(claims, "iss") : "", request.client_id);
    CHECK_TEXT(json_text(claims, "sub") ? json_text(claims, "sub") : "", request.client_id);
    CHECK(text_is_guid(json_text(claims, "jti")), "jti is no GUID");
    json_int64(claims, "nbf", 0, INT64_MAX / 1024, &nbf);
    json_int64(claims, "iat", 0, INT64_MAX / 1024, &iat);
    json_int64(claims, "exp", 0, INT64_MAX / 1024, &exp);
    CHECK(nbf == from_s && iat == from_s && exp == from_s + 600, "nbf %lld iat %lld exp %lld, from %lld",
          (long long)nbf, (long long)iat, (long long)exp, (long long)from_s);
    cJSON_Delete(claims);
}

static void test_forms(void **state UNUSED)
{
    static const struct { enum assertion_form form; bool v1; int64_t offset_ms; const char *alg, *audience; } rows[] = {
        { ASSERTION_PS256, false, 0, "PS256", "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token" },
        { ASSERTION_PS256, true, 0, "PS256", "https://login.microsoftonline.com/contoso.example/oauth2/token" },
        { ASSERTION_RS256, false, -3600000, "RS256",
          "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token" },
        { ASSERTION_RS256, true, 7200000, "RS256", "https://login.microsoftonline.com/contoso.example/oauth2/token" },
    };
    char *path = pem_file("good", "", key_one, NULL, cert_one, NULL, "");
    int64_t now_ms = clock_wall_ms();
    struct err err;
    struct assertion_key *key = assertion_key_read(path, now_ms, &err);

    CHECK(key, "%s", err.text);
    for (size_t i = 0; key && i < COUNT_OF(rows); i++) {
        struct token_request asked = request;

        asked.v1 = rows[i].v1;
        char *jwt = assertion_new(key, rows[i].form, &asked, now_ms, rows[i].offset_ms, &err);
        char *again = assertion_new(key, rows[i].form, &asked, now_ms, rows[i].offset_ms, &err);
        cJSON *header = part(jwt, 0);
        bool ps = rows[i].form == ASSERTION_PS256;

        CHECK(verifies(jwt, rows[i].form, key_one) && !verifies(jwt, rows[i].form, key_two), "row %zu: signature", i);
        CHECK(!strpbrk(jwt, "+/="), "row %zu: not base64url", i);
        CHECK(strcmp(jwt, again), "row %zu: twice the same", i);
        CHECK_TEXT(json_text(header, "alg"), rows[i].alg);
        CHECK_TEXT(json_text(header, "typ"), "JWT");
        CHECK(cJSON_GetArraySize(header) == 3, "row %zu: %d header members", i, cJSON_GetArraySize(header));
        check_thumbprint(json_text(header, ps ? "x5t#S256" : "x5t"), ps ? EVP_sha256() : EVP_sha1());
        check_claims(jwt, rows[i].audience, (now_ms + rows[i].offset_ms) / 1000 - 30);
        cJSON_Delete(header);
        mem_free_secret(jwt);
        mem_free_secret(again);
    }
    assertion_key_free(key);
    forget(path);
}

/* Any order, a chain around it, text between the blocks. */
static void test_good_files(void **state UNUSED)
{
    char *paths[] = {
        pem_file("chain", "Bag Attributes\n    friendlyName: x\n", key_one, NULL, cert_two, cert_one, "\n\n"),
        pem_file("last", "", key_one, NULL, NULL, cert_one, ""),
        pem_file("two", "", key_one, NULL, cert_one, cert_two, "-----BEGIN RUBBISH-----\n"),
    };
    struct err err;

    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct assertion_key *key = assertion_key_read(paths[i], clock_wall_ms(), &err);
        char *jwt = key ? assertion_new(key, ASSERTION_PS256, &request, clock_wall_ms(), 0, &err) : NULL;
        cJSON *header = jwt ? part(jwt, 0) : NULL;

        CHECK(jwt, "file %zu: %s", i, err.text);
        check_thumbprint(json_text(header, "x5t#S256"), EVP_sha256());
        cJSON_Delete(header);
        mem_free_secret(jwt);
        assertion_key_free(key);
        forget(paths[i]);
    }
}

static void test_bad_files(void **state UNUSED)
{
    struct { char *path; const char *said; } rows[] = {
        { mem_format("%s/none.pem", folder), "No such file" },
        { mem_text(folder), "it is a folder" },
        { pem_file("empty", "", NULL, NULL, NULL, NULL, ""), "is not a PEM file" },
        { pem_file("pfx", "0\x82\x01\x02 binary", NULL, NULL, NULL, NULL, ""), "is not a PEM file" },
        { pem_file("nokey", "", NULL, NULL, cert_one, NULL, ""), "has no private key" },
        { pem_file("nocert", "", key_one, NULL, NULL, NULL, ""), "has no certificate" },
        { pem_file("other", "", key_one, NULL, cert_two, NULL, ""), "do not belong together" },
        { pem_file("locked", "", key_one, "secret", cert_one, NULL, ""), "protected by a passphrase" },
        { pem_file("elliptic", "", key_ec, NULL, cert_ec, NULL, ""), "not RSA" },
        { pem_file("small", "", key_small, NULL, cert_small, NULL, ""), "fewer than 2048 bits" },
        { pem_file("old", "", key_one, NULL, cert_old, NULL, ""), "expired on 20" },
        { pem_file("early", "", key_one, NULL, cert_early, NULL, ""), "is not valid before 20" },
        { pem_file("damaged", "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n", NULL, NULL, cert_one,
                   NULL, ""), "cannot be read: it is damaged" },
        { pem_file("cut", "", NULL, NULL, cert_one, NULL, "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF"),
          "cannot be read: it is damaged" },
    };
    struct err err;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct assertion_key *key = assertion_key_read(rows[i].path, clock_wall_ms(), &err);

        CHECK(!key && err.kind == ERR_AUTH, "'%s' is taken", rows[i].path);
        CHECK(strstr(err.text, rows[i].said), "'%s': %s", rows[i].path, err.text);
        CHECK(strstr(err.text, "client_certificate") && strstr(err.text, rows[i].path), "%s", err.text);
        assertion_key_free(key);
        forget(rows[i].path);
    }
}

static void test_end(void **state UNUSED)
{
    char *path = pem_file("end", "", key_one, NULL, cert_one, NULL, "");
    int64_t now_ms = clock_wall_ms();
    struct err err;
    struct assertion_key *key = assertion_key_read(path, now_ms, &err);
    static const struct { int64_t ahead_days, left; } rows[] = {
        { 0, 30 }, { 23, 7 }, { 29, 1 }, { 30, 0 }, { 31, -1 }, { 60, -30 }, { -10, 40 }
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(assertion_days_left(key, now_ms + rows[i].ahead_days * DAY_MS) == rows[i].left, "row %zu: %lld", i,
              (long long)assertion_days_left(key, now_ms + rows[i].ahead_days * DAY_MS));
    CHECK(!assertion_new(key, ASSERTION_PS256, &request, now_ms + 31 * DAY_MS, 0, &err) && err.kind == ERR_AUTH &&
          strstr(err.text, "expired on 20"), "%s", err.text);
    /* Whether it has ended is a matter of the service's clock. */
    CHECK(!assertion_new(key, ASSERTION_PS256, &request, now_ms, 31 * DAY_MS, &err), "signed after the end");
    assertion_key_free(key);
    assertion_key_free(NULL);
    forget(path);
}

/* Graph's customKeyIdentifier: a thumbprint in hex or base64. */
static void test_named(void **state UNUSED)
{
    char *path = pem_file("named", "", key_one, NULL, cert_one, NULL, "");
    struct err err;
    struct assertion_key *key = assertion_key_read(path, clock_wall_ms(), &err);
    const EVP_MD *const kinds[] = { EVP_sha1(), EVP_sha256() };

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        unsigned char bytes[EVP_MAX_MD_SIZE], base64[128];
        char hex[2 * EVP_MAX_MD_SIZE + 1];
        unsigned len = 0;

        X509_digest(cert_one, kinds[i], bytes, &len);
        hex_text(bytes, len, hex);
        EVP_EncodeBlock(base64, bytes, (int)len);
        CHECK(assertion_is_named(key, hex), "%s", hex);
        CHECK(assertion_is_named(key, (char *)base64), "%s", (char *)base64);
        for (char *at = hex; *at; at++)
            *at = (char)(*at >= 'a' ? *at - 'a' + 'A' : *at);
        CHECK(assertion_is_named(key, hex), "%s", hex);
        hex[0] = hex[0] == '0' ? '1' : '0';
        CHECK(!assertion_is_named(key, hex), "%s", hex);
    }
    CHECK(!assertion_is_named(key, "") && !assertion_is_named(key, "=") && !assertion_is_named(key, "defender"), "named so");
    assertion_key_free(key);
    forget(path);
}

static void test_refused(void **state UNUSED)
{
    static const struct { const char *text; bool want; } rows[] = {
        { "AADSTS700027: x", true }, { "AADSTS50012: x", true }, { "AADSTS700030: x", true },
        { "AADSTS700024: x", false }, { "AADSTS7000215: x", false }, { "HTTP 401", false }, { "", false },
        { "x AADSTS700027: x", false }
    };
    struct err err;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        err_set(&err, ERR_AUTH, "%s", rows[i].text);
        CHECK(assertion_refused(&err) == rows[i].want, "'%s'", rows[i].text);
    }
}

static int set_up(void **state UNUSED)
{
    if (!mkdtemp(folder))
        return -1;
    make_keys();
    return 0;
}

static int tear_down(void **state UNUSED)
{
    free_keys();
    return rmdir(folder);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_forms),
    cmocka_unit_test(test_good_files),
    cmocka_unit_test(test_bad_files),
    cmocka_unit_test(test_end),
    cmocka_unit_test(test_named),
    cmocka_unit_test(test_refused),
};

UNIT(assertion, cases, set_up, tear_down)
