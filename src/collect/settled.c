#include "collect/settled.h"

#define SETTLED_S 1800 /* after the overlap */

ticks settled_at(const struct feed *feed, uint32_t day)
{
    return ticks_ahead(ledger_day_begin(day + 1), feed->progress.overlap_s + SETTLED_S);
}

/* Returns true if the backfill has not read all of that day. */
static bool is_ahead_of_backfill(const struct feed *feed, uint32_t day)
{
    const struct cursor *cursor = &feed->progress.cursor;

    return cursor->backfill.active && cursor->backfill.next < ledger_day_begin(day + 1) &&
           cursor->backfill.end > ledger_day_begin(day);
}

bool settled_is_read(const struct feed *feed, uint32_t day)
{
    return feed->progress.looked >= settled_at(feed, day) && !is_ahead_of_backfill(feed, day);
}

bool settled(const struct feed *feed, uint32_t day)
{
    return settled_is_read(feed, day) && !ledger_waits(feed->ledger, day);
}
