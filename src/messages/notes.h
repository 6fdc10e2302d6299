/* messages/notes.h - sentences about an input that works and yet has nothing to write, for its status line and `check`. */
#pragma once

#include "base/buf.h"
#include "base/ticks.h"

/* Adds that no alert is written before that time, which is in the future. No period at the end. */
void note_future_start(struct buf *to, ticks start);
