#include "collect/poll_due.h"

#define ACTIVE_S        600   /* an alert that was updated so recently makes an input active */
#define QUIET_PART      2     /* polls in an interval of an input that is not active ... */
#define ACTIVE_PART     3     /* ... and of one that is, ... */
#define SOONEST_MS      10000 /* ... but not closer together than this */
#define POLL_SLOTS      3     /* moments of the interval at which polls are due */
#define FIRST_WAIT_PART 10    /* the first pause is at least the interval divided by this */

static bool is_active(const struct feed *feed)
{
    ticks age = feed_service_now(feed) - feed->newest_alert;

    return age < ACTIVE_S * TICKS_PER_SECOND && -age < ACTIVE_S * TICKS_PER_SECOND;
}

/* Returns how far the polls of an input are apart. A backfill has the requests that are to spare. */
static int64_t interval_of(const struct feed *feed, int64_t now_ms)
{
    int64_t interval_ms = feed->input->poll_interval * 1000, sooner_ms;

    if (interval_ms <= SOONEST_MS || feed->progress.cursor.backfill.active || !rate_has_spare(feed->rate, now_ms))
        return interval_ms;
    sooner_ms = interval_ms / (is_active(feed) ? ACTIVE_PART : QUIET_PART);
    return sooner_ms > SOONEST_MS ? sooner_ms : SOONEST_MS;
}

/* Polls that come together cost less than each alone, so they are due at a few moments of the interval, each input's at
 * one of them. A poll that was late, or tried again, is followed at the next own moment that is half an interval away.
 * The first poll of a process, and the last one of those that came sooner, were at none of these moments: the next one
 * may be further away than the longest wait. Then there is one more poll, halfway. */
int64_t poll_due_ms(const struct feed *feed, int64_t was_due_ms, int64_t now_ms)
{
    int64_t interval_ms = interval_of(feed, now_ms), latest_ms = was_due_ms + feed->input->poll_interval * 1000;
    int64_t least_ms = feed->read_ms ? was_due_ms + interval_ms / 2 : now_ms + interval_ms / FIRST_WAIT_PART;
    int64_t due_ms, halfway_ms;

    if (least_ms <= now_ms)
        least_ms = now_ms + 1;
    due_ms = clock_next_turn(least_ms - 1, interval_ms, feed->number, POLL_SLOTS);
    if (due_ms <= latest_ms || latest_ms <= now_ms)
        return due_ms;
    halfway_ms = was_due_ms + (due_ms - was_due_ms) / 2;
    return halfway_ms > now_ms ? halfway_ms : latest_ms;
}
