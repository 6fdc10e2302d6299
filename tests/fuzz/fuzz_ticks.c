/* Timestamps: what is read can be written, and what is written reads as the same moment. */
#include <stdlib.h>
#include <string.h>

#include "base/ticks.h"
#include "fuzz.h"

static void check_arithmetic(ticks time, int64_t seconds)
{
    if (seconds >= 0 ? ticks_ahead(time, seconds) < time || ticks_back(time, seconds) > time
                     : ticks_ahead(time, seconds) > time || ticks_back(time, seconds) < time)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TICKS_TEXT_MAX], whole[TICKS_TEXT_MAX];
    ticks time, again;
    int64_t number;

    if (ticks_parse((const char *)data, size, &time)) {
        ticks_text(time, text);
        /* A time zone may lead out of the years 1 to 9999: such a time is held at their ends. */
        if (!ticks_parse(text, strlen(text), &again))
            abort();
        ticks_text(again, whole);
        if (strcmp(text, whole))
            abort();
    }
    if (size >= sizeof(number)) {
        memcpy(&number, data, sizeof(number));
        ticks_text_digits(number, (int)(data[0] % 8), text);
        if (strlen(text) >= sizeof(text) || ticks_epoch_text(number, text) != strlen(text))
            abort();
        check_arithmetic(ticks_from_ms(number), number);
    }
    return 0;
}
