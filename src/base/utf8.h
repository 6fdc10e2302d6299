/* base/utf8.h - UTF-8 (RFC 3629) in text that may hold anything. Allocates no memory.
 *
 * Text of a service, of a file or of a name is made plain before a person or a program reads it as a line:
 * utf8_make_line() for lines and messages, utf8_is_plain() where the text is refused instead. */
#pragma once

#include "base/compiler.h"

#define UTF8_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD, for bytes that are no UTF-8 */

/* Returns the length (1 to 4) of the well-formed sequence at text, or 0 if no sequence starts there. */
size_t utf8_length(const unsigned char *text, size_t len);
/* The same, with the character in *ret. */
size_t utf8_decode(const unsigned char *text, size_t len, uint32_t *ret);
/* Returns the length of the sequence at text if it is a character that must not reach a line: a control character (C0,
 * DEL, C1), a line separator, a mark that changes the direction of text, an invisible format character. *ret is the
 * character. Returns 0 for every other character. */
size_t utf8_hidden(const unsigned char *text, size_t len, uint32_t *ret);
/* Returns true for well-formed UTF-8 without hidden characters. */
bool utf8_is_plain(const char *text);
/* Removes an incomplete character from the end of a text that was truncated to a number of bytes. */
void utf8_end_whole(char *text);
/* Makes one plain line of a text: utf8_end_whole(), then a blank for each hidden character and '?' for each byte that is
 * no UTF-8. The text does not grow. */
void utf8_make_line(char *text);
