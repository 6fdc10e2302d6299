/* state/quarantine.h - windows of update times that cannot be read, set aside so that everything around them can be.
 *
 * A window that keeps failing while other windows are answered is put in here, and counts as read for the cursor. A
 * worker of its own requests the quarantined windows until each of them has been read: it halves the ones that fail,
 * so that the records around a broken one arrive at once, and retries what cannot be halved on a slow schedule.
 *
 * The list is saved with the cursor. A window that has been read stays in the saved list until splunkd has taken its
 * events: a crash before that must request it again. Times are update times (ticks); positions are offsets in the
 * output stream; now_s is unix seconds, since the schedule has to survive a restart. It is the service's clock, which
 * may be wrong for a while: a time further ahead than any wait was planned by a wrong clock, and counts as due. */
#pragma once

#include "base/compiler.h"
#include "state/window.h"

struct quarantined {
    struct window window; /* never open */
    int64_t since_s;      /* when it first failed */
    int64_t due_s;        /* not requested before then */
    int tries;            /* requests that failed, of this window or the one that it is a half of */
    bool half;            /* a half of a window that failed; not requested yet */
    bool isolated;        /* it cannot be made smaller; that was logged */
    bool done;            /* it has been read ... */
    uint64_t done_pos;    /* ... and its events end here */
};

struct quarantine {
    struct quarantined *list; /* by time; windows do not overlap */
    size_t count, cap;
    uint64_t version; /* changes with every change that a checkpoint would show */
};

void quarantine_release(struct quarantine *quarantine);

/* Adds a window, due at once. The parts of it that are quarantined already stay as they are. */
void quarantine_add(struct quarantine *quarantine, const struct window *window, int64_t now_s);
/* Adds an entry of a checkpoint. Returns false if it is not a window, or overlaps one that is there. */
bool quarantine_restore(struct quarantine *quarantine, const struct quarantined *entry);

/* Returns the window to request now: the one that failed least often; of those that never did the widest, so that most
 * records arrive soon; then the oldest. NULL: none is due. Valid until the next change. */
const struct quarantined *quarantine_due(const struct quarantine *quarantine, int64_t now_s);
/* Returns the earliest time at which one is due, now_s or later; INT64_MAX: never. */
int64_t quarantine_next_s(const struct quarantine *quarantine, int64_t now_s);

/* Records that the window, one of the list, has been read completely, with its events ending at pos. */
void quarantine_read(struct quarantine *quarantine, const struct window *window, uint64_t pos);
/* Replaces the window, one of the list, by its halves, due at once. The cut is a multiple of resolution. Returns false
 * if it is not wider than `least`, or cannot be cut. When the search begins again after a retry, the halves that are
 * left over on the way become one window, so that it takes one request for each step. */
bool quarantine_halve(struct quarantine *quarantine, const struct window *window, ticks least, ticks resolution);
/* Returns the other half of a window of which this one, the first half, has just been read: it is known to fail. NULL:
 * it is not. Valid until the next change. */
const struct quarantined *quarantine_bad_half(const struct quarantine *quarantine, const struct window *first);
/* Returns the entry of a window; NULL: it is not in the list. */
const struct quarantined *quarantine_find(const struct quarantine *quarantine, const struct window *window);
/* Plans the next try of a window that is not cut now. isolated: it cannot be. Returns true if that is news. */
bool quarantine_retry(struct quarantine *quarantine, const struct window *window, int64_t due_s, bool isolated);
/* Makes everything due: requests of this kind have just begun to succeed. */
void quarantine_wake(struct quarantine *quarantine, int64_t now_s);

/* Ends the window where a quarantined one begins, and moves its beginning past one that it lies in. Returns false if
 * nothing of it is left. */
bool quarantine_avoid(const struct quarantine *quarantine, struct window *window);

/* Returns how many stretches of time from `lo` to `hi` end at a quarantined window, and sets *end to where the last one
 * of these windows ends. */
size_t quarantine_gaps(const struct quarantine *quarantine, ticks lo, ticks hi, ticks *end);

/* Returns true if a quarantined window may bring a record with this time: it lies inside, or so close that a coarse
 * filter (CURSOR_COARSE_S) returns it from outside. The dedup set is complete for these times, and their versions stay
 * in it: they cannot be told from new ones without it. */
bool quarantine_reaches(const struct quarantine *quarantine, ticks time);
/* Returns how many windows have not been read. */
size_t quarantine_waiting(const struct quarantine *quarantine);

/* Drops the windows that were read with their events ending at or before pos, which splunkd has taken, and those that
 * ended, and failed first, before `oldest`: the service keeps no records of that age. Returns how many of the latter
 * had not been read. */
size_t quarantine_settle(struct quarantine *quarantine, uint64_t pos, ticks oldest);
