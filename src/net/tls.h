/* net/tls.h - which certificates are trusted, whatever the host's environment says. */
#pragma once

/* Takes out of the environment what would steer OpenSSL and curl behind the configuration's back: splunkd hands its
 * own OPENSSL_CONF and SSL_CERT_FILE on, and SSLKEYLOGFILE would write session keys to a file. Call before libcurl
 * is initialised. */
void tls_forget_environment(void);
