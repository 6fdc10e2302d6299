/* command/csv.h - tables of text (RFC 4180) in memory, as spreadsheets save them.
 *
 * Fields are separated by commas, semicolons or tabs: by the one that comes first in the header, or by the character
 * that a first line "sep=;" names. They may be quoted, with "" for a quote and with line ends inside. Lines end in CRLF,
 * LF or CR. A BOM and empty lines are skipped. Cells may be secrets: they are overwritten before they are freed. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "command/csv_bytes.h"

struct csv_row {
    char **cells;
    size_t count;
    size_t line; /* of its first character, from 1 */
};

/* How the file is written: what a new version of it keeps. */
struct csv_format {
    enum csv_encoding encoding;
    char separator;
    bool names_separator; /* by a first line "sep=;" */
    const char *line_end;
};

struct csv {
    struct csv_row *rows; /* the first one is the header */
    size_t count;
    struct csv_format format;
};

/* Returns false for a quote that is not closed or inside an unquoted field, and for what is no text in UTF-8 or UTF-16;
 * err names the line and the column. Free with csv_free() in either case. */
bool csv_parse(const char *bytes, size_t len, struct csv *ret, struct err *err);
void csv_free(struct csv *csv); /* frees the members */

/* Starts a text in UTF-8, for csv_bytes_encode(): the line that names the separator, if the format has one. */
void csv_begin(struct buf *ret, const struct csv_format *format);
/* Appends one cell, quoted where it has to be with any of the separators. */
void csv_add_cell(struct buf *ret, const char *cell);

/* Appends a cell that a spreadsheet may open. It gets an apostrophe in front if it would be taken for a formula, or if it
 * looks as if it had one already: csv_unguarded() gives back every text. */
void csv_add_guarded(struct buf *ret, const char *cell);
/* Returns the cell without the apostrophe of csv_add_guarded(). Points into the cell. */
const char *csv_unguarded(const char *cell);
