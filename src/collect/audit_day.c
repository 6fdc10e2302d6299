#include "collect/audit_day.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/mem.h"
#include "collect/worker.h"

#define FAILURES_MOST   6                      /* in a row; then the audit is tried another time */
#define LIMIT_MS        (INT64_C(3) * 3600000) /* for one day */
#define SEARCH_WITHIN_S 30  /* a window that fails is asked for again as long as the next try is due by then */
#define SPANS_MOST      100 /* of a repair */

enum stage { STAGE_LIST, STAGE_AGAIN, STAGE_CONTROL, STAGE_REPAIR, STAGE_DONE };

/* A failed window is halved by the second one, as an input's quarantine worker does. */
enum { DAY_READER, DAY_SEARCHER, DAY_WORKERS };

struct audit_day {
    struct audit_day_spec spec;
    struct feed feed; /* a copy of the input's, with a progress of its own */
    struct worker workers[DAY_WORKERS];
    struct listing *listing;
    enum stage stage;
    bool is_whole, failed, refused;
    int64_t counted_most; /* of several counts */
    bool found;           /* CONTROL: there is something later */
    struct window spans[SPANS_MOST];
    size_t span_count, span;
    struct timer step_timer, limit_timer;
    int64_t began_ms;
    struct tally counted; /* what the input's tally has */
    struct audit_result result;
};

const char *audit_verdict_word(enum audit_verdict verdict)
{
    static const char *const words[AUDIT_VERDICTS] = { "none",    "equal",  "repaired", "missing",
                                                       "partial", "behind", "unknown" };

    return words[verdict];
}

const char *audit_select_word(const struct audit_result *result)
{
    return result->ignored ? "ignored" : result->form == LIST_SELECT ? "yes" : "no";
}

/* Adds the requests since the last call to those of the input. */
static void count_requests(struct audit_day *day)
{
    struct tally *to = &day->spec.feed->tally, *now = &day->feed.tally, *before = &day->counted;

    to->requests += now->requests - before->requests;
    to->ok += now->ok - before->ok;
    to->throttled += now->throttled - before->throttled;
    to->refused += now->refused - before->refused;
    to->failed += now->failed - before->failed;
    to->bytes += now->bytes - before->bytes;
    to->throttled_ms += now->throttled_ms - before->throttled_ms;
    *before = *now;
}

/* Reading. */

static const struct reading *reader(const struct audit_day *day)
{
    return &day->workers[DAY_READER].reading;
}

/* What a listing has learned of the service goes on. */
static void keep_form(struct audit_day *day)
{
    size_t i;

    for (i = 0; i < DAY_WORKERS && day->workers[i].reading.audit.listing; i++) {
        const struct audit_reading *audit = &day->workers[i].reading.audit;

        day->result.ignored = day->result.ignored || audit->ignored;
        if (audit->form > day->result.form)
            day->result.form = audit->form;
    }
}

static void end_reading(struct audit_day *day)
{
    size_t i;

    keep_form(day);
    count_requests(day);
    day->feed.open = false;
    for (i = 0; i < DAY_WORKERS; i++)
        worker_release(&day->workers[i]);
}

static void worker_begin(struct audit_day *day, struct worker *worker, enum worker_kind kind)
{
    worker_init(worker, &day->feed, kind);
    worker->port = day->spec.port ? day->spec.port : &worker_spare_port;
    worker->waiter.backfill = false;
    worker->reading.audit = (struct audit_reading){ .listing = day->listing,
                                                    .repairs = day->stage == STAGE_REPAIR,
                                                    .counts_only = day->stage == STAGE_CONTROL,
                                                    .form = day->result.ignored && day->result.form == LIST_SELECT
                                                                ? LIST_COUNT
                                                                : day->result.form };
    if (day->stage == STAGE_CONTROL)
        worker->reading.page_size.size = 1;
}

