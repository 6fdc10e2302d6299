/* collect/reliance.h - what a service is not relied on for, since it did not keep it (collect/order.h), and until when.
 *
 * A checkpoint remembers it, so that a restart does not ask again for what was refused an hour ago. */
#pragma once

#include "state/checkpoint.h"

#define RELIANCE_AGAIN_MS (INT64_C(4) * 3600 * 1000) /* until a service is asked again */

/* Times are monotonic milliseconds; 0 or past: it is relied on. */
struct reliance {
    int64_t order_again_ms, count_again_ms;
    int64_t hint_again_ms; /* ... for an order that nothing proves, but that tells where the records are */
    bool proven;           /* parts were read in order, and the count agreed */
    bool counted;          /* a response had a count */
    bool mixed;            /* a page that was asked for in no order came in none */
    size_t cap;            /* most records in a response that ended earlier than asked; 0: not known */
    size_t largest;        /* most records in a response */
    bool cuts;             /* such a response had no link: only the count tells that there are more */
    ticks hinted;          /* a window that begins here was made as wide as such an order tells; 0: none */
};

/* Learns from another reading of the same service until when it is not relied on. */
void reliance_learn(struct reliance *reliance, const struct reliance *other);
/* Keeps it in a checkpoint, by the host's clock. */
void reliance_keep(const struct reliance *reliance, struct checkpoint *checkpoint, int64_t wall_ms, int64_t now_ms);
/* Takes it from one. A time that is too far away was written by a clock that was wrong, and is ignored. */
void reliance_take(struct reliance *reliance, const struct checkpoint *checkpoint, int64_t wall_ms, int64_t now_ms);
