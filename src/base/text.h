/* base/text.h - escapes, numbers and comparisons of text. There is one function per encoding, so that the call shows
 * that the text was escaped. */
#pragma once

#include "base/buf.h"
#include "base/compiler.h"

/* Adds a form value or a URL query value (RFC 3986 section 2.3): every byte except [A-Za-z0-9-._~] as %XX. */
void buf_add_url(struct buf *buf, const char *text);
/* Adds "name=value" with the value escaped, and '&' before it unless the buffer is empty or ends with '?' or '&'. */
void buf_add_form(struct buf *buf, const char *name, const char *value);
/* Adds XML text or an attribute value: & < > " ' escaped; control characters, broken UTF-8 and the other characters
 * that XML 1.0 forbids become U+FFFD. */
void buf_add_xml(struct buf *buf, const char *text);
/* Adds a JSON string with its quotes. Broken UTF-8 becomes U+FFFD, and hidden characters (base/utf8.h) are escaped. */
void buf_add_json(struct buf *buf, const char *text);
/* Adds text of a service to a message of ours, at most max_len bytes: white space folded, and "..." for each word
 * longer than any real one. Services repeat what they received, and that may have been a secret or a token. */
void buf_add_foreign(struct buf *buf, const char *text, size_t max_len);
/* Adds an input's name as a file name or a name in Splunk's password store: every byte except [A-Za-z0-9_-] as %XX. */
void buf_add_file_name(struct buf *buf, const char *text);

/* Decodes %XX, and '+' as a blank if plus_is_blank. Returns false for a broken escape or an encoded zero byte. The
 * caller frees *ret, which is set only on success. */
bool text_url_decode(const char *text, size_t len, bool plus_is_blank, char **ret);

/* Reads a decimal number from least to most, both at least 0: every number that comes from outside. Only digits: no
 * sign, no blank, no prefix. Returns false, and sets nothing, for anything else and for a number that is too large. */
bool text_number(const char *text, size_t len, int64_t least, int64_t most, int64_t *ret);
/* The same for a whole text. NULL is no number. */
bool text_int64(const char *text, int64_t least, int64_t most, int64_t *ret);
/* Reads the 16 lower-case hex digits at the start of the text. */
bool text_hex64(const char *text, uint64_t *ret);

bool text_empty(const char *text);            /* NULL or "" */
bool text_same(const char *a, const char *b); /* NULL equals only NULL */
bool text_same_nocase(const char *a, const char *b);
bool text_starts(const char *text, const char *start);
/* Returns a copy without blanks, tabs and line ends at both ends. The caller frees it. */
char *text_trimmed(const char *text);
/* Returns true for 8-4-4-4-12 hex digits. NULL is allowed. */
bool text_is_guid(const char *text);
