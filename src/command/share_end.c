#include "command/share_end.h"

#include "base/ticks.h"

#define DAY_S     86400
#define SOON_DAYS 30

enum share_end share_end_add(struct buf *to, int64_t ends_s, int64_t now_s)
{
    int64_t days = (ends_s - now_s) / DAY_S;
    char day[TICKS_TEXT_MAX];

    if (!ends_s) {
        buf_add_text(to, "has no end");
        return SHARE_END_NEVER;
    }
    ticks_text(ticks_from_ms(ends_s < INT64_MAX / 1000 ? ends_s * 1000 : INT64_MAX), day);
    if (ends_s <= now_s) {
        buf_add_format(to, "ended on %.10s", day);
        return SHARE_END_PAST;
    }
    buf_add_format(to, "ends on %.10s (in %lld %s)", day, (long long)days, days == 1 ? "day" : "days");
    return days <= SOON_DAYS ? SHARE_END_SOON : SHARE_END_FAR;
}
