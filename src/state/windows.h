/* state/windows.h - which window of update times is requested next, and what a response to it settles.
 *
 * Pure arithmetic on update times (base/ticks.h). No clock, no network, no file.
 *
 * The rule that loses nothing: a window [lo, hi) counts as read only when ONE response held all of it, or several are
 * proven to have done so (state/keyset.h, collect/pages.h). Without such a proof, a window that is too large for one
 * response is requested again in smaller windows. The records of the large response are written all the same, and the
 * dedup set recognizes them afterwards. So neither the order of pages, nor $skip, nor a next link over a changing set
 * has to be trusted.
 *
 * Two workers plan windows and read side by side. The live worker polls from the watermark less the overlap up to
 * now. When that is more than one response holds and reaches far back (a new input, a long outage), the backfill
 * worker takes the older part, oldest first. The live worker continues with the last stretch, so new alerts do not
 * wait. The third worker requests the windows that failed (state/quarantine.h); it has no part in the plans. */
#pragma once

#include "state/cursor.h"
#include "state/window.h"

enum worker_kind { WORKER_LIVE, WORKER_BACKFILL, WORKER_QUARANTINE, WORKER_COUNT };

/* What a response, or a pass over several pages, held. */
struct page_stats {
    size_t count;         /* records */
    ticks oldest, newest; /* their update times; oldest > newest if none had one */
    bool rises;           /* of the first page: a record is newer than the one before it */
    size_t rest;          /* records that the service counts besides; 0: it does not count */
    bool two, linked;     /* the second page has records, too; a link to another page came */
};

/* Returns the statistics of a response without records. */
static inline struct page_stats page_stats_none(void)
{
    return (struct page_stats){ .oldest = TICKS_OPEN, .newest = INT64_MIN };
}

/* How a worker divides the time ahead of it. Never saved: losing it costs requests, not alerts. */
struct window_plan {
    bool active; /* LIVE: in bounded windows; otherwise one open window per poll */
    bool sorted; /* a page that is too much tells how wide the next window may be */
    bool few;    /* two windows may be all that is ahead */
    ticks next;
    ticks width;      /* 0: not known yet */
    double usual;     /* records that a window of this width held of late; 0: not known */
    ticks resolution; /* no window is narrower: a burst within one step, of the API's or of the service's own coarser
                         * filter, would be read again and again */
    ticks end;        /* LIVE: from here on the window is open */
    ticks overfull;   /* the part from `next` to here was too much for one response; 0: not known to be */
    ticks seen;       /* oldest record of the last response that was too much; 0: not known, or passed */
    ticks dense;      /* width that such a response suggests for windows that begin there */
    ticks tail, tail_end; /* between these one response may hold all, since one that was too much did; 0: not known */
    int steps;            /* windows that ended before `seen` and were too much, in a row */
    ticks since;          /* LIVE: when the first window was read in which late alerts may still appear; 0: none was */
};

/* Sets *ret to the window that the worker requests next; whole: all that is ahead of the worker, whatever the plan's
 * width is. Returns false if there is none (no backfill is active). */
bool windows_next(const struct cursor *cursor, enum worker_kind worker, const struct window_plan *plan,
                  int64_t overlap_s, bool whole, struct window *ret);

/* Returns true if more than one page is to be expected of what is ahead of the worker: a backfill, a plan, or an open
 * window that reaches far back. */
bool windows_are_long(const struct cursor *cursor, enum worker_kind worker, const struct window_plan *plan,
                      const struct window *next, ticks now);
/* Returns true if the live worker hands the older part of this window to the backfill when it is split. */
bool windows_hand_over(const struct cursor *cursor, enum worker_kind worker, const struct window *window,
                       int64_t overlap_s, ticks now);

/* Records that the first part of a window, read in ascending order (state/keyset.h), is complete. count: records in it;
 * now: the service's clock when its first page was requested. The next window begins where the part ends. */
void windows_part_read(struct cursor *cursor, enum worker_kind worker, struct window_plan *plan,
                       const struct window *part, size_t count, int64_t overlap_s, ticks now);

/* Records that one response held all of the window. capacity is how many records a response can hold, 0 if there is no
 * limit; now is the service's clock when the request was sent. Returns true if the worker has caught up (LIVE: wait for
 * the next poll; BACKFILL: complete). */
bool windows_read(struct cursor *cursor, enum worker_kind worker, struct window_plan *plan, const struct window *window,
                  const struct page_stats *stats, size_t capacity, int64_t overlap_s, ticks now);

/* Makes the rest of an open window of the live worker bounded, since it had to end before a quarantined window, or to
 * begin after one. The watermark does not pass `since` (0: any): what lies before `next` is not read in this poll. */
void windows_bound(struct window_plan *plan, ticks next, ticks since, ticks now);

/* Plans smaller windows, since this one was too much for one response or keeps failing. resolution is the finest
 * step of the API's time filter; stats may be NULL. plans are those of all workers, since LIVE may hand its older
 * part to BACKFILL. Returns false if the window cannot be made smaller. Records dated in the future belong to the
 * open window: it is cut after `now` only if nothing else is left of it and they are too many. The watermark does not
 * pass `now`, so the next poll reads them again. A page of nothing else tells nothing of the time before: that is read
 * first, as a whole. */
bool windows_split(struct cursor *cursor, enum worker_kind worker, struct window_plan plans[WORKER_COUNT],
                   const struct window *window, const struct page_stats *stats, ticks resolution, int64_t overlap_s,
                   ticks now);
