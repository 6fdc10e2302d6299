/* net/tls.h - trusted certificates, independent of the host's environment. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define TLS_CA_MAX ((size_t)16 * 1024 * 1024) /* bytes of a CA file; public bundles have a quarter of a million */

/* Removes the environment variables that change the behavior of OpenSSL and curl: splunkd passes its own OPENSSL_CONF
 * and SSL_CERT_FILE on, and SSLKEYLOGFILE would write session keys to a file. Call before libcurl is initialized. */
void tls_forget_environment(void);

/* Returns true if the file can serve as CA file: it can be read, and holds certificates, none of them damaged. */
bool tls_ca_usable(const char *path, struct err *err);

/* Returns the CA bundle for routes without one: the first readable file of tls_ca_places(). NULL if there is none. The
 * path is owned by this module and stays valid. */
const char *tls_ca_bundle(void);
/* Returns the paths that are tried, for messages: those of the Linux distributions, then those of Splunk. Owned by this
 * module. */
const char *tls_ca_places(void);
