/* memcpy() and memmove() for the release program on x86_64, in front of musl's.
 *
 * musl's copy any length with one string instruction, which takes tens of cycles to begin; HTTP headers, JSON and TLS
 * are mostly copies of a few bytes, and those made an eighth of an idle poll. Here short lengths are two loads and two
 * stores that may overlap, middle ones a loop over sixteen bytes, and only long ones the string instruction. SSE2 is in
 * every x86_64 processor. Built with -fno-builtin, or the compiler would make these loops into calls of themselves. */
#include <emmintrin.h>
#include <stddef.h>
#include <stdint.h>

#define STRING_FROM 2048    /* from here on the string instruction is at least as fast */

typedef uint64_t __attribute__((may_alias, aligned(1))) eight;
typedef uint32_t __attribute__((may_alias, aligned(1))) four;
typedef uint16_t __attribute__((may_alias, aligned(1))) two;

void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len);

static inline __m128i load(const char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static inline void store(char *at, __m128i value)
{
    _mm_storeu_si128((__m128i *)(void *)at, value);
}

/* At most sixteen bytes. All is read before anything is written, so the two may overlap. */
static inline void copy_few(char *to, const char *from, size_t len)
{
    if (len >= 8) {
        uint64_t first = *(const eight *)from, last = *(const eight *)(from + len - 8);

        *(eight *)to = first;
        *(eight *)(to + len - 8) = last;
    } else if (len >= 4) {
        uint32_t first = *(const four *)from, last = *(const four *)(from + len - 4);

        *(four *)to = first;
        *(four *)(to + len - 4) = last;
    } else if (len >= 2) {
        uint16_t first = *(const two *)from, last = *(const two *)(from + len - 2);

        *(two *)to = first;
        *(two *)(to + len - 2) = last;
    } else if (len) {
        *to = *from;
    }
}

/* From the front: right for apart, and for a target below its source. More than sixteen bytes. */
static inline void copy_up(char *to, const char *from, size_t len)
{
    __m128i last = load(from + len - 16);   /* read first: the loop may write over it */
    char *end = to + len - 16;

    for (; to + 48 < end; to += 64, from += 64) {
        __m128i a = load(from), b = load(from + 16), c = load(from + 32), d = load(from + 48);

        store(to, a);
        store(to + 16, b);
        store(to + 32, c);
        store(to + 48, d);
    }
    for (; to < end; to += 16, from += 16)
        store(to, load(from));
    store(end, last);
}

/* From the back, for a target above its source. More than sixteen bytes. */
static inline void copy_down(char *to, const char *from, size_t len)
{
    __m128i first = load(from);

    for (; len > 16; len -= 16)
        store(to + len - 16, load(from + len - 16));
    store(to, first);
}

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    if (len <= 16) {
        copy_few(to, from, len);
    } else if (len < STRING_FROM) {
        copy_up(to, from, len);
    } else {
        void *at = to;

        __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(len) : : "memory");
    }
    return to;
}

void *memmove(void *to, const void *from, size_t len)
{
    if (len <= 16)
        copy_few(to, from, len);
    else if ((uintptr_t)to - (uintptr_t)from >= len)    /* apart, or the target below: wraps around to something large */
        copy_up(to, from, len);
    else
        copy_down(to, from, len);
    return to;
}
