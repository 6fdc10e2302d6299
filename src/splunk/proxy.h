/* splunk/proxy.h - the proxy parameter: "http://[user:password@]host:port", with the password kept apart.
 *
 * User and password may be given plain or percent-encoded. They leave here percent-encoded, which curl undoes. */
#pragma once

#include "base/compiler.h"

/* Splits the text into the address without the password ("http://user@host:port", percent-encoded) and the password as
 * given (NULL: none, empty or a mask). Returns false, with nothing set, if the text is not such an address. */
bool proxy_parse(const char *text, char **ret_proxy, char **ret_password);

/* Returns the address with the password in it, for http_route.proxy. Without a password (NULL or "") or a user: the
 * address as it is. A secret: caller frees with mem_free_secret(). */
char *proxy_with_password(const char *proxy, const char *password);

/* Returns "http://user:********@host:port", for inputs.conf after the password has been stored. Caller frees. */
char *proxy_masked(const char *proxy);

/* Returns true if the address names a user, so that a stored password may belong to it. */
bool proxy_has_user(const char *proxy);
