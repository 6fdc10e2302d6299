#include "collect/worker_answer.h"

#include "base/mem.h"
#include "collect/records.h"
#include "collect/worker_retry.h"
#include "messages/log_events.h"

#define BROKEN_TRIES         2      /* a response that breaks among its records is requested again this often, unsplit */
#define SMALLEST_TRIES       4      /* ... and a window that cannot be made smaller, before it is skipped */
#define SMALLEST_TRIES_ALONE 30     /* ... while no other response is complete: all may be truncated on the way */

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
    next->wake_backfill = true;
}

/* All of the window has been read: the progress moves. */
static struct next window_read(struct reading *reading, int64_t now_ms)
{
    struct feed *feed = reading->feed;
    struct progress *progress = &feed->progress;
    bool was_backfilling = progress->cursor.backfill.active, caught_up;
    size_t most = feed->api->top ? page_size_top(&reading->page_size, reading_page_most(reading)) : feed->api->capacity;
    struct next next;

    if (reading->pages.unfiltered)      /* the pages brought everything there is */
        reading->window.hi = reading->kind == WORKER_BACKFILL ? progress->cursor.backfill.end : TICKS_OPEN;
    caught_up = progress_read(progress, reading->kind, &reading->window, &reading->pages.stats,
                              page_size_capacity(&reading->page_size, most), reading->sent_at,
                              outbox_end(feed->env->outbox), now_ms);
    pages_forget(&reading->pages);
    if (caught_up)
        reading->bisection.tries = 0;
    next = went_well(reading, caught_up ? NEXT_POLL : NEXT_NOW);
    next.backfill_done = was_backfilling && !progress->cursor.backfill.active;
    read_in_full(reading, &next);
    return next;
}

/* Decides after a page that was read completely. */
static struct next page_read(struct reading *reading, const char *link, int64_t now_ms)
{
    const struct feed *feed = reading->feed;
    struct page_taken taken = { .link = link, .base_url = feed->base_url, .top = reading->answer.top,
                                .outside = reading->answer.outside, .has_skip = feed->api->has_skip,
                                .stats = reading->answer.stats };
    enum pages_next pages;
    struct next next;
    struct err err;

    page_size_learn(&reading->page_size, taken.stats.count, link != NULL);
    pages = pages_take(&reading->pages, &taken, &err);
    if (pages == PAGES_OVERFULL && worker_retry_split(reading, &taken.stats)) {
        next = went_well(reading, NEXT_NOW);
        next.wake_backfill = true;
        return next;
    }
    if (pages == PAGES_OVERFULL)
        pages = pages_follow(&reading->pages, &taken, &err);
    switch (pages) {
    case PAGES_FAILED:
        return worker_retry_failed(reading, &err, false);
    case PAGES_COMPLETE:
        return window_read(reading, now_ms);
    default:
        return (struct next){ .kind = NEXT_NOW };
    }
}

/* Skips what cannot be read: the window counts as read and is quarantined. */
static struct next skip_window(struct reading *reading, const struct err *err, int64_t now_ms)
{
    struct feed *feed = reading->feed;
    struct window_plan *plan = &feed->progress.plans[reading->kind];
    char lo[TICKS_TEXT_MAX], hi[TICKS_TEXT_MAX];
    struct next next;

    ticks_text(reading->window.lo, lo);
    ticks_text(reading_window_end(reading), hi);
    feed->tally.bad_records++;
    log_event(EVENT_BAD_RECORD, "input=%s tenant=%s api=%s from=%s to=%s %s; what cannot be read there is skipped",
              feed->label, feed->input->tenant_id, feed->api->name, lo, hi, err->text);
    reading->bisection.tries = BROKEN_TRIES;
    reading->bisection.smallest_tries = 0;
    quarantine_add(&feed->progress.quarantine, &reading->window);
    next = window_read(reading, now_ms);
    if (plan->width && reading->bisection.width)    /* later windows need not be as small */
        plan->width = reading->bisection.width;
    return next;
}

/* Returns how often the smallest window is requested before it is skipped. Skipping takes proof that other responses do
 * get through: a proxy that truncates every response must not cost an alert. */
static int smallest_tries(const struct reading *reading)
{
    bool others_work = reading->feed->tally.complete != reading->bisection.complete_before;

    return others_work ? SMALLEST_TRIES : SMALLEST_TRIES_ALONE;
}

