#include "microsoft/assertion.h"

#include <ctype.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base64url.h"
#include "base/die.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/ticks.h"
#include "microsoft/aad.h"
#include "messages/remedy.h"

#define CLOCK_SLACK_MS       (5 * 60 * 1000) /* Entra's own tolerance between clocks */
#define FILE_MAX_BYTES       (256 * 1024)
#define KEY_LEAST_BITS       2048 /* RFC 7518 sections 3.3 and 3.5: the minimum for RS256 and PS256 */
#define THUMBPRINT_TEXT      64   /* base64url of 32 bytes fits */
#define THUMBPRINT_BYTES_MAX 32
#define LIFE_S               600 /* Microsoft advises 5 to 10 minutes */
#define BACKDATED_S          30  /* a Date header has whole seconds and is some time old */
#define ASSERTION_MAX        65536

struct assertion_key {
    EVP_PKEY *key;
    char *path;
    int64_t from_ms, to_ms; /* the certificate's validity, unix milliseconds */
    char sha256[THUMBPRINT_TEXT];
    char sha1[THUMBPRINT_TEXT];
};

static bool blame(struct err *err)
{
    return remedy_set(err, "certificate", ACT_PROVIDER,
                      "correct the file of client_certificate, or upload its certificate to the app registration");
}

/* Sets err for a file that cannot be used. Empties OpenSSL's error queue, so that no later caller finds an old
 * error. */
static bool unusable(struct err *err, const char *path, const char *why)
{
    ERR_clear_error();
    err_set(err, ERR_AUTH, "client_certificate '%s' %s", path, why);
    return blame(err);
}

static void bio_freep(BIO **bio)
{
    BIO_free(*bio);
}

static BIO *bio_of(const struct buf *file)
{
    BIO *bio = BIO_new_mem_buf(file->data, (int)file->len);

    if (!bio)
        die("out of memory: OpenSSL cannot read a key file");
    return bio;
}

/* Called by OpenSSL for a key with a passphrase. Records that, and has none. */
static int on_passphrase(char *to UNUSED, int size UNUSED, int writing UNUSED, void *asked)
{
    *(bool *)asked = true;
    return -1;
}

static bool read_key(struct assertion_key *key, const struct buf *file, struct err *err)
{
    CLEANUP(bio_freep) BIO *bio = bio_of(file);
    bool asked = false;

    key->key = PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, &asked);
    if (asked)
        return unusable(err, key->path,
                        "has a key protected by a passphrase: store it without one (openssl pkey "
                        "-in <file> -out <new file>), readable by Splunk's user only");
    if (!key->key && strstr(buf_text(file), "PRIVATE KEY-----"))
        return unusable(err, key->path, "has a private key that cannot be read: it is damaged or cut off");
    if (!key->key)
        return unusable(err, key->path, "has no private key: put certificate and key into one PEM file");
    if (!EVP_PKEY_is_a(key->key, "RSA"))
        return unusable(err, key->path, "has a key that is not RSA: Entra accepts client assertions of RSA keys only");
    if (EVP_PKEY_get_bits(key->key) < KEY_LEAST_BITS)
        return unusable(err, key->path, "has an RSA key of fewer than 2048 bits: make a longer one");
    return true;
}

static bool unix_ms_of(const ASN1_TIME *time, int64_t *ret)
{
    struct tm tm;

    if (!ASN1_TIME_to_tm(time, &tm))
        return false;
    *ret = (int64_t)timegm(&tm) * 1000;
    return true;
}

static bool thumbprint(const X509 *certificate, const EVP_MD *kind, char ret[THUMBPRINT_TEXT])
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(THUMBPRINT_TEXT - 1);
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (!X509_digest(certificate, kind, bytes, &len))
        return false;
    base64url_add(&text, bytes, len);
    memcpy(ret, buf_text(&text), text.len + 1);
    return !text.full;
}

