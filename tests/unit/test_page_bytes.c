/* Raw bytes of the public JSON corpus (JSONTestSuite) that its npm package cannot carry, since its cases are JavaScript
 * strings: broken UTF-8 and UTF-16. */
#include "check.h"
#include "transcript.h"

static const struct page_shape bare = { NULL, NULL, NULL };

static const struct {
    const char *json;
    const char *record;     /* NULL: must be refused; else it is taken and this is the record */
    size_t      len;        /* 0: up to the zero */
} rows[] = {
    /* Outside of strings nothing but ASCII is JSON. */
    { "[a\xE5]", NULL, 0 }, { "[\xFF]", NULL, 0 }, { "[1\xE5]", NULL, 0 }, { "[123\xE5]", NULL, 0 },
    { "[1e1\xE5]", NULL, 0 },
    { "[1e\xE5]", NULL, 0 }, { "[0\xE5]", NULL, 0 }, { "[-123.123\xE5]", NULL, 0 }, { "[0e1\xE5]", NULL, 0 },
    { "\xE5", NULL, 0 }, { "\xE9", NULL, 0 }, { "\xEF\xBB{}", NULL, 0 }, { "[\xC3\xA5]", NULL, 0 },
    { "[\xE2\x81\xA0]", NULL, 0 },
    { "[\xC2\xA0]", NULL, 0 }, { "[\xEF\xBC\x91]", NULL, 0 }, { "{\"\xB9\":\"0\",}", NULL, 0 },
    { "[{\"\xB9\":\"0\",}]", NULL, 0 },
    /* Nor may an escape be broken by them. */
    { "[\"\\u\xE5\"]", NULL, 0 }, { "[\"\\\xE5\"]", NULL, 0 }, { "[\"\\u00\xC3\xA9\"]", NULL, 0 },
    { "[\"\\\xF0\x9F\x8C\x80\"]", NULL, 0 },
    { "[\"\\u1\xEF\xBC\x91\x31\"]", NULL, 0 },
    /* UTF-16 and UTF-32 are no JSON on the wire any more (RFC 8259, 8.1). */
    { "[\0\"\0\xE9\0\"\0]\0", NULL, 10 }, { "\0[\0\"\0\xE9\0\"\0]", NULL, 10 },
    { "\xFF\xFE[\0\"\0\xE9\0\"\0]\0", NULL, 12 },
    { "\xFE\xFF\0[\0]", NULL, 6 }, { "[\0\0\0]\0\0\0", NULL, 8 }, { "[\0]", NULL, 3 }, { "[]\0", NULL, 3 },
    { "[\"a\0b\"]", NULL, 7 },
    /* Free cases: taken, with U+FFFD for each lost byte. */
#define R "\xEF\xBF\xBD"
    { "[\"\xE6\x97\xA5\xD1\x88\xFA\"]", "\"\xE6\x97\xA5\xD1\x88" R "\"", 0 },
    { "[\"\x81\"]", "\"" R "\"", 0 }, { "[\"\xE9\"]", "\"" R "\"", 0 }, { "[\"\xFF\"]", "\"" R "\"", 0 },
    { "[\"\xC0\xAF\"]", "\"" R R "\"", 0 }, { "[\"\xE0\xFF\"]", "\"" R R "\"", 0 },
    { "[\"\xFC\x83\xBF\xBF\xBF\xBF\"]", "\"" R R R R R R "\"", 0 },
    { "[\"\xFC\x80\x80\x80\x80\x80\"]", "\"" R R R R R R "\"", 0 },
    { "[\"\xF4\xBF\xBF\xBF\"]", "\"" R R R R "\"", 0 }, { "[\"\xED\xA0\x80\"]", "\"" R R R "\"", 0 },
    { "[\"\xED\xA0\xBD\xED\xB8\x80\"]", "\"" R R R R R R "\"", 0 },
    /* Must be taken as they are. */
    { "[\"\xF4\x8F\xBF\xBF\"]", "\"\xF4\x8F\xBF\xBF\"", 0 }, { "[\"\xEF\xBB\xBF\"]", "\"\xEF\xBB\xBF\"", 0 },
    { "[\"\x7F\"]", "\"\x7F\"", 0 }, { "[\"\xE2\x80\xA8\xE2\x80\xA9\"]", "\"\xE2\x80\xA8\xE2\x80\xA9\"", 0 },
    { "[\"\xF0\x9B\xBF\xBF\"]", "\"\xF0\x9B\xBF\xBF\"", 0 }, { "[\"\xEF\xBF\xBD\"]", "\"\xEF\xBF\xBD\"", 0 },
};

static void check_row(size_t i, size_t one, size_t step)
{
    size_t len = rows[i].len ? rows[i].len : strlen(rows[i].json);
    struct transcript t = transcript_of(&bare, rows[i].json, len, one, len, step, NULL);
    const char *text = buf_text(&t.text);
    bool whole = !strstr(text, "error ") && !t.bads;

    CHECK(!t.fault && whole == (rows[i].record != NULL), "row %zu cut at %zu: %s", i, one, text);
    if (rows[i].record)
        CHECK(t.records == 1 && !strncmp(text + strlen("record - - "), rows[i].record, strlen(rows[i].record)),
              "row %zu cut at %zu: %s", i, one, text);
    transcript_free(&t);
}

int main(void)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t one = 0; one < 12; one++)
            check_row(i, one, 0);
        check_row(i, 0, 1);
    }
    return check_summary();
}
