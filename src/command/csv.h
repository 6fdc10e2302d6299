/* command/csv.h - comma-separated values (RFC 4180) in memory.
 *
 * Fields may be quoted, with "" for a quote and line ends inside; lines end in CRLF, LF or CR; a BOM is skipped, and so
 * are lines with nothing on them. Cells may be secrets: they are overwritten when freed. */
#pragma once

#include "base/err.h"

struct csv_row {
    char  **cells;
    size_t  count;
    size_t  line;       /* on which it begins, from 1 */
};

struct csv {
    struct csv_row *rows;
    size_t count;
};

/* False with the line in the text: a quote that is not closed or stands in the middle, a zero byte. Free with
 * csv_free() in either case. */
bool csv_parse(const char *bytes, size_t len, struct csv *ret, struct err *err);
void csv_free(struct csv *csv);
