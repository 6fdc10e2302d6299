/* splunk/rest_ca.h - the CA that splunkd's own certificate is verified with. */
#pragma once

/* Returns the path of the CA file by Splunk's own settings ([sslConfig] of etc/system/local/server.conf: sslRootCAPath,
 * then caPath and caCertFile), else of etc/auth/cacert.pem. NULL: no such file can be read, or splunk_home is NULL or
 * "". Caller frees. */
char *rest_ca_file(const char *splunk_home);
