/* base/utf8.h - UTF-8 (RFC 3629) in text that may hold anything. Allocates no memory. */
#pragma once

#include "base/compiler.h"

#define UTF8_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD, for bytes that are no UTF-8 */

/* Returns the length (1 to 4) of the well-formed sequence at text, or 0 if no sequence starts there. */
size_t utf8_length(const unsigned char *text, size_t len);
/* Removes an incomplete character from the end of a text that was truncated to a number of bytes. */
void utf8_end_whole(char *text);
/* Makes one line of a text for a log or a message: utf8_end_whole(), and control characters become blanks. */
void utf8_make_line(char *text);
