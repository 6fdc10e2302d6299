#include "state/progress.h"

#include <string.h>

#define POLLED_S       7200 /* a poll after a longer time may find more than one page */
#define GAP_S          10   /* a stretch between quarantined windows is read this often on average ... */
#define GAP_MOST_S     3600 /* ... and all of them at least this often */
#define RECORDS_KEPT_S (INT64_C(366) * 86400) /* longer than any of the services keeps a record */

void progress_init(struct progress *progress, int64_t overlap_s)
{
    *progress = (struct progress){ .overlap_s = overlap_s, .dedup = dedup_new() };
}

void progress_release(struct progress *progress)
{
    acks_release(&progress->acks);
    quarantine_release(&progress->quarantine);
    dedup_free(progress->dedup);
    progress->dedup = NULL;
}

void progress_begin(struct progress *progress, const struct cursor *cursor, int64_t now_ms)
{
    progress->begun = true;
    progress->cursor = *cursor;
    progress->began = progress->looked = 0;
    memset(progress->plans, 0, sizeof(progress->plans));
    memset(progress->keysets, 0, sizeof(progress->keysets));
    acks_release(&progress->acks);
    acks_add(&progress->acks, cursor, 0, now_ms);
}

void progress_forget_written(struct progress *progress)
{
    dedup_free(progress->dedup);
    progress->dedup = dedup_new();
}

/* Sets *ret to the rest of the planned window after the part that was read in order, or to that part if it is to be
 * counted. Returns false if there is none, or if some of the rest has been quarantined since: then it is read again. */
static bool next_in_order(const struct progress *progress, struct keyset *keyset, const struct window *planned,
                          struct window *ret)
{
    struct window rest = { keyset->at, planned->hi }, free = rest;
    bool goes_on;
    size_t skip;

    if (!keyset->at)
        return false;
    goes_on = quarantine_avoid(&progress->quarantine, &free) && free.lo == rest.lo;
    if (keyset->check) {
        *ret = (struct window){ keyset->from, keyset->at };
        if (goes_on && free.hi != TICKS_OPEN && keyset_skips(keyset, &skip))
            ret->hi = ticks_max(keyset->at, ticks_min(keyset->reach, free.hi));
        return true;
    }
    if (goes_on) {
        *ret = (struct window){ rest.lo, free.hi };
        return true;
    }
    keyset_forget(keyset);
    return false;
}

static bool next_quarantined(const struct progress *progress, ticks now, struct window *ret)
{
    const struct quarantined *due = quarantine_due(&progress->quarantine, now / TICKS_PER_SECOND);

    if (due)
        *ret = due->window;
    return due != NULL;
}

/* Begins a poll after the last quarantined window if the stretches before it were read a short while ago. */
static void skip_gaps(struct progress *progress, ticks now)
{
    const struct cursor *cursor = &progress->cursor;
    ticks lower = cursor_lower(cursor, progress->overlap_s), end, since = now - progress->looked;
    size_t gaps = quarantine_gaps(&progress->quarantine, lower, now, &end);
    ticks pause = ticks_min((ticks)gaps * GAP_S, GAP_MOST_S) * TICKS_PER_SECOND;
    bool skips = gaps && since >= 0 && since < pause;

    progress->began = skips ? 0 : now;
    if (skips)
        windows_bound(&progress->plans[WORKER_LIVE], end, cursor->watermark, now);
}

bool progress_is_long(const struct progress *progress, enum worker_kind worker, ticks now)
{
    const struct window_plan *plan = &progress->plans[worker];
    const struct keyset *keyset = &progress->keysets[worker];
    bool polls = worker == WORKER_LIVE && !plan->active;
    struct window next;

    if (worker == WORKER_QUARANTINE || !windows_next(&progress->cursor, worker, plan, progress->overlap_s, true, &next))
        return false;
    if (polls && !keyset->at && progress->looked && now - progress->looked < POLLED_S * TICKS_PER_SECOND)
        return false; /* quiet for hours, but not unread */
    return next.lo >= keyset->plain_until && windows_are_long(&progress->cursor, worker, plan, &next, now);
}

void progress_ask_order(struct progress *progress, enum worker_kind worker)
{
    progress->keysets[worker].whole = true;
    progress->keysets[worker].span = 0;
}

