#include "collect/audit_reader.h"

#include "base/backoff.h"
#include "base/mem.h"

#define FAILURES_MOST   6  /* in a row; then the audit is tried another time */
#define SEARCH_WITHIN_S 30 /* a window that fails is asked for again as long as the next try is due by then */

/* Adds the requests since the last call to those of the input. */
static void count_requests(struct audit_reader *reader)
{
    struct tally *to = &reader->home->tally, *now = &reader->feed.tally, *before = &reader->counted;

    to->requests += now->requests - before->requests;
    to->ok += now->ok - before->ok;
    to->throttled += now->throttled - before->throttled;
    to->refused += now->refused - before->refused;
    to->failed += now->failed - before->failed;
    to->bytes += now->bytes - before->bytes;
    to->throttled_ms += now->throttled_ms - before->throttled_ms;
    *before = *now;
}

/* What a listing has learned of the service goes on. */
static void keep_form(struct audit_reader *reader)
{
    size_t i;

    for (i = 0; i < AUDIT_WORKERS && reader->workers[i].reading.audit.listing; i++) {
        const struct audit_reading *audit = &reader->workers[i].reading.audit;

        reader->ignored = reader->ignored || audit->ignored;
        if (audit->form > reader->form)
            reader->form = audit->form;
    }
}

void audit_reader_end(struct audit_reader *reader)
{
    size_t i;

    keep_form(reader);
    count_requests(reader);
    reader->feed.open = false;
    for (i = 0; i < AUDIT_WORKERS; i++)
        worker_release(&reader->workers[i]);
}

static void begin_worker(struct audit_reader *reader, struct worker *worker, enum worker_kind kind,
                         const struct audit_reading *how)
{
    worker_init(worker, &reader->feed, kind);
    worker->port = reader->port ? reader->port : &worker_spare_port;
    worker->waiter.backfill = false;
    worker->reading.audit = *how;
    worker->reading.audit.form = reader->ignored && reader->form == LIST_SELECT ? LIST_COUNT : reader->form;
    if (how->counts_only)
        worker->reading.page_size.size = 1;
}

void audit_reader_begin(struct audit_reader *reader, const struct window *window, const struct audit_reading *how)
{
    struct feed *feed = &reader->feed;
    const struct progress *home = &reader->home->progress;
    struct cursor cursor;

    progress_release(&feed->progress);
    progress_init(&feed->progress, home->overlap_s);
    cursor_start(&cursor, ticks_min(home->cursor.begin, window->lo));
    cursor_backfill_begins(&cursor, window->lo, window->hi);
    progress_begin(&feed->progress, &cursor, clock_ms());
    feed->problem.text[0] = '\0';
    feed->open = true;
    begin_worker(reader, &reader->workers[AUDIT_READER], WORKER_BACKFILL, how);
    begin_worker(reader, &reader->workers[AUDIT_SEARCHER], WORKER_QUARANTINE, how);
    worker_wake(&reader->workers[AUDIT_READER]);
}

void audit_reader_wake(struct audit_reader *reader)
{
    size_t i;

    for (i = 0; reader->feed.open && i < AUDIT_WORKERS; i++)
        worker_wake(&reader->workers[i]);
}

/* How far it is. */

static bool is_searching(const struct audit_reader *reader)
{
    const struct quarantine *quarantine = &reader->feed.progress.quarantine;
    int64_t now_s = feed_service_now(&reader->feed) / TICKS_PER_SECOND;

    return quarantine_waiting(quarantine) && quarantine_next_s(quarantine, now_s) <= now_s + SEARCH_WITHIN_S;
}

bool audit_reader_is_over(const struct audit_reader *reader)
{
    return audit_reader_is_through(reader) && !is_searching(reader);
}

bool audit_reader_is_through(const struct audit_reader *reader)
{
    return !reader->feed.progress.cursor.backfill.active;
}

size_t audit_reader_unread(const struct audit_reader *reader)
{
    return quarantine_waiting(&reader->feed.progress.quarantine);
}

static bool gives_up(const struct worker *worker)
{
    const struct attempts *attempts = &worker->reading.attempts;

    return attempts->failures >= FAILURES_MOST || attempts->refusals > BACKOFF_QUICK_TRIES;
}

bool audit_reader_fails(struct audit_reader *reader, bool *refused)
{
    struct token_view view;

    *refused = reader->workers[AUDIT_READER].reading.attempts.refusals > BACKOFF_QUICK_TRIES;
    if (feed_peek_token(&reader->feed, clock_ms(), &view) == TOKEN_FAILED) {
        reader->feed.problem = *view.err;
        *refused = true;
    }
    return *refused || gives_up(&reader->workers[AUDIT_READER]) || gives_up(&reader->workers[AUDIT_SEARCHER]);
}

bool audit_reader_has_records(const struct audit_reader *reader)
{
    size_t i;

    for (i = 0; i < AUDIT_WORKERS; i++)
        if (reader->workers[i].reading.answer.stats.count > 0)
            return true;
    return false;
}

int64_t audit_reader_count(const struct audit_reader *reader, const struct window *window)
{
    const struct reading *reading = &reader->workers[AUDIT_READER].reading;

    return !window || window_same(&reading->window, window) ? reading->answer.counted : -1;
}

/* What the workers report. */

static bool writable(void *ctx, struct err *err)
{
    const struct feed *home = ((const struct audit_reader *)ctx)->home;

    return home->owner->writable(home->ctx, err);
}

static void changed(void *ctx)
{
    struct audit_reader *reader = ctx;

    if (reader->feed.open && !reader->changed(reader->ctx))
        reader->feed.open = false;
}

static void wake_others(void *ctx)
{
    struct audit_reader *reader = ctx;

    worker_wake(&reader->workers[AUDIT_SEARCHER]);
}

static bool may_read(void *ctx)
{
    return feed_may_read(((const struct audit_reader *)ctx)->home);
}

static const struct feed_owner owner = { writable, changed, wake_others, may_read };

/* From beginning to end. */

void audit_reader_init(struct audit_reader *reader)
{
    struct feed *feed = &reader->feed;

    *feed = *reader->home;
    feed->home = reader->home;
    feed->listing = NULL;
    feed->owner = &owner;
    feed->ctx = reader;
    feed->open = false;
    feed->tally = (struct tally){ .requests = 0 };
    feed->sign_in_error = NULL;
    progress_init(&feed->progress, reader->home->progress.overlap_s);
}

void audit_reader_release(struct audit_reader *reader)
{
    audit_reader_end(reader);
    reliance_learn(&reader->home->reliance, &reader->feed.reliance);
    progress_release(&reader->feed.progress);
    mem_freep(&reader->feed.sign_in_error);
}
