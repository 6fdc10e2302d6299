/* Which inputs read the same alerts. */
#include "command/alert_set.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "check.h"

#define A "0a0a0a0a-1111-2222-3333-444444444444"
#define A_UPPER "0A0A0A0A-1111-2222-3333-444444444444"
#define B "0b0b0b0b-1111-2222-3333-444444444444"

static void test_pairs(void **state UNUSED)
{
    static const struct { struct alert_set a, b; bool meet; } rows[] = {
        { { .tenant_id = A, .api = "graph" }, { .tenant_id = A_UPPER, .api = "Graph" }, true },
        { { .tenant_id = A, .api = "graph" }, { .tenant_id = B, .api = "graph" }, false },
        { { .tenant_id = A, .api = "graph" }, { .tenant_id = A, .api = "endpoint" }, false },
        { { .tenant_id = "a.com", .api = "graph" }, { .tenant_id = "A.com", .api = "graph" }, true },
        { { .tenant_id = "a.com", .api = "graph" }, { .tenant_id = A, .api = "graph" }, false },
        { { .tenant_id = "a.com", .tid = A, .api = "graph" }, { .tenant_id = A, .api = "graph" }, true },
        { { .tenant_id = "a.com", .tid = A, .api = "graph" }, { .tenant_id = "b.com", .tid = A_UPPER, .api = "graph" },
          true },
        { { .tenant_id = "a.com", .tid = B, .api = "graph" }, { .tenant_id = A, .api = "graph" }, false },
        { { .tenant_id = "a.com", .tid = "", .api = "graph" }, { .tenant_id = "a.com", .tid = B, .api = "graph" }, true },
        { { .tenant_id = A, .api = "graph", .filter = "a eq 'x'" }, { .tenant_id = A, .api = "graph" }, true },
        { { .tenant_id = A, .api = "graph", .filter = "a eq 'x'" },
          { .tenant_id = A, .api = "graph", .filter = "a eq 'y'" }, false },
        { { .api = "graph" }, { .api = "graph" }, false },
    };
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        CHECK(alert_sets_meet(&rows[i].a, &rows[i].b) == rows[i].meet, "row %zu", i);
        CHECK(alert_sets_meet(&rows[i].b, &rows[i].a) == rows[i].meet, "row %zu, reversed", i);
    }
}

/* What splunkd lists: values in several types, defaults left out. */
static void test_entries(void **state UNUSED)
{
    static const struct { const char *text; bool enabled; const char *name, *tenant, *api, *filter; } rows[] = {
        { "{\"name\":\"a\",\"content\":{\"tenant_id\":\"" A "\",\"api\":\"siem\",\"disabled\":false}}", true, "a", A, "siem",
          NULL },
        { "{\"name\":\"a\",\"content\":{\"tenant_id\":\"a.com\",\"filter\":\"x eq 'y'\",\"api\":\"\"}}", true, "a", "a.com",
          "graph", "x eq 'y'" },
        { "{\"name\":\"a\",\"content\":{\"tenant_id\":\"a.com\",\"disabled\":true}}", false, "a", "a.com", "graph", NULL },
        { "{\"name\":\"a\",\"content\":{\"disabled\":\"1\"}}", false, "a", NULL, "graph", NULL },
        { "{\"name\":\"a\",\"content\":{\"disabled\":1}}", false, "a", NULL, "graph", NULL },
        { "{\"name\":\"a\",\"content\":{\"disabled\":\"0\"}}", true, "a", NULL, "graph", NULL },
        { "{\"name\":7,\"content\":[]}", true, "", NULL, "graph", NULL }, { "[]", true, "", NULL, "graph", NULL },
    };
    struct alert_set set;
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(json_freep) cJSON *entry = json_parse(rows[i].text, strlen(rows[i].text));

        CHECK(alert_set_of_entry(entry, &set) == rows[i].enabled, "%s", rows[i].text);
        CHECK(text_same(set.name, rows[i].name) && text_same(set.tenant_id, rows[i].tenant) &&
                  text_same(set.api, rows[i].api) && text_same(set.filter, rows[i].filter),
              "%s: %s %s %s %s", rows[i].text, set.name, set.tenant_id, set.api, set.filter);
    }
}

static void test_sentence(void **state UNUSED)
{
    const struct alert_set other = { .name = "contoso", .tenant_id = "a.com", .api = "graph" };
    CLEANUP(mem_freep) char *one = alert_set_sentence(&other, 0);
    CLEANUP(mem_freep) char *more = alert_set_sentence(&other, 2);

    CHECK_TEXT(one, "it reads the same alerts as the input 'contoso' (tenant a.com, api graph), so each of them is written "
                    "twice. Our administrator: disable or remove one of the two, or give them filters that exclude each "
                    "other");
    CHECK(strstr(more, "'contoso' and 2 more (tenant"), "%s", more);
}

static const struct CMUnitTest cases[] = { cmocka_unit_test(test_pairs), cmocka_unit_test(test_entries),
                                           cmocka_unit_test(test_sentence) };

UNIT(alert_set, cases, NULL, NULL)
