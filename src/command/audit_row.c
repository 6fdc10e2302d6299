#include "command/audit_row.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "collect/same_tenant.h"
#include "collect/settled.h"
#include "collect/worker.h"
#include "command/input_sign_in.h"
#include "splunk/app.h"
#include "state/store_file.h"

#define RATE_PART    10 /* of the published limits */
#define DAYS_DEFAULT 3  /* for an input without audits */

struct audit_row_work {
    struct target target;
    struct http_route route;
    char *proxy; /* secret */
    struct input_sign_in sign_in;
    struct feed feed;
    struct audit_day *day;
    uint32_t at, last;
    enum list_form form;
    struct timer timer;
};

enum audit_verdict audit_row_verdict(const struct audit_row *row)
{
    enum audit_verdict worst = AUDIT_NONE;
    size_t i;

    if (row->left_out)
        return AUDIT_NONE;
    if (!row->count)
        return AUDIT_UNKNOWN;
    for (i = 0; i < row->count; i++) {
        enum audit_verdict verdict = row->days[i].result.verdict;

        if (verdict == AUDIT_MISSING)
            return verdict;
        if (verdict > worst)
            worst = verdict;
    }
    return worst;
}

size_t audit_row_equal(const struct audit_row *row)
{
    size_t i, equal = 0;

    for (i = 0; i < row->count; i++)
        equal += row->days[i].result.verdict == AUDIT_EQUAL;
    return equal;
}

static void work_free(struct audit_row_work *work)
{
    if (!work)
        return;
    timer_cancel(work->feed.env->loop, &work->timer);
    audit_day_free(work->day);
    progress_release(&work->feed.progress);
    ledger_free(work->feed.ledger);
    event_frame_free(work->feed.frame);
    mem_free_secret(work->proxy);
    free(work);
}

static void row_end(struct audit_row *row)
{
    row->finished = true;
    row->context->finished(row->context->ctx);
}

static void row_fail(struct audit_row *row, const struct err *err)
{
    row->err = *err;
    row_end(row);
}

/* What the program knows. */

/* Reads the checkpoint, and the ledger as far as the checkpoint says. */
static bool read_state(struct audit_row *row, struct err *err)
{
    struct feed *feed = &row->work->feed;
    CLEANUP(mem_freep) char *path = store_file_path(row->context->folder, row->input.name);
    CLEANUP(mem_freep) char *ledger = store_file_ledger_path(row->context->folder, row->input.name);
    struct checkpoint checkpoint = { .tenant_id = NULL };
    struct buf text = BUF_INIT(STORE_FILE_MAX);
    bool ok = file_read(path, &text, err);

    if (!ok && errno == ENOENT)
        err_set(err, ERR_INPUT, "there is no checkpoint of this input in %s", row->context->folder);
    ok = ok && checkpoint_parse(buf_text(&text), text.len, &checkpoint, feed->progress.dedup, err);
    if (ok && same_tenant(&checkpoint, row->input.tenant_id, NULL) == TENANT_OTHER)
        ok = err_set(err, ERR_INPUT,
                     "the checkpoint is of another tenant: the input has not run since tenant_id was changed");
    if (ok) {
        ledger_place(feed->ledger, ledger);
        ledger_continue(feed->ledger, checkpoint.has_ledger ? checkpoint.ledger : -1, checkpoint.ledger_id,
                        checkpoint.cursor.watermark, false);
        feed->progress.cursor = checkpoint.cursor;
        feed_name_rate(feed, checkpoint.tid);
        feed->own_since = checkpoint.own_since;
        feed->own_until = checkpoint.own_until;
    }
    quarantine_release(&checkpoint.quarantine);
    checkpoint_release(&checkpoint);
    buf_free(&text);
    return ok;
}

/* Days. */

static struct audited_day *add_day(struct audit_row *row, uint32_t day)
{
    row->days = mem_grow(row->days, row->count + 1, sizeof(*row->days));
    row->days[row->count] = (struct audited_day){ .day = day, .result = { .counted = -1 } };
    return &row->days[row->count++];
}

static void say(struct audit_row *row, uint32_t day, enum audit_verdict verdict, const char *why)
{
    struct audited_day *added = add_day(row, day);

    added->result.verdict = verdict;
    snprintf(added->result.why, sizeof(added->result.why), "%s", why);
}

