#include "collect/worker_log.h"

#define LOG_EVERY 10 /* failures in a row between two log lines */

/* Logs that a simpler query is used. It is said once: searches for the full one that fail change nothing. */
static void log_variant(const struct reading *reading, const struct next *next)
{
    const struct feed *feed = reading->feed;
    int variant = feed->variants[reading->kind].current;

    feed_log(feed, EVENT_FORM, next->err.text, "form=%d a simpler query is tried%s", variant,
             !api_is_partial(feed->api, variant)
                 ? ""
                 : "; it leaves out some of each alert, which is read again once the full query works");
}

/* Logs that the full query works again, and what it brings. */
static void log_full(const struct feed *feed, const struct next *next)
{
    char from[TICKS_TEXT_MAX];

    if (next->full_again)
        feed_log(feed, EVENT_FORM_FULL, NULL, "form=0 the full query works again");
    if (!next->again_from)
        return;
    ticks_text(next->again_from, from);
    feed_log(feed, EVENT_FORM_FULL, NULL,
             "form=0 from=%s the alerts since then that were written without all of their content are read again",
             from);
}

void worker_log(const struct reading *reading, const struct next *next)
{
    const struct feed *feed = reading->feed;
    char again[CLOCK_AGAIN_MAX];

    if (reading->kind == WORKER_QUARANTINE || reading->audit.listing)
        return;
    switch (next->kind) {
    case NEXT_NOW:
    case NEXT_POLL:
        if (next->tries)
            feed_log(feed, EVENT_RECOVERED, NULL, "tries=%d requests succeed again", next->tries);
        if (next->backfill_done)
            feed_log(feed, EVENT_BACKFILL_DONE, NULL, "new=%llu", (unsigned long long)feed->tally.new_events);
        log_full(feed, next);
        return;
    case NEXT_RETRY:
        if (next->tries == 1 || next->tries % LOG_EVERY == 0)
            feed_log(feed, EVENT_TROUBLE, next->err.text, "tries=%d %s", next->tries,
                     clock_again(next->wait_ms, again));
        return;
    case NEXT_REFUSED:
        if (next->tries == 1 || loss_explains(&feed->loss, &next->err))
            feed_refused(reading->feed, &next->err, "the request is refused", clock_again(next->wait_ms, again));
        return;
    case NEXT_VARIANT: log_variant(reading, next); return;
    case NEXT_THROTTLED:
    case NEXT_NEW_TOKEN: return;
    }
}
