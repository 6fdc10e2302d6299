/* collect/beginning.h - where an input begins to read: at the cursor of its checkpoint, or at start_time.
 *
 * Decides what of a checkpoint is taken over: another tenant's or API's holds a cursor, but no known alerts. The steps
 * of the opening (collect/opening.h) call these functions in the order below. */
#pragma once

#include "collect/feed.h"
#include "collect/saver.h"

/* Takes over what the checkpoint in *saver says: cursor, quarantine, and what is left of the hourly limit. */
void beginning_from_checkpoint(struct feed *feed, struct saver *saver);

/* Returns true if the clock decides where the input begins. */
bool beginning_needs_clock(const struct feed *feed);
/* Returns true if the checkpoint was edited, or written while the service's clock was wrong: everything up to its times
 * would be passed over in silence. A start_time that was named as a date may lie ahead. */
bool beginning_is_ahead(const struct feed *feed);

/* Decides by the token whether the checkpoint is of this tenant, and keeps the tenant's GUID. */
void beginning_settle_tenant(struct feed *feed, struct saver *saver, const char *authorization, int64_t now_ms);
/* Sets the cursor from start_time. */
void beginning_at_start_time(struct feed *feed, struct saver *saver, int64_t now_ms);

/* Returns true if start_time was taken relative to a Date that turned out to be too late, by this process or one before
 * it: alerts would be passed over in silence. */
bool beginning_was_late(const struct feed *feed, int64_t now_ms);
/* Sets the cursor from start_time again. What was written stays known. Nothing may be in flight, and no save either. */
void beginning_again(struct feed *feed, struct saver *saver, int64_t now_ms);
