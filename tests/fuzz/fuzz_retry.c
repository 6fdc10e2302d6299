/* Retry-After headers, HTTP-dates and throttled bodies: whatever comes, the wait is -1 or within the promised bound. */
#include <stdlib.h>

#include "base/mem.h"
#include "fuzz.h"
#include "base/backoff.h"
#include "net/retry_after.h"

static void bounded(int64_t wait_ms)
{
    if (wait_ms < -1 || wait_ms > BACKOFF_ASKED_MAX_MS)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_text_n((const char *)data, size);
    int64_t date_ms;

    bounded(retry_after_ms(text, 0));
    bounded(retry_after_ms(text, INT64_C(1793522112000)));
    bounded(retry_after_in_body_ms((const char *)data, size));
    /* A date is from year 1 to 9999. */
    if (http_date_ms(text, &date_ms) && (date_ms < INT64_C(-62135596800000) || date_ms > INT64_C(253402300799999)))
        abort();
    free(text);
    return 0;
}
