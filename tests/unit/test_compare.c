/* What another API would bring: two lists of IDs side by side. */
#include "command/compare.h"

#include <stdlib.h>

#include "base/mem.h"
#include "check.h"

#define FROM    1000
#define SETTLED 2000

/* Reads "id@time id@time", sorted by ID. */
static struct listed_alerts list_of(const char *text)
{
    struct listed_alerts list = { .count = 0 };
    CLEANUP(mem_freep) char *copy = mem_text(text);
    char *rest = copy, *word;

    while ((word = strsep(&rest, " "))) {
        char *time = strchr(word, '@');

        if (!time)
            continue;
        *time = '\0';
        list.list = mem_grow(list.list, list.count + 1, sizeof(*list.list));
        list.list[list.count++] = (struct listed){ .id = mem_text(word), .time = atoi(time + 1) };
    }
    return list;
}

/* Returns "a b". */
static char *text_of(char *const *ids, size_t count)
{
    char *text = mem_text("");

    for (size_t i = 0; i < count; i++) {
        char *more = mem_format("%s%s%s", text, i ? " " : "", ids[i]);

        free(text);
        text = more;
    }
    return text;
}

/* promise: Calls: `check --compare` lists what another API would bring, by IDs. */
static void test_lists(void **state UNUSED)
{
    static const struct { const char *name, *present, *other; size_t both; const char *only_present, *only_other; } rows[] = {
        { "nothing", "", "", 0, "", "" },
        { "the same", "a@1500 b@1600", "a@1500 b@1700", 2, "", "" },
        { "one side each", "a@1500 c@1500", "b@1500 c@1500", 1, "a", "b" },
        { "all on one side", "a@1 b@1500 c@1500", "", 0, "b c", "" },
        { "older than the days, and found with another time on the other side", "a@900", "a@1500", 1, "", "" },
        { "older on both sides", "a@900", "a@950", 0, "", "" },
        { "too old to be missed", "a@999", "b@999", 0, "", "" },
        { "too new to be missed", "a@2000", "b@2500", 0, "", "" },
        { "the edges", "a@1000 b@1999", "", 0, "a b", "" },
        { "IDs that begin alike", "a@1500 ab@1500", "ab@1500 abc@1500", 1, "a", "abc" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct listed_alerts present = list_of(rows[i].present), other = list_of(rows[i].other);
        struct compared found = { .both = 0 };
        CLEANUP(mem_freep) char *only_present = NULL;
        CLEANUP(mem_freep) char *only_other = NULL;

        compare_lists(&present, &other, FROM, SETTLED, &found);
        only_present = text_of(found.only_present, found.present_count);
        only_other = text_of(found.only_other, found.other_count);
        CHECK(found.both == rows[i].both, "%s: %zu", rows[i].name, found.both);
        CHECK(!strcmp(only_present, rows[i].only_present), "%s: %s", rows[i].name, only_present);
        CHECK(!strcmp(only_other, rows[i].only_other), "%s: %s", rows[i].name, only_other);
        compared_release(&found);
        listed_alerts_release(&present);
        listed_alerts_release(&other);
    }
}

/* An address of Microsoft's is one of the present API's; another one may be a gateway to both. */
static void test_where_to(void **state UNUSED)
{
    static const struct { const char *url; bool drops; } rows[] = {
        { NULL, false },
        { "https://api-eu.securitycenter.microsoft.com", true },
        { "https://eu.api.security.microsoft.com", true },
        { "https://graph.microsoft.com", true },
        { "https://gateway.example.test", false },
        { "http://127.0.0.1:8080", false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(mem_freep) char *url = mem_text(rows[i].url);
        struct input input = { .api = API_ENDPOINT, .cloud = CLOUD_GCC_HIGH, .api_url = url, .resource = (char[]){ "r" } };
        struct target target;

        CHECK(target_has_own_url(&input) == rows[i].drops, "%s", rows[i].url ? rows[i].url : "none");
        target_with_api(&input, API_GRAPH, &target);
        CHECK_TEXT(target.base_url, url && !rows[i].drops ? url : "https://graph.microsoft.us");
        CHECK_TEXT(target.resource, "https://graph.microsoft.us");
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_lists),
    cmocka_unit_test(test_where_to),
};

UNIT(compare, cases, NULL, NULL)
