/* The wide scan against a loop over bytes: every byte value at every place, every length, every alignment. */
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
    char to[LONGEST + SCAN_SLACK + 16];
    size_t got, i, wrong = 0;

    memset(to, CANARY, sizeof(to));
    got = scan_plain(from, len, to);
    CHECK(got == want && !memcmp(to, from, got), "byte %02x, length %zu: %zu, not %zu", c, len, got, want);
    for (i = len + SCAN_SLACK; i < sizeof(to); i++)
        wrong += to[i] != CANARY;
    CHECK(!wrong, "length %zu: written behind the slack", len);
}

int main(void)
{
    unsigned char from[LONGEST + 16];
    size_t len, at, shift;
    unsigned c;

    for (c = 0; c < 256; c++) {
        for (shift = 0; shift < 3; shift++) {
            for (len = 0; len <= LONGEST; len += len < 70 ? 1 : 7) {
                for (at = 0; at < len; at += at < 40 ? 1 : 5) {
                    memset(from, '~', sizeof(from));
                    from[shift + at] = (unsigned char)c;
                    from[shift + len] = '"';        /* behind the end: must not be looked at */
                    check_one(from + shift, len, plain(c) ? len : at, c);
                }
            }
        }
    }
    check_one(from, 0, 0, 0);
    return check_summary();
}
