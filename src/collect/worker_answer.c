#include "collect/worker_answer.h"

#include "base/mem.h"
#include "collect/order.h"
#include "collect/records.h"
#include "collect/worker_isolate.h"
#include "collect/worker_request.h"
#include "collect/worker_retry.h"

/* Returns the decision after a response that was as it should be. */
static struct next went_well(struct reading *reading, enum next_kind kind)
{
    struct next next = { .kind = kind, .tries = reading->attempts.failures + reading->attempts.refusals };

    worker_retry_recovered(reading);
    return next;
}

/* The window was read. With a query that leaves nothing out, what was written in part before may be read again. */
static void read_in_full(struct reading *reading, struct next *next)
{
    struct progress *progress = &reading->feed->progress;
    bool caught_up = reading->kind == WORKER_LIVE && next->kind == NEXT_POLL;

    if (reading_is_partial(reading) || !progress_read_in_full(progress, &reading->window, caught_up))
        return;
    variant_search(reading_other_variant(reading));
    next->again_from = progress->cursor.backfill.next;
    next->wake_others = true;
}

/* All of the window has been read: the progress moves. */
static struct next window_read(struct reading *reading, int64_t now_ms)
{
    struct feed *feed = reading->feed;
    struct progress *progress = &feed->progress;
    bool was_backfilling = progress->cursor.backfill.active, caught_up;
    size_t most = feed->api->top ? page_size_top(&reading->page_size, reading_page_most(reading)) : feed->api->capacity;
    struct next next;

    if (reading->kind == WORKER_QUARANTINE)
        worker_isolate_infer(reading);
    caught_up = progress_read(progress, reading->kind, &reading->window, &reading->pages.stats,
                              page_size_capacity(&reading->page_size, most), reading_limit(reading),
                              outbox_end(feed->env->outbox), now_ms);
    pages_forget(&reading->pages);
    reading->suspicion.state = SUSPICION_NONE;
    next = went_well(reading, caught_up ? NEXT_POLL : NEXT_NOW);
    next.backfill_done = was_backfilling && !progress->cursor.backfill.active;
    read_in_full(reading, &next);
    return next;
}

/* Makes the window as wide as the worker's part, for a service that ignores the bounds. Returns false if it is, or if
 * it is quarantined. */
static bool widen_window(struct reading *reading)
{
    const struct cursor *cursor = &reading->feed->progress.cursor;
    ticks end = reading->kind == WORKER_BACKFILL ? cursor->backfill.end : TICKS_OPEN;
    bool wider = reading->kind != WORKER_QUARANTINE && reading->window.hi != end;

    if (wider)
        reading->window.hi = end;
    return wider;
}

/* Learns whether the service ends responses early, for all workers. */
static void learn_cap(struct reading *reading, size_t count, bool has_more)
{
    struct reliance *reliance = &reading->feed->reliance;

    page_size_learn(&reading->page_size, count, has_more);
    if (reading->page_size.cap || count > reliance->cap)
        reliance->cap = reading->page_size.cap;
}

/* The window is too much for one response. Returns true if it was split. */
static bool split_window(struct reading *reading, const struct page_taken *page, int64_t now_ms)
{
    const struct pages *pages = &reading->pages;
    struct page_stats stats = pages->filled > 1 ? pages->held : pages->stats;

    stats.rises = pages->filled > 1 ? stats.rises : reading->answer.stats.rises;
    stats.rest = reading->answer.counted > (int64_t)stats.count ? (size_t)reading->answer.counted - stats.count : 0;
    stats.two = pages->filled > 1;
    stats.linked = page->link && *page->link;
    if (pages->filled > 1) /* the first page ended early */
        learn_cap(reading, stats.count, true);
    else
        order_hint(reading, &stats, now_ms);
    if (!worker_retry_split(reading, &stats))
        return false;
    pages_forget(&reading->pages);
    return true;
}

/* A page that ends where it was asked to end does not tell what comes after it. A larger one does. Where none can be asked
 * for, records of one moment are believed to be all; of a service that ignores the filter they certainly are not. */
