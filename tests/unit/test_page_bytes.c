/* Raw bytes of the public JSON corpus (JSONTestSuite) that its npm package cannot carry, since its cases are JavaScript
 * strings: broken UTF-8 and UTF-16. */
#include "check.h"
#include "transcript.h"

static const struct page_shape bare = { NULL, NULL, NULL };

struct row {
    const char *json;
    const char *record;     /* NULL: must be refused; else it is taken and this is the record */
    size_t      len;        /* 0: up to the zero */
};

/* Outside of strings nothing but ASCII is JSON. */
static const struct row outside[] = {
    { "[a\xE5]", NULL, 0 }, { "[\xFF]", NULL, 0 }, { "[1\xE5]", NULL, 0 }, { "[123\xE5]", NULL, 0 },
    { "[1e1\xE5]", NULL, 0 },
    { "[1e\xE5]", NULL, 0 }, { "[0\xE5]", NULL, 0 }, { "[-123.123\xE5]", NULL, 0 }, { "[0e1\xE5]", NULL, 0 },
    { "\xE5", NULL, 0 }, { "\xE9", NULL, 0 }, { "\xEF\xBB{}", NULL, 0 }, { "[\xC3\xA5]", NULL, 0 },
    { "[\xE2\x81\xA0]", NULL, 0 },
    { "[\xC2\xA0]", NULL, 0 }, { "[\xEF\xBC\x91]", NULL, 0 }, { "{\"\xB9\":\"0\",}", NULL, 0 },
    { "[{\"\xB9\":\"0\",}]", NULL, 0 },
};

/* An escape may not be broken by other bytes. */
static const struct row escapes[] = {
    { "[\"\\u\xE5\"]", NULL, 0 }, { "[\"\\\xE5\"]", NULL, 0 }, { "[\"\\u00\xC3\xA9\"]", NULL, 0 },
    { "[\"\\\xF0\x9F\x8C\x80\"]", NULL, 0 },
    { "[\"\\u1\xEF\xBC\x91\x31\"]", NULL, 0 },
};

/* UTF-16 and UTF-32 are no JSON on the wire any more (RFC 8259, 8.1). */
static const struct row wide[] = {
    { "[\0\"\0\xE9\0\"\0]\0", NULL, 10 }, { "\0[\0\"\0\xE9\0\"\0]", NULL, 10 },
    { "\xFF\xFE[\0\"\0\xE9\0\"\0]\0", NULL, 12 },
    { "\xFE\xFF\0[\0]", NULL, 6 }, { "[\0\0\0]\0\0\0", NULL, 8 }, { "[\0]", NULL, 3 }, { "[]\0", NULL, 3 },
    { "[\"a\0b\"]", NULL, 7 },
};

/* Free cases: taken, with U+FFFD for each lost byte. */
static const struct row lost[] = {
#define R "\xEF\xBF\xBD"
    { "[\"\xE6\x97\xA5\xD1\x88\xFA\"]", "\"\xE6\x97\xA5\xD1\x88" R "\"", 0 },
    { "[\"\x81\"]", "\"" R "\"", 0 }, { "[\"\xE9\"]", "\"" R "\"", 0 }, { "[\"\xFF\"]", "\"" R "\"", 0 },
    { "[\"\xC0\xAF\"]", "\"" R R "\"", 0 }, { "[\"\xE0\xFF\"]", "\"" R R "\"", 0 },
    { "[\"\xFC\x83\xBF\xBF\xBF\xBF\"]", "\"" R R R R R R "\"", 0 },
    { "[\"\xFC\x80\x80\x80\x80\x80\"]", "\"" R R R R R R "\"", 0 },
    { "[\"\xF4\xBF\xBF\xBF\"]", "\"" R R R R "\"", 0 }, { "[\"\xED\xA0\x80\"]", "\"" R R R "\"", 0 },
    { "[\"\xED\xA0\xBD\xED\xB8\x80\"]", "\"" R R R R R R "\"", 0 },
};

/* Must be taken as they are. */
static const struct row good[] = {
    { "[\"\xF4\x8F\xBF\xBF\"]", "\"\xF4\x8F\xBF\xBF\"", 0 }, { "[\"\xEF\xBB\xBF\"]", "\"\xEF\xBB\xBF\"", 0 },
    { "[\"\x7F\"]", "\"\x7F\"", 0 }, { "[\"\xE2\x80\xA8\xE2\x80\xA9\"]", "\"\xE2\x80\xA8\xE2\x80\xA9\"", 0 },
    { "[\"\xF0\x9B\xBF\xBF\"]", "\"\xF0\x9B\xBF\xBF\"", 0 }, { "[\"\xEF\xBF\xBD\"]", "\"\xEF\xBF\xBD\"", 0 },
};

static void check_cut(const struct row *row, size_t one, size_t step)
{
    size_t len = row->len ? row->len : strlen(row->json);
    struct transcript t = transcript_of(&bare, row->json, len, one, len, step, NULL);
    const char *text = buf_text(&t.text);
    bool whole = !strstr(text, "error ") && !t.bads;

    CHECK(!t.fault && whole == (row->record != NULL), "'%s' cut at %zu: %s", row->json, one, text);
    if (row->record)
        CHECK(t.records == 1 && !strncmp(text + strlen("record - - "), row->record, strlen(row->record)),
              "'%s' cut at %zu: %s", row->json, one, text);
    transcript_free(&t);
}

static void check_rows(const struct row *row, size_t count)
{
    for (; count--; row++) {
        for (size_t one = 0; one < 12; one++)
            check_cut(row, one, 0);
        check_cut(row, 0, 1);
    }
}

static void test_outside_of_strings(void **state UNUSED)
{
    check_rows(outside, COUNT_OF(outside));
}

static void test_broken_escapes(void **state UNUSED)
{
    check_rows(escapes, COUNT_OF(escapes));
}

static void test_utf16_and_utf32(void **state UNUSED)
{
    check_rows(wide, COUNT_OF(wide));
}

static void test_lost_bytes(void **state UNUSED)
{
    check_rows(lost, COUNT_OF(lost));
}

static void test_good_utf8(void **state UNUSED)
{
    check_rows(good, COUNT_OF(good));
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_outside_of_strings),
    cmocka_unit_test(test_broken_escapes),
    cmocka_unit_test(test_utf16_and_utf32),
    cmocka_unit_test(test_lost_bytes),
    cmocka_unit_test(test_good_utf8),
};

UNIT(page_bytes, cases, NULL, NULL)