/* Reads the window, as a backfill. */
static void begin_reading(struct audit_day *day, const struct window *window)
{
    struct cursor cursor;

    progress_release(&day->feed.progress);
    progress_init(&day->feed.progress, day->spec.feed->progress.overlap_s);
    cursor_start(&cursor, ticks_min(day->spec.feed->progress.cursor.begin, window->lo));
    cursor_backfill_begins(&cursor, window->lo, window->hi);
    progress_begin(&day->feed.progress, &cursor, clock_ms());
    day->feed.problem.text[0] = '\0';
    day->feed.open = true;
    worker_begin(day, &day->workers[DAY_READER], WORKER_BACKFILL);
    worker_begin(day, &day->workers[DAY_SEARCHER], WORKER_QUARANTINE);
    worker_wake(&day->workers[DAY_READER]);
}

static bool is_searching(const struct audit_day *day)
{
    const struct quarantine *quarantine = &day->feed.progress.quarantine;
    int64_t now_s = feed_service_now(&day->feed) / TICKS_PER_SECOND;

    return quarantine_waiting(quarantine) && quarantine_next_s(quarantine, now_s) <= now_s + SEARCH_WITHIN_S;
}

static bool gives_up(const struct reading *reading)
{
    return reading->attempts.failures >= FAILURES_MOST || reading->attempts.refusals > BACKOFF_QUICK_TRIES;
}

/* Notes the count that came with a response for all of the day. */
static void take_count(struct audit_day *day)
{
    const struct reading *reading = reader(day);
    bool lists = day->stage == STAGE_LIST || day->stage == STAGE_AGAIN;

    if (lists && reading->answer.counted >= 0 && window_same(&reading->window, &day->spec.window)) {
        day->result.counted = reading->answer.counted;
        if (reading->answer.counted > day->counted_most)
            day->counted_most = reading->answer.counted;
    }
}

/* Returns true if what was listed agrees with the service's count. Versions that are updated while the day is listed
 * leave it, so a later count may be lower, and is the least there must be. */
static bool count_agrees(struct audit_day *day)
{
    struct listing_counts counts;
    int64_t listed;

    listing_count(day->listing, &counts);
    listed = (int64_t)(counts.listed + counts.odd);
    return day->result.counted < 0 || (day->result.counted <= listed && listed <= day->counted_most);
}

/* Returns true if the last response to one of the workers had records. The searcher has what is around a failure. */
static bool has_records(const struct audit_day *day)
{
    size_t i;

    for (i = 0; i < DAY_WORKERS; i++)
        if (day->workers[i].reading.answer.stats.count > 0)
            return true;
    return false;
}

/* Returns true if there is no more to read in this stage. */
static bool stage_is_over(struct audit_day *day)
{
    struct token_view view;
    bool read;

    if (day->failed)
        return true;
    if (feed_peek_token(&day->feed, clock_ms(), &view) == TOKEN_FAILED) {
        day->feed.problem = *view.err;
        day->refused = true;
    }
    day->refused = day->refused || reader(day)->attempts.refusals > BACKOFF_QUICK_TRIES;
    day->failed = day->refused || gives_up(reader(day)) || gives_up(&day->workers[DAY_SEARCHER].reading);
    read = !day->feed.progress.cursor.backfill.active && !is_searching(day);
    if (day->stage == STAGE_CONTROL)
        day->found = day->found || has_records(day);
    if (day->stage == STAGE_AGAIN && day->counted_most >= 0 && reader(day)->answer.counted >= 0)
        read = read || (day->is_whole && count_agrees(day));
    return day->failed || read || day->found;
}

/* The stages. */

static void begin_stage(struct audit_day *day, enum stage stage)
{
    struct window later = { day->spec.window.hi, ticks_max(feed_service_now(&day->feed), day->spec.window.hi + 1) };

    day->stage = stage;
    switch (stage) {
    case STAGE_LIST:
    case STAGE_AGAIN: begin_reading(day, &day->spec.window); return;
    case STAGE_CONTROL: begin_reading(day, &later); return;
    case STAGE_REPAIR: begin_reading(day, &day->spans[day->span]); return;
    case STAGE_DONE: return;
    }
}