static enum pages_next ask_for_more(struct reading *reading, const struct page_taken *page, struct err *err)
{
    if (page_size_raise(&reading->page_size, page->top, reading_page_most(reading))) {
        pages_restart(&reading->pages);
        return PAGES_MORE;
    }
    if (!pages_unfiltered(page))
        return PAGES_COMPLETE;
    err_set(err, ERR_RETRY, "the service ignores the filter, and gives no link to what comes after %zu records",
            page->stats.count);
    return PAGES_FAILED;
}

/* A page of a query in order was taken: the next request follows. */
static struct next order_goes_on(struct reading *reading)
{
    pages_forget(&reading->pages);
    reading->suspicion.state = SUSPICION_NONE;
    return went_well(reading, NEXT_NOW);
}

/* Learns from a response without a link, or with a count, whether the service ends responses early: it does if it sent
 * fewer records than it counts and than it was asked for. */
static void learn_from_last(struct reading *reading, struct page_taken *taken)
{
    size_t count = taken->stats.count;
    bool is_cut = !reading->pages.count && taken->counted > (int64_t)count && (!taken->top || count < taken->top);

    learn_cap(reading, count, is_cut);
    taken->cap = reading->page_size.cap;
}

/* Decides after a page that was read completely. */
static struct next page_read(struct reading *reading, const char *link, int64_t now_ms)
{
    const struct feed *feed = reading->feed;
    CLEANUP(buf_free) struct buf url = BUF_INIT(WORKER_URL_MOST);
    enum order_next order;
    struct page_taken taken = { .link = link,
                                .base_url = feed->base_url,
                                .top = reading->answer.top,
                                .cap = reading->page_size.cap,
                                .open = reading->window.hi == TICKS_OPEN,
                                .outside = reading->answer.outside,
                                .has_skip = feed->api->has_skip,
                                .counted = reading->answer.counted,
                                .stats = reading->answer.stats };
    enum pages_next pages;
    bool only_counted = false;
    struct next next;
    struct err err;

    if (link)
        worker_request_url(reading, &url);
    taken.url = buf_text(&url);
    if (!link || (!reading->pages.count && taken.counted > (int64_t)taken.stats.count))
        learn_from_last(reading, &taken);
    order = order_take(reading, &taken, now_ms);
    if (order == ORDER_MORE)
        return order_goes_on(reading);
    pages = order == ORDER_FOLLOW ? pages_take_counted(&reading->pages, &taken, &err)
                                  : pages_take(&reading->pages, &taken, &err);
    if (order == ORDER_SPLIT) {
        only_counted = pages == PAGES_COMPLETE;
        pages = PAGES_OVERFULL;
    }
    if (reading->pages.counted && order_pass_failed(reading, pages, &err, now_ms))
        return order_goes_on(reading);
    if (pages == PAGES_OVERFULL)
        order_overfull(reading, now_ms);
    if (pages == PAGES_OVERFULL && split_window(reading, &taken, now_ms)) { /* one of its parts may be the suspect */
        next = went_well(reading, NEXT_NOW);
        next.wake_others = true;
        return next;
    }
    if (only_counted)
        order_miscounted(reading, now_ms);
    if (pages == PAGES_UNFILTERED && widen_window(reading)) {
        pages_restart(&reading->pages);
        return (struct next){ .kind = NEXT_NOW };
    }
    if (pages == PAGES_OVERFULL || pages == PAGES_UNFILTERED)
        pages = pages_follow(&reading->pages, &taken, &err);
    if (pages == PAGES_LARGER)
        pages = ask_for_more(reading, &taken, &err);
    switch (pages) {
    case PAGES_FAILED: diagnosis_blame(&err, DIAGNOSIS_BAD_ANSWER); return worker_retry_failed(reading, &err, false);
    case PAGES_COMPLETE: return window_read(reading, now_ms);
    default: return (struct next){ .kind = NEXT_NOW };
    }
}

/* Returns true if events of the response could not be written, since the store takes nothing, or were not, since another
 * forwarder may write them. */
static bool is_held_back(struct reading *reading, struct err *err)
{
    if (!reading->answer.held_back)
        return false;
    if (reading->answer.elsewhere) {
        err_set(err, ERR_RETRY, "another forwarder may read this input by now");
        return true;
    }
    err_set(err, ERR_RETRY, "events are held back since the checkpoint cannot be written: %s",
            reading->answer.held_why);
    event_blame(err, EVENT_CHECKPOINT_FAILED);
    return true;
}

