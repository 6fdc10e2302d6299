/* state/progress.h - the progress of one input: what was read, what was written, and what of it may be saved.
 *
 * Joins the cursor, the window plans, the dedup set and the cursors that wait for splunkd. Times are the service's
 * (ticks); positions are offsets in the output stream; now_ms is monotonic. */
#pragma once

#include "state/acks.h"
#include "state/checkpoint.h"
#include "state/dedup.h"
#include "state/keyset.h"
#include "state/quarantine.h"
#include "state/windows.h"

struct progress {
    bool begun; /* the cursor is set */
    int64_t overlap_s;
    struct cursor cursor;
    struct window_plan plans[WORKER_COUNT];
    struct keyset keysets[WORKER_COUNT];
    struct quarantine quarantine;
    ticks began;  /* when the poll began that reads all of the overlap; 0: this one does not */
    ticks looked; /* when the last such poll began that is complete; 0: none in this run */
    struct dedup *dedup;
    struct acks acks;
};

void progress_init(struct progress *progress, int64_t overlap_s);
void progress_release(struct progress *progress);

/* Sets the cursor. It may be saved at once, since no event comes before it. */
void progress_begin(struct progress *progress, const struct cursor *cursor, int64_t now_ms);

/* Forgets which versions were written: they belong to another feed, or to a checkpoint that cannot be used. */
void progress_forget_written(struct progress *progress);

/* The worker's next request has a time filter of this step: windows that are narrower would ask for the same again and
 * again. */
void progress_coarsen(struct progress *progress, enum worker_kind worker, ticks resolution);

/* Sets *ret to the worker's next window, without what is quarantined; for the quarantine worker, to one that is due.
 * Looking for late alerts between many quarantined windows takes many requests, so not every poll does. The watermark
 * waits for those that do.
 * Returns false if it has nothing to read. A planned window that is quarantined completely counts as read, with no
 * events; pos and now_ms are as for progress_read(). */
bool progress_next(struct progress *progress, enum worker_kind worker, ticks now, uint64_t pos, int64_t now_ms,
                   struct window *ret);

/* Returns true if more than one page is to be expected of the worker's next window, so that it is worth asking for in
 * order, or with a count. */
bool progress_is_long(const struct progress *progress, enum worker_kind worker, ticks now);
/* The worker's next window will be asked for in order; or with a count, or plainly: then what is not proven yet is read
 * again. counted: the service is known to count; else the window is no wider than the plan has it. */
void progress_ask_order(struct progress *progress, enum worker_kind worker);
void progress_ask_count(struct progress *progress, enum worker_kind worker, bool counted);
void progress_ask_plain(struct progress *progress, enum worker_kind worker);
/* Records that the part that was read in order (state/keyset.h) is complete and that its events end at pos. */
void progress_part_read(struct progress *progress, enum worker_kind worker, uint64_t pos, int64_t now_ms);
/* A window that was asked for in order or with a count failed, or cannot be read so: its first part is asked for
 * plainly. */
void progress_whole_failed(struct progress *progress, enum worker_kind worker, const struct window *window);

/* Records that the window was read completely and that its events end at pos. See windows_read() for the rest. A
 * quarantined window raises the watermark as well: everything before it was read, or is quarantined. */
bool progress_read(struct progress *progress, enum worker_kind worker, const struct window *window,
                   const struct page_stats *stats, size_t capacity, ticks now, uint64_t pos, int64_t now_ms);

/* Records that the window was read with a query that leaves nothing out. If the live worker has caught up with it, what
 * was written in part before is handed to the backfill. Returns true if there is any. */
bool progress_read_in_full(struct progress *progress, const struct window *window, bool caught_up);

/* Puts a window that fails alone into quarantine; for the worker it counts as read. An open window ends at `now`.
 * Returns true if the worker has caught up. */
bool progress_isolate(struct progress *progress, enum worker_kind worker, const struct window *window, ticks resolution,
                      ticks now, uint64_t pos, int64_t now_ms);

/* Plans smaller windows; see windows_split() and, for the quarantine worker, quarantine_halve(). */
bool progress_split(struct progress *progress, enum worker_kind worker, const struct window *window,
                    const struct page_stats *stats, ticks resolution, ticks now);

/* Appends the newest checkpoint whose events end at or before pos, and sets *saved to its cursor. Returns false if
 * there is none yet. */
bool progress_format(struct progress *progress, const struct checkpoint *checkpoint, uint64_t pos, struct buf *ret,
                     struct cursor *saved);
/* Drops the quarantined windows that splunkd has the events of, up to pos, and those that are older than a service
 * keeps records. Returns how many of the latter were never read. */
size_t progress_settle(struct progress *progress, uint64_t pos, ticks now);

/* Drops the written versions that a process continuing from the saved cursor does not need. */
void progress_saved(struct progress *progress, const struct cursor *saved);
