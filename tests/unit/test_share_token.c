/* The addresses of the shared store, and where its token may go. */
#include "share/token.h"

#include "base/mem.h"
#include "base/text.h"
#include "check.h"

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

static const struct CMUnitTest cases[] = { cmocka_unit_test(test_addresses) };

UNIT(share_token, cases, NULL, NULL)
