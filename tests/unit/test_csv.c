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
    { "\"a", NULL, "line 1, field 1: a quoted field is not closed" },
    { "x\n\"a\nb", NULL, "line 2, column x: a quoted field" },
    { "\"a\"b", NULL, "after a closing quote" }, { "a\"b", NULL, "not quoted" },
    { "x,\" y z \"\n1,2\n3,a\"b", NULL, "line 3, column y z: a quote is inside" },
    { "x\n1,a\"b", NULL, "line 2, field 2: " }, { "x,y\n1\n\n\n2,\"\na\"b", NULL, "line 6, column y: " },
    { "x\na\"b", NULL, "line 2, column x: " }, { " ,y\na\"b", NULL, "line 2, field 1: " },
    /* The separator is the first one of the header, whatever the rows have. */
    { "a;b\nc,d;e\tf\n", "a|b/c,d|e\tf", NULL }, { "a\tb\nc;d\te\n", "a|b/c;d|e", NULL },
    { "a,b;c\nd,e", "a|b;c/d|e", NULL }, { "\"a,b\";c\nd;e", "a,b|c/d|e", NULL }, { "\n\na;b\nc;d", "a|b/c|d", NULL },
    { "a;\"b;c\"\"\";d", "a|b;c\"|d", NULL }, { "a\nb;c,d\n", "a/b;c|d", NULL }, { "\xEF\xBB\xBF" "a;b", "a|b", NULL },
    { "a;b\n\"c\",d", NULL, "after a closing quote" },
    { "sep=;\na;b,c\n", "a|b,c", NULL }, { "SEP=,\r\na,b;c\r\n", "a|b;c", NULL }, { "sep=\t\ra\tb", "a|b", NULL },
    { "\xEF\xBB\xBFsep=|\na|b;c", "a|b;c", NULL }, { "sep=;", "", NULL }, { "sep=", "sep=", NULL },
    { "sep=;;\na;b", "sep=||/a|b", NULL }, { "sep=x\na,b", "sep=x/a|b", NULL },
    { "a\nsep=;\nb;c", "a/sep=;/b;c", NULL }, { "sep=;\n\na;b\n\"", NULL, "line 4, column a" },
    /* Other encodings and files. */
    { "n,m\na,M\xFCller", NULL, "line 2, column m: the file is not in UTF-8, most likely in a code page of Windows; in "
      "Excel, save it as 'CSV UTF-8 (Comma delimited)'" },
    { "n\nM\xC3\xBCller\n\x80", NULL, "line 3, column n: the file is not in UTF-8" },
    { "M\xFC,b", NULL, "line 1, field 1: " }, { "a\n\xED\xA0\x80", NULL, "not in UTF-8" },
    { "\xEF\xBB\xBFn\n\xE4", NULL, "not in UTF-8" },
    { "PK\3\4....", NULL, "the file is an Excel workbook (.xlsx) or another zip archive and no CSV text; in Excel, save" },
    { "PK\5\6", NULL, "an empty zip archive" }, { "PK,a", "PK|a", NULL }, { "\x1F\x8B\x08", NULL, "compressed with gzip" },
    { "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", NULL, "an Excel workbook (.xls)" }
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
    CHECK(!csv_parse("a\nb\0b", 5, &csv, &err) && strstr(err.text, "line 2: the file has zero bytes"), "zero");
    csv_free(&csv);
}

/* A text in each encoding is read, and written again as it was. One of its characters has the byte of a line end. */
static void test_encodings(void **state UNUSED)
{
    static const char cell[] = "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x94\x92\xE0\xA8\x8A";
    enum csv_encoding encoding;

    for (encoding = CSV_UTF8; encoding <= CSV_UTF16BE; encoding++) {
        struct buf plain = BUF_INIT(1000), bytes = BUF_INIT(1000), again = BUF_INIT(1000);
        struct err err = { .text = "" };
        enum csv_encoding found;
        struct csv csv;

        buf_add_format(&plain, "name;x\r\n%s;\"a;b\"\r\n", cell);
        csv_bytes_encode(encoding, &plain, &bytes);
        CHECK(csv_parse(buf_text(&bytes), bytes.len, &csv, &err) && csv.count == 2 && csv.rows[1].count == 2, "%s",
              err.text);
        CHECK(csv.format.encoding == encoding && csv.format.separator == ';' && !csv.format.names_separator &&
              !strcmp(csv.format.line_end, "\r\n"), "format %d", encoding);
        CHECK_TEXT(csv.rows[1].cells[0], cell);
        CHECK_TEXT(csv.rows[1].cells[1], "a;b");
        CHECK(csv_bytes_decode(buf_text(&bytes), bytes.len, &found, &again, &err) && found == encoding, "%s", err.text);
        CHECK_TEXT(buf_text(&again), buf_text(&plain));
        csv_free(&csv);
        buf_free(&plain);
        buf_free(&bytes);
        buf_free(&again);
    }
}

