/* Any bytes as a CSV file: a refusal names a line, and what was read can be written and read again. */
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "command/csv.h"
#include "fuzz.h"

static void write_csv(const struct csv *csv, struct buf *ret)
{
    size_t i, k;
    const char *c;

    for (i = 0; i < csv->count; i++) {
        for (k = 0; k < csv->rows[i].count; k++) {
            buf_add_text(ret, k ? ",\"" : "\"");
            for (c = csv->rows[i].cells[k]; *c; c++)
                buf_add(ret, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
            buf_add_char(ret, '"');
        }
        buf_add_text(ret, i % 2 ? "\r\n" : "\n");
    }
}

static void check_same(const struct csv *one, const struct csv *other)
{
    size_t i, k;

    need(one->count == other->count, "as many rows");
    for (i = 0; i < one->count; i++) {
        need(one->rows[i].count == other->rows[i].count, "as many cells");
        for (k = 0; k < one->rows[i].count; k++)
            need(!strcmp(one->rows[i].cells[k], other->rows[i].cells[k]), "the same cells");
    }
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
    csv_free(&csv);
    csv_free(&again);
    buf_free(&written);
    return 0;
}
