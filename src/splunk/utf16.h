/* splunk/utf16.h - the bytes of stdin as UTF-8, whatever encoding they arrive in.
 *
 * Bytes may come one at a time. The encoding shows in the first ones: a BOM, or the zero byte beside the first '<'.
 * What begins otherwise is taken for UTF-8, checked by whoever reads it. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum encoding { ENCODING_UNKNOWN, ENCODING_UTF8, ENCODING_UTF16LE, ENCODING_UTF16BE };

struct utf16 {
    enum encoding encoding;
    unsigned char held[4];      /* bytes that do not yet say enough */
    size_t        held_count;
    uint32_t      high;         /* a high surrogate that waits for its other half; 0: none */
};

/* Appends to ret what the bytes amount to so far, without a BOM. False for UTF-16 that is none (a lone surrogate, a
 * zero character). */
bool utf16_feed(struct utf16 *utf16, const char *bytes, size_t len, struct buf *ret, struct err *err);
