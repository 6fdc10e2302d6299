/* Facts as a line and as JSON, and what happens to one that does not fit. */
#include "collect/fields.h"

#include "check.h"

static const struct row {
    const char *name;
    bool as_json;
    size_t limit;
    const char *want;
} rows[] = {
    { "a line", false, 200, "n=-1 word=a text=\"b 'c' d\" more=2" },
    { "JSON", true, 200, "\"n\":-1,\"word\":\"a\",\"text\":\"b \\\"c\\\" d\",\"more\":2" },
    { "a member that does not fit is left out whole", false, 23, "n=-1 word=a more=2" },
    { "in JSON, too", true, 30, "\"n\":-1,\"word\":\"a\",\"more\":2" },
    { "nothing fits", true, 3, "" },
};

static void test_fields(void **state UNUSED)
{
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        struct buf to = BUF_INIT(rows[i].limit);
        struct fields fields = { .to = &to, .as_json = rows[i].as_json };

        fields_number(&fields, "n", -1);
        fields_word(&fields, "word", "a");
        fields_text(&fields, "text", "b \"c\"\td");
        fields_number(&fields, "more", 2);
        CHECK(strcmp(buf_text(&to), rows[i].want) == 0, "%s: %s", rows[i].name, buf_text(&to));
        CHECK(to.full == (rows[i].limit < 200), "%s", rows[i].name);
        buf_free(&to);
    }
}

static const struct CMUnitTest cases[] = { cmocka_unit_test(test_fields) };

UNIT(fields, cases, NULL, NULL)
