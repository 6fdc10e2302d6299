/* microsoft/scan.h - the plain part of a JSON string, found and copied in wide steps.
 *
 * Plain is what needs no look: ASCII from the blank up, except the quote and the backslash (JSON) and & < > (XML).
 * Nearly all bytes of an alert are plain, so this is where the time goes. */
#pragma once

#include "base/compiler.h"

#define SCAN_STEP  32
#define SCAN_SLACK SCAN_STEP    /* bytes that may be written behind the copied ones */

/* Copies plain bytes from `from` to `to` until the first other byte or the end; returns how many. to has room for
 * len + SCAN_SLACK. */
size_t scan_plain(const unsigned char *from, size_t len, char *to);

/* Copies SCAN_STEP bytes; bit n is set when byte n is not plain. */
typedef uint32_t scan_fn(const unsigned char *from, char *to);
static inline uint32_t scan_step(const unsigned char *from, char *to);

#if defined(__x86_64__)

#include <immintrin.h>

/* A signed comparison finds control characters and bytes from 0x80 up at once. '<' and '>' differ in one bit. */
static inline unsigned scan_special_16(__m128i v)
{
    __m128i angle = _mm_cmpeq_epi8(_mm_or_si128(v, _mm_set1_epi8(2)), _mm_set1_epi8('>'));
    __m128i quote = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    __m128i other = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('&')), _mm_cmplt_epi8(v, _mm_set1_epi8(0x20)));

    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(angle, quote), other));
}

static inline uint32_t scan_step(const unsigned char *from, char *to)
{
    __m128i low = _mm_loadu_si128((const __m128i *)(const void *)from);
    __m128i high = _mm_loadu_si128((const __m128i *)(const void *)(from + 16));

    _mm_storeu_si128((__m128i *)(void *)to, low);
    _mm_storeu_si128((__m128i *)(void *)(to + 16), high);
    return scan_special_16(low) | scan_special_16(high) << 16;
}

/* For processors that scan_has_wide() finds able: a third of the instructions. The table gives for each low half of a
 * byte the one special character that ends so; the backslash shares its half with '<'. */
#define SCAN_WIDE __attribute__((target("avx2")))

SCAN_WIDE static inline uint32_t scan_step_wide(const unsigned char *from, char *to)
{
    const __m256i table = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 0, '"', 0, 0, 0, '&', 0, 0, 0, 0, 0, '<', 0, '>',
                                                                    0));
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)from);
    __m256i found = _mm256_cmpeq_epi8(v, _mm256_shuffle_epi8(table, v));

    _mm256_storeu_si256((__m256i *)(void *)to, v);
    found = _mm256_or_si256(found, _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\')));
    found = _mm256_or_si256(found, _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), v));
    return (uint32_t)_mm256_movemask_epi8(found);
}

static inline bool scan_has_wide(void)
{
    return __builtin_cpu_supports("avx2");
}

#elif defined(__aarch64__)

#include <arm_neon.h>

/* A bit of its own for each byte, then their sum: the stand-in for a movemask. */
static inline uint32_t scan_special_16(uint8x16_t v)
{
    static const uint8_t bits[16] = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128 };
    uint8x16_t angle = vceqq_u8(vorrq_u8(v, vdupq_n_u8(2)), vdupq_n_u8('>'));
    uint8x16_t quote = vorrq_u8(vceqq_u8(v, vdupq_n_u8('"')), vceqq_u8(v, vdupq_n_u8('\\')));
    uint8x16_t other = vorrq_u8(vceqq_u8(v, vdupq_n_u8('&')),
                                vcltq_s8(vreinterpretq_s8_u8(v), vdupq_n_s8(0x20)));
    uint8x16_t all = vandq_u8(vorrq_u8(vorrq_u8(angle, quote), other), vld1q_u8(bits));

    return vaddv_u8(vget_low_u8(all)) | (uint32_t)vaddv_u8(vget_high_u8(all)) << 8;
}

static inline uint32_t scan_step(const unsigned char *from, char *to)
{
    uint8x16_t low = vld1q_u8(from), high = vld1q_u8(from + 16);

    vst1q_u8((uint8_t *)to, low);
    vst1q_u8((uint8_t *)to + 16, high);
    return scan_special_16(low) | scan_special_16(high) << 16;
}

#else

static inline uint32_t scan_step(const unsigned char *from, char *to)
{
    uint32_t found = 0;
    unsigned i;

    for (i = 0; i < SCAN_STEP; i++) {
        unsigned char c = from[i];

        to[i] = (char)c;
        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\' || c == '&' || c == '<' || c == '>')
            found |= UINT32_C(1) << i;
    }
    return found;
}

#endif
