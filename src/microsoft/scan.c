#include "microsoft/scan.h"

#include <string.h>

static inline bool plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '&' && c != '<' && c != '>';
}

static size_t scan_bytes(const unsigned char *from, size_t len, char *to)
{
    size_t i;

    for (i = 0; i < len && plain(from[i]); i++)
        to[i] = (char)from[i];
    return i;
}

#if defined(__x86_64__)

#include <immintrin.h>

/* A signed comparison finds control characters and bytes from 0x80 up at once. '<' and '>' differ in one bit. */
static inline unsigned special_16(__m128i v)
{
    __m128i angle = _mm_cmpeq_epi8(_mm_or_si128(v, _mm_set1_epi8(2)), _mm_set1_epi8('>'));
    __m128i quote = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    __m128i other = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('&')), _mm_cmplt_epi8(v, _mm_set1_epi8(0x20)));

    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(angle, quote), other));
}

size_t scan_plain(const unsigned char *from, size_t len, char *to)
{
    size_t i = 0;
    unsigned found;
    __m128i v;

    for (; i + 16 <= len; i += 16) {
        v = _mm_loadu_si128((const __m128i *)(const void *)(from + i));
        _mm_storeu_si128((__m128i *)(void *)(to + i), v);
        found = special_16(v);
        if (found)
            return i + (size_t)__builtin_ctz(found);
    }
    return i + scan_bytes(from + i, len - i, to + i);
}

#elif defined(__aarch64__)

#include <arm_neon.h>

static inline uint64_t special_16(uint8x16_t v)
{
    uint8x16_t angle = vceqq_u8(vorrq_u8(v, vdupq_n_u8(2)), vdupq_n_u8('>'));
    uint8x16_t quote = vorrq_u8(vceqq_u8(v, vdupq_n_u8('"')), vceqq_u8(v, vdupq_n_u8('\\')));
    uint8x16_t other = vorrq_u8(vceqq_u8(v, vdupq_n_u8('&')),
                                vcltq_s8(vreinterpretq_s8_u8(v), vdupq_n_s8(0x20)));
    uint8x16_t all = vorrq_u8(vorrq_u8(angle, quote), other);

    /* Four bits a byte, the usual stand-in for a movemask. */
    return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(all), 4)), 0);
}

size_t scan_plain(const unsigned char *from, size_t len, char *to)
{
    size_t i = 0;
    uint64_t found;
    uint8x16_t v;

    for (; i + 16 <= len; i += 16) {
        v = vld1q_u8(from + i);
        vst1q_u8((uint8_t *)(to + i), v);
        found = special_16(v);
        if (found)
            return i + (size_t)__builtin_ctzll(found) / 4;
    }
    return i + scan_bytes(from + i, len - i, to + i);
}

#else

size_t scan_plain(const unsigned char *from, size_t len, char *to)
{
    return scan_bytes(from, len, to);
}

#endif
