/* state/quarantine.h - windows of update times that cannot be read, set aside so that everything around them can be.
 *
 * A window that keeps failing while other windows are answered is put in here, and counts as read for the cursor. A
 * worker of its own requests the quarantined windows until each of them has been read: it halves the ones that fail,
 * so that the records around a broken one arrive at once, and retries what cannot be halved on a slow schedule:
 *
 *     search                            fails while responses get through    fails while none may
 *     COARSE  down to a second,         halved; or LOGGED, tried after 15 s  FINE, tried after 15 s
 *             at once                   (JSON that broke: FINE, at once)
 *     FINE    down to the finest step   halved; or LOGGED, tried after 15 s  FINE, tried after 15 min to 4 h
 *     LOGGED  the same                  halved; or tried after 15 min to 4 h LOGGED, tried after 15 min to 4 h
 *
 * The list is saved with the cursor. A window that has been read stays in the saved list until splunkd has taken its
 * events: a crash before that must request it again. Times are update times (ticks); positions are offsets in the
 * output stream; now_s is unix seconds, since the schedule has to survive a restart. It is the service's clock, which
 * may be wrong for a while: a time further ahead than any wait was planned by a wrong clock, and counts as due. */
#pragma once

#include "base/compiler.h"
#include "state/window.h"

enum quarantined_state {
    QUARANTINED_FAILED, /* it was requested, and failed */
    QUARANTINED_HALF,   /* a half of one that failed; not requested yet */
    QUARANTINED_READ    /* it has been read, and its events end at read_pos */
};

/* How the search for what fails goes on in a window, and in its halves. */
enum quarantined_search {
    SEARCH_COARSE, /* at once down to a second, so that the records of 30 days arrive within 60 requests */
    SEARCH_FINE,   /* down to the finest step of the API's filter */
    SEARCH_LOGGED  /* the same; that something cannot be read was logged */
};

struct quarantined {
    struct window window; /* never open */
    enum quarantined_state state;
    enum quarantined_search search;
    int tries;       /* requests that failed before, of this window or the ones that it is a part of */
    int64_t since_s; /* when it first failed */
    int64_t due_s;   /* not requested before then */
    uint64_t read_pos;
};

struct quarantine {
    struct quarantined *list; /* by time; windows do not overlap */
    size_t count, cap;
    uint64_t version; /* changes with every change that a checkpoint would show */
};

void quarantine_release(struct quarantine *quarantine);

/* Adds a window, due at once by any clock. The parts of it that are quarantined already stay as they are. */
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
/* The window, one of the list, brought no record. If it is a part of a second, and neither another part of that second
 * nor a window next to it waits, that proves nothing: a service that filters by whole seconds finds nothing in it. The
 * whole second is then in the list again in its place, to be tried on the slow schedule, and true is returned. */
bool quarantine_doubt(struct quarantine *quarantine, const struct window *window, int64_t now_s);
/* Joins windows that wait and lie in the same step of the filter that is used now: each request would ask for all of that
 * step. */
void quarantine_join(struct quarantine *quarantine, ticks resolution);
/* Replaces the window, one of the list, by its halves, due at once. The cut is a multiple of resolution. Returns false
 * if it is not wider than that. When the search begins again after a retry, the halves that are left over on the way
 * become one window, so that it takes one request for each step. */
bool quarantine_halve(struct quarantine *quarantine, const struct window *window, ticks resolution);

struct quarantine_failure {
    bool proven;      /* responses with records get through: what cannot be halved is to blame */
    bool broke;       /* the JSON broke among the records, which does not pass */
    ticks resolution; /* the finest step of the API's filter */
    int64_t now_s;
};

enum quarantine_outcome {
    QUARANTINE_GONE,      /* it is not in the list any more */
    QUARANTINE_HALVED,    /* its halves are due at once */
    QUARANTINE_CONTINUES, /* the search goes on in it at once */
    QUARANTINE_STALLED,   /* news: it waits, and nothing proves that responses get through */
    QUARANTINE_ISOLATED,  /* news: it waits, and is to blame itself */
    QUARANTINE_WAITS      /* as before */
};

/* A request of the window, one of the list, failed: it is halved, or waits for its next try. */
enum quarantine_outcome quarantine_failed(struct quarantine *quarantine, const struct window *window,
                                          const struct quarantine_failure *failure);
/* The window, the first half of one that failed, is about to be recorded as read: the other half is to blame, and is
 * halved without a request. In the coarse search this is not known, unless JSON broke: the whole may just have been too
 * much for one response. Returns true if it was halved. */
bool quarantine_infer(struct quarantine *quarantine, const struct window *first,
                      const struct quarantine_failure *failure);
/* Returns the entry of just this window; NULL: it is not in the list. Valid until the next change. */
struct quarantined *quarantine_find(const struct quarantine *quarantine, const struct window *window);
/* Makes everything due: requests of this kind have just begun to succeed. */
void quarantine_wake(struct quarantine *quarantine);

/* Ends the window where a quarantined one begins, and moves its beginning past one that it lies in. Returns false if
 * nothing of it is left. */
bool quarantine_avoid(const struct quarantine *quarantine, struct window *window);

/* Returns how many stretches of time from `lo` to `hi` end at a quarantined window, and sets *end to where the last one
 * of these windows ends. */
size_t quarantine_gaps(const struct quarantine *quarantine, ticks lo, ticks hi, ticks *end);

/* Returns true if a quarantined window may bring a record with this time: it lies inside, or so close that a coarse
 * filter (CURSOR_COARSE_S) returns it from outside. The dedup set is complete for these times, and their versions stay
 * in it: they cannot be told from new ones without it. Windows count as whole seconds, since a part of a second may
 * become one (quarantine_doubt()) when the versions further away have left the set. */
bool quarantine_reaches(const struct quarantine *quarantine, ticks time);
/* Returns how many windows have not been read. */
size_t quarantine_waiting(const struct quarantine *quarantine);

/* Drops the windows that were read with their events ending at or before pos, which splunkd has taken, and those that
 * ended, and failed first, before `oldest`: the service keeps no records of that age. Returns how many of the latter
 * had not been read. */
size_t quarantine_settle(struct quarantine *quarantine, uint64_t pos, ticks oldest);
