/* command/csv.h - comma-separated values (RFC 4180) in memory.
 *
 * Fields may be quoted, with "" for a quote and with line ends inside. Lines end in CRLF, LF or CR. A BOM and empty
 * lines are skipped. Cells may be secrets: they are overwritten before they are freed. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct csv_row {
    char **cells;
    size_t count;
    size_t line; /* of its first character, from 1 */
};

struct csv {
    struct csv_row *rows;
    size_t count;
};

/* Returns false for a quote that is not closed or inside an unquoted field, and for a zero byte; err names the line.
 * Free with csv_free() in either case. */
bool csv_parse(const char *bytes, size_t len, struct csv *ret, struct err *err);
void csv_free(struct csv *csv); /* frees the members */

/* Appends one cell, quoted where it has to be. */
void csv_add_cell(struct buf *ret, const char *cell);
