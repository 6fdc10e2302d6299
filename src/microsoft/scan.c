#include "microsoft/scan.h"

static inline bool plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '&' && c != '<' && c != '>';
}

size_t scan_plain(const unsigned char *from, size_t len, char *to)
{
    size_t i = 0;
    uint32_t found;

    for (; i + SCAN_STEP <= len; i += SCAN_STEP) {
        found = scan_step(from + i, to + i);
        if (found)
            return i + (size_t)__builtin_ctz(found);
    }
    for (; i < len && plain(from[i]); i++)
        to[i] = (char)from[i];
    return i;
}
