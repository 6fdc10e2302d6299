/* microsoft/scan.h - the plain part of a JSON string: found and copied.
 *
 * Plain bytes need no escape in JSON or XML: ASCII from the blank up, except " \ and & < >. Nearly all bytes of an
 * alert are plain. The compiler makes SSE2 or NEON of the vectors: a page takes 430 ns a kilobyte instead of 650 with a
 * table of bytes (`build/bench/micro page 60`), which is 10 % of a backfill's CPU. */
#pragma once

#include <string.h>

#include "base/compiler.h"

/* Returns the number of bytes, in the order of memory, before the first one of v that is not zero. */
static inline size_t scan_zero_bytes(uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (unsigned)__builtin_ctzll(v) / 8;
#else
    return (unsigned)__builtin_clzll(v) / 8;
#endif
}

typedef signed char scan_vector __attribute__((vector_size(16)));

static inline bool scan_is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '&' && c != '<' && c != '>';
}

/* Returns the number of bytes before the first one of v that is not plain; 16 if all are. '"' and '&' differ in
 * one bit, as do '<' and '>'; bytes from 0x80 up are negative. */
static inline size_t scan_vector_plain(scan_vector v)
{
    scan_vector plain = (scan_vector)(~(((v | 4) == '&') | ((v | 2) == '>') | (v == '\\')) & (v > 0x1F));
    uint64_t halves[2];

    memcpy(halves, &plain, sizeof(halves));
    if (~halves[0])
        return scan_zero_bytes(~halves[0]);
    return 8 + (~halves[1] ? scan_zero_bytes(~halves[1]) : 8);
}

#define SCAN_STEP sizeof(scan_vector)

/* Copies SCAN_STEP bytes. Returns the number of those before the first that is not plain. */
static inline size_t scan_step(const unsigned char *from, char *to)
{
    scan_vector v;

    memcpy(&v, from, sizeof(v));
    memcpy(to, &v, sizeof(v));
    return scan_vector_plain(v);
}

/* Copies bytes to `to` up to the first that is not plain, at most len. Returns their number. What follows them in the
 * first len bytes of `to` is undefined. */
static inline size_t scan_plain(const unsigned char *from, size_t len, char *to)
{
    size_t at = 0, plain;

    for (; len - at >= SCAN_STEP; at += SCAN_STEP) {
        plain = scan_step(from + at, to + at);
        if (plain < SCAN_STEP)
            return at + plain;
    }
    for (; at < len && scan_is_plain(from[at]); at++)
        to[at] = (char)from[at];
    return at;
}
