/* Addresses: of a proxy with its password, of services, and the links to next pages. Two addresses are separated by a
 * line end. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "fuzz.h"
#include "net/url.h"
#include "splunk/proxy.h"

#define PROXY_MOST 1024 /* no longer parameter is accepted */

/* What is taken apart can be put together: printable, the same host, and the password in no mask. */
static void check_proxy(const char *text)
{
    char *proxy = NULL, *password = NULL, *proxy2 = NULL, *password2 = NULL, *proxy3 = NULL, *password3 = NULL;
    char *whole, *masked, *host, *host2;
    const unsigned char *c;

    if (strlen(text) > PROXY_MOST)
        return;
    if (!proxy_parse(text, &proxy, &password)) {
        need(!proxy && !password, "a refusal sets nothing");
        return;
    }
    whole = proxy_with_password(proxy, password ? password : "");
    masked = proxy_masked(proxy);
    for (c = (const unsigned char *)whole; *c; c++)
        need(*c > 0x20 && *c < 0x7f, "an address is printable ASCII without blanks");
    need(proxy_parse(whole, &proxy2, &password2), "what it makes it can read");
    need(!strcmp(proxy, proxy2), "the same address");
    host = url_host(proxy);
    host2 = url_host(whole);
    need(!strcmp(host, host2), "a password moves no host");
    need(proxy_parse(masked, &proxy3, &password3) && !strcmp(proxy, proxy3) && !password3, "a mask is no password");
    free(proxy);
    free(proxy3);
    free(masked);
    free(proxy2);
    free(host);
    free(host2);
    mem_free_secret(password);
    mem_free_secret(password2);
    mem_free_secret(whole);
}

/* curl, which will send the request, agrees with what is said of an address. */
static void check_base(const char *text)
{
    bool loop = url_is_loopback(text), base = url_is_base(text);
    char *host = NULL, *scheme = NULL;
    struct in_addr address;
    CURLU *url;

    if (base)
        need(url_same_origin(text, text), "an address has its own origin");
    if (!loop && !base)
        return;
    url = curl_url();
    need(!curl_url_set(url, CURLUPART_URL, text, 0), "curl reads it too");
    need(!curl_url_get(url, CURLUPART_HOST, &host, 0) && !curl_url_get(url, CURLUPART_SCHEME, &scheme, 0), "and its parts");
    if (loop || !strcmp(scheme, "http"))
        need(!strcasecmp(host, "localhost") || !strcmp(host, "[::1]") ||
                 (inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127),
             "only a loopback host counts as one");
    curl_free(host);
    curl_free(scheme);
    curl_url_cleanup(url);
}

/* A link is followed only within the origin: a resolved one has the origin that it is judged by. */
static void check_link(const char *page, const char *link)
{
    char *url = url_resolve(page, link), *host, *again;

    need(url_same_origin(page, link) == url_same_origin(link, page), "origins are the same both ways");
    if (!url)
        return;
    host = url_host(url);
    if (url_same_origin(page, url))
        need(*host, "an address within the origin has a host");
    again = url_resolve(page, url);
    need(again && (!url_same_origin(page, url) || url_same_origin(page, again)), "resolving again stays there");
    free(host);
    free(again);
    free(url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_text_n((const char *)data, size), *link = strchr(text, '\n');

    check_proxy(text);
    check_base(text);
    if (link) {
        *link++ = '\0';
        check_base(text);
        check_link(text, link);
        check_link("https://graph.microsoft.com/v1.0/security/alerts_v2?$top=1", link);
    }
    free(text);
    return 0;
}
