#include "check.h"

#include <string.h>

#include "base/buf.h"
#include "command/csv.h"

/* Cells joined by '|', rows by '/'; or, for what is refused, a part of the message. */
static const struct { const char *text, *want, *refusal; } rows[] = {
    { "", "", NULL }, { "\n\r\n\r", "", NULL }, { "a", "a", NULL }, { "a,b\nc,d\n", "a|b/c|d", NULL },
    { "a,b\r\nc,d\r\n", "a|b/c|d", NULL }, { "a,b\rc,d", "a|b/c|d", NULL }, { "\xEF\xBB\xBFname,x", "name|x", NULL },
    { ",", "|", NULL }, { "a,,b", "a||b", NULL }, { "a,", "a|", NULL }, { "\"a,b\",c", "a,b|c", NULL },
    { "\"a\"\"b\"", "a\"b", NULL }, { "\"a\r\nb\",c\n\nd,e", "a\r\nb|c/d|e", NULL }, { "\"\",x", "|x", NULL },
    { " a , b ", " a | b ", NULL }, { "\"\"\"\"", "\"", NULL },
    { "\"a", NULL, "line 1: a quoted field is not closed" }, { "x\n\"a\nb", NULL, "line 2: a quoted field" },
    { "\"a\"b", NULL, "after a closing quote" }, { "a\"b", NULL, "not quoted" }
};

static void test_rows(void **state UNUSED)
{
    size_t i, k, m;

    for (i = 0; i < COUNT_OF(rows); i++) {
        struct buf got = BUF_INIT(4096);
        struct err err = { .text = "" };
        struct csv csv;
        bool ok = csv_parse(rows[i].text, strlen(rows[i].text), &csv, &err);

        CHECK(ok == (rows[i].want != NULL), "row %zu: %s", i, err.text);
        for (k = 0; ok && k < csv.count; k++)
            for (m = 0; m < csv.rows[k].count; m++)
                buf_add_format(&got, "%s%s", m ? "|" : k ? "/" : "", csv.rows[k].cells[m]);
        if (ok)
            CHECK(!strcmp(buf_text(&got), rows[i].want), "row %zu: '%s'", i, buf_text(&got));
        else
            CHECK(strstr(err.text, rows[i].refusal) != NULL, "row %zu: %s", i, err.text);
        csv_free(&csv);
        buf_free(&got);
    }
}

static void test_lines_and_zero(void **state UNUSED)
{
    static const char text[] = "a\n\"b\nc\"\n\nd\n";
    struct err err;
    struct csv csv;

    CHECK(csv_parse(text, strlen(text), &csv, &err), "%s", err.text);
    CHECK(csv.count == 3 && csv.rows[1].line == 2 && csv.rows[2].line == 5, "lines");
    csv_free(&csv);
    CHECK(!csv_parse("a\0b", 3, &csv, &err) && strstr(err.text, "zero bytes"), "zero");
    csv_free(&csv);
}

static void test_cells(void **state UNUSED)
{
    static const struct { const char *cell, *want; } cells[] = {
        { "plain", "plain" }, { "", "" }, { " blank ", " blank " }, { "a,b", "\"a,b\"" }, { "a\"b", "\"a\"\"b\"" },
        { "a\nb", "\"a\nb\"" }, { "a\rb", "\"a\rb\"" }, { "\"", "\"\"\"\"" }
    };
    size_t i;

    for (i = 0; i < COUNT_OF(cells); i++) {
        struct buf got = BUF_INIT(100);
        struct err err = { .text = "" };
        struct csv csv;

        csv_add_cell(&got, cells[i].cell);
        CHECK_TEXT(buf_text(&got), cells[i].want);
        buf_add_text(&got, ",x");
        CHECK(csv_parse(buf_text(&got), got.len, &csv, &err) && csv.count == 1, "%s", err.text);
        CHECK_TEXT(csv.rows[0].cells[0], cells[i].cell);
        csv_free(&csv);
        buf_free(&got);
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_cells),
    cmocka_unit_test(test_rows),
    cmocka_unit_test(test_lines_and_zero),
};

UNIT(csv, cases, NULL, NULL)
