/* collect/manifest.h - one log line for each day of an input: how many alert versions it wrote, and their sum.
 *
 * A search compares the line with the index (docs/searching.md). A day is said once it is settled: the service's clock
 * is past its end by the overlap and half an hour, the live worker and the backfill have read past it, and the file of
 * the ledger has all that was written. It is said again, hourly at most, when such a day got more. A day without
 * versions is said if it is one of the last few. What was said is in
 * the ledger from the next save on, so that a restart repeats little.
 *
 * Driven by one timer. An input at rest costs one look at its ledger a day. */
#pragma once

#include "collect/feed.h"

struct manifest {
    struct feed *feed;
    struct timer timer;
    int64_t again_ms; /* no day is said again before then */
};

void manifest_init(struct manifest *manifest, struct feed *feed);
void manifest_release(struct manifest *manifest);

/* Another forwarder reads the input: says every day of which this one has written versions since it was said last, be the
 * day over or not. What forwarders have written of a day is the sum of what each has said last. */
void manifest_leave(struct manifest *manifest);

/* The input is open. */
void manifest_start(struct manifest *manifest, int64_t now_ms);
/* A day was audited: it is said now if it got more. */
void manifest_audited(struct manifest *manifest, int64_t now_ms);
/* A save has ended: a day that was said may have got more. */
void manifest_saved(struct manifest *manifest, int64_t now_ms);
