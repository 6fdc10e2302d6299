/* splunk/proxy.h - the proxy parameter: "http://[user:password@]host:port", with the password kept apart.
 *
 * User and password may be typed as they are or percent-encoded; they leave here percent-encoded, which is what curl
 * undoes. */
#pragma once

#include "base/compiler.h"

/* Splits the text into the address without the password ("http://user@host:port", percent-encoded) and the password
 * as it was typed (NULL: none, empty or a mask). False and nothing set when it is no such address. */
bool proxy_parse(const char *text, char **ret_proxy, char **ret_password);

/* The address with the password in it, for http_route.proxy: secret. NULL or "" password, or an address without a
 * user: the address as it is. Caller frees with mem_free_secret(). */
char *proxy_with_password(const char *proxy, const char *password);

/* "http://user:********@host:port", what inputs.conf is to hold once the password is stored. Caller frees. */
char *proxy_masked(const char *proxy);

/* Does the address name a user, so that a stored password may belong to it? */
bool proxy_has_user(const char *proxy);