/* Copies the missing versions that have IDs. */
static void keep_missing(struct audited_day *day, const struct listing *listing)
{
    size_t i;

    for (i = 0; i < listing->other_count; i++) {
        const struct listed *entry = &listing->others[i];

        if (!entry->missing || !entry->id)
            continue;
        day->missing = mem_grow(day->missing, day->missing_count + 1, sizeof(*day->missing));
        day->missing[day->missing_count] = *entry;
        day->missing[day->missing_count++].id = mem_text(entry->id);
    }
}

static void day_done(void *ctx)
{
    struct audit_row *row = ctx;

    timer_set(row->context->env->loop, &row->work->timer, loop_now(row->context->env->loop));
}

/* Returns true if a listing of the day was begun. */
static bool begin_day(struct audit_row *row, uint32_t day)
{
    struct audit_row_work *work = row->work;
    struct feed *feed = &work->feed;
    const struct cursor *cursor = &feed->progress.cursor;
    struct window window = { ticks_max(ledger_day_begin(day), cursor->begin), ledger_day_begin(day + 1) };
    uint64_t *keys;
    size_t count;
    struct err err;

    if (window.lo >= window.hi)
        return false;
    if (!ledger_look(feed->ledger, feed_service_now(feed), &err) || !feed_has_day(feed, day)) {
        say(row, day, AUDIT_UNKNOWN, "no_ledger");
        return false;
    }
    if (feed_service_now(feed) < settled_at(feed, day) ||
        (cursor->backfill.active && cursor->backfill.next < window.hi && cursor->backfill.end > window.lo)) {
        say(row, day, AUDIT_BEHIND, cursor->backfill.active ? "backfill" : "polls");
        return false;
    }
    if (!ledger_keys(feed->ledger, day, &keys, &count, &err)) {
        say(row, day, AUDIT_UNKNOWN, err.text);
        return false;
    }
    work->day = audit_day_new(&(struct audit_day_spec){ .feed = feed,
                                                        .window = window,
                                                        .keys = keys,
                                                        .key_count = count,
                                                        .ids_most = AUDIT_IDS_MOST,
                                                        .form = work->form,
                                                        .port = &worker_port,
                                                        .done = day_done,
                                                        .ctx = row });
    return true;
}

/* The next poll brings what is missing if it reads from before all of it: the program is stopped, or has not polled yet. */
static void judge_by_polls(const struct audit_row *row, const struct listing *listing, struct audit_result *result)
{
    const struct feed *feed = &row->work->feed;
    ticks from = cursor_lower(&feed->progress.cursor, feed->progress.overlap_s);
    size_t i;

    if (result->verdict != AUDIT_MISSING)
        return;
    for (i = 0; i < listing->other_count; i++)
        if (listing->others[i].missing && listing->others[i].time < from)
            return;
    result->verdict = AUDIT_BEHIND;
    snprintf(result->why, sizeof(result->why), "polls: the next one reads %zu alert%s", result->counts.missing,
             result->counts.missing == 1 ? "" : "s");
    result->counts.missing = 0;
}

/* Goes on with the next day. refused: why the service would refuse it, after the tries of a day before it; NULL: it may
 * not. */
static void next_day(struct audit_row *row, const char *refused)
{
    struct audit_row_work *work = row->work;

    for (; refused && work->at <= work->last; work->at++)
        say(row, work->at, AUDIT_UNKNOWN, refused);
    while (work->at <= work->last)
        if (begin_day(row, work->at++))
            return;
    if (!row->count)
        err_set(&row->err, ERR_INPUT, "the input began after these days");
    row_end(row);
}

static void timer_fired(void *ctx, int64_t now_ms UNUSED)
{
    struct audit_row *row = ctx;
    struct audit_row_work *work = row->work;
    struct audit_result result = *audit_day_result(work->day);
    struct audited_day *day = add_day(row, work->at - 1);

    judge_by_polls(row, audit_day_listing(work->day), &result);
    day->result = result;
    work->form = result.ignored && result.form == LIST_SELECT ? LIST_COUNT : result.form;
    if (result.counts.missing)
        keep_missing(day, audit_day_listing(work->day));
    audit_day_free(work->day);
    work->day = NULL;
    next_day(row, result.refused ? result.why : NULL);
}

/* The input. */

static bool no_event(void *ctx UNUSED, struct err *err)
{
    return err_set(err, ERR_INPUT, "this command writes no events");
}

static void nothing(void *ctx UNUSED)
{
}

static const struct feed_owner owner = { no_event, nothing, nothing, NULL };

