/* state/cursor.h - the part of an input's progress that a checkpoint holds.
 *
 * Pure arithmetic on update times (base/ticks.h). No clock, no network, no file.
 *
 * The watermark is the newest update time that was read completely. A poll starts from the watermark less the overlap,
 * since alerts can become visible late. While a backfill is active, the older part has a watermark of its own.
 *
 * The dedup set (state/dedup.h) is complete from `dedup_floor` on, and in the part of the backfill from
 * `backfill.dedup_floor` on. A poll never reaches below its floor: a record from there could not be told from one that
 * was written before.
 *
 * A service may filter more coarsely than its timestamps, by whole seconds or minutes. It then returns records from
 * outside of the window, and may return them in no other window. So the set reaches further than the windows by
 * CURSOR_COARSE_S: below the lower bound of any window that will be requested, and above the end of the backfill. */
#pragma once

#include "base/compiler.h"
#include "base/ticks.h"

#define CURSOR_COARSE_S 60

struct cursor {
    ticks begin;     /* where the input began; nothing older is ever written */
    ticks watermark; /* newest update time that was read completely; never past the service's own clock */
    ticks dedup_floor;
    struct {
        bool active;
        ticks next;      /* everything before this has been read */
        ticks end;       /* exclusive; the live worker reads the rest */
        ticks watermark; /* newest update time seen before `next` */
        ticks dedup_floor;
    } backfill;
    ticks partial_from; /* no record before this lacks any of its content; 0: none at all does. From here on the
                               dedup set stays complete, so that records can be read again in full. */
};

/* Sets a cursor to its beginning. */
void cursor_start(struct cursor *cursor, ticks begin);

/* Moves an input to another feed of the same kind of record: reading continues at its position, less the overlap,
 * and nothing counts as written. */
void cursor_carry_over(struct cursor *cursor, int64_t overlap_s);

/* Returns true if the cursor claims to have read anything later than `limit` although the input begins before it. */
bool cursor_is_ahead(const struct cursor *cursor, ticks limit);

/* Returns the lower bound of the next poll: the watermark less the overlap, never below the dedup floor. */
ticks cursor_lower(const struct cursor *cursor, int64_t overlap_s);

/* Hands [from, live_from) to the backfill; the live worker keeps what is later. */
void cursor_backfill_begins(struct cursor *cursor, ticks from, ticks live_from);
/* Moves the backfill on to `next`. newest is the newest update time read before it, or INT64_MIN. Returns true when the
 * backfill is complete; the cursor then has one watermark again. */
bool cursor_backfill_read(struct cursor *cursor, ticks next, ticks newest);

/* Returns true if the dedup set tells whether a version with this update time was written. False for what is older than
 * the beginning. */
bool cursor_knows(const struct cursor *cursor, ticks time);

/* A record with this update time was read in part and has not been written in full. */
void cursor_has_part(struct cursor *cursor, ticks time);
/* The window was read in full. */
void cursor_read_in_full(struct cursor *cursor, ticks lo, ticks hi);
/* Hands what was read in part to the backfill, as far as the next poll does not reach it. Returns true if there is any;
 * false while a backfill is active, too: then it is asked again later. */
bool cursor_read_again(struct cursor *cursor, int64_t overlap_s);

/* Returns true if a version with this update time must stay in the dedup set of a process that continues from here. */
bool cursor_needs(const struct cursor *cursor, ticks time, int64_t overlap_s);
/* The same for the set of versions that were written in part. Those of quarantined windows may be older than what the
 * dedup set knows; until they are read in full, they are told by this set from others of their time. */
bool cursor_needs_part(const struct cursor *cursor, ticks time, int64_t overlap_s);
/* Raises the floors to what cursor_needs() keeps: for a checkpoint that holds only those versions. */
void cursor_raise_floors(struct cursor *cursor, int64_t overlap_s);
/* Follows a dedup set that was pruned to what `saved` needs. saved is an earlier state of this cursor. */
void cursor_pruned(struct cursor *cursor, const struct cursor *saved, int64_t overlap_s);

bool cursor_same(const struct cursor *a, const struct cursor *b);
/* Returns true if a checkpoint would hold the same for both. Floors that only follow the watermark do not count. */
bool cursor_same_saved(const struct cursor *a, const struct cursor *b, int64_t overlap_s);
