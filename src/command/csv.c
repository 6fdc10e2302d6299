#include "command/csv.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

#define CELL_MAX 65536

struct reader {
    const char *at, *end;
    size_t line;
    struct csv *csv;
    struct err *err;
};

static bool at_line_end(const struct reader *r)
{
    return r->at == r->end || *r->at == '\n' || *r->at == '\r';
}

static void skip_line_end(struct reader *r)
{
    if (r->at < r->end && *r->at == '\r')
        r->at++;
    if (r->at < r->end && *r->at == '\n')
        r->at++;
    r->line++;
}

static bool read_quoted(struct reader *r, struct buf *cell)
{
    size_t began = r->line;

    for (r->at++; r->at < r->end; r->at++) {
        if (*r->at == '\n')
            r->line++;
        if (*r->at != '"') {
            buf_add_char(cell, *r->at);
        } else if (r->at + 1 < r->end && r->at[1] == '"') {
            buf_add_char(cell, '"');
            r->at++;
        } else {
            r->at++;
            if (at_line_end(r) || *r->at == ',')
                return true;
            return err_set(r->err, ERR_INPUT,
                           "line %zu: there is text after a closing quote; a quote inside a "
                           "field should be written twice and the whole field be quoted",
                           r->line);
        }
    }
    return err_set(r->err, ERR_INPUT, "line %zu: a quoted field is not closed", began);
}

static bool read_plain(struct reader *r, struct buf *cell)
{
    for (; !at_line_end(r) && *r->at != ','; r->at++) {
        if (*r->at == '"')
            return err_set(r->err, ERR_INPUT, "line %zu: a quote is inside a field that is not quoted", r->line);
        buf_add_char(cell, *r->at);
    }
    return true;
}

static bool read_cell(struct reader *r, struct csv_row *row)
{
    struct buf cell = BUF_INIT(CELL_MAX);
    bool ok = r->at < r->end && *r->at == '"' ? read_quoted(r, &cell) : read_plain(r, &cell);

    if (ok && cell.full)
        ok = err_set(r->err, ERR_INPUT, "line %zu: a field is longer than %d bytes", r->line, CELL_MAX);
    if (ok) {
        row->cells = mem_grow(row->cells, row->count + 1, sizeof(*row->cells));
        row->cells[row->count++] = mem_text(buf_text(&cell));
    }
    buf_free_secret(&cell);
    return ok;
}

static bool csv_read_row(struct reader *r)
{
    struct csv *csv = r->csv;
    struct csv_row *row;

    csv->rows = mem_grow(csv->rows, csv->count + 1, sizeof(*csv->rows));
    row = &csv->rows[csv->count++];
    *row = (struct csv_row){ .line = r->line };
    for (;;) {
        if (!read_cell(r, row))
            return false;
        if (at_line_end(r))
            break;
        r->at++; /* the comma */
    }
    skip_line_end(r);
    return true;
}

bool csv_parse(const char *bytes, size_t len, struct csv *ret, struct err *err)
{
    static const char bom[] = "\xEF\xBB\xBF";
    struct reader r = { .at = bytes, .end = bytes + len, .line = 1, .csv = ret, .err = err };

    *ret = (struct csv){ .count = 0 };
    if (len && memchr(bytes, '\0', len))
        return err_set(err, ERR_INPUT, "the file has zero bytes: it is not text, or not in UTF-8");
    if (len >= 3 && !memcmp(bytes, bom, 3))
        r.at += 3;
    while (r.at < r.end) {
        if (at_line_end(&r))
            skip_line_end(&r);
        else if (!csv_read_row(&r))
            return false;
    }
    return true;
}

void csv_free(struct csv *csv)
{
    size_t i, k;

    for (i = 0; i < csv->count; i++) {
        for (k = 0; k < csv->rows[i].count; k++)
            mem_free_secret(csv->rows[i].cells[k]);
        free(csv->rows[i].cells);
    }
    free(csv->rows);
    *csv = (struct csv){ .count = 0 };
}

void csv_add_cell(struct buf *ret, const char *cell)
{
    if (!cell[strcspn(cell, "\",\r\n")]) {
        buf_add_text(ret, cell);
        return;
    }
    buf_add_char(ret, '"');
    for (; *cell; cell++) {
        if (*cell == '"')
            buf_add_char(ret, '"');
        buf_add_char(ret, *cell);
    }
    buf_add_char(ret, '"');
}
