#include "base/text.h"

#include <stdlib.h>

#include "base/digest.h"
#include "base/mem.h"
#include "check.h"

#define BAD "\xEF\xBF\xBD"      /* U+FFFD */

typedef void add_fn(struct buf *buf, const char *text);

struct escape_row {
    const char *text;
    const char *want;
};

static void check_escapes(add_fn *add, const struct escape_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(buf_free) struct buf buf = BUF_INIT(10000);

        add(&buf, rows[i].text);
        CHECK_TEXT(buf_text(&buf), rows[i].want);
    }
}

static void test_url(void **state UNUSED)
{
    static const struct escape_row rows[] = {
        { "", "" }, { "azAZ09-._~", "azAZ09-._~" }, { "a b+c", "a%20b%2Bc" }, { "&=?#/:%", "%26%3D%3F%23%2F%3A%25" },
        { "\xC3\xA4\xFF\x01", "%C3%A4%FF%01" }, { "'()*!", "%27%28%29%2A%21" },
    };

    check_escapes(buf_add_url, rows, COUNT_OF(rows));
}

static void test_form(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf form = BUF_INIT(1000), url = BUF_INIT(1000);

    buf_add_form(&form, "a", "1&2");
    buf_add_form(&form, "b", "");
    buf_add_form(&form, "c", "x=y");
    CHECK_TEXT(buf_text(&form), "a=1%262&b=&c=x%3Dy");
    buf_add_text(&url, "https://h/p?");
    buf_add_form(&url, "$filter", "t ge 5");
    buf_add_form(&url, "$top", "1");
    CHECK_TEXT(buf_text(&url), "https://h/p?$filter=t%20ge%205&$top=1");
}

static void test_xml(void **state UNUSED)
{
    static const struct escape_row rows[] = {
        { "", "" }, { "a<b>&\"'", "a&lt;b&gt;&amp;&quot;&apos;" }, { "]]>", "]]&gt;" }, { "\t\r\n", "\t\r\n" },
        { "\x01\x08\x0B\x0C\x1F", BAD BAD BAD BAD BAD }, { "\x7F", "\x7F" },
        { "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80" },
        { "\xEF\xBF\xBE\xEF\xBF\xBF", BAD BAD },        /* U+FFFE, U+FFFF: not XML */
        { "\xEF\xBF\xBD", BAD },
        { "a\xFF" "b\xC3", "a" BAD "b" BAD },
        { "\xED\xA0\x80", BAD BAD BAD },                /* a surrogate in UTF-8 */
        { "\xC0\x80", BAD BAD },                        /* a zero, overlong */
        { "\xF4\x90\x80\x80", BAD BAD BAD BAD },        /* past U+10FFFF */
    };

    check_escapes(buf_add_xml, rows, COUNT_OF(rows));
}

static void test_json(void **state UNUSED)
{
    static const struct escape_row rows[] = {
        { "", "\"\"" }, { "a\"b\\c/", "\"a\\\"b\\\\c/\"" }, { "\n\r\t", "\"\\n\\r\\t\"" },
        { "\x01\x1F\x7F", "\"\\u0001\\u001f\\u007f\"" }, { "\xC2\x9B" "31m", "\"\\u009b31m\"" },
        { "\xE2\x80\xAE\xD8\x9C", "\"\\u202e\\u061c\"" }, { "\xF3\xA0\x81\x81", "\"\\udb40\\udc41\"" }, { "\xC3\xA4", "\"\xC3\xA4\"" }, { "\xFF", "\"" BAD "\"" },
        { "\xEF\xBF\xBE", "\"\xEF\xBF\xBE\"" },
    };

    check_escapes(buf_add_json, rows, COUNT_OF(rows));
}

static void test_file_name(void **state UNUSED)
{
    static const struct escape_row rows[] = {
        { "Contoso_1-a", "Contoso_1-a" }, { "../x", "%2E%2E%2Fx" }, { "a b.c", "a%20b%2Ec" }, { "%41", "%2541" },
        { "\xC3\xA4", "%C3%A4" }, { ".", "%2E" },
    };

    check_escapes(buf_add_file_name, rows, COUNT_OF(rows));
}

static void test_url_decode(void **state UNUSED)
{
    static const struct { const char *text; bool plus; const char *want; } rows[] = {
        { "", false, "" }, { "a%20b", false, "a b" }, { "a+b", false, "a+b" }, { "a+b", true, "a b" },
        { "%2b+%2B", true, "+ +" }, { "%C3%a4", false, "\xC3\xA4" }, { "%25%32%35", false, "%25" },
        { "%", false, NULL }, { "%4", false, NULL }, { "a%zz", false, NULL }, { "%00", false, NULL },
        { "%-1", false, NULL }, { "% 1", false, NULL }, { "%G0", false, NULL }, { "%0g", false, NULL },
    };
    char *got;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        got = NULL;
        CHECK(text_url_decode(rows[i].text, strlen(rows[i].text), rows[i].plus, &got) == !!rows[i].want, "'%s'",
              rows[i].text);
        CHECK_TEXT(got ? got : "broken", rows[i].want ? rows[i].want : "broken");
        free(got);
    }
    got = NULL;
    CHECK(text_url_decode("ab%41xx", 5, false, &got), "the length does not rule");
    CHECK_TEXT(got, "abA");
    free(got);
    CHECK(!text_url_decode("ab%41xx", 4, false, &got), "read past the length");
}

