#include "messages/notes.h"

void note_future_start(struct buf *to, ticks start)
{
    char from[TICKS_TEXT_MAX];

    ticks_text_digits(start, 0, from);
    buf_add_format(to, "start_time is in the future: no alert is written before %s", from);
}

void note_api_ends(struct buf *to, const char *api, const char *ends, int64_t days)
{
    if (days > 0)
        buf_add_format(to, "Microsoft ends the service of api = %s on %s, in %lld day%s", api, ends, (long long)days,
                       days == 1 ? "" : "s");
    else
        buf_add_format(to, "Microsoft has ended the service of api = %s on %s; what still answers may stop at any time",
                       api, ends);
}
