/* command/csv_bytes.h - the bytes of a CSV file as UTF-8 text, and back.
 *
 * Excel saves UTF-8 with a BOM as "CSV UTF-8", UTF-16 with a BOM as "Unicode Text", and a code page of Windows as plain
 * "CSV". A code page cannot be told from another, so it is refused, by csv.c, which knows the field. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum csv_encoding { CSV_UTF8, CSV_UTF8_BOM, CSV_UTF16LE, CSV_UTF16BE }; /* UTF-16 has a BOM */

/* What to do about a file in a wrong encoding or format. */
#define CSV_SAVE_AS "in Excel, save it as 'CSV UTF-8 (Comma delimited)'"

/* Appends the text without its BOM to ret, which needs room for twice the bytes. UTF-8 is not checked. Returns false for
 * workbooks, compressed files, zero bytes and malformed UTF-16; err names the line where there is one. */
bool csv_bytes_decode(const char *bytes, size_t len, enum csv_encoding *encoding, struct buf *ret, struct err *err);

/* Appends the text, which is UTF-8, in the encoding and with its BOM. Needs room for twice the bytes and the BOM. */
void csv_bytes_encode(enum csv_encoding encoding, const struct buf *text, struct buf *ret);