/* A response with records is complete: this is the proof that responses get through. Returns true if quarantined
 * windows have waited for it. */
static bool records_came(struct feed *feed, const struct page_stats *stats)
{
    bool stalled = feed->evidence.stalled;

    if (stats->oldest <= stats->newest)
        feed->evidence.proven = stats->newest;
    if (stalled)
        quarantine_wake(&feed->progress.quarantine);
    feed->evidence.stalled = false;
    feed->evidence.unproven = 0;
    return stalled;
}

/* Takes a 200 whose body was read to its end. */
static struct next response_read(struct reading *reading, const struct page *page, int64_t now_ms)
{
    CLEANUP(mem_freep) char *link = mem_text(page_next_link(page));
    struct feed *feed = reading->feed;
    struct next next;
    struct err err;
    bool full_again, woken;

    if (is_held_back(reading, &err))
        return worker_retry_failed(reading, &err, false);
    if (page_unbalanced(page)) { /* good records may have gone with the bad one */
        err_set(&err, ERR_RETRY, "the response holds a record with unbalanced quotes");
        event_blame(&err, EVENT_BAD_RECORD);
        return worker_isolate_failed(reading, &err, true, false, now_ms);
    }
    if (reading->answer.bad_new && reading->bad_tries < READING_BAD_TRIES) {
        reading->bad_tries++;
        err_set(&err, ERR_RETRY, "the response holds a record that is not valid JSON");
        event_blame(&err, EVENT_BAD_RECORD);
        return worker_retry_failed(reading, &err, false);
    }
    reading->bad_tries = 0;
    reading->answer.counted = page_counted(page);
    reading->attempts.rejected = false;
    feed->tally.ok++;
    full_again = variant_worked(reading_variant(reading), reading->variant, now_ms);
    if (full_again)
        variant_search(reading_other_variant(reading));
    feed->evidence.answered_ms = now_ms;
    woken = reading->answer.stats.count && records_came(feed, &reading->answer.stats);
    next = reading->suspicion.state == SUSPICION_PROBE ? worker_isolate(reading, now_ms)
                                                       : page_read(reading, link, now_ms);
    next.full_again = full_again;
    next.wake_others = next.wake_others || woken;
    return next;
}

/* A query for IDs was refused with 400. Returns true if the next one asks for less. */
static bool list_simply(struct reading *reading)
{
    if (!reading_lists(reading) || reading->audit.form == LIST_PLAIN)
        return false;
    reading->audit.form++;
    pages_forget(&reading->pages);
    return true;
}

struct next worker_answer(struct reading *reading, const struct page *page, const struct classified *classified,
                          int64_t now_ms)
{
    struct tally *tally = &reading->feed->tally;
    struct err err;

    if (classified->class != ANSWER_READ)
        order_interrupted(reading);
    switch (classified->class) {
    case ANSWER_READ: records_warn(reading); return response_read(reading, page, now_ms);
    case ANSWER_BROKEN:
        tally->failed++;
        records_warn(reading);
        if (is_held_back(reading, &err))
            return worker_retry_failed(reading, &err, false);
        return worker_isolate_failed(reading, &classified->err, true, false, now_ms);
    case ANSWER_NEW_TOKEN: reading->attempts.rejected = true; return (struct next){ .kind = NEXT_NEW_TOKEN };
    case ANSWER_BAD_REQUEST:
        tally->refused++;
        if (list_simply(reading))
            return (struct next){ .kind = NEXT_NOW };
        if (reading->ask != ASK_PLAIN && reading->answer.top <= reading->feed->api->top_first) {
            order_refused(reading, &classified->err, now_ms);
            return (struct next){ .kind = NEXT_NOW };
        }
        return worker_retry_bad_request(reading, &classified->err);
    case ANSWER_THROTTLED: tally->throttled++; return worker_retry_throttled(reading, &classified->err);
    case ANSWER_REFUSED: tally->refused++; return worker_retry_refused(reading, &classified->err);
    case ANSWER_FAILED: break;
    }
    tally->failed++;
    variant_failed(reading_variant(reading), reading->variant, now_ms);
    if (classified->may_be_window || reading->suspicion.state == SUSPICION_PROBE)
        return worker_isolate_failed(reading, &classified->err, false, classified->may_be_size, now_ms);
    return worker_retry_failed(reading, &classified->err, false);
}
