#include "collect/audit_day.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collect/audit_reader.h"

#define LIMIT_MS   (INT64_C(3) * 3600000) /* for one day */
#define SPANS_MOST 100                    /* of a repair */

enum stage { STAGE_LIST, STAGE_AGAIN, STAGE_CONTROL, STAGE_REPAIR, STAGE_DONE };

struct audit_day {
    struct audit_day_spec spec;
    struct audit_reader reader;
    struct listing *listing;
    enum stage stage;
    bool is_whole, failed, refused;
    int64_t counted_most; /* of several counts */
    bool found;           /* CONTROL: there is something later */
    struct window spans[SPANS_MOST];
    size_t span_count, span;
    struct timer step_timer, limit_timer;
    int64_t began_ms;
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

static struct loop *loop_of(const struct audit_day *day)
{
    return day->spec.feed->env->loop;
}

/* Counts. */

/* Notes the count that came with a response for all of the day. */
static void take_count(struct audit_day *day)
{
    bool lists = day->stage == STAGE_LIST || day->stage == STAGE_AGAIN;
    int64_t counted = lists ? audit_reader_count(&day->reader, &day->spec.window) : -1;

    if (counted < 0)
        return;
    day->result.counted = counted;
    if (counted > day->counted_most)
        day->counted_most = counted;
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

/* Returns true if there is no more to read in this stage. */
static bool stage_is_over(struct audit_day *day)
{
    bool read;

    if (day->failed)
        return true;
    day->failed = audit_reader_fails(&day->reader, &day->refused);
    read = audit_reader_is_over(&day->reader);
    if (day->stage == STAGE_CONTROL)
        day->found = day->found || audit_reader_has_records(&day->reader);
    if (day->stage == STAGE_AGAIN && day->counted_most >= 0 && audit_reader_count(&day->reader, NULL) >= 0)
        read = read || (day->is_whole && count_agrees(day));
    return day->failed || read || day->found;
}

/* The stages. */

static void begin_stage(struct audit_day *day, enum stage stage)
{
    const struct audit_reading how = { .listing = day->listing,
                                       .repairs = stage == STAGE_REPAIR,
                                       .counts_only = stage == STAGE_CONTROL };
    ticks end = day->spec.window.hi;
    struct window later = { end, ticks_max(feed_service_now(&day->reader.feed), end + 1) };

    day->stage = stage;
    switch (stage) {
    case STAGE_LIST:
    case STAGE_AGAIN: audit_reader_begin(&day->reader, &day->spec.window, &how); return;
    case STAGE_CONTROL: audit_reader_begin(&day->reader, &later, &how); return;
    case STAGE_REPAIR: audit_reader_begin(&day->reader, &day->spans[day->span], &how); return;
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
    timer_cancel(loop_of(day), &day->limit_timer);
    day->result.took_ms = clock_ms() - day->began_ms;
    day->spec.done(day->spec.ctx);
}

/* Repairs what is missing, as far as the list tells. */
static void repair_or_finish(struct audit_day *day)
{
    const struct feed *feed = &day->reader.feed;

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
    bool agrees = day->stage == STAGE_AGAIN && count_agrees(day); /* with the first list */
    size_t unread = audit_reader_unread(&day->reader);
    struct listing_counts counts;

    listing_count(day->listing, &counts);
    day->is_whole = !day->failed && !unread && (agrees || audit_reader_is_through(&day->reader));
    if (day->failed)
        say_why(day, "%s", day->reader.feed.problem.text);
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
    if (day->failed || audit_reader_unread(&day->reader))
        say_why(day, "%s", day->failed ? day->reader.feed.problem.text : "what is missing cannot be read");
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
    audit_reader_end(&day->reader);
    switch (stage) {
    case STAGE_LIST:
    case STAGE_AGAIN: list_is_read(day); return;
    case STAGE_CONTROL: control_is_read(day); return;
    default: span_is_read(day); return;
    }
}

/* A worker may go on after this call, so the stage ends in the next round of the loop. */
static bool day_changed(void *ctx)
{
    struct audit_day *day = ctx;

    take_count(day);
    if (!stage_is_over(day))
        return true;
    timer_set(loop_of(day), &day->step_timer, loop_now(loop_of(day)));
    return false;
}

static void took_too_long(void *ctx, int64_t now_ms)
{
    struct audit_day *day = ctx;

    day->failed = true;
    err_set(&day->reader.feed.problem, ERR_RETRY, "it took more than %d hours", (int)(LIMIT_MS / 3600000));
    step(day, now_ms);
}

/* From beginning to end. */

struct audit_day *audit_day_new(const struct audit_day_spec *spec)
{
    struct audit_day *day = mem_alloc(sizeof(*day));

    day->spec = *spec;
    day->reader = (struct audit_reader){ .home = spec->feed,
                                         .port = spec->port,
                                         .form = spec->form,
                                         .changed = day_changed,
                                         .ctx = day };
    audit_reader_init(&day->reader);
    day->listing = listing_new(&spec->window, spec->keys, spec->key_count, spec->ids_most);
    if (spec->repairs)
        spec->feed->listing = day->listing;
    day->result = (struct audit_result){ .counted = -1 };
    day->counted_most = -1;
    day->began_ms = clock_ms();
    day->step_timer = (struct timer){ .fire = step, .ctx = day };
    day->limit_timer = (struct timer){ .fire = took_too_long, .ctx = day };
    timer_set(loop_of(day), &day->limit_timer, day->began_ms + LIMIT_MS);
    begin_stage(day, STAGE_LIST);
    return day;
}

void audit_day_free(struct audit_day *day)
{
    struct feed *home;

    if (!day)
        return;
    home = day->spec.feed;
    timer_cancel(loop_of(day), &day->step_timer);
    timer_cancel(loop_of(day), &day->limit_timer);
    audit_reader_release(&day->reader);
    if (home->listing == day->listing)
        home->listing = NULL;
    listing_free(day->listing);
    free(day);
}

void audit_day_wake(struct audit_day *day)
{
    if (day)
        audit_reader_wake(&day->reader);
}

bool audit_day_is_done(const struct audit_day *day)
{
    return day->stage == STAGE_DONE;
}

const struct audit_result *audit_day_result(struct audit_day *day)
{
    day->result.requests = day->reader.counted.requests;
    day->result.bytes = day->reader.counted.bytes;
    day->result.form = day->reader.form;
    day->result.ignored = day->reader.ignored;
    return &day->result;
}

const struct listing *audit_day_listing(const struct audit_day *day)
{
    return day->listing;
}