/* Returns the first certificate that belongs to the key, or NULL. *any: there was a certificate. Caller frees. */
static X509 *own_certificate(const struct assertion_key *key, const struct buf *file, bool *any)
{
    CLEANUP(bio_freep) BIO *bio = bio_of(file);
    X509 *certificate;

    for (*any = false; (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)); X509_free(certificate)) {
        *any = true;
        if (X509_check_private_key(certificate, key->key) == 1)
            break;
    }
    ERR_clear_error(); /* OpenSSL reports the end of the file and each foreign certificate as an error */
    return certificate;
}

static void x509_freep(X509 **certificate)
{
    X509_free(*certificate);
}

static bool read_certificate(struct assertion_key *key, const struct buf *file, struct err *err)
{
    bool any;
    CLEANUP(x509_freep) X509 *certificate = own_certificate(key, file, &any);

    if (!any)
        return unusable(err, key->path, "has no certificate: put certificate and key into one PEM file");
    if (!certificate)
        return unusable(err, key->path, "has a certificate and a private key that do not belong together");
    if (!unix_ms_of(X509_get0_notBefore(certificate), &key->from_ms) ||
        !unix_ms_of(X509_get0_notAfter(certificate), &key->to_ms) ||
        !thumbprint(certificate, EVP_sha256(), key->sha256) || !thumbprint(certificate, EVP_sha1(), key->sha1))
        return unusable(err, key->path, "has a certificate that cannot be read");
    return true;
}

/* Checks the validity at a time, with Entra's tolerance: a new certificate may not be valid yet by the service's
 * clock. */
static bool valid_at(const struct assertion_key *key, int64_t now_unix_ms, struct err *err)
{
    bool early = now_unix_ms + CLOCK_SLACK_MS < key->from_ms;
    char date[TICKS_TEXT_MAX];

    if (!early && now_unix_ms <= key->to_ms)
        return true;
    ticks_text_digits(ticks_from_ms(early ? key->from_ms : key->to_ms), 0, date);
    err_set(err, ERR_AUTH,
            early ? "the certificate in client_certificate '%s' is not valid before %s"
                  : "the certificate in client_certificate '%s' expired on %s: make a new one "
                    "and upload it to the app registration",
            key->path, date);
    return blame(err);
}

static bool fill(struct assertion_key *key, int64_t now_unix_ms, struct err *err)
{
    CLEANUP(buf_free_secret) struct buf file = BUF_INIT(FILE_MAX_BYTES);
    struct err why;

    if (!file_read(key->path, &file, &why)) {
        err_set(err, ERR_AUTH, "client_certificate: %s", why.text);
        return blame(err);
    }
    if (!strstr(buf_text(&file), "-----BEGIN "))
        return unusable(err, key->path,
                        "is not a PEM file (a .pfx or .p12 can be turned into one: openssl pkcs12 -in "
                        "<file> -nodes -out <new file>)");
    return read_key(key, &file, err) && read_certificate(key, &file, err) && valid_at(key, now_unix_ms, err);
}

struct assertion_key *assertion_key_read(const char *path, int64_t now_unix_ms, struct err *err)
{
    struct assertion_key *key = mem_alloc(sizeof(*key));

    key->path = mem_text(path);
    if (fill(key, now_unix_ms, err))
        return key;
    assertion_key_free(key);
    return NULL;
}

void assertion_key_free(struct assertion_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->key);
    free(key->path);
    free(key);
}

int64_t assertion_days_left(const struct assertion_key *key, int64_t now_unix_ms)
{
    int64_t left_ms = key->to_ms - now_unix_ms, day_ms = INT64_C(86400) * 1000;

    return left_ms / day_ms - (left_ms % day_ms < 0);
}

static void add_jwt_header(const struct assertion_key *key, enum assertion_form form, struct buf *to)
{
    if (form == ASSERTION_PS256)
        buf_add_format(to, "{\"alg\":\"PS256\",\"typ\":\"JWT\",\"x5t#S256\":\"%s\"}", key->sha256);
    else
        buf_add_format(to, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"x5t\":\"%s\"}", key->sha1);
}