static void test_utf16(void **state UNUSED)
{
    static const struct { const char *bytes; size_t len; const char *want; } bad[] = {
        { "\xFF\xFE" "a\0\n\0b", 7, "line 2: " },       /* half a unit */
        { "\xFF\xFE" "a\0\0\xD8", 6, "line 1: " },      /* half a character */
        { "\xFE\xFF" "\0a\xDC\0", 6, "line 1: " }, { "\xFF\xFE\0\0a\0\0\0", 8, "begins as UTF-16" },
        { "\xFF\xFE" "a\0\n\0\n\0\"\0", 10, "line 3, column a: a quoted" }
    }, good[] = { { "\xFF\xFE", 2, "" }, { "\xFE\xFF\0a", 4, "a" }, { "\xFF\xFE" "a\0", 4, "a" } };
    struct csv csv;
    struct err err;
    size_t i;

    for (i = 0; i < COUNT_OF(bad); i++) {
        CHECK(!csv_parse(bad[i].bytes, bad[i].len, &csv, &err) && strstr(err.text, bad[i].want), "%zu: %s", i, err.text);
        csv_free(&csv);
    }
    for (i = 0; i < COUNT_OF(good); i++) {
        CHECK(csv_parse(good[i].bytes, good[i].len, &csv, &err), "%s", err.text);
        CHECK_TEXT(csv.count ? csv.rows[0].cells[0] : "", good[i].want);
        csv_free(&csv);
    }
}

static void test_cells(void **state UNUSED)
{
    static const struct { const char *cell, *want; } cells[] = {
        { "plain", "plain" }, { "", "" }, { " blank ", " blank " }, { "a,b", "\"a,b\"" }, { "a\"b", "\"a\"\"b\"" },
        { "a\nb", "\"a\nb\"" }, { "a\rb", "\"a\rb\"" }, { "\"", "\"\"\"\"" }, { "a;b", "\"a;b\"" }, { "a\tb", "\"a\tb\"" }
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

/* Texts that a spreadsheet would calculate, texts that look guarded, and others: each comes back. */
static void test_guards(void **state UNUSED)
{
    static const struct { const char *text, *written; } texts[] = {
        { "=1+1", "'=1+1" }, { "-30d", "'-30d" }, { "+49", "'+49" }, { "@SUM(A1)", "'@SUM(A1)" }, { "\tx", "\"'\tx\"" },
        { "\xEF\xBC\x9D" "1", "'\xEF\xBC\x9D" "1" }, { "'=1", "''=1" }, { "''-a", "'''-a" }, { "=a,b", "\"'=a,b\"" },
        { "a=b", "a=b" }, { "'", "'" }, { "'a", "'a" }, { "''", "''" }, { "", "" }, { "contoso", "contoso" }
    };
    size_t i;

    for (i = 0; i < COUNT_OF(texts); i++) {
        struct buf got = BUF_INIT(100);
        struct err err = { .text = "" };
        struct csv csv;

        csv_add_guarded(&got, texts[i].text);
        CHECK_TEXT(buf_text(&got), texts[i].written);
        buf_add_text(&got, ",x");
        CHECK(csv_parse(buf_text(&got), got.len, &csv, &err), "%s", err.text);
        CHECK_TEXT(csv_unguarded(csv.rows[0].cells[0]), texts[i].text);
        csv_free(&csv);
        buf_free(&got);
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_cells),
    cmocka_unit_test(test_rows),
    cmocka_unit_test(test_lines_and_zero),
    cmocka_unit_test(test_encodings),
    cmocka_unit_test(test_utf16),
    cmocka_unit_test(test_guards),
};

UNIT(csv, cases, NULL, NULL)
