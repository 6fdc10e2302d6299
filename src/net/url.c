#include "net/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static void url_cleanupp(CURLU **url)
{
    curl_url_cleanup(*url);
}

static void curl_freep(char **text)
{
    curl_free(*text);
}

/* Returns NULL if the text is no URL; free with curl_url_cleanup(). */
static CURLU *parse(const char *text)
{
    CURLU *url = curl_url();

    if (url && text && !curl_url_set(url, CURLUPART_URL, text, 0))
        return url;
    curl_url_cleanup(url);
    return NULL;
}

/* Returns one part of the URL, NULL if it has none. */
static char *part(CURLU *url, CURLUPart what)
{
    char *text = NULL;

    return url && !curl_url_get(url, what, &text, what == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) ? text : NULL;
}

static bool loopback_host(const char *host)
{
    struct in_addr address;

    if (text_same_nocase(host, "localhost") || text_same(host, "[::1]"))
        return true;
    return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

/* Returns true if the host is written in the URL as curl understood it. curl turns "2130706433" and "0x7f.1" into
 * 127.0.0.1; a reader of the address would not. */
static bool is_literal(const char *text, const char *host)
{
    const char *at = text ? strstr(text, "://") : NULL;
    size_t len = strlen(host);

    return at && strncasecmp(at + 3, host, len) == 0 && (!at[3 + len] || strchr(":/?#", at[3 + len]));
}

/* Returns false if the URL cannot have a literal loopback host, as almost none has: the first character tells. */
static bool may_be_loopback(const char *text)
{
    const char *at = text ? strstr(text, "://") : NULL;

    return at && at[3] && strchr("lL[1", at[3]);
}

static bool is_loopback(const char *text, const char *host)
{
    return host && loopback_host(host) && is_literal(text, host);
}

bool url_is_loopback(const char *text)
{
    CLEANUP(url_cleanupp) CURLU *url = may_be_loopback(text) ? parse(text) : NULL;
    CLEANUP(curl_freep) char *host = part(url, CURLUPART_HOST);

    return is_loopback(text, host);
}

bool url_peer_is_loopback(const struct sockaddr *peer)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)peer;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)peer;

    if (peer->sa_family == AF_INET)
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    if (peer->sa_family != AF_INET6)
        return false;
    return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
           (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == 127);
}

bool url_is_metadata(const char *url)
{
    static const char start[] = "http://" URL_METADATA_HOST "/";

    return url && strncmp(url, start, sizeof(start) - 1) == 0;
}

bool url_peer_is_metadata(const struct sockaddr *peer)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)peer;
    char text[INET_ADDRSTRLEN];

    return peer->sa_family == AF_INET && inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text)) &&
           text_same(text, URL_METADATA_HOST);
}

/* Returns true if the URL has a part that a base address must not have. */
static bool has_more(CURLU *url)
{
    static const CURLUPart parts[] = { CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT };
    size_t i;

    for (i = 0; i < COUNT_OF(parts); i++) {
        CLEANUP(curl_freep) char *text = part(url, parts[i]);

        if (text)
            return true;
    }
    return false;
}

bool url_is_base(const char *text)
{
    CLEANUP(url_cleanupp) CURLU *url = parse(text);
    CLEANUP(curl_freep) char *scheme = part(url, CURLUPART_SCHEME);
    CLEANUP(curl_freep) char *host = part(url, CURLUPART_HOST);
    CLEANUP(curl_freep) char *path = part(url, CURLUPART_PATH);

    if (!scheme || !host || !*host || (path && strcmp(path, "/")) || has_more(url))
        return false;
    if (strchr(text, '?') || strchr(text, '#') || strchr(text, '@'))
        return false;
    return text_same(scheme, "https") || (text_same(scheme, "http") && is_loopback(text, host));
}

bool url_same_origin(const char *a, const char *b)
{
    static const CURLUPart parts[] = { CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT };
    CLEANUP(url_cleanupp) CURLU *one = parse(a);
    CLEANUP(url_cleanupp) CURLU *other = parse(b);
    size_t i;

    if (!one || !other)
        return false;
    for (i = 0; i < COUNT_OF(parts); i++) {
        CLEANUP(curl_freep) char *mine = part(one, parts[i]);
        CLEANUP(curl_freep) char *theirs = part(other, parts[i]);

        if (!mine || !theirs || !text_same_nocase(mine, theirs))
            return false;
    }
    return true;
}

char *url_origin(const char *text)
{
    CLEANUP(url_cleanupp) CURLU *url = parse(text);
    CLEANUP(curl_freep) char *scheme = part(url, CURLUPART_SCHEME);
    CLEANUP(curl_freep) char *host = part(url, CURLUPART_HOST);
    CLEANUP(curl_freep) char *port = part(url, CURLUPART_PORT);
    char *origin, *c;

    if (!scheme || !host || !port)
        return NULL;
    if (text_same(port, text_same(scheme, "https") ? "443" : "80"))
        origin = mem_format("%s://%s", scheme, host);
    else
        origin = mem_format("%s://%s:%s", scheme, host, port);
    for (c = origin; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return origin;
}

char *url_resolve(const char *base, const char *reference)
{
    CLEANUP(url_cleanupp) CURLU *absolute = parse(reference);
    CLEANUP(url_cleanupp) CURLU *url = parse(base);
    CLEANUP(curl_freep) char *text = NULL;

    if (absolute)
        return mem_text(reference);
    if (!url)
        return NULL;
    if (*reference == '\0' || *reference == '#') /* the page itself; curl takes its folder */
        return mem_text(base);
    if (curl_url_set(url, CURLUPART_URL, reference, CURLU_ALLOW_SPACE | CURLU_URLENCODE))
        return NULL;
    text = part(url, CURLUPART_URL);
    return mem_text(text);
}

char *url_host(const char *url)
{
    CLEANUP(url_cleanupp) CURLU *parsed = parse(url);
    CLEANUP(curl_freep) char *host = part(parsed, CURLUPART_HOST);

    return mem_text(host ? host : "");
}
