#include "collect/worker_isolate.h"

#include <stdio.h>

#include "collect/order.h"
#include "collect/worker_retry.h"

#define EVIDENCE_MS 10000 /* this long after a complete response, the service counts as well */

/* Returns the facts about a quarantined window that failed. */
static struct quarantine_failure failure_of(const struct reading *reading)
{
    const struct feed *feed = reading->feed;

    return (struct quarantine_failure){ .proven = !feed_is_unproven(feed),
                                        .broke = reading->suspicion.broke,
                                        .resolution = feed->api->resolution(reading->variant),
                                        .now_s = feed_service_now(feed) / TICKS_PER_SECOND };
}

void worker_isolate_infer(const struct reading *reading)
{
    const struct quarantine_failure failure = failure_of(reading);
    struct feed *feed = reading->feed;

    if (quarantine_infer(&feed->progress.quarantine, &reading->window, &failure))
        feed->evidence.unproven++;
}

/* Returns true if the service answers other windows: this one fails alone. */
static bool has_evidence(const struct reading *reading, int64_t now_ms)
{
    const struct feed *feed = reading->feed;

    return feed->evidence.answered_ms && now_ms - feed->evidence.answered_ms < EVIDENCE_MS && !feed_is_unproven(feed);
}

/* Logs that a window cannot be read; once for each. at_fault: it is known to be the window, not the way to it. */
static void log_isolated(const struct reading *reading, const struct window *window, bool at_fault)
{
    const struct feed *feed = reading->feed;
    char lo[TICKS_TEXT_MAX], hi[TICKS_TEXT_MAX];

    if (reading->audit.listing) /* its result says so */
        return;
    ticks_text(window->lo, lo);
    ticks_text(window->hi, hi);
    feed_log(feed, reading->suspicion.broke && at_fault ? EVENT_BAD_RECORD : EVENT_QUARANTINED, reading->suspicion.why,
             "from=%s to=%s everything around it is read, and this window is tried again", lo, hi);
}

/* A quarantined window failed. It is halved, or waits for its next try. */
static struct next isolate_further(struct reading *reading)
{
    const struct quarantine_failure failure = failure_of(reading);
    const struct window *window = &reading->suspicion.window;
    struct feed *feed = reading->feed;
    struct quarantine *quarantine = &feed->progress.quarantine;
    const struct quarantined *entry = quarantine_find(quarantine, window);
    bool was_coarse = !entry || entry->search == SEARCH_COARSE;
    enum quarantine_outcome outcome = quarantine_failed(quarantine, window, &failure);

    feed->evidence.unproven += outcome == QUARANTINE_HALVED;
    feed->tally.bad_records += outcome == QUARANTINE_ISOLATED;
    if (!failure.proven)
        feed->evidence.stalled = true;
    if (outcome == QUARANTINE_ISOLATED || outcome == QUARANTINE_STALLED)
        log_isolated(reading, window, outcome == QUARANTINE_ISOLATED);
    if (outcome != QUARANTINE_HALVED && !was_coarse)
        reading_shrink_page(reading);
    return (struct next){ .kind = NEXT_NOW };
}

/* Returns where an open window that is set aside ends. One that fails although it begins where another one ended says
 * that the host's clock is behind. */
static ticks isolated_end(const struct reading *reading)
{
    const struct suspicion *suspicion = &reading->suspicion;
    const struct feed *feed = reading->feed;
    bool goes_on = suspicion->window.lo > cursor_lower(&feed->progress.cursor, feed->input->overlap);

    return reading_present(suspicion->sent_at, goes_on ? TICKS_OPEN : suspicion->window.lo + 1);
}

struct next worker_isolate(struct reading *reading, int64_t now_ms)
{
    struct feed *feed = reading->feed;
    struct suspicion *suspicion = &reading->suspicion;
    struct next next = { .kind = NEXT_NOW, .wake_others = true, .tries = reading->attempts.failures };
    bool was_backfilling = feed->progress.cursor.backfill.active;

    suspicion->state = SUSPICION_NONE;
    pages_forget(&reading->pages);
    if (reading->kind == WORKER_QUARANTINE)
        return isolate_further(reading);
    if (reading->kind == WORKER_LIVE && suspicion->window.hi > suspicion->sent_at)
        suspicion->window.hi = TICKS_OPEN; /* what is dated in the future is asked for by the next poll as well */
    if (!suspicion->broke) /* if it was too much for the service, the next window of this kind would be, too */
        reading_shrink_page(reading);
    if (progress_isolate(&feed->progress, reading->kind, &suspicion->window, feed->api->resolution(reading->variant),
                         isolated_end(reading), outbox_end(feed->env->outbox), now_ms))
        next.kind = NEXT_POLL;
    next.backfill_done = was_backfilling && !feed->progress.cursor.backfill.active;
    reading->attempts = (struct attempts){ .failures = 0 };
    return next;
}

struct next worker_isolate_failed(struct reading *reading, const struct err *err, bool broke, bool may_be_size,
                                  int64_t now_ms)
{
    struct suspicion *suspicion = &reading->suspicion;
    bool is_whole = reading->feed->progress.keysets[reading->kind].whole;

    if (suspicion->state == SUSPICION_PROBE) { /* the service fails, not the window */
        suspicion->state = SUSPICION_OPEN;
        if (feed_is_unproven(reading->feed))
            reading->feed->evidence.stalled = true;
        return worker_retry_failed(reading, err, may_be_size);
    }
    if (is_whole) /* a narrow window shows whether it fails alone */
        order_failed(reading);
    suspicion->window = reading->window;
    suspicion->sent_at = reading->sent_at;
    suspicion->broke = broke;
    snprintf(suspicion->why, sizeof(suspicion->why), "%s", err->text);
    if ((suspicion->state == SUSPICION_NONE || is_whole) && reading->kind != WORKER_QUARANTINE) {
        suspicion->state = SUSPICION_OPEN;
        return worker_retry_failed(reading, err, may_be_size);
    }
    if (has_evidence(reading, now_ms))
        return worker_isolate(reading, now_ms);
    suspicion->state = SUSPICION_PROBE;
    pages_forget(&reading->pages);
    return (struct next){ .kind = NEXT_NOW };
}