static void test_int64(void **state UNUSED)
{
    static const struct { const char *text; int64_t least, most; bool good; int64_t want; } rows[] = {
        { "0", 0, 9, true, 0 }, { "9", 0, 9, true, 9 }, { "-3", -9, 9, false, 0 }, { "007", 0, 9, true, 7 },
        { "10", 0, 9, false, 0 }, { "-1", 0, 9, false, 0 }, { "", 0, 9, false, 0 }, { " 1", 0, 9, false, 0 },
        { "1 ", 0, 9, false, 0 }, { "+1", 0, 9, false, 0 }, { "1.0", 0, 9, false, 0 }, { "0x1", 0, 9, false, 0 },
        { "1e0", 0, 9, false, 0 }, { "-", -9, 9, false, 0 }, { "--1", -9, 9, false, 0 }, { "- 1", -9, 9, false, 0 },
        { "-0", 0, 9, false, 0 }, { "-0", -9, 9, false, 0 }, { "\t1", 0, 9, false, 0 }, { "1\n", 0, 9, false, 0 },
        { "9223372036854775807", 0, INT64_MAX, true, INT64_MAX },
        { "9223372036854775808", 0, INT64_MAX, false, 0 }, { "18446744073709551615", 0, INT64_MAX, false, 0 },
        { "18446744073709551617", 0, INT64_MAX, false, 0 }, { "99999999999999999999999999", 0, INT64_MAX, false, 0 },
        { "-9223372036854775808", INT64_MIN, INT64_MAX, false, 0 }, { "\xD9\xA3", 0, 9, false, 0 },
        { NULL, 0, 9, false, 0 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t got = 0;

        CHECK(text_int64(rows[i].text, rows[i].least, rows[i].most, &got) == rows[i].good && got == rows[i].want,
              "'%s': %lld", rows[i].text ? rows[i].text : "NULL", (long long)got);
    }
}

/* A number that is a part of a text: exactly these bytes. */
static void test_number_and_hex(void **state UNUSED)
{
    static const struct { const char *text; size_t len; bool good; int64_t want; } rows[] = {
        { "12345", 3, true, 123 }, { "12:34", 2, true, 12 }, { "12:34", 3, false, 0 }, { "12", 0, false, 0 },
        { "1\0" "2", 3, false, 0 },
    };
    static const struct { const char *text; bool good; uint64_t want; } hex[] = {
        { "0123456789abcdef", true, UINT64_C(0x0123456789abcdef) }, { "ffffffffffffffff-", true, UINT64_MAX },
        { "0123456789abcdeF", false, 7 }, { "0123456789abcde", false, 7 }, { "-123456789abcdef", false, 7 },
        { "0x23456789abcdef", false, 7 }, { " 123456789abcdef", false, 7 }, { "", false, 7 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t got = 0;

        CHECK(text_number(rows[i].text, rows[i].len, 0, INT64_MAX, &got) == rows[i].good && got == rows[i].want,
              "'%s': %lld", rows[i].text, (long long)got);
    }
    for (size_t i = 0; i < COUNT_OF(hex); i++) {
        uint64_t got = 7;

        CHECK(text_hex64(hex[i].text, &got) == hex[i].good && got == hex[i].want, "'%s': %llx", hex[i].text,
              (unsigned long long)got);
    }
}

static void test_looks(void **state UNUSED)
{
    static const struct { const char *text, *want; } trims[] = {
        { "", "" }, { " \t\r\n ", "" }, { " a b ", "a b" }, { "a", "a" }, { "\r\na\r\n", "a" }, { "\va\f", "\va\f" },
    };

    CHECK(text_empty(NULL) && text_empty("") && !text_empty(" "), "empty");
    CHECK(text_same("a", "a") && !text_same("a", "A") && !text_same("a", NULL) && text_same(NULL, NULL), "same");
    CHECK(text_same_nocase("aB", "Ab") && !text_same_nocase("a", "b") && !text_same_nocase(NULL, ""), "same, any case");
    CHECK(text_starts("abc", "ab") && text_starts("abc", "") && !text_starts("ab", "abc"), "starts");
    for (size_t i = 0; i < COUNT_OF(trims); i++) {
        CLEANUP(mem_freep) char *got = text_trimmed(trims[i].text);

        CHECK_TEXT(got, trims[i].want);
    }
}

static void test_guid(void **state UNUSED)
{
    static const struct { const char *text; bool want; } rows[] = {
        { "01234567-89ab-cdef-ABCD-EF0123456789", true },   { "01234567-89ab-cdef-ABCD-EF012345678", false },
        { "01234567-89ab-cdef-ABCD-EF01234567890", false }, { "01234567089ab-cdef-ABCD-EF0123456789", false },
        { "0123456g-89ab-cdef-ABCD-EF0123456789", false },  { "{1234567-89ab-cdef-ABCD-EF0123456789", false },
        { "01234567-89ab-cdef-ABCD-EF012345678-", false },  { "", false }, { NULL, false },
    };
    char one[RANDOM_GUID_MAX], two[RANDOM_GUID_MAX];

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(text_is_guid(rows[i].text) == rows[i].want, "'%s'", rows[i].text ? rows[i].text : "NULL");
    for (int i = 0; i < 100; i++) {
        random_guid(one);
        random_guid(two);
        CHECK(text_is_guid(one) && one[14] == '4' && strchr("89ab", one[19]) && strcmp(one, two), "'%s'", one);
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_url),
    cmocka_unit_test(test_form),
    cmocka_unit_test(test_xml),
    cmocka_unit_test(test_json),
    cmocka_unit_test(test_file_name),
    cmocka_unit_test(test_url_decode),
    cmocka_unit_test(test_int64),
    cmocka_unit_test(test_number_and_hex),
    cmocka_unit_test(test_looks),
    cmocka_unit_test(test_guid),
};

UNIT(text, cases, NULL, NULL)
