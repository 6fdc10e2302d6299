/* base/text.h - escapes, numbers and small looks at text. One function per encoding: the call's name shows that the
 * escape was done. */
#pragma once

#include "base/buf.h"
#include "base/compiler.h"

/* application/x-www-form-urlencoded and URL query values alike: all but [A-Za-z0-9-._~] as %XX. */
void buf_add_url(struct buf *buf, const char *text);
/* "name=value", with '&' in front unless the buffer is empty or ends in '?' or '&'; the value is escaped. */
void buf_add_form(struct buf *buf, const char *name, const char *value);
/* XML text and attribute values: & < > " ' escaped; control characters, broken UTF-8 and what XML 1.0 cannot carry
 * become U+FFFD. */
void buf_add_xml(struct buf *buf, const char *text);
/* A JSON string with its quotes. Broken UTF-8 becomes U+FFFD. */
void buf_add_json(struct buf *buf, const char *text);
/* A service's own words for a message of ours, at most `most` bytes: white space folded, and "..." for what is longer
 * than any word. Services repeat what they were sent, and that may have been a secret or a token. */
void buf_add_foreign(struct buf *buf, const char *text, size_t most);
/* Keeps [A-Za-z0-9_-], every other byte as %XX: a file name, and a name in Splunk's password store, of an input. */
void buf_add_file_name(struct buf *buf, const char *text);

/* Length of the well-formed UTF-8 sequence at text (1 to 4), or 0 for a byte that starts none. */
size_t text_utf8_length(const unsigned char *text, size_t len);
/* Takes off the end what is only the beginning of a character: for a text that was cut at so many bytes. */
void text_end_whole(char *text);
/* The same, and control characters become blanks: one line for a log or a message. */
void text_make_line(char *text);

/* Undoes %XX (and '+' as blank when plus_is_blank); false for a broken escape or an encoded zero byte. The result is
 * the caller's to free. */
bool text_url_decode(const char *text, size_t len, bool plus_is_blank, char **ret);

/* A whole decimal number with nothing around it, least..most. */
bool text_int64(const char *text, int64_t least, int64_t most, int64_t *ret);

bool text_empty(const char *text);              /* NULL or "" */
bool text_same(const char *a, const char *b);   /* NULL equals NULL only */
bool text_same_nocase(const char *a, const char *b);
bool text_starts(const char *text, const char *start);
/* Copy without blanks, tabs and line ends at either side. */
char *text_trimmed(const char *text);
/* "a3f1b0c2-…": 8-4-4-4-12 hex digits. */
bool text_is_guid(const char *text);

/* A random version 4 GUID, for client-request-id and jti. From the kernel. */
#define TEXT_GUID_MAX 37
void text_new_guid(char ret[TEXT_GUID_MAX]);
