#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#define MINUTE_MS 60000

static int64_t read_ms(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_ms(void)
{
    return read_ms(CLOCK_BOOTTIME);
}

int64_t clock_wall_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

const char *clock_text_after(int64_t wait_ms, char ret[CLOCK_TEXT_MAX])
{
    time_t then = (time_t)((clock_wall_ms() + wait_ms) / 1000);
    struct tm local;

    if (!localtime_r(&then, &local) ||
        !strftime(ret, CLOCK_TEXT_MAX, wait_ms < MINUTE_MS ? "%H:%M:%S" : "%H:%M", &local))
        ret[0] = '\0';
    return ret;
}

const char *clock_again(int64_t wait_ms, char ret[CLOCK_AGAIN_MAX])
{
    char at[CLOCK_TEXT_MAX];

    if (wait_ms < MINUTE_MS)
        snprintf(ret, CLOCK_AGAIN_MAX, "retrying in %lld s", (long long)(wait_ms + 999) / 1000);
    else
        snprintf(ret, CLOCK_AGAIN_MAX, "again at %s (in %lld min)", clock_text_after(wait_ms, at),
                 (long long)(wait_ms + MINUTE_MS / 2) / MINUTE_MS);
    return ret;
}
