#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

/* The bundle of public certificate authorities of each Linux distribution. */
static const char *const system_bundles[] = {
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* RHEL 7 and newer, Fedora */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* older RHEL */
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Alpine */
    "/etc/ssl/ca-bundle.pem",                            /* SUSE */
    "/var/lib/ca-certificates/ca-bundle.pem",            /* SUSE, the target of that link */
    "/etc/ssl/cert.pem"                                  /* Alpine */
};

/* Bundles of public certificate authorities in a Splunk installation, relative to SPLUNK_HOME. */
static const char *const splunk_bundles[] = { "etc/auth/appsCA.pem", "lib/python3.9/site-packages/certifi/cacert.pem",
                                              "lib/python3.13/site-packages/certifi/cacert.pem",
                                              "lib/python3.7/site-packages/certifi/cacert.pem" };

void tls_forget_environment(void)
{
    static const char *const names[] = { "OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES", "SSL_CERT_FILE",
                                         "SSL_CERT_DIR", "CURL_CA_BUNDLE",  "SSLKEYLOGFILE",   "CURL_SSL_BACKEND" };
    size_t i;

    for (i = 0; i < COUNT_OF(names); i++)
        unsetenv(names[i]);
}

/* Keeps OpenSSL from asking on the terminal. */
static int no_passphrase(char *to UNUSED, int size UNUSED, int writing UNUSED, void *ctx UNUSED)
{
    return 0;
}

static char *splunk_bundle(size_t i)
{
    const char *home = getenv("SPLUNK_HOME");

    return home && *home ? mem_format("%s/%s", home, splunk_bundles[i]) : NULL;
}

bool tls_ca_usable(const char *path, struct err *err)
{
    struct buf text = BUF_INIT(TLS_CA_MAX);
    STACK_OF(X509_INFO) *found = NULL;
    int i, count = 0;
    BIO *bio;

    if (!file_usable(path, TLS_CA_MAX, err) || !file_read(path, &text, err))
        return false;
    bio = BIO_new_mem_buf(buf_text(&text), (int)text.len);
    found = bio ? PEM_X509_INFO_read_bio(bio, NULL, no_passphrase, NULL) : NULL; /* as libcurl's OpenSSL reads it */
    for (i = 0; found && i < sk_X509_INFO_num(found); i++)
        count += sk_X509_INFO_value(found, i)->x509 != NULL;
    sk_X509_INFO_pop_free(found, X509_INFO_free);
    BIO_free(bio);
    ERR_clear_error();
    buf_free_secret(&text); /* it may be a key */
    return count > 0 || err_set(err, ERR_INPUT, "it holds no certificate, or a damaged one");
}

const char *tls_ca_bundle(void)
{
    static char *found;
    struct err ignored;
    size_t i;

    if (found)
        return found;
    for (i = 0; i < COUNT_OF(system_bundles); i++)
        if (file_usable(system_bundles[i], TLS_CA_MAX, &ignored))
            return found = mem_text(system_bundles[i]);
    for (i = 0; i < COUNT_OF(splunk_bundles); i++) {
        char *path = splunk_bundle(i);

        if (path && file_usable(path, TLS_CA_MAX, &ignored))
            return found = path;
        free(path);
    }
    return NULL;
}

const char *tls_ca_places(void)
{
    static char *places;
    struct buf text = BUF_INIT(4096);
    size_t i;

    if (places)
        return places;
    for (i = 0; i < COUNT_OF(system_bundles); i++)
        buf_add_format(&text, "%s%s", i ? ", " : "", system_bundles[i]);
    for (i = 0; i < COUNT_OF(splunk_bundles); i++)
        buf_add_format(&text, ", $SPLUNK_HOME/%s", splunk_bundles[i]);
    return places = buf_take(&text);
}
