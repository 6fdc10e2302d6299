/* state/cursor.h - an input's place in its tenant's alerts: what has been read, and what to ask for next.
 *
 * Pure arithmetic on update times (base/ticks.h); no clock, no network, no file.
 *
 * The rule that loses nothing: a span [lo, hi) counts as read only when ONE answer held all of it. A span that is too
 * large for one answer is asked for again in smaller spans; records of the large answer are written all the same and
 * known afterwards. So no page order, no $skip and no next link over a changing set has to be trusted.
 *
 * Two lanes read side by side. LIVE polls from the newest update time less the overlap up to now. When that turns out
 * to be too much for one answer and reaches far back (a new input, a long outage), the FILL lane takes the older part,
 * oldest first, and LIVE goes on with the last stretch, so that new alerts do not wait.
 *
 * The set of written versions (state/dedup.h) is complete from `floor` on, in the filled part from `fill.floor` on;
 * a poll never reaches below, since what it brought from there could not be told from a repetition. */
#pragma once

#include "base/ticks.h"

enum worker_kind { WORKER_LIVE, WORKER_BACKFILL, WORKER_COUNT };

/* What is kept in a checkpoint. */
struct cursor {
    ticks begin;        /* where the input began: nothing older is ever written */
    ticks watermark;       /* the cursor: newest update time that was read whole, at most the service's own clock */
    ticks dedup_floor;
    struct {
        bool  active;
        ticks next;     /* read up to here */
        ticks end;      /* the LIVE lane has the rest */
        ticks watermark;   /* newest update time seen below next */
        ticks dedup_floor;
    } backfill;
};

/* How a lane goes about the part before it; lost at a restart without harm. */
struct window_plan {
    bool  active;       /* in bounded spans; otherwise one open span a poll */
    ticks next;
    ticks width;        /* 0: not known yet */
    ticks resolution;        /* no span is narrower: a heap inside one step would be read again and again */
    ticks end;          /* LIVE: from here on the span is open */
    ticks overfull;        /* the part from next to here was too much for one answer; 0: not known to be */
    ticks since;        /* LIVE: when the first span was read in which late alerts may still appear; 0: none was */
};

struct window {
    ticks lo, hi;       /* lo <= time < hi; hi is TICKS_OPEN for "up to now" */
};

/* Spans that cannot be read: a record in them is no JSON. They are asked for alone, so that the polls around them need
 * not find out anew. In memory only. */
#define QUARANTINE_MAX 16
struct quarantine {
    struct window list[QUARANTINE_MAX];
    size_t      count;          /* all that were ever added: a ring, the oldest forgotten */
};
void quarantine_add(struct quarantine *quarantine, const struct window *window);
bool quarantine_has(const struct quarantine *quarantine, const struct window *window);

/* What an answer held. */
struct harvest {
    size_t count;               /* records */
    ticks  oldest, newest;      /* their update times; oldest > newest when none had one */
};

void cursor_start(struct cursor *cursor, ticks begin);

/* Does anything count as read that lies behind `limit`, although the input begins before that? */
bool cursor_is_ahead(const struct cursor *cursor, ticks limit);

/* Lower bound of the next poll: the newest time less the overlap, never below the floor. */
ticks cursor_lower(const struct cursor *cursor, int64_t overlap_s);

/* The span that the lane asks for next; its end lies on the grain that the last split named. False: the lane has
 * nothing to do (no fill going on). */
bool cursor_next(const struct cursor *cursor, enum worker_kind worker, const struct window_plan *plan, int64_t overlap_s,
                struct window *ret);

/* Ends the span where a hole begins or, in a hole, where that ends. An open span of the LIVE lane that is cut so
 * becomes the first of a sweep. */
void cursor_avoid(const struct quarantine *quarantine, enum worker_kind worker, struct window_plan *plan, struct window *window, ticks now);

/* One answer held all of the span. room is how many records an answer can hold, 0 if not limited; now is the service's
 * clock when the request was sent. True: the lane has caught up (LIVE: wait for the next poll; FILL: done). */
bool cursor_read(struct cursor *cursor, enum worker_kind worker, struct window_plan *plan, const struct window *window,
                const struct harvest *harvest, size_t capacity, int64_t overlap_s, ticks now);

/* The span was too much for one answer, or keeps failing: the next ones are smaller. grain is the finest step of the
 * API's time filter in ticks. False: it cannot be made smaller
 * (one grain). harvest may be NULL. plans are those of both lanes: LIVE may hand its older part to FILL. */
bool cursor_split(struct cursor *cursor, enum worker_kind worker, struct window_plan plans[WORKER_COUNT], const struct window *window,
                 const struct harvest *harvest, ticks resolution, int64_t overlap_s, ticks now);

/* Must a version with this update time stay in the set of written ones, for a process that goes on from this place? */
bool cursor_needs(const struct cursor *cursor, ticks time, int64_t overlap_s);
/* Raises the floors to what cursor_needs() keeps: for writing the place to a file with just those versions. */
void cursor_raise_floors(struct cursor *cursor, int64_t overlap_s);
bool cursor_same(const struct cursor *a, const struct cursor *b);
/* Would a file hold the same for both? Floors that only follow the cursor are no reason to write it anew. */
bool cursor_same_saved(const struct cursor *a, const struct cursor *b, int64_t overlap_s);
/* The set was pruned to what `saved` needs, an earlier place on this one's way: the floors follow. */
void cursor_pruned(struct cursor *cursor, const struct cursor *saved, int64_t overlap_s);
