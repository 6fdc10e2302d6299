/* microsoft/scan.h - the plain part of a JSON string, found and copied in wide steps.
 *
 * Plain is what needs no look: ASCII from the blank up, except the quote and the backslash (JSON) and & < > (XML).
 * Nearly all bytes of an alert are plain, so this is where the time goes. */
#pragma once

#include "base/compiler.h"

#define SCAN_SLACK 32       /* bytes that may be written behind the copied ones */

/* Copies plain bytes from `from` to `to` until the first other byte or the end; returns how many. to has room for
 * len + SCAN_SLACK. */
size_t scan_plain(const unsigned char *from, size_t len, char *to);