static void source_changed(void *ctx)
{
    struct audit_row *row = ctx;

    if (row->work && row->work->day)
        audit_day_wake(row->work->day);
}

static void begin_feed(struct audit_row *row)
{
    struct audit_row_work *work = row->work;
    CLEANUP(mem_freep) char *stanza = mem_format("%s://%s", SCHEME_NAME, row->input.name);
    const struct api *api = work->target.api;
    struct feed *feed = &work->feed;

    *feed = (struct feed){ .env = row->context->env,
                           .input = &row->input,
                           .label = row->label,
                           .api = api,
                           .base_url = work->target.base_url,
                           .rate = feed->rate,
                           .route = work->route,
                           .frame = event_frame_new(stanza, NULL),
                           .open = true,
                           .owner = &owner,
                           .ctx = row };
    progress_init(&feed->progress, row->input.overlap);
    feed->ledger = feed_ledger_new(&row->input, api);
}

static void choose_days(struct audit_row *row)
{
    const struct audit_context *context = row->context;
    struct audit_row_work *work = row->work;
    uint32_t days = row->input.audit ? (uint32_t)row->input.audit : DAYS_DEFAULT;
    uint32_t last = ledger_day_of(feed_service_now(&work->feed)) - 1;

    while (settled_at(&work->feed, last) > feed_service_now(&work->feed))
        last--;
    work->at = context->from != LEDGER_NO_DAY ? context->from : last + 1 - days;
    work->last = context->to != LEDGER_NO_DAY ? context->to : last > work->at ? last : work->at;
}

void audit_row_step(struct audit_row *row)
{
    struct audit_row_work *work = row->work;
    struct err err;

    if (!row->begun || row->finished || work->at)
        return;
    switch (input_sign_in_step(&work->sign_in, &err)) {
    case INPUT_WAITS: return;
    case INPUT_READY: break;
    default: row_fail(row, &err); return;
    }
    work->feed.source = work->sign_in.source;
    choose_days(row);
    next_day(row, NULL);
}

void audit_row_begin(struct audit_row *row)
{
    const struct audit_context *context = row->context;
    struct audit_row_work *work = row->work;
    struct err err;

    row->begun = true;
    if (!input_sign_in_proxy(&row->input, context->store, &work->proxy, &err)) {
        row_fail(row, &err);
        return;
    }
    work->route = (struct http_route){ .ca_file = row->input.ca_file, .proxy = work->proxy };
    begin_feed(row);
    if (!read_state(row, &err)) {
        row_fail(row, &err);
        return;
    }
    work->sign_in = (struct input_sign_in){ .input = &row->input,
                                            .target = &work->target,
                                            .store = context->store,
                                            .principals = context->principals,
                                            .route = &work->route,
                                            .changed = source_changed,
                                            .ctx = row };
    audit_row_step(row);
}

/* Before any row sends a request: rows of the same tenant and app have one rate, which is full once. */
static void take_rate(struct audit_row *row)
{
    const struct api *api = row->work->target.api;
    struct rate **rate = &row->work->feed.rate;

    *rate = rate_pool_get(row->context->env->rates, row->input.tenant_id, row->input.client_id, api->family,
                          api->per_minute / RATE_PART, api->per_hour / RATE_PART, clock_ms());
    rate_was_not_used(*rate);
}

struct audit_row *audit_row_new(const struct audit_context *context, const struct raw_stanza *stanza)
{
    struct audit_row *row = mem_alloc(sizeof(*row));

    row->context = context;
    row->label = mem_text(stanza_input_name(stanza));
    row->finished = row->bad = !input_from_stanza(stanza, CHECK_FILES, &row->input, &row->err);
    if (row->bad)
        return row;
    row->work = mem_alloc(sizeof(*row->work));
    row->work->timer = (struct timer){ .fire = timer_fired, .ctx = row };
    row->work->feed.env = context->env;
    target_of(&row->input, &row->work->target);
    row->api = row->work->target.api->name;
    row->finished = row->left_out = !row->work->target.api->shape.id;
    take_rate(row);
    return row;
}

void audit_row_free(struct audit_row *row)
{
    size_t i, k;

    if (!row)
        return;
    work_free(row->work);
    for (i = 0; i < row->count; i++) {
        for (k = 0; k < row->days[i].missing_count; k++)
            free(row->days[i].missing[k].id);
        free(row->days[i].missing);
    }
    free(row->days);
    input_free(&row->input);
    free(row->label);
    free(row);
}