static void say_why(struct audit_day *day, const char *fmt, ...) PRINTF(2, 3);
static void say_why(struct audit_day *day, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(day->result.why, sizeof(day->result.why), fmt, args);
    va_end(args);
}

static void finish(struct audit_day *day)
{
    struct listing_counts *counts = &day->result.counts;

    listing_count(day->listing, counts);
    day->stage = STAGE_DONE;
    day->result.refused = day->refused;
    if (counts->missing)
        day->result.verdict = AUDIT_MISSING;
    else if (!day->is_whole)
        day->result.verdict = day->refused ? AUDIT_UNKNOWN : AUDIT_PARTIAL;
    else
        day->result.verdict = counts->repaired ? AUDIT_REPAIRED : AUDIT_EQUAL;
    if (day->result.verdict <= AUDIT_REPAIRED)
        day->result.why[0] = '\0';
    timer_cancel(day->feed.env->loop, &day->limit_timer);
    day->result.took_ms = clock_ms() - day->began_ms;
    day->spec.done(day->spec.ctx);
}

/* Repairs what is missing, as far as the list tells. */
static void repair_or_finish(struct audit_day *day)
{
    const struct feed *feed = &day->feed;

    listing_settle(day->listing);
    if (day->spec.repairs && !day->failed)
        day->span_count = listing_spans(day->listing, feed->api->resolution(feed->variants[WORKER_BACKFILL].current),
                                        day->spans, SPANS_MOST);
    if (day->span_count)
        begin_stage(day, STAGE_REPAIR);
    else
        finish(day);
}

static void list_is_read(struct audit_day *day)
{
    size_t unread = quarantine_waiting(&day->feed.progress.quarantine);
    struct listing_counts counts;

    listing_count(day->listing, &counts);
    day->is_whole = !day->failed && !unread && !day->feed.progress.cursor.backfill.active;
    if (day->failed)
        say_why(day, "%s", day->feed.problem.text);
    else if (unread)
        say_why(day, "windows=%zu of the day cannot be read", unread);
    else if (day->is_whole && !count_agrees(day) && day->stage == STAGE_LIST) {
        begin_stage(day, STAGE_AGAIN);
        return;
    } else if (day->is_whole && !count_agrees(day)) {
        say_why(day, "the service counts %lld records and lists %zu", (long long)day->result.counted,
                counts.listed + counts.odd);
        day->is_whole = false;
    } else if (!counts.listed && !counts.odd && counts.written) {
        begin_stage(day, STAGE_CONTROL);
        return;
    }
    repair_or_finish(day);
}

static void control_is_read(struct audit_day *day)
{
    day->is_whole = day->found;
    if (!day->found)
        say_why(day, "the service lists nothing of that day, and nothing after it");
    repair_or_finish(day);
}

static void span_is_read(struct audit_day *day)
{
    size_t unread = quarantine_waiting(&day->feed.progress.quarantine);

    if (day->failed || unread)
        say_why(day, "%s", day->failed ? day->feed.problem.text : "what is missing cannot be read");
    if (day->failed || ++day->span == day->span_count)
        finish(day);
    else
        begin_stage(day, STAGE_REPAIR);
}

static void step(void *ctx, int64_t now_ms UNUSED)
{
    struct audit_day *day = ctx;
    enum stage stage = day->stage;

    if (stage == STAGE_DONE)
        return;
    end_reading(day);
    switch (stage) {
    case STAGE_LIST: list_is_read(day); return;
    case STAGE_AGAIN:
        if (count_agrees(day)) /* with the first list */
            day->feed.progress.cursor.backfill.active = false;
        list_is_read(day);
        return;
    case STAGE_CONTROL: control_is_read(day); return;
    default: span_is_read(day); return;
    }
}

/* What the workers report. */

static bool day_writable(void *ctx, struct err *err)
{
    const struct audit_day *day = ctx;

    return day->spec.feed->owner->writable(day->spec.feed->ctx, err);
}

