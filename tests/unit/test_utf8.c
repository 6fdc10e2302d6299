#include "base/utf8.h"

#include "check.h"

/* All sequences of one to four bytes that begin with each lead byte, against the definition in RFC 3629. */
static size_t rfc3629(const unsigned char *b, size_t len)
{
    static const struct { unsigned char first, last, least, most; size_t size; } forms[] = {
        { 0x00, 0x7F, 0x80, 0xBF, 1 }, { 0xC2, 0xDF, 0x80, 0xBF, 2 }, { 0xE0, 0xE0, 0xA0, 0xBF, 3 },
        { 0xE1, 0xEC, 0x80, 0xBF, 3 }, { 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 },
        { 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 }, { 0xF4, 0xF4, 0x80, 0x8F, 4 },
    };

    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (b[0] < forms[i].first || b[0] > forms[i].last)
            continue;
        if (len < forms[i].size || (forms[i].size > 1 && (b[1] < forms[i].least || b[1] > forms[i].most)))
            return 0;
        for (size_t k = 2; k < forms[i].size; k++)
            if (b[k] < 0x80 || b[k] > 0xBF)
                return 0;
        return forms[i].size;
    }
    return 0;
}

static void test_utf8(void **state UNUSED)
{
    static const unsigned char edges[] = { 0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF };
    const size_t count = COUNT_OF(edges);
    size_t wrong = 0;

    for (unsigned first = 0; first < 256; first++)
        for (size_t i = 0; i < count * count * count; i++)
            for (size_t len = 1; len <= 4; len++) {
                unsigned char b[4] = { (unsigned char)first, edges[i % count], edges[i / count % count],
                                       edges[i / count / count] };

                wrong += utf8_length(b, len) != rfc3629(b, len);
            }
    CHECK(wrong == 0, "%zu sequences are judged wrongly", wrong);
    CHECK(utf8_length((const unsigned char *)"", 0) == 0, "nothing is a sequence");
}

/* A text that was cut at any byte ends with its last whole character. */
static void test_whole_end(void **state UNUSED)
{
    static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x92z";
    static const size_t whole[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11 };
    char cut[sizeof(text)];
    size_t len;

    for (len = 0; len < sizeof(text); len++) {
        memcpy(cut, text, len);
        cut[len] = '\0';
        utf8_end_whole(cut);
        CHECK(strlen(cut) == whole[len], "cut at %zu, ends at %zu", len, strlen(cut));
    }
}

/* promise: Log lines: Control characters and marks of text direction reach neither the log nor a terminal */
static void test_make_line(void **state UNUSED)
{
    static const struct { const char *name, *text, *want; } rows[] = {
        { "nothing", "", "" },
        { "line ends, a cut end", "a\r\nb\tc\x7f" "d\xc3\xa4\xe2\x82", "a  b c d\xc3\xa4" },
        { "a terminal sequence", "\x1b]0;t\x07\x1b[2J", " ]0;t  [2J" },
        { "C1: CSI in UTF-8", "a\xC2\x9B" "31mb", "a 31mb" },
        { "C1: first and last", "\xC2\x80\xC2\x9F\xC2\xA0", "  \xC2\xA0" },
        { "C1 as a byte", "a\x9B" "31m", "a?31m" },
        { "next line", "a\xC2\x85" "b", "a b" },
        { "line and paragraph separator", "a\xE2\x80\xA8" "b\xE2\x80\xA9" "c", "a b c" },
        { "embeddings and overrides", "\xE2\x80\xAA\xE2\x80\xAB\xE2\x80\xAC\xE2\x80\xAD\xE2\x80\xAE", "     " },
        { "isolates", "\xE2\x81\xA6\xE2\x81\xA7\xE2\x81\xA8\xE2\x81\xA9", "    " },
        { "direction marks", "\xE2\x80\x8E\xE2\x80\x8F\xD8\x9C", "   " },
        { "invisible", "\xE2\x80\x8B\xE2\x81\xA0\xEF\xBB\xBF\xEF\xBF\xB9\xF3\xA0\x81\x81", "     " },
        { "soft hyphen, vowel separator", "\xC2\xAD\xE1\xA0\x8E", "  " },
        { "joiners stay", "\xE2\x80\x8C\xE2\x80\x8D", "\xE2\x80\x8C\xE2\x80\x8D" },
        { "other scripts stay", "\xD7\xA9\xD9\x85\xE6\x97\xA5\xF0\x9F\x98\x80", "\xD7\xA9\xD9\x85\xE6\x97\xA5\xF0\x9F\x98\x80" },
        { "no UTF-8", "a\xFF" "b\xC0\xAF" "c\xED\xA0\x80" "d\xF4\x90\x80\x80" "e", "a?b??c???d????e" },
        { "a sequence that breaks off inside", "a\xE2\x80" "b", "a??b" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[100];

        snprintf(text, sizeof(text), "%s", rows[i].text);
        CHECK(utf8_is_plain(text) == !strcmp(rows[i].text, rows[i].want), "%s", rows[i].name);
        utf8_make_line(text);
        CHECK(!strcmp(text, rows[i].want), "%s: '%s'", rows[i].name, text);
        CHECK(utf8_is_plain(text), "%s: not plain", rows[i].name);
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_utf8),
    cmocka_unit_test(test_whole_end),
    cmocka_unit_test(test_make_line),
};

UNIT(utf8, cases, NULL, NULL)
