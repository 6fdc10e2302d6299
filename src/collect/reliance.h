/* collect/reliance.h - what a service is not relied on for, since it did not keep it (collect/order.h), and until when.
 *
 * A checkpoint remembers it, so that a restart does not ask again for what was refused an hour ago. */
#pragma once

#include "state/checkpoint.h"
#include "state/windows.h"

#define RELIANCE_AGAIN_MS (INT64_C(4) * 3600 * 1000) /* until a service is asked again */

/* Times are monotonic milliseconds; 0 or past: it is relied on. */
struct reliance {
    int64_t order_again_ms, count_again_ms;
    int64_t hint_again_ms; /* ... for an order that nothing proves, but that tells where the records are */
    bool proven;           /* parts were read in order, and the count agreed */
    bool beyond;           /* a response counted records that it did not send */
    bool agreed;           /* one that held all of its window counted just these */
    size_t largest;        /* most records of a page */
    struct {
        enum worker_kind kind;
        struct window window;
        struct page_stats stats;
        ticks limit;      /* that the watermark may not pass */
        int times;        /* as often in a row; 0: none is */
        bool decided;     /* the count is not right */
    } doubted;            /* a page that held all of its window, unless the count is right */
    int64_t said;         /* records of the window that is being read, by the count of its first page; -1: not known */
    struct window before; /* a part of a window that was counted, before the records that came ... */
    size_t rest;          /* ... and at most that many records are in it, by that count */
    int miscounted;       /* windows in a row that were read with a link, and not as many came as were counted */
    bool uncounted;       /* the last one that was asked for a count had none */
    bool orderly;         /* one that held all of its window was in ascending order, as it was asked for */
    ticks narrowed;       /* a window that begins here was made smaller for its number of records; 0: none */
    size_t passed;        /* pages of passes whose count agreed */
    bool coarse;          /* the filter is by whole seconds */
    bool mixed;           /* a page that was asked for in no order came in none */
    size_t cap;           /* most records in a response that ended earlier than asked; 0: not known */
    ticks hinted;         /* a window that begins here was made as wide as such an order tells; 0: none */
};

/* Learns from another reading of the same service until when it is not relied on. */
void reliance_learn(struct reliance *reliance, const struct reliance *other);
/* Keeps it in a checkpoint, by the host's clock. */
void reliance_keep(const struct reliance *reliance, struct checkpoint *checkpoint, int64_t wall_ms, int64_t now_ms);
/* Takes it from one. A time that is too far away was written by a clock that was wrong, and is ignored. */
void reliance_take(struct reliance *reliance, const struct checkpoint *checkpoint, int64_t wall_ms, int64_t now_ms);
