/* Lines that fit a terminal. */
#include "command/wrap.h"

#include <stdlib.h>

#include "check.h"

/* Returns what a text becomes in lines of that width. Caller frees. */
static char *wrapped(size_t width, size_t at, size_t indent, const char *text)
{
    char *lines = NULL;
    size_t len;
    FILE *to = open_memstream(&lines, &len);
    struct wrap wrap = { .to = to, .width = width };

    wrap_line(&wrap, at, indent, text);
    fclose(to);
    return lines;
}

/* promise: Calls: `check` fits the terminal: bad inputs first, one short line for each good one */
static void test_lines(void **state UNUSED)
{
    static const struct {
        size_t width, at, indent;
        const char *text, *want;
    } rows[] = {
        { 10, 0, 2, "one two", "one two\n" },
        { 10, 0, 2, "one two th", "one two th\n" },
        { 10, 0, 2, "one two thr", "one two\n  thr\n" },
        { 10, 0, 2, "a https://very.long/address b", "a\n  https://very.long/address\n  b\n" },
        { 10, 0, 0, "https://very.long/address", "https://very.long/address\n" },
        { 10, 4, 4, "https://very.long/address x", "    https://very.long/address\n    x\n" },
        { 10, 2, 4, "  many   blanks \t in it ", "  many\n    blanks\n    in it\n" },
        { 10, 0, 2, "\x1b[31mred\u202e x", "[31mred x\n" },
        { 10, 0, 0, "東京東京 東京", "東京東京\n東京\n" },
        { 10, 0, 0, "東京東 東", "東京東 東\n" },
        { 10, 0, 0, "äöüäö üüüü", "äöüäö üüüü\n" },
        { 10, 0, 0, "\xff\xfe x", "?? x\n" },
        { 10, 0, 0, "", "\n" },
    };
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        char *lines = wrapped(rows[i].width, rows[i].at, rows[i].indent, rows[i].text);

        CHECK_TEXT(lines, rows[i].want);
        free(lines);
    }
}

static void test_columns_and_colors(void **state UNUSED)
{
    char *lines = NULL;
    size_t len;
    FILE *to = open_memstream(&lines, &len);
    struct wrap wrap = { .to = to, .width = 20, .colors = true };

    wrap_skip(&wrap);
    wrap_begin(&wrap, 0, 4);
    wrap_add(&wrap, "ab", NULL);
    wrap_move(&wrap, 6);
    wrap_add(&wrap, "not tried", WRAP_RED);
    wrap_move(&wrap, 10);
    wrap_add(&wrap, "x longer", NULL);
    wrap_end(&wrap);
    wrap_skip(&wrap);
    wrap.colors = false;
    wrap_begin(&wrap, 0, 4);
    wrap_add(&wrap, "plain", WRAP_RED);
    wrap_end(&wrap);
    fclose(to);
    CHECK_TEXT(lines, "ab    \033[31mnot tried\033[0m  x\n    longer\n\nplain\n");
    free(lines);
}

static void test_width(void **state UNUSED)
{
    setenv("COLUMNS", "100", 1);
    CHECK(wrap_width(-1) == 100, "%zu", wrap_width(-1));
    setenv("COLUMNS", "7", 1);
    CHECK(wrap_width(-1) == 40, "%zu", wrap_width(-1));
    setenv("COLUMNS", "x", 1);
    CHECK(wrap_width(-1) == 80, "%zu", wrap_width(-1));
    unsetenv("COLUMNS");
    CHECK(wrap_width(-1) == 80, "%zu", wrap_width(-1));
}

static const struct CMUnitTest cases[] = { cmocka_unit_test(test_lines), cmocka_unit_test(test_columns_and_colors),
                                           cmocka_unit_test(test_width) };

UNIT(wrap, cases, NULL, NULL)
