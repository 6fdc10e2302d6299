#include "state/progress.h"

void progress_init(struct progress *progress, int64_t overlap_s)
{
    *progress = (struct progress){ .overlap_s = overlap_s, .dedup = dedup_new() };
}

void progress_release(struct progress *progress)
{
    acks_release(&progress->acks);
    dedup_free(progress->dedup);
    progress->dedup = NULL;
}

void progress_begin(struct progress *progress, const struct cursor *cursor, int64_t now_ms)
{
    progress->begun = true;
    progress->cursor = *cursor;
    acks_release(&progress->acks);
    acks_add(&progress->acks, cursor, 0, now_ms);
}

void progress_forget_written(struct progress *progress)
{
    dedup_free(progress->dedup);
    progress->dedup = dedup_new();
}

bool progress_next(struct progress *progress, enum worker_kind worker, ticks now, struct window *ret)
{
    struct window_plan *plan = &progress->plans[worker];

    if (!windows_next(&progress->cursor, worker, plan, progress->overlap_s, ret))
        return false;
    windows_avoid(&progress->quarantine, worker, plan, ret, now);
    return true;
}

bool progress_read(struct progress *progress, enum worker_kind worker, const struct window *window,
                   const struct page_stats *stats, size_t capacity, ticks now, uint64_t pos, int64_t now_ms)
{
    bool caught_up = windows_read(&progress->cursor, worker, &progress->plans[worker], window, stats, capacity,
                                  progress->overlap_s, now);

    acks_add(&progress->acks, &progress->cursor, pos, now_ms);
    return caught_up;
}

bool progress_read_in_full(struct progress *progress, const struct window *window, bool caught_up)
{
    cursor_read_in_full(&progress->cursor, window->lo, window->hi);
    if (!caught_up || !cursor_read_again(&progress->cursor, progress->overlap_s))
        return false;
    progress->plans[WORKER_BACKFILL] = (struct window_plan){ .active = false };
    return true;
}

bool progress_split(struct progress *progress, enum worker_kind worker, const struct window *window,
                    const struct page_stats *stats, ticks resolution, ticks now)
{
    return windows_split(&progress->cursor, worker, progress->plans, window, stats, resolution, progress->overlap_s,
                         now);
}

bool progress_format(struct progress *progress, const struct checkpoint *checkpoint, uint64_t pos, struct buf *ret,
                     struct cursor *saved)
{
    const struct pending_cursor *confirmed = progress->begun ? acks_confirmed(&progress->acks, pos) : NULL;

    if (!confirmed)
        return false;
    *saved = confirmed->cursor;
    checkpoint_format(checkpoint, saved, progress->dedup, pos, progress->overlap_s, ret);
    return true;
}

struct pruning {
    const struct cursor *cursor;
    int64_t overlap_s;
};

static bool is_needed(void *ctx, const struct dedup_entry *entry)
{
    const struct pruning *pruning = ctx;

    return cursor_needs(pruning->cursor, entry->time, pruning->overlap_s);
}

static bool is_needed_part(void *ctx, const struct dedup_entry *entry)
{
    const struct pruning *pruning = ctx;

    return cursor_needs_part(pruning->cursor, entry->time, pruning->overlap_s);
}

void progress_saved(struct progress *progress, const struct cursor *saved)
{
    struct pruning pruning = { saved, progress->overlap_s };

    dedup_prune(progress->dedup, is_needed, &pruning);
    dedup_prune(dedup_partial(progress->dedup), is_needed_part, &pruning);
    cursor_pruned(&progress->cursor, saved, progress->overlap_s);
}
