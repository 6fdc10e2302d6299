/* Any bytes as a CSV file: a refusal names a line, and what was read can be written, in its own encoding and with its own
 * separator, and read again. */
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "command/csv.h"
#include "fuzz.h"

static void write_csv(const struct csv *csv, struct buf *ret)
{
    struct buf text = BUF_INIT(64u << 20);
    size_t i, k;
    const char *c;

    csv_begin(&text, &csv->format);
    for (i = 0; i < csv->count; i++) {
        for (k = 0; k < csv->rows[i].count; k++) {
            if (k)
                buf_add_char(&text, csv->format.separator);
            buf_add_char(&text, '"');
            for (c = csv->rows[i].cells[k]; *c; c++)
                buf_add(&text, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
            buf_add_char(&text, '"');
        }
        buf_add_text(&text, i % 2 ? "\r\n" : csv->format.line_end);
    }
    csv_bytes_encode(csv->format.encoding, &text, ret);
    buf_free(&text);
}

static void check_same(const struct csv *one, const struct csv *other)
{
    size_t i, k;

    need(one->format.encoding == other->format.encoding, "the same encoding");
    need(one->count == other->count, "as many rows");
    for (i = 0; i < one->count; i++) {
        need(one->rows[i].count == other->rows[i].count, "as many cells");
        for (k = 0; k < one->rows[i].count; k++)
            need(!strcmp(one->rows[i].cells[k], other->rows[i].cells[k]), "the same cells");
    }
}

/* A cell that was guarded is one cell and no formula, and comes back. */
static void check_guard(const char *cell)
{
    struct buf guarded = BUF_INIT(1u << 20);
    const char *shown;
    struct csv csv;
    struct err err;

    buf_add_text(&guarded, "x,");
    csv_add_guarded(&guarded, cell);
    if (csv_parse(buf_text(&guarded), guarded.len, &csv, &err)) { /* not if the apostrophe makes it too long */
        need(csv.count == 1 && csv.rows[0].count == 2, "a guarded cell is one cell");
        shown = csv.rows[0].cells[1];
        need(!*shown || !strchr("=+-@\t\r", *shown), "a guarded cell is no formula");
        need(!strcmp(csv_unguarded(shown), cell), "a guarded cell comes back");
    } else {
        need(strlen(cell) > 60000, "a guarded cell can be read");
    }
    csv_free(&csv);
    buf_free(&guarded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct csv csv, again;
    struct err err = { 0 };
    struct buf written = BUF_INIT(64u << 20);
    size_t i;

    if (!csv_parse((const char *)data, size, &csv, &err)) {
        need(*err.text && utf8_is_plain(err.text), "a refusal is one plain line");
        csv_free(&csv);
        return 0;
    }
    for (i = 0; i < csv.count; i++)
        need(csv.rows[i].count && csv.rows[i].line > (i ? csv.rows[i - 1].line : 0), "rows have cells and rising lines");
    write_csv(&csv, &written);
    need(csv_parse(buf_text(&written), written.len, &again, &err), "its own writing can be read");
    check_same(&csv, &again);
    for (i = 0; csv.count && i < csv.rows[0].count; i++)
        check_guard(csv.rows[0].cells[i]);
    csv_free(&csv);
    csv_free(&again);
    buf_free(&written);
    return 0;
}
