#include "net/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "check.h"

#define TEXT(text) ((text) ? (text) : "NULL")

/* promise: Parameters: Base addresses have no path. */
static void test_base(void **state UNUSED)
{
    static const struct { const char *url; bool is; } rows[] = {
        { "https://api.example.com", true },        { "https://api.example.com/", true },
        { "HTTPS://api.example.com:8443", true },   { "https://10.0.0.1", true },
        { "https://[2001:db8::1]:444/", true },     { "http://127.0.0.1:9", true },
        { "http://127.255.0.1", true },             { "http://localhost:80/", true },
        { "http://LOCALHOST", true },               { "http://[::1]:8080", true },
        { "http://api.example.com", false },        { "http://10.0.0.1", false },
        { "http://127.0.0.1.example.com", false },  { "http://localhost.example.com", false },
        { "http://[::2]", false },                  { "http://127.0.0.256", false },
        { "http://127.0.0.-0", false },             { "http://127.-0.0.1", false },
        { "http://2130706433", false },             { "http://0x7f.1", false },
        { "http://0x7f000001:80", false },          { "http://127.1", false },
        { "http://0177.0.0.1", false },             { "http://localhost.", false },
        { "http://[::ffff:127.0.0.1]", false },     { "http://[::ffff:7f00:1]", false },
        { "http://[0:0:0:0:0:0:0:1]", false },      { "http://0.0.0.0", false },
        { "http://%6cocalhost", false },            { "http://127.0.0.1%2eevil.example", false },
        { "http://localhost.evil", false },         { "http://\xef\xbc\x91\x32\x37.0.0.1", false },
        { "https://api.example.com/path", false },  { "https://api.example.com//", false },
        { "https://api.example.com?x", false },     { "https://api.example.com/?", false },
        { "https://api.example.com#", false },      { "https://api.example.com/#x", false },
        { "https://user@api.example.com", false },  { "https://user:pass@api.example.com", false },
        { "https://@api.example.com", false },      { "https://a b", false },
        { "ftp://127.0.0.1", false },               { "file:///etc/passwd", false },
        { "api.example.com", false },               { "https://", false },
        { "https://api.example.com:99999", false }, { "", false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(url_is_base(rows[i].url) == rows[i].is, "'%s'", rows[i].url);
    CHECK(!url_is_base(NULL), "NULL");
}

/* promise: Parameters: http: is for loopback only. */
static void test_loopback(void **state UNUSED)
{
    static const struct { const char *url; bool is; } rows[] = {
        { "https://127.0.0.1:8089/services", true },    { "https://127.1.2.3", true },
        { "https://localhost/x?y", true },
        { "https://[::1]/", true },                     { "https://128.0.0.1", false },
        { "https://127.0.0.1.example.com", false },     { "https://localhost.example.com", false },
        { "https://example.com/127.0.0.1", false },     { "https://127.0.0.1@example.com", false },
        { "https://[::ffff:127.0.0.1]", false },        { "", false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(url_is_loopback(rows[i].url) == rows[i].is, "'%s'", rows[i].url);
    CHECK(!url_is_loopback(NULL), "NULL");
}

/* promise: Secrets: An address over plain http is connected only to this machine. */
static void test_peer(void **state UNUSED)
{
    static const struct { const char *address; bool is; } rows[] = {
        { "127.0.0.1", true }, { "127.255.255.254", true }, { "::1", true }, { "::ffff:127.0.0.1", true },
        { "126.255.255.255", false }, { "128.0.0.1", false }, { "0.0.0.0", false }, { "10.0.0.1", false },
        { "::", false }, { "::2", false }, { "::ffff:10.0.0.1", false }, { "::127.0.0.1", false },
        { "2001:db8::1", false }, { "fe80::1", false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sockaddr_in  v4 = { .sin_family = AF_INET };
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
        const void *peer = &v4;

        if (inet_pton(AF_INET, rows[i].address, &v4.sin_addr) != 1) {
            CHECK(inet_pton(AF_INET6, rows[i].address, &v6.sin6_addr) == 1, "%s", rows[i].address);
            peer = &v6;
        }
        CHECK(url_peer_is_loopback(peer) == rows[i].is, "%s", rows[i].address);
    }
    CHECK(!url_peer_is_loopback(&(struct sockaddr){ .sa_family = AF_UNIX }), "a local socket");
}

static void test_origin(void **state UNUSED)
{
    static const struct { const char *url, *want; } rows[] = {
        { "https://Login.Example/x?y#z", "https://login.example" },  { "https://a:443", "https://a" },
        { "HTTPS://a:8443/", "https://a:8443" },                     { "http://u:p@h:80/", "http://h" },
        { "http://h:3128", "http://h:3128" },                        { "https://[2001:DB8::1]:444", "https://[2001:db8::1]:444" },
        { "https://a.:443", "https://a." },                          { "", NULL }, { "x", NULL }, { "https://", NULL },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *got = url_origin(rows[i].url);

        CHECK(got && rows[i].want ? !strcmp(got, rows[i].want) : got == rows[i].want, "'%s': %s", rows[i].url,
              TEXT(got));
        free(got);
    }
}

/* promise: Trouble: A next-page link may be relative. */
static void test_resolve(void **state UNUSED)
{
#define PAGE "https://h.example:8443/a/b?x=1"
    static const struct { const char *reference, *want; } rows[] = {
        { "https://h.example:8443/p/../k?%7e=1", "https://h.example:8443/p/../k?%7e=1" },
        { "HTTPS://o.example", "HTTPS://o.example" },
        { "/v1.0/x?$skip=2", "https://h.example:8443/v1.0/x?$skip=2" },
        { "?$skiptoken=a%2bB", "https://h.example:8443/a/b?$skiptoken=a%2bB" },
        { "c?y", "https://h.example:8443/a/c?y" },
        { "./../c", "https://h.example:8443/c" },
        { "//h.example:8443/z", "https://h.example:8443/z" },
        { "//evil.example/z", "https://evil.example/z" },
        { "//h.example:8443@evil.example/", "https://h.example:8443@evil.example/" },
        { "/x?u=https://evil.example/", "https://h.example:8443/x?u=https://evil.example/" },
        { "@evil.example/x", "https://h.example:8443/a/@evil.example/x" },
        { "/x?$filter=a ge 1", "https://h.example:8443/x?$filter=a+ge+1" },
        { "https://h.example:8443/a b", "https://h.example:8443/a%20b" },
        { "", PAGE }, { "#top", PAGE },
        { "javascript:alert(1)", NULL }, { "https:x", NULL }, { "https://a b/", NULL },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *url = url_resolve(PAGE, rows[i].reference);

        CHECK(url ? rows[i].want && !strcmp(url, rows[i].want) : !rows[i].want, "'%s' becomes %s", rows[i].reference,
              TEXT(url));
        free(url);
    }
    CHECK(!url_resolve("no URL", "/x"), "a page without an address");
}

/* promise: Trouble: No token goes to another host. */
static void test_same_origin(void **state UNUSED)
{
    static const struct { const char *a, *b; bool same; } rows[] = {
        { "https://a.com", "https://a.com/x?y#z", true },   { "https://A.com/", "HTTPS://a.COM", true },
        { "https://a.com", "https://a.com:443/x", true },   { "http://[::1]", "http://[::1]:80", true },
        { "https://a.com", "https://a.com:444", false },    { "https://a.com", "http://a.com", false },
        { "https://a.com:80", "http://a.com:80", false },   { "https://a.com", "https://b.a.com", false },
        { "https://a.com", "https://a.com.evil.com", false }, { "https://a.com", "https://a.com@evil.com", false },
        { "https://a.com", "https://evil.com#https://a.com", false }, { "https://a.com", "//a.com/x", false },
        { "https://a.com", "/x", false },                   { "https://a.com", "", false }, { "", "", false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK(url_same_origin(rows[i].a, rows[i].b) == rows[i].same, "'%s' and '%s'", rows[i].a, rows[i].b);
        CHECK(url_same_origin(rows[i].b, rows[i].a) == rows[i].same, "'%s' and '%s'", rows[i].b, rows[i].a);
    }
    CHECK(!url_same_origin(NULL, NULL), "NULL");
}

static void test_host(void **state UNUSED)
{
    static const struct { const char *url, *host; } rows[] = {
        { "https://api.example.com:8443/x", "api.example.com" }, { "https://u:p@api.example.com", "api.example.com" },
        { "https://[2001:db8::1]:1/", "[2001:db8::1]" }, { "no url at all", "" }, { "", "" }, { NULL, "" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *host = url_host(rows[i].url);

        CHECK(!strcmp(host, rows[i].host), "'%s': '%s'", TEXT(rows[i].url), host);
        free(host);
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_base),
    cmocka_unit_test(test_loopback),
    cmocka_unit_test(test_peer),
    cmocka_unit_test(test_origin),
    cmocka_unit_test(test_resolve),
    cmocka_unit_test(test_same_origin),
    cmocka_unit_test(test_host),
};

UNIT(url, cases, NULL, NULL)
