/* state/acks.h - cursors that wait until splunkd has taken the events before them.
 *
 * The present cursor is always ahead of what a checkpoint may hold: its events are still in our buffer, in the pipe, or
 * within the last minute at splunkd. This list remembers enough earlier cursors to save the newest one whose events are
 * safe. Positions are offsets in the output stream. */
#pragma once

#include "base/compiler.h"
#include "state/cursor.h"

struct pending_cursor {
    uint64_t pos; /* all events up to this cursor end here */
    int64_t at_ms;
    struct cursor cursor;
};

struct acks {
    struct pending_cursor *pending; /* oldest first */
    size_t count, cap;
};

void acks_release(struct acks *acks);

/* Adds a cursor whose events end at pos or before. Cursors of the same position, or of the same second, become one. A
 * cursor that equals the last one is not added: the earlier position says more, and an idle input must not collect
 * entries while other inputs' events move the position on. */
void acks_add(struct acks *acks, const struct cursor *cursor, uint64_t pos, int64_t now_ms);

/* Returns the newest cursor whose events all end at or before pos, or NULL. Drops the older ones. */
const struct pending_cursor *acks_confirmed(struct acks *acks, uint64_t pos);
