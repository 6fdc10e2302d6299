/* base/base64url.h - base64 with the alphabet for URLs and without padding (RFC 4648 section 5, RFC 7515). */
#pragma once

#include "base/buf.h"

/* Appends the bytes, encoded. The buffer is marked full if they do not fit. */
void base64url_add(struct buf *to, const void *bytes, size_t len);

/* Appends the decoded bytes of the text to ret. Returns false if the text is malformed, empty or longer than 64 kB. */
bool base64url_decode(const char *text, size_t len, struct buf *ret);