/* A worker may go on after this call, so the stage ends in the next round of the loop. */
static void day_changed(void *ctx)
{
    struct audit_day *day = ctx;

    if (day->stage == STAGE_DONE || !day->feed.open)
        return;
    take_count(day);
    if (!stage_is_over(day))
        return;
    day->feed.open = false;
    timer_set(day->feed.env->loop, &day->step_timer, loop_now(day->feed.env->loop));
}

static void day_wake_others(void *ctx)
{
    struct audit_day *day = ctx;

    worker_wake(&day->workers[DAY_SEARCHER]);
}

static bool day_may_read(void *ctx)
{
    const struct audit_day *day = ctx;

    return feed_may_read(day->spec.feed);
}

static const struct feed_owner day_owner = { day_writable, day_changed, day_wake_others, day_may_read };

static void took_too_long(void *ctx, int64_t now_ms)
{
    struct audit_day *day = ctx;

    day->failed = true;
    snprintf(day->feed.problem.text, sizeof(day->feed.problem.text), "it took more than %d hours",
             (int)(LIMIT_MS / 3600000));
    step(day, now_ms);
}

/* From beginning to end. */

struct audit_day *audit_day_new(const struct audit_day_spec *spec)
{
    struct audit_day *day = mem_alloc(sizeof(*day));
    struct feed *feed = &day->feed;

    day->spec = *spec;
    *feed = *spec->feed;
    feed->home = spec->feed;
    feed->listing = NULL;
    feed->owner = &day_owner;
    feed->ctx = day;
    feed->open = false;
    feed->tally = (struct tally){ .requests = 0 };
    feed->sign_in_error = NULL;
    progress_init(&feed->progress, spec->feed->progress.overlap_s);
    day->listing = listing_new(&spec->window, spec->keys, spec->key_count, spec->ids_most);
    if (spec->repairs)
        spec->feed->listing = day->listing;
    day->result = (struct audit_result){ .form = spec->form, .counted = -1 };
    day->counted_most = -1;
    day->began_ms = clock_ms();
    day->step_timer = (struct timer){ .fire = step, .ctx = day };
    day->limit_timer = (struct timer){ .fire = took_too_long, .ctx = day };
    timer_set(feed->env->loop, &day->limit_timer, day->began_ms + LIMIT_MS);
    begin_stage(day, STAGE_LIST);
    return day;
}

/* What the listing has found out of the service holds for the polls, too. */
static void learn(int64_t *home_ms, int64_t found_ms)
{
    if (found_ms > *home_ms)
        *home_ms = found_ms;
}

void audit_day_free(struct audit_day *day)
{
    struct feed *home;

    if (!day)
        return;
    home = day->spec.feed;
    if (day->stage != STAGE_DONE)
        end_reading(day);
    timer_cancel(day->feed.env->loop, &day->step_timer);
    timer_cancel(day->feed.env->loop, &day->limit_timer);
    if (home->listing == day->listing)
        home->listing = NULL;
    learn(&home->reliance.order_again_ms, day->feed.reliance.order_again_ms);
    learn(&home->reliance.count_again_ms, day->feed.reliance.count_again_ms);
    learn(&home->reliance.hint_again_ms, day->feed.reliance.hint_again_ms);
    progress_release(&day->feed.progress);
    mem_freep(&day->feed.sign_in_error);
    listing_free(day->listing);
    free(day);
}

void audit_day_wake(struct audit_day *day)
{
    size_t i;

    for (i = 0; day && day->feed.open && i < DAY_WORKERS; i++)
        worker_wake(&day->workers[i]);
}

bool audit_day_is_done(const struct audit_day *day)
{
    return day->stage == STAGE_DONE;
}

const struct audit_result *audit_day_result(struct audit_day *day)
{
    day->result.requests = day->counted.requests;
    day->result.bytes = day->counted.bytes;
    return &day->result;
}

const struct listing *audit_day_listing(const struct audit_day *day)
{
    return day->listing;
}