void progress_ask_count(struct progress *progress, enum worker_kind worker, bool counted)
{
    progress->keysets[worker].whole = counted && worker == WORKER_BACKFILL; /* an open window has no pages to rely on */
    keyset_forget(&progress->keysets[worker]);
}

void progress_ask_plain(struct progress *progress, enum worker_kind worker)
{
    progress->keysets[worker].whole = false;
    keyset_forget(&progress->keysets[worker]);
}

void progress_part_read(struct progress *progress, enum worker_kind worker, uint64_t pos, int64_t now_ms)
{
    struct keyset *keyset = &progress->keysets[worker];
    struct window part = { keyset->from, keyset->at };

    windows_part_read(&progress->cursor, worker, &progress->plans[worker], &part, keyset->seen, progress->overlap_s,
                      keyset->sent_at);
    keyset->proven++;
    keyset->unproven = 0;
    keyset_forget(keyset);
    acks_add(&progress->acks, &progress->cursor, pos, now_ms);
}

void progress_whole_failed(struct progress *progress, enum worker_kind worker, const struct window *window)
{
    const struct window_plan *plan = &progress->plans[worker];

    progress->keysets[worker].plain_until = window->lo + ticks_max(plan->width, 1);
}

void progress_coarsen(struct progress *progress, enum worker_kind worker, ticks resolution)
{
    struct window_plan *plan = &progress->plans[worker];

    if (worker == WORKER_QUARANTINE)
        quarantine_join(&progress->quarantine, resolution);
    else
        plan->resolution = ticks_max(plan->resolution, resolution);
}

bool progress_next(struct progress *progress, enum worker_kind worker, ticks now, uint64_t pos, int64_t now_ms,
                   struct window *ret)
{
    struct window_plan *plan = &progress->plans[worker];
    struct keyset *keyset = &progress->keysets[worker];
    struct page_stats none = page_stats_none();
    struct window planned;

    if (worker == WORKER_QUARANTINE)
        return next_quarantined(progress, now, ret);
    if (worker == WORKER_LIVE && !plan->active && !keyset->at)
        skip_gaps(progress, now);
    for (;;) {
        if (!windows_next(&progress->cursor, worker, plan, progress->overlap_s, keyset->whole, &planned))
            return false;
        if (next_in_order(progress, keyset, &planned, ret))
            return true;
        if (keyset->whole && keyset->span && planned.hi - planned.lo > keyset->span)
            planned.hi = planned.lo + keyset->span;
        *ret = planned;
        if (quarantine_avoid(&progress->quarantine, ret))
            break;
        progress_read(progress, worker, &planned, &none, 0, now, pos, now_ms);
    }
    if (planned.hi == TICKS_OPEN && ret->hi != TICKS_OPEN && !plan->active)
        windows_bound(plan, ret->lo, 0, now);
    return true;
}

/* Raises the watermark, if the worker that met this quarantined window has passed it. It does not pass the beginning of
 * the last poll, for the same reason as in a plan of many windows; nor the present, since that poll may have begun by a
 * clock that was wrong. */
static void quarantined_read(struct progress *progress, const struct window *window, const struct page_stats *stats,
                             ticks now)
{
    struct cursor *cursor = &progress->cursor;
    const struct window_plan *live = &progress->plans[WORKER_LIVE];
    ticks newest = ticks_min(ticks_min(stats->newest, window->hi - 1), ticks_min(progress->looked, now));

    if (!stats->count || stats->oldest > stats->newest)
        return;
    if (!cursor->backfill.active || window->lo >= cursor->backfill.end) {
        if (!live->active || window->hi <= live->next)
            cursor->watermark = ticks_max(cursor->watermark, newest);
    } else if (window->hi <= cursor->backfill.next) {
        cursor->backfill.watermark = ticks_max(cursor->backfill.watermark, newest);
    }
}

bool progress_read(struct progress *progress, enum worker_kind worker, const struct window *window,
                   const struct page_stats *stats, size_t capacity, ticks now, uint64_t pos, int64_t now_ms)
{
    bool caught_up;

    if (worker == WORKER_QUARANTINE) {
        if (!stats->count && quarantine_doubt(&progress->quarantine, window, now / TICKS_PER_SECOND))
            return false;
        quarantine_read(&progress->quarantine, window, pos);
        quarantined_read(progress, window, stats, now);
        acks_add(&progress->acks, &progress->cursor, pos, now_ms);
        return false;
    }
    keyset_read(&progress->keysets[worker]);
    caught_up = windows_read(&progress->cursor, worker, &progress->plans[worker], window, stats, capacity,
                             progress->overlap_s, now);
    if (worker == WORKER_LIVE && caught_up && progress->began)
        progress->looked = progress->began;
    acks_add(&progress->acks, &progress->cursor, pos, now_ms);
    return caught_up;
}

