#include "collect/worker_request.h"

#include "collect/order.h"

#define KNOWN_TRIES 12 /* failed probes of a known record, in half an hour: it may be bad itself by now */
#define AHEAD_TRIES 6  /* failed probes of all that is to come: a record dated in the future may be bad */

/* Returns the newest second: a window that mostly holds nothing, so that a response tells of the service alone. It never
 * reaches below the watermark, however far behind the service's clock is: the dedup set may not. While nothing proves
 * that records get through, it is a time that is known to hold a record. A record dated in the future is in each open
 * window, so some probes end at the present. */
static struct window probe(const struct reading *reading, ticks now)
{
    const struct feed *feed = reading->feed;
    const struct cursor *cursor = &feed->progress.cursor;
    ticks known = feed->evidence.proven ? feed->evidence.proven : cursor->watermark;
    ticks lo = ticks_max(ticks_back(now, 1), cursor->watermark);
    bool leaves_future = reading->attempts.failures >= AHEAD_TRIES && reading->attempts.failures % 2 && lo < now;

    if (feed_is_unproven(feed) && known > cursor->begin && reading->attempts.failures < KNOWN_TRIES)
        return (struct window){ known, known + feed->api->resolution(reading->variant) };
    return (struct window){ lo, leaves_future ? now : TICKS_OPEN };
}

/* Returns the number of records to ask for. */
static size_t top(struct reading *reading)
{
    const struct keyset *keyset = &reading->feed->progress.keysets[reading->kind];
    bool skips;

    if (reading->ask != ASK_ORDER || !keyset->check)
        return page_size_top(&reading->page_size, reading_page_most(reading));
    skips = keyset_skips(keyset, &reading->pages.skip);
    if (skips && reading->window.hi > keyset->at)
        return page_size_top(&reading->page_size, reading_page_most(reading));
    return skips ? 2 : 1; /* the count is what matters */
}

/* Sets the window of the next request. Returns false if there is none. */
static bool next_window(struct reading *reading, ticks now, int64_t now_ms)
{
    struct feed *feed = reading->feed;
    struct progress *progress = &feed->progress;

    progress_coarsen(progress, reading->kind, feed->api->resolution(reading_variant(reading)->current));
    return progress_next(progress, reading->kind, now, outbox_end(feed->env->outbox), now_ms, &reading->window);
}

bool worker_request_prepare(struct reading *reading, int64_t now_ms)
{
    struct feed *feed = reading->feed;
    ticks now = feed_service_now(feed);

    if (!reading->page_size.cap)
        reading->page_size.cap = feed->reliance.cap;
    if (!reading->pages.chained)
        order_choose(reading, now, now_ms);
    else if (!reading->pages.counted)
        reading->ask = ASK_PLAIN;
    if (reading->suspicion.state == SUSPICION_PROBE)
        reading->window = probe(reading, now);
    else if (!reading->pages.chained && !next_window(reading, now, now_ms))
        return false;
    if (!reading->pages.count) { /* the pages of a pass count as of its first, and belong to the same query */
        reading->sent_at = now;
        reading->variant = variant_choose(reading_variant(reading), now_ms);
    }
    pages_begin(&reading->pages);
    reading->answer = (struct answer){ .stats = page_stats_none(),
                                       .counted = -1,
                                       .top = top(reading),
                                       .split = feed->progress.keysets[reading->kind].at };
    return true;
}

void worker_request_url(struct reading *reading, struct buf *url)
{
    const struct feed *feed = reading->feed;
    bool lists = reading_lists(reading);

    if (reading->pages.link) {
        buf_add_text(url, reading->pages.link);
        return;
    }
    reading->answer.top = feed->api->url(&(struct api_query){ .base = feed->base_url,
                                                              .lo = reading->window.lo,
                                                              .hi = reading->window.hi,
                                                              .top = reading->answer.top,
                                                              .skip = reading->pages.skip,
                                                              .variant = reading->variant,
                                                              .filter = feed->input->filter,
                                                              .only_id = lists },
                                         url);
    if (lists && reading->audit.form == LIST_SELECT)
        api_add_select(feed->api, url);
    if (reading->ask == ASK_ORDER || reading->ask == ASK_HINT)
        api_add_order(feed->api, url);
    if (reading->ask == ASK_ORDER || reading->ask == ASK_COUNT || (lists && reading->audit.form <= LIST_COUNT))
        api_add_count(url);
}

/* A Date that is not believed says nothing. The request counts as of when it was sent by what is known of the service's
 * clock now: that was not known yet if another worker's response told it meanwhile. */
void worker_request_dated(struct reading *reading, int64_t date_ms, int64_t took_ms)
{
    struct feed *feed = reading->feed;

    if (date_ms && feed_take_date(feed, date_ms, took_ms))
        reading->sent_at = ticks_min(reading->sent_at, ticks_from_ms(date_ms));
    else if (feed->clock.known)
        reading->sent_at = ticks_min(reading->sent_at, feed_service_now(feed) - ticks_from_ms(took_ms));
    reading->timeless = date_ms && !feed->clock.known;
}
