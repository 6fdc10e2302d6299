#include "messages/notes.h"

void note_future_start(struct buf *to, ticks start)
{
    char from[TICKS_TEXT_MAX];

    ticks_text_digits(start, 0, from);
    buf_add_format(to, "start_time is in the future: no alert is written before %s", from);
}
