/* splunk/utf16.h - the bytes of stdin as UTF-8, from UTF-8 or UTF-16.
 *
 * Bytes may come one at a time. The first ones tell the encoding: a BOM, or a zero byte next to the first '<'. Anything
 * else counts as UTF-8, which the XML parser checks. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum encoding { ENCODING_UNKNOWN, ENCODING_UTF8, ENCODING_UTF16LE, ENCODING_UTF16BE };

struct utf16 {
    enum encoding encoding;
    unsigned char held[4]; /* bytes that do not decide yet */
    size_t held_count;
    uint32_t high; /* a high surrogate whose other half has not come; 0: none */
};

/* Appends the decoded bytes to ret, without a BOM. Returns false for malformed UTF-16 (a lone surrogate, a zero
 * character). */
bool utf16_feed(struct utf16 *utf16, const char *bytes, size_t len, struct buf *ret, struct err *err);
