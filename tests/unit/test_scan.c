/* Every byte value at every position, every length. */
#include "microsoft/scan.h"

#include "check.h"

#define LONGEST 100
#define CANARY  0x5A

static bool plain(unsigned c)
{
    return c >= 0x20 && c < 0x80 && !strchr("\"\\&<>", (int)c);
}

static void check_one(const unsigned char *from, size_t len, size_t want, unsigned c)
{
    char to[LONGEST + 16];
    size_t got, i, wrong = 0;

    memset(to, CANARY, sizeof(to));
    got = scan_plain(from, len, to);
    CHECK(got == want && !memcmp(to, from, got), "byte %02x, length %zu: %zu, not %zu", c, len, got, want);
    for (i = len; i < sizeof(to); i++)
        wrong += to[i] != CANARY;
    CHECK(!wrong, "length %zu: written after the end", len);
}

/* This byte at each place of texts of each length, in three alignments. */
static void check_everywhere(unsigned c)
{
    unsigned char from[LONGEST + 16];
    size_t len, at, shift;

    for (shift = 0; shift < 3; shift++) {
        for (len = 0; len <= LONGEST; len += len < 70 ? 1 : 7) {
            for (at = 0; at < len; at += at < 40 ? 1 : 5) {
                memset(from, '~', sizeof(from));
                from[shift + at] = (unsigned char)c;
                from[shift + len] = '"';        /* after the end: must not be read */
                check_one(from + shift, len, plain(c) ? len : at, c);
            }
        }
    }
}

static void test_plain_bytes_are_copied(void **state UNUSED)
{
    for (unsigned c = 0; c < 256; c++)
        if (plain(c))
            check_everywhere(c);
}

static void test_all_others_end_it(void **state UNUSED)
{
    for (unsigned c = 0; c < 256; c++)
        if (!plain(c))
            check_everywhere(c);
}

static void test_nothing(void **state UNUSED)
{
    check_one((const unsigned char *)"~", 0, 0, 0);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_plain_bytes_are_copied),
    cmocka_unit_test(test_all_others_end_it),
    cmocka_unit_test(test_nothing),
};

UNIT(scan, cases, NULL, NULL)
