/* microsoft/scan.h - the plain part of a JSON string: found and copied.
 *
 * Plain bytes need no escape in JSON or XML: ASCII from the blank up, except " \ and & < >. Nearly all bytes of an
 * alert are plain. Portable code is enough: a variant with SSE2 reads a page in 450 instead of 560 ns a kilobyte
 * (`build/bench/micro page 20`), about 5 % of a backfill's CPU, which three runs of `make bench BENCH=fill` could not
 * tell from noise. One with AVX2 saves another 1 %. */
#pragma once

#include <string.h>

#include "base/compiler.h"

/* Whether each byte value is plain. */
extern const bool scan_is_plain[256];

/* Copies bytes to `to` up to the first that is not plain, at most len. Returns their number. */
static inline size_t scan_plain(const unsigned char *from, size_t len, char *to)
{
    const unsigned char *at = from, *end = from + len;

    for (; end - at >= 8; at += 8, to += 8) { /* most strings have no other bytes: one branch for eight */
        memcpy(to, at, 8);
        if (!(scan_is_plain[at[0]] & scan_is_plain[at[1]] & scan_is_plain[at[2]] & scan_is_plain[at[3]] &
              scan_is_plain[at[4]] & scan_is_plain[at[5]] & scan_is_plain[at[6]] & scan_is_plain[at[7]]))
            break;
    }
    while (at < end && scan_is_plain[*at])
        *to++ = (char)*at++;
    return (size_t)(at - from);
}