static void add_claims(const struct token_request *request, int64_t now_s, struct buf *to)
{
    CLEANUP(buf_free) struct buf audience = BUF_INIT(ASSERTION_MAX);
    int64_t from_s = now_s - BACKDATED_S;
    char id[RANDOM_GUID_MAX];

    token_address(request, &audience);
    random_guid(id);
    buf_add_text(to, "{\"aud\":");
    buf_add_json(to, buf_text(&audience));
    buf_add_text(to, ",\"iss\":");
    buf_add_json(to, request->client_id);
    buf_add_text(to, ",\"sub\":");
    buf_add_json(to, request->client_id);
    buf_add_format(to, ",\"jti\":\"%s\",\"nbf\":%lld,\"iat\":%lld,\"exp\":%lld}", id, (long long)from_s,
                   (long long)from_s, (long long)from_s + LIFE_S);
}

/* Sets PSS by RFC 7518 section 3.5: MGF1 with SHA-256, and a salt as long as the digest. */
static bool choose_padding(EVP_PKEY_CTX *ctx, enum assertion_form form)
{
    if (form == ASSERTION_RS256)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

static void sign_freep(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
}

static bool add_signature(const struct assertion_key *key, enum assertion_form form, struct buf *to)
{
    CLEANUP(sign_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    CLEANUP(buf_free) struct buf signature = BUF_INIT(ASSERTION_MAX);
    EVP_PKEY_CTX *options;
    size_t len = 0;
    char *room;

    if (!ctx || EVP_DigestSignInit(ctx, &options, EVP_sha256(), NULL, key->key) <= 0 || !choose_padding(options, form))
        return false;
    if (EVP_DigestSign(ctx, NULL, &len, (const unsigned char *)to->data, to->len) <= 0 ||
        !(room = buf_room(&signature, len)) ||
        EVP_DigestSign(ctx, (unsigned char *)room, &len, (const unsigned char *)to->data, to->len) <= 0)
        return false;
    buf_add_char(to, '.');
    base64url_add(to, room, len);
    return !to->full;
}

char *assertion_new(const struct assertion_key *key, enum assertion_form form, const struct token_request *request,
                    int64_t now_unix_ms, int64_t clock_offset_ms, struct err *err)
{
    CLEANUP(buf_free) struct buf header = BUF_INIT(1024), claims = BUF_INIT(ASSERTION_MAX);
    CLEANUP(buf_free_secret) struct buf jwt = BUF_INIT(ASSERTION_MAX);
    int64_t service_ms = now_unix_ms + clock_offset_ms;

    if (!valid_at(key, service_ms, err))
        return NULL;
    add_jwt_header(key, form, &header);
    add_claims(request, service_ms / 1000, &claims);
    base64url_add(&jwt, header.data, header.len);
    buf_add_char(&jwt, '.');
    base64url_add(&jwt, claims.data, claims.len);
    if (!add_signature(key, form, &jwt)) {
        unusable(err, key->path, "has a key that OpenSSL cannot sign with");
        return NULL;
    }
    return buf_take(&jwt);
}

bool assertion_refused(const struct err *err)
{
    int code = aad_code_in(err);

    return code == 700027 || code == 50012 || code == 700030;
}

/* Returns the value of a hex digit; -1: it is none. */
static int hex_value(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* Appends hex digits as the bytes that they stand for, encoded. Returns false for another text. */
static bool add_hex(struct buf *to, const char *hex)
{
    unsigned char bytes[THUMBPRINT_BYTES_MAX];
    size_t len = strlen(hex) / 2, i;

    if (strlen(hex) % 2 || len > sizeof(bytes))
        return false;
    for (i = 0; i < len; i++) {
        int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (unsigned char)(high * 16 + low);
    }
    base64url_add(to, bytes, len);
    return true;
}

bool assertion_is_named(const struct assertion_key *key, const char *identifier)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(THUMBPRINT_TEXT * 2);
    const char *at;

    if (!add_hex(&text, identifier))
        for (at = identifier; *at && *at != '='; at++)
            buf_add_char(&text, *at == '+' ? '-' : *at == '/' ? '_' : *at);
    return !strcmp(buf_text(&text), key->sha1) || !strcmp(buf_text(&text), key->sha256);
}