/* The response was complete, but its JSON breaks among the records. The broken record is found by halving the window, so
 * that the others get through; it alone is skipped. */
static struct next response_broke(struct reading *reading, const struct err *err, int64_t now_ms)
{
    struct bisection *bisection = &reading->bisection;
    struct next next = { .kind = NEXT_NOW, .wake_backfill = true };

    if (quarantine_has(&reading->feed->progress.quarantine, &reading->window))      /* still broken */
        return window_read(reading, now_ms);
    if (!bisection->tries++) {
        bisection->complete_before = reading->feed->tally.complete;
        bisection->width = reading_window_end(reading) - reading->window.lo;
    }
    if (bisection->tries <= BROKEN_TRIES)
        return worker_retry_failed(reading, err, false);
    if (worker_retry_split(reading, NULL)) {
        pages_forget(&reading->pages);
        bisection->smallest_tries = 0;
        return next;
    }
    if (++bisection->smallest_tries > smallest_tries(reading))
        return skip_window(reading, err, now_ms);
    return worker_retry_failed(reading, err, false);
}

/* Returns true if events of the response could not be written, since the store takes nothing. */
static bool is_held_back(struct reading *reading, struct err *err)
{
    if (!reading->answer.held_back)
        return false;
    err_set(err, ERR_RETRY, "events are held back since the checkpoint cannot be written: %s",
            reading->answer.held_why);
    return true;
}

/* Takes a 200 whose body was read to its end. */
static struct next response_read(struct reading *reading, const struct page *page, int64_t now_ms)
{
    CLEANUP(mem_freep) char *link = mem_text(page_next_link(page));
    struct bisection *bisection = &reading->bisection;
    struct feed *feed = reading->feed;
    struct next next;
    struct err err;
    bool full_again;

    if (is_held_back(reading, &err))
        return worker_retry_failed(reading, &err, false);
    if (page_unbalanced(page)) {        /* good records may have gone with the bad one */
        err_set(&err, ERR_RETRY, "the response holds a record with unbalanced quotes");
        return response_broke(reading, &err, now_ms);
    }
    if (reading->answer.bad > bisection->bad_accepted && bisection->bad_tries < READING_BAD_TRIES) {
        bisection->bad_tries++;
        err_set(&err, ERR_RETRY, "the response holds a record that is not valid JSON");
        return worker_retry_failed(reading, &err, false);
    }
    if (!reading->pages.chained || reading->answer.bad > bisection->bad_accepted)
        bisection->bad_accepted = reading->answer.bad;
    bisection->bad_tries = 0;
    reading->attempts.rejected = false;
    feed->tally.ok++;
    feed->tally.complete += reading->answer.stats.count > 0;
    full_again = variant_worked(reading_variant(reading), reading->variant, now_ms);
    if (full_again)
        variant_search(reading_other_variant(reading));
    next = page_read(reading, link, now_ms);
    next.full_again = full_again;
    return next;
}

struct next worker_answer(struct reading *reading, const struct page *page, const struct classified *classified,
                          int64_t now_ms)
{
    struct tally *tally = &reading->feed->tally;
    struct err err;

    switch (classified->class) {
    case ANSWER_READ:
        records_warn(reading);
        return response_read(reading, page, now_ms);
    case ANSWER_BROKEN:
        tally->failed++;
        records_warn(reading);
        if (is_held_back(reading, &err))
            return worker_retry_failed(reading, &err, false);
        return response_broke(reading, &classified->err, now_ms);
    case ANSWER_NEW_TOKEN:
        reading->attempts.rejected = true;
        return (struct next){ .kind = NEXT_NEW_TOKEN };
    case ANSWER_BAD_REQUEST:
        tally->refused++;
        return worker_retry_bad_request(reading, &classified->err);
    case ANSWER_THROTTLED:
        tally->throttled++;
        return worker_retry_throttled(reading, &classified->err);
    case ANSWER_REFUSED:
        tally->refused++;
        return worker_retry_refused(reading, &classified->err);
    case ANSWER_FAILED:
        break;
    }
    tally->failed++;
    variant_failed(reading_variant(reading), reading->variant, now_ms);
    return worker_retry_failed(reading, &classified->err, classified->may_be_size);
}
