/* state/acks.h - the places an input has been at, each with the stream position that must be safe with splunkd
 * before a checkpoint may hold it.
 *
 * The present place is always ahead of what may be saved: its events are still in our buffer, in the pipe, or within
 * the last minute at splunkd. The trail remembers enough of the way to save the newest place that is behind. */
#pragma once

#include "base/compiler.h"
#include "state/cursor.h"

struct pending_cursor {
    uint64_t     pos;       /* all events up to this place end here */
    int64_t      at_ms;
    struct cursor cursor;
};

struct acks {
    struct pending_cursor *pending;   /* oldest first */
    size_t count, cap;
};

void acks_release(struct acks *acks);

/* The input is at this place, with its events ending at pos or before. Marks of the same position, or of the same
 * second, become one. Where it was at that place already, the earlier mark stands: what it says is more, and an input
 * that nothing happens to must not collect marks while others' events move the position on. */
void acks_add(struct acks *acks, const struct cursor *cursor, uint64_t pos, int64_t now_ms);

/* The newest mark whose events all end at or before pos; NULL: none. Older marks are dropped. */
const struct pending_cursor *acks_confirmed(struct acks *acks, uint64_t pos);
