/* Whether saving an input changes how it signs in and what it asks for. */
#include "command/saved_input.h"

#include <string.h>

#include "base/mem.h"
#include "check.h"
#include "splunk/stanza.h"

#define TENANT "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
#define CLIENT "11111111-2222-3333-4444-555555555555"
#define ENTRY(more)                                                                                                    \
    "[{\"name\":\"other\",\"content\":{}},{\"name\":\"a\",\"content\":{\"tenant_id\":\"" TENANT                         \
    "\",\"client_id\":\"" CLIENT "\"" more "}}]"

static void test_pairs(void **state UNUSED)
{
    static const struct { const char *list; const char *pairs[5]; bool same; } rows[] = {
        { ENTRY(""), { NULL }, true },
        { "[]", { NULL }, false },
        { "{}", { NULL }, false },
        { "[{\"name\":\"a\",\"content\":{\"tenant_id\":\"no\"}}]", { NULL }, false },
        { "[{\"name\":\"b\",\"content\":{\"tenant_id\":\"" TENANT "\",\"client_id\":\"" CLIENT "\"}}]", { NULL }, false },
        { ENTRY(",\"api\":\"GRAPH\",\"cloud\":\"\",\"filter\":\" \""), { "api", "graph" }, true },
        { ENTRY(",\"poll_interval\":60,\"overlap\":\"9\""), { "poll_interval", "7", "start_time", "-2d" }, true },
        { ENTRY(",\"refresh_token\":\"in-clear\",\"authorization_code\":\"c\""), { "refresh_token", "********" }, true },
        { ENTRY(",\"proxy\":\"http://j:pass@p:1\""), { "proxy", "http://j:********@p:1" }, true },
        { ENTRY(",\"proxy\":\"http://p:1\""), { NULL }, false },
        { ENTRY(""), { "refresh_token", "new" }, false }, { ENTRY(""), { "client_secret", "new" }, false },
        { ENTRY(""), { "authorization_code", "new" }, false },
        { ENTRY(",\"proxy\":\"http://j@p:1\""), { "proxy", "http://j:new@p:1" }, false },
        { ENTRY(""), { "filter", "a eq 'b'" }, false }, { ENTRY(""), { "api", "incidents" }, false },
        { ENTRY(""), { "cloud", "gcc" }, false }, { ENTRY(""), { "login_url", "https://x" }, false },
        { ENTRY(""), { "ca_file", "/ca.pem" }, false }, { ENTRY(""), { "tenant_id", "a.com" }, false },
    };
    size_t i, k;

    for (i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(json_freep) cJSON *list = json_parse(rows[i].list, strlen(rows[i].list));
        struct raw_param params[4] = { { (char *)"tenant_id", (char *)TENANT }, { (char *)"client_id", (char *)CLIENT } };
        struct raw_stanza stanza = { .name = (char *)"a", .params = params, .count = 2 };
        struct input input;
        struct err err;

        for (k = 0; rows[i].pairs[k]; k += 2)
            params[stanza.count++] = (struct raw_param){ (char *)rows[i].pairs[k], (char *)rows[i].pairs[k + 1] };
        CHECK(list && input_from_stanza(&stanza, CHECK_NO_FILES, &input, &err), "row %zu: %s", i, err.text);
        CHECK(saved_input_is_same(list, &input) == rows[i].same, "row %zu", i);
        input_free(&input);
    }
    CHECK(!saved_input_is_same(NULL, &(struct input){ .name = (char *)"a" }), "no list");
}

static const struct CMUnitTest cases[] = { cmocka_unit_test(test_pairs) };

UNIT(saved_input, cases, NULL, NULL)
