#include "collect/order.h"

#define AGAIN_MS    (INT64_C(4) * 3600 * 1000) /* until a service is asked for order again */
#define LIVE_PAGES  4                          /* more are read by the backfill, so that polls go on */
#define COARSE_PART 16                         /* the cut is at a whole second if that leaves out one record in so many */
#define OUTSIDE_FEW 10

bool order_is_wanted(const struct reading *reading, ticks now, int64_t now_ms)
{
    const struct feed *feed = reading->feed;
    bool refuses = feed->variants[WORKER_LIVE].state != VARIANT_FULL ||
                   feed->variants[reading->kind].state != VARIANT_FULL; /* ... queries, at present */

    return feed->api->sorts && !refuses && reading->suspicion.state != SUSPICION_PROBE && !reading->pages.chained &&
           now_ms >= feed->order_again_ms && progress_may_order(&feed->progress, reading->kind, now);
}

/* The service does not do what it says: from now on its order is not relied on. */
static void distrust(struct reading *reading, const char *why, int64_t now_ms)
{
    struct feed *feed = reading->feed;

    feed->order_again_ms = now_ms + AGAIN_MS;
    feed_log(feed, EVENT_ORDER, why, "records are requested without an order for %d hours, in more requests",
             (int)(AGAIN_MS / 3600000));
}

void order_refused(struct reading *reading, const struct err *err, int64_t now_ms)
{
    pages_forget(&reading->pages);
    distrust(reading, err->text, now_ms);
}

void order_failed(struct reading *reading)
{
    progress_order_failed(&reading->feed->progress, reading->kind, &reading->window);
}

/* Returns true if the window has more records than the page. */
static bool has_more(const struct reading *reading, const struct page_taken *page)
{
    bool is_full = page->top && page->stats.count >= page->top;
    bool has_link = page->link && *page->link;
    int64_t counted = reading->answer.counted;

    return is_full || (counted < 0 ? has_link : counted > (int64_t)page->stats.count);
}

/* Returns why a page that does not hold all of its window cannot be trusted; NULL: it can. */
static const char *what_is_wrong(const struct reading *reading, const struct page_taken *page)
{
    const struct answer *answer = &reading->answer;

    if (answer->counted < 0)
        return "the service does not count the records that match";
    if (answer->counted < (int64_t)page->stats.count)
        return "the service counts fewer records than it sends";
    if (answer->sequence.broken)
        return "the records are not in ascending order of their update time";
    return NULL;
}

/* Sets the cut, and how many records are before it. It is at a whole second, if that costs little: then a filter that is
 * no finer makes no difference. Returns false if the page settles nothing: all of it is of one time. */
static bool find_cut(const struct reading *reading, const struct page_taken *page, struct keyset_page *ret)
{
    const struct sequence *sequence = &reading->answer.sequence;
    const struct window *window = &reading->window;
    ticks second = api_floor(sequence->last, TICKS_PER_SECOND);
    ticks step = reading->feed->api->resolution(reading->variant);

    ret->cut = api_floor(sequence->last, step);
    ret->before = page->stats.count - (step > 1 ? sequence->in_second : sequence->ties);
    if (second > window->lo && sequence->in_second <= page->stats.count / COARSE_PART) {
        ret->cut = second;
        ret->before = page->stats.count - sequence->in_second;
    }
    return page->stats.count && !sequence->broken && !reading->answer.bad && ret->cut > window->lo &&
           ret->cut < window->hi;
}

/* What was read in order before this page is complete. */
static void part_is_read(struct reading *reading, int64_t now_ms)
{
    struct feed *feed = reading->feed;
    const struct keyset *keyset = &feed->progress.keysets[reading->kind];
    struct window part = { keyset->from, keyset->at };

    progress_part_read(&feed->progress, reading->kind, outbox_end(feed->env->outbox), now_ms);
    if (!reading_is_partial(reading))
        progress_read_in_full(&feed->progress, &part, false);
}

/* Takes the count of the part that its pages did not prove. */
static enum order_next take_check(struct reading *reading, int64_t now_ms)
{
    const struct keyset *keyset = &reading->feed->progress.keysets[reading->kind];

    if (keyset_is_counted(keyset, reading->answer.counted))
        part_is_read(reading, now_ms);
    else
        distrust(reading, "the service does not count as many records as it sent", now_ms);
    return ORDER_MORE;
}

/* Takes a page after others that are not proven yet. Returns true if the page was taken; false if it proves them, and is
 * now the first. */
static bool joins(struct reading *reading, const struct keyset_page *page, bool settles, const char *wrong,
                  int64_t now_ms)
{
    struct keyset *keyset = &reading->feed->progress.keysets[reading->kind];

    if (keyset->variant != reading->variant) {
        keyset_forget(keyset);
    } else if (keyset_agrees(keyset, reading->answer.counted)) {
        part_is_read(reading, now_ms);
        return false;
    } else if (wrong) {
        distrust(reading, wrong, now_ms);
    } else if (settles) {
        keyset_add(keyset, page);
    } else {
        keyset->check = true;
    }
    return true;
}

/* Returns true if the rest is more than the live worker should read before its next poll. */
static bool is_for_backfill(const struct reading *reading, const struct page_taken *page)
{
    const struct progress *progress = &reading->feed->progress;

    return windows_hand_over(&progress->cursor, reading->kind, &reading->window, progress->overlap_s,
                             reading->sent_at) &&
           reading->answer.counted > (int64_t)page->stats.count * (LIVE_PAGES + 1);
}

enum order_next order_take(struct reading *reading, const struct page_taken *page, int64_t now_ms)
{
    struct keyset *keyset = &reading->feed->progress.keysets[reading->kind];
    struct keyset_page taken = { .lo = reading->window.lo,
                                 .counted = reading->answer.counted,
                                 .count = page->stats.count,
                                 .sent_at = reading->sent_at,
                                 .variant = reading->variant };
    bool more = has_more(reading, page), settles = more && find_cut(reading, page, &taken);
    bool unfiltered = page->outside > OUTSIDE_FEW;
    const char *wrong = more ? what_is_wrong(reading, page) : NULL;

    if (!reading->ordered)
        return ORDER_NONE;
    if (keyset->check)
        return take_check(reading, now_ms);
    if (keyset->at && joins(reading, &taken, settles && !unfiltered, wrong, now_ms))
        return ORDER_MORE;
    if (!more || unfiltered || !page->stats.count) /* an empty page may link to one that is not */
        return ORDER_NONE;
    if (wrong)
        distrust(reading, wrong, now_ms);
    if (wrong || !settles || is_for_backfill(reading, page))
        return taken.counted > (int64_t)page->stats.count ? ORDER_SPLIT : ORDER_NONE;
    keyset_add(keyset, &taken);
    return ORDER_MORE;
}
