/* net/url.h - questions about URLs, answered by curl's own parser, so that they hold for the request. */
#pragma once

#include "base/compiler.h"

/* Returns true for scheme://host[:port] with an optional slash and nothing after it. The scheme is https, or http for
 * 127.0.0.0/8, ::1 and localhost. NULL is no URL. */
bool url_is_base(const char *url);
/* Returns true if the host is in 127.0.0.0/8, ::1 or localhost, in exactly this spelling: "2130706433", "0x7f.1" and
 * "[::ffff:127.0.0.1]" are not. */
bool url_is_loopback(const char *url);
/* Returns true if the address that a host name was resolved to is one of this machine's loopback addresses. */
struct sockaddr;
bool url_peer_is_loopback(const struct sockaddr *peer);
/* The address of Azure's instance metadata service, the same on every virtual machine. */
#define URL_METADATA_HOST "169.254.169.254"
/* Returns true for http://URL_METADATA_HOST in exactly this spelling, at port 80. */
bool url_is_metadata(const char *url);
/* Returns true if the address is URL_METADATA_HOST. */
bool url_peer_is_metadata(const struct sockaddr *peer);
/* Returns the origin (RFC 6454): scheme://host[:port], in lower case, without the default port, a user or a path. NULL
 * if text is no URL. The caller frees it. */
char *url_origin(const char *text);
/* Returns true if scheme, host (in any case) and port (the default if none is given) are the same: RFC 6454 section 4.
 * */
bool url_same_origin(const char *a, const char *b);
/* Returns the URL that a reference on the page at `base` means: RFC 3986 section 5. An absolute URL stays as it is.
 * Blanks are encoded. Returns NULL if there is none. The caller frees it. */
char *url_resolve(const char *base, const char *reference);
/* Returns the host without the port, for messages; "" if url has none. The caller frees it. */
char *url_host(const char *url);
