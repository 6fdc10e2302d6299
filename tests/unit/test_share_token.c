/* The addresses of the shared store, where its token may go, and who has to act when it fails. */
#include "share/token.h"

#include "base/mem.h"
#include "base/text.h"
#include "check.h"
#include "share/share_private.h"

static void test_addresses(void **state UNUSED)
{
    static const struct { const char *urls, *first, *hosts; } rows[] = {
        { "", NULL, "" }, { " , ,", NULL, "" }, { "https://s:8089", "https://s:8089", "https://s:8089" },
        { " https://S:8089/ ,https://t:443,, https://s:8089", "https://S:8089", "https://s:8089 https://t" },
        { "x https://s:1", "x", "https://s:1" }, { "https://s:1\thttps://t:2\r\n", "https://s:1",
          "https://s:1 https://t:2" }, { "http://[::1]:8089", "http://[::1]:8089", "http://[::1]:8089" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *rest = rows[i].urls;
        CLEANUP(mem_freep) char *first = share_next_url(&rest), *hosts = share_token_hosts(rows[i].urls);

        CHECK(text_same(first, rows[i].first), "row %zu: %s", i, first ? first : "NULL");
        CHECK(text_same(hosts, rows[i].hosts), "row %zu: %s", i, hosts);
    }
}

/* A line says once who has to act. */
static void test_advised(void **state UNUSED)
{
    static const struct remedy remedy = { ACT_PROVIDER, "see to it" };
    CLEANUP(mem_freep) char *plain = share_advised("no connection", &remedy);
    CLEANUP(mem_freep) char *said = share_advised("HTTP 403. Our administrator: give it the role", &remedy);

    CHECK(text_same(plain, "no connection. Our administrator: see to it"), "%s", plain);
    CHECK(text_same(said, "HTTP 403. Our administrator: give it the role"), "%s", said);
}

static const struct CMUnitTest cases[] = { cmocka_unit_test(test_addresses), cmocka_unit_test(test_advised) };

UNIT(share_token, cases, NULL, NULL)
