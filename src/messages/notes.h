/* messages/notes.h - sentences about an input that works and yet has nothing to write, for its status line and `check`. */
#pragma once

#include "base/buf.h"
#include "base/ticks.h"

#define NOTE_BAD_RECORDS "Look at event=bad_record in its log lines"

/* Adds that Microsoft ends an API on that day, "2027-02-01", in that many days; 0 or less: it has ended. api: the
 * parameter's word. No period at the end. */
void note_api_ends(struct buf *to, const char *api, const char *ends, int64_t days);

/* Adds that no alert is written before that time, which is in the future. No period at the end. */
void note_future_start(struct buf *to, ticks start);
