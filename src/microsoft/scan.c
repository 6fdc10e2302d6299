#include "microsoft/scan.h"

#define EIGHT 1, 1, 1, 1, 1, 1, 1, 1

/* All of 0x20 to 0x7F but " & < > and the backslash. */
const bool scan_is_plain[256] = {
    [0x20] = 1, 1, 0, 1, 1, 1, 0, 1,
    [0x28] = EIGHT,
    [0x30] = EIGHT,
    [0x38] = 1, 1, 1, 1, 0, 1, 0, 1,
    [0x40] = EIGHT, EIGHT, EIGHT,
    [0x58] = 1, 1, 1, 1, 0, 1, 1, 1,
    [0x60] = EIGHT, EIGHT, EIGHT, EIGHT
};
