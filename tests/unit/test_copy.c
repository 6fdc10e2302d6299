/* The release program's own memcpy() and memmove(), under other names and against a byte by byte model. */
#include "check.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#if defined(__x86_64__)

#define memcpy  copy_apart
#define memmove copy_over
#include "../../package/runtime/copy-x86_64.c"
#undef memcpy
#undef memmove

#define ROOM      8192
#define LEN_MOST  2200      /* past the length from which the string instruction copies */
#define SHIFTS    20

static unsigned char ours[ROOM], model[ROOM], before[ROOM];

static void fill(void)
{
    size_t i;

    for (i = 0; i < ROOM; i++)
        ours[i] = model[i] = before[i] = (unsigned char)(rand() >> 4);
}

static bool same(void)
{
    size_t i;

    for (i = 0; i < ROOM && ours[i] == model[i]; i++)
        ;
    return i == ROOM;
}

static void move_model(size_t to, size_t from, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        model[to + i] = before[from + i];
}

/* Targets above, below, upon and apart from their source, by few bytes and by many. */
static void test_over(void **state UNUSED)
{
    static const int shifts[SHIFTS] = { -2500, -300, -65, -64, -63, -17, -16, -9, -3, -1,
                                        0, 1, 2, 7, 15, 16, 33, 64, 300, 2500 };
    size_t len, i, from = 2700;

    for (len = 0; len < LEN_MOST; len += len < 300 ? 1 : 61) {
        for (i = 0; i < SHIFTS; i++) {
            size_t to = from + (size_t)(int64_t)shifts[i];

            fill();
            move_model(to, from, len);
            CHECK(copy_over(ours + to, ours + from, len) == ours + to && same(), "%zu bytes by %d", len, shifts[i]);
        }
    }
}

static void test_apart(void **state UNUSED)
{
    size_t len, i;

    for (len = 0; len < LEN_MOST; len += len < 300 ? 1 : 7) {
        for (i = 0; i < 4; i++) {
            size_t from = i * 5, to = 4096 + i * 3;

            fill();
            move_model(to, from, len);
            CHECK(copy_apart(ours + to, ours + from, len) == ours + to && same(), "%zu bytes", len);
        }
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_over),
    cmocka_unit_test(test_apart),
};

UNIT(copy, cases, NULL, NULL)

#endif      /* other machines have musl's own */
