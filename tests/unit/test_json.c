#include "base/json.h"

#include <stdlib.h>

#include "base/buf.h"
#include "check.h"

static void test_parse(void **state UNUSED)
{
    static const struct { const char *text; bool good; } rows[] = {
        { "{}", true }, { " \r\n\t{} \r\n\t", true }, { "[1,2]", true }, { "\"x\"", true }, { "null", true },
        { "", false }, { " ", false }, { "{", false }, { "{}x", false }, { "{}{}", false }, { "[1,]", false },
        { "{\"a\":}", false }, { "{'a':1}", false }, { "nul", false }, { "<html>", false }, { "{\"a\":\"b}", false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(json_freep) cJSON *tree = json_parse(rows[i].text, strlen(rows[i].text));

        CHECK(!!tree == rows[i].good, "'%s'", rows[i].text);
    }
    CHECK(!json_parse(NULL, 0), "nothing is parsed");
    CHECK(!json_parse("{}\0", 3), "a zero byte behind is taken");
    CHECK(!json_parse("{\"a\":1}", 6), "the length does not rule");
}

/* The bytes need no zero behind them: what is past the length is never looked at. */
static void test_length(void **state UNUSED)
{
    static const char text[] = "{\"a\":[1,\"b\"]}  ";

    for (size_t len = 0; len < sizeof(text); len++) {
        char *exact = malloc(len ? len : 1);

        memcpy(exact, text, len);
        cJSON *tree = json_parse(exact, len);

        CHECK(!!tree == (len >= 13 && len <= 15), "length %zu", len);
        cJSON_Delete(tree);
        free(exact);
    }
}

static void test_depth(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(1 << 20);

    for (int i = 0; i < 100000; i++)
        buf_add_char(&text, '[');
    CHECK(!json_parse(text.data, text.len), "endless nesting is taken");
}

static void test_looks(void **state UNUSED)
{
    static const char text[] = "{\"t\":\"text\",\"e\":\"\",\"n\":5,\"y\":true,\"f\":false,\"z\":null,"
                               "\"o\":{\"i\":\"x\"},\"a\":[1],\"T\":\"upper\"}";
    CLEANUP(json_freep) cJSON *tree = json_parse(text, strlen(text));

    CHECK_TEXT(json_text(tree, "t"), "text");
    CHECK_TEXT(json_text(tree, "T"), "upper");
    CHECK_TEXT(json_text(tree, "e"), "");
    CHECK_TEXT(json_text(json_member(tree, "o"), "i"), "x");
    CHECK(!json_text(tree, "n") && !json_text(tree, "z") && !json_text(tree, "a"), "what is no text is taken for one");
    CHECK(!json_text(tree, "none"), "a text that is not there");
    CHECK(json_bool(tree, "y") && !json_bool(tree, "f") && !json_bool(tree, "n") && !json_bool(tree, "none"), "bool");
    CHECK(!json_member(NULL, "t") && !json_text(NULL, "t") && !json_bool(NULL, "t"), "NULL has members");
    CHECK(!json_text(json_member(tree, "a"), "0") && !json_text(json_member(tree, "t"), "x"), "no object has members");
}

static void test_int64(void **state UNUSED)
{
    static const struct { const char *value; int64_t least, most; bool good; int64_t want; } rows[] = {
        { "5", 0, 10, true, 5 },            { "\"5\"", 0, 10, true, 5 },        { "5.0", 0, 10, true, 5 },
        { "5e0", 0, 10, true, 5 },          { "0", 0, 10, true, 0 },            { "10", 0, 10, true, 10 },
        { "-5", -5, 10, true, -5 },         { "\"-5\"", -5, 10, false, 0 },     { "11", 0, 10, false, 0 },
        { "-1", 0, 10, false, 0 },          { "5.5", 0, 10, false, 0 },         { "\"5.5\"", 0, 10, false, 0 },
        { "\"\"", 0, 10, false, 0 },        { "\" 5\"", 0, 10, false, 0 },      { "\"5 \"", 0, 10, false, 0 },
        { "\"0x5\"", 0, 10, false, 0 },     { "null", 0, 10, false, 0 },        { "true", 0, 10, false, 0 },
        { "[5]", 0, 10, false, 0 },         { "1e400", 0, INT64_MAX, false, 0 },
        { "-1e400", INT64_MIN, 0, false, 0 },
        { "9007199254740992", 0, INT64_MAX, true, INT64_C(9007199254740992) },
        { "\"9223372036854775807\"", 0, INT64_MAX, true, INT64_MAX },
        { "\"9223372036854775808\"", 0, INT64_MAX, false, 0 },
        { "9223372036854775808", 0, INT64_MAX, false, 0 },
        { "-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN },
        { "1e19", INT64_MIN, INT64_MAX, false, 0 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(buf_free) struct buf text = BUF_INIT(200);
        int64_t got = 0;

        buf_add_format(&text, "{\"n\":%s}", rows[i].value);
        CLEANUP(json_freep) cJSON *tree = json_parse(text.data, text.len);

        CHECK(json_int64(tree, "n", rows[i].least, rows[i].most, &got) == rows[i].good && got == rows[i].want,
              "%s: %lld", rows[i].value, (long long)got);
        CHECK(!json_int64(tree, "none", INT64_MIN, INT64_MAX, &got), "a number that is not there");
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_parse),
    cmocka_unit_test(test_length),
    cmocka_unit_test(test_depth),
    cmocka_unit_test(test_looks),
    cmocka_unit_test(test_int64),
};

UNIT(json, cases, NULL, NULL)