/* What is quarantined is read in full later; records that were written in part are looked for around it. */
static void skip_quarantined_part(struct progress *progress)
{
    struct window rest = { progress->cursor.partial_from, TICKS_OPEN };

    if (rest.lo && quarantine_avoid(&progress->quarantine, &rest))
        progress->cursor.partial_from = rest.lo;
}

bool progress_read_in_full(struct progress *progress, const struct window *window, bool caught_up)
{
    skip_quarantined_part(progress);
    cursor_read_in_full(&progress->cursor, window->lo, window->hi);
    skip_quarantined_part(progress);
    if (!caught_up || !cursor_read_again(&progress->cursor, progress->overlap_s))
        return false;
    progress->plans[WORKER_BACKFILL] = (struct window_plan){ .active = false };
    return true;
}

bool progress_isolate(struct progress *progress, enum worker_kind worker, const struct window *window, ticks resolution,
                      ticks now, uint64_t pos, int64_t now_ms)
{
    struct window_plan *plan = &progress->plans[worker];
    struct page_stats none = page_stats_none();
    struct window isolated = *window;
    ticks width = plan->width;
    bool caught_up;

    if (isolated.hi == TICKS_OPEN)
        isolated.hi = ticks_max(now, isolated.lo) / resolution * resolution + resolution;
    quarantine_add(&progress->quarantine, &isolated, now / TICKS_PER_SECOND);
    caught_up = progress_read(progress, worker, window, &none, 0, now, pos, now_ms);
    if (plan->width) /* an empty response would make the next window wider; this was none */
        plan->width = width;
    return caught_up;
}

bool progress_split(struct progress *progress, enum worker_kind worker, const struct window *window,
                    const struct page_stats *stats, ticks resolution, ticks now)
{
    if (worker == WORKER_QUARANTINE)
        return quarantine_halve(&progress->quarantine, window, resolution);
    if (!windows_split(&progress->cursor, worker, progress->plans, window, stats, resolution, progress->overlap_s, now))
        return false;
    if (progress->keysets[worker].whole)
        progress_whole_failed(progress, worker, window);
    return true;
}

size_t progress_settle(struct progress *progress, uint64_t pos, ticks now)
{
    return quarantine_settle(&progress->quarantine, pos, ticks_back(now, RECORDS_KEPT_S));
}

bool progress_format(struct progress *progress, const struct checkpoint *checkpoint, uint64_t pos, struct buf *ret,
                     struct cursor *saved)
{
    const struct pending_cursor *confirmed = progress->begun ? acks_confirmed(&progress->acks, pos) : NULL;

    if (!confirmed)
        return false;
    *saved = confirmed->cursor;
    checkpoint_format(checkpoint, saved, &progress->quarantine, progress->dedup, pos, progress->overlap_s, ret);
    return true;
}

struct pruning {
    const struct cursor *cursor, *present; /* that was saved; as it is now */
    const struct quarantine *quarantine;
    int64_t overlap_s;
};

static bool is_needed(void *ctx, const struct dedup_entry *entry)
{
    const struct pruning *pruning = ctx;

    return cursor_needs(pruning->cursor, entry->time, pruning->overlap_s) ||
           cursor_needs(pruning->present, entry->time, pruning->overlap_s) ||
           quarantine_reaches(pruning->quarantine, entry->time);
}

static bool is_needed_part(void *ctx, const struct dedup_entry *entry)
{
    const struct pruning *pruning = ctx;

    return cursor_needs_part(pruning->cursor, entry->time, pruning->overlap_s) ||
           cursor_needs_part(pruning->present, entry->time, pruning->overlap_s); /* written in part since */
}

void progress_saved(struct progress *progress, const struct cursor *saved)
{
    struct pruning pruning = { saved, &progress->cursor, &progress->quarantine, progress->overlap_s };

    dedup_prune(progress->dedup, is_needed, &pruning);
    dedup_prune(dedup_partial(progress->dedup), is_needed_part, &pruning);
    cursor_pruned(&progress->cursor, saved, progress->overlap_s);
}
