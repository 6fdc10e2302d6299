/* collect/settled.h - when a day of an input is over in every respect. */
#pragma once

#include "collect/feed.h"

/* Returns when a day is settled, by the service's clock: half an hour and the overlap after its end. */
ticks settled_at(const struct feed *feed, uint32_t day);

/* Returns true if a poll after that time and the backfill have read past the day. */
bool settled_is_read(const struct feed *feed, uint32_t day);
/* Returns true if, in addition, the file of the ledger has all that was written. */
bool settled(const struct feed *feed, uint32_t day);
