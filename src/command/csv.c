#include "command/csv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

#define CELL_MAX   65536
#define SEPARATORS ",;\t"
#define NAMES      "sep=" /* Excel's own way to name the separator */

struct reader {
    const char *at, *end;
    size_t line;
    char separator;
    struct csv *csv;
    struct err *err;
};

/* Refuses the file for a field, with its line and the name of its column. */
static bool refuse_field(const struct csv *csv, size_t line, size_t row, size_t at, const char *what, struct err *err)
{
    CLEANUP(mem_freep) char *name = row && at < csv->rows[0].count ? text_trimmed(csv->rows[0].cells[at]) : NULL;

    if (text_empty(name))
        return err_set(err, ERR_INPUT, "line %zu, field %zu: %s", line, at + 1, what);
    return err_set(err, ERR_INPUT, "line %zu, column %.40s: %s", line, name, what);
}

/* The same for the field that is being read. */
static bool fail(struct reader *r, size_t line, const char *what)
{
    size_t row = r->csv->count - 1;

    return refuse_field(r->csv, line, row, r->csv->rows[row].count, what, r->err);
}

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
            if (at_line_end(r) || *r->at == r->separator)
                return true;
            return fail(r, r->line,
                        "there is text after a closing quote; a quote inside a field should be written twice and the "
                        "whole field be quoted");
        }
    }
    return fail(r, began, "a quoted field is not closed");
}

static bool read_plain(struct reader *r, struct buf *cell)
{
    for (; !at_line_end(r) && *r->at != r->separator; r->at++) {
        if (*r->at == '"')
            return fail(r, r->line, "a quote is inside a field that is not quoted");
        buf_add_char(cell, *r->at);
    }
    return true;
}

static bool read_cell(struct reader *r, struct csv_row *row)
{
    struct buf cell = BUF_INIT(CELL_MAX);
    bool ok = r->at < r->end && *r->at == '"' ? read_quoted(r, &cell) : read_plain(r, &cell);

    if (ok && cell.full)
        ok = fail(r, r->line, "the field is longer than 65536 bytes");
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
        r->at++; /* the separator */
    }
    skip_line_end(r);
    return true;
}

/* Takes a first line "sep=;". Returns false if there is none. */
static bool take_separator_line(struct reader *r)
{
    size_t len = strlen(NAMES);
    char c;

    if (strncasecmp(r->at, NAMES, len) || (size_t)(r->end - r->at) == len)
        return false;
    c = r->at[len];
    if (!strchr(SEPARATORS "|", c) || !(r->at + len + 1 == r->end || strchr("\r\n", r->at[len + 1])))
        return false;
    r->separator = c;
    r->at += len + 1;
    skip_line_end(r);
    return true;
}

/* Returns the first separator of the header that is outside of quotes. */
static char separator_of(const struct reader *r)
{
    const char *at = r->at;
    bool quoted = false;

    while (at < r->end && strchr("\r\n", *at))
        at++;
    for (; at < r->end && (quoted || !strchr("\r\n", *at)); at++) {
        if (*at == '"')
            quoted = !quoted;
        else if (!quoted && strchr(SEPARATORS, *at))
            return *at;
    }
    return ',';
}

static const char *line_end_of(const char *text)
{
    const char *end = strpbrk(text, "\r\n");

    return !end || *end == '\n' ? "\n" : end[1] == '\n' ? "\r\n" : "\r";
}

static bool is_utf8(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t left = strlen(text), size;

    for (; left; at += size, left -= size)
        if (!(size = utf8_length(at, left)))
            return false;
    return true;
}

/* The separators and quotes of a code page of Windows are those of UTF-8, so that its fields can be told. */
static bool check_utf8(const struct csv *csv, struct err *err)
{
    size_t i, k;

    for (i = 0; i < csv->count; i++)
        for (k = 0; k < csv->rows[i].count; k++)
            if (!is_utf8(csv->rows[i].cells[k]))
                return refuse_field(csv, csv->rows[i].line, i, k,
                                    "the file is not in UTF-8, most likely in a code page of Windows; " CSV_SAVE_AS,
                                    err);
    return true;
}

static bool parse_text(const struct buf *text, struct csv *csv, struct err *err)
{
    struct reader r = { .at = buf_text(text), .line = 1, .csv = csv, .err = err };

    r.end = r.at + text->len;
    csv->format.line_end = line_end_of(r.at);
    csv->format.names_separator = take_separator_line(&r);
    if (!csv->format.names_separator)
        r.separator = separator_of(&r);
    csv->format.separator = r.separator;
    while (r.at < r.end) {
        if (at_line_end(&r))
            skip_line_end(&r);
        else if (!csv_read_row(&r))
            return false;
    }
    return check_utf8(csv, err);
}

bool csv_parse(const char *bytes, size_t len, struct csv *ret, struct err *err)
{
    struct buf text = BUF_INIT(2 * len + 1);
    bool ok;

    *ret = (struct csv){ .count = 0 };
    ok = csv_bytes_decode(bytes, len, &ret->format.encoding, &text, err) && parse_text(&text, ret, err);
    buf_free_secret(&text);
    return ok;
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

void csv_begin(struct buf *ret, const struct csv_format *format)
{
    if (format->names_separator)
        buf_add_format(ret, NAMES "%c%s", format->separator, format->line_end);
}

void csv_add_cell(struct buf *ret, const char *cell)
{
    if (!cell[strcspn(cell, "\"\r\n" SEPARATORS "|")]) {
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

/* Returns true if a spreadsheet takes the text after any apostrophes for a formula (OWASP, CSV injection): with the
 * usual signs, with those that are as wide as a Chinese character, or after a blank that it drops. */
static bool is_formula(const char *cell)
{
    static const char *const starts[] = {
        "=", "+", "-", "@", "\t", "\r", "\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0"
    };
    size_t i;

    cell += strspn(cell, "'");
    for (i = 0; i < COUNT_OF(starts); i++)
        if (text_starts(cell, starts[i]))
            return true;
    return false;
}

void csv_add_guarded(struct buf *ret, const char *cell)
{
    CLEANUP(mem_freep) char *guarded = is_formula(cell) ? mem_format("'%s", cell) : mem_text(cell);

    csv_add_cell(ret, guarded);
}

const char *csv_unguarded(const char *cell)
{
    return *cell == '\'' && is_formula(cell) ? cell + 1 : cell;
}
