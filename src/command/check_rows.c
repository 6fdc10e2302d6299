#include "command/check_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/check_share.h"
#include "command/console.h"

#define ROWS_AT_ONCE  150
#define REQUESTS_MOST 64
#define PROGRESS_MS   200
#define BAR           20
#define BAR_WIDTH     70 /* of a terminal that has room for it: a line that wraps could not be replaced */

struct check_rows {
    struct loop *loop;
    struct http *http;
    struct limiter *limiter;
    struct row_context context;
    bool with_share;
    struct check_share *share; /* NULL: no input is shared, or nobody asks */
    bool ready;                /* the password store was read, or could not be: rows may begin */
    struct timer progress_timer;
    struct row **list;
    size_t count, next, running, finished;
};

/* Rows. */

static void rows_begin(struct check_rows *rows)
{
    while (rows->ready && rows->next < rows->count && rows->running < ROWS_AT_ONCE) {
        struct row *row = rows->list[rows->next++];

        if (row_is_finished(row))
            continue;
        rows->running++;
        row_begin(row);
    }
}

static void end_if_done(struct check_rows *rows)
{
    if (rows->ready && rows->finished == rows->count && check_share_is_done(rows->share))
        loop_stop(rows->loop);
}

static void share_done(void *ctx)
{
    end_if_done(ctx);
}

static void row_finished(void *ctx)
{
    struct check_rows *rows = ctx;

    rows->running--;
    rows->finished++;
    rows_begin(rows);
    end_if_done(rows);
}

static void rows_step(void *ctx)
{
    struct check_rows *rows = ctx;
    size_t i;

    for (i = 0; i < rows->count; i++)
        row_step(rows->list[i]);
}

static void endpoint_tried(void *ctx, const struct endpoint *endpoint)
{
    struct check_rows *rows = ctx;

    check_share_tried(rows->share, endpoint);
    rows_step(rows);
}

static void store_was_read(void *ctx)
{
    struct check_rows *rows = ctx;

    rows->ready = true;
    if (rows->share)
        check_share_begin(rows->share);
    rows_begin(rows);
    end_if_done(rows);
}

static bool is_wanted(const struct raw_stanza *stanza, const char *only)
{
    return !only || text_same(only, stanza->name) || text_same(only, stanza_input_name(stanza));
}

void check_rows_fill(struct check_rows *rows, const struct config *config, const char *only)
{
    size_t i;

    rows->list = mem_alloc((config->count + 1) * sizeof(struct row *));
    for (i = 0; i < config->count; i++) {
        if (!is_wanted(&config->stanzas[i], only) || stanza_is_disabled(&config->stanzas[i]))
            continue;
        rows->list[rows->count] = row_new(&rows->context, &config->stanzas[i]);
        rows->finished += row_is_finished(rows->list[rows->count++]);
    }
}

/* Shows how far it is: "[#####.....] 150 of 300 inputs tried, 2 not ok". */
static void progress_fire(void *ctx, int64_t now_ms)
{
    struct check_rows *rows = ctx;
    struct buf line = BUF_INIT(160);
    size_t i, bad = 0;

    for (i = 0; i < rows->count; i++)
        bad += row_is_finished(rows->list[i]) && row_outcome(rows->list[i])->result != CHECK_OK;
    if (wrap_width(STDERR_FILENO) >= BAR_WIDTH) {
        buf_add_char(&line, '[');
        for (i = 0; i < BAR; i++)
            buf_add_char(&line, i * rows->count < rows->finished * BAR ? '#' : '.');
        buf_add_text(&line, "] ");
    }
    buf_add_format(&line, "%zu of %zu inputs tried", rows->finished, rows->count);
    if (bad)
        buf_add_format(&line, ", %zu not ok", bad);
    console_progress(buf_text(&line));
    buf_free(&line);
    timer_set(rows->loop, &rows->progress_timer, now_ms + PROGRESS_MS);
}

static void session_lost(void *ctx UNUSED)
{
}

void check_rows_try(struct check_rows *rows, const struct config *config)
{
    struct row_context *context = &rows->context;

    if (!rows->count)
        return;
    rows->loop = context->loop = loop_new();
    rows->http = context->http = http_new(rows->loop);
    rows->limiter = limiter_new(rows->loop, REQUESTS_MOST, REQUESTS_MOST);
    context->endpoints = endpoints_new(rows->http, endpoint_tried, rows);
    context->store = check_store_new(rows->loop, rows->http, config,
                                     &(struct check_store_calls){ .read = store_was_read,
                                                                  .proved = rows_step,
                                                                  .ctx = rows });
    context->principals = principals_new(rows->loop, rows->http, rows->limiter, check_store_passwords(context->store),
                                         session_lost, rows);
    context->checkpoint_dir = config->checkpoint_dir;
    context->finished = row_finished;
    context->ctx = rows;
    if (rows->with_share)
        rows->share = check_share_new(&(struct check_share_spec){ .loop = rows->loop,
                                                                  .http = rows->http,
                                                                  .endpoints = context->endpoints,
                                                                  .store = context->store,
                                                                  .config = config,
                                                                  .done = share_done,
                                                                  .ctx = rows });
    rows->progress_timer = (struct timer){ .fire = progress_fire, .ctx = rows };
    timer_set(rows->loop, &rows->progress_timer, clock_ms() + PROGRESS_MS);
    check_store_load(context->store, config);
    loop_run(rows->loop);
    console_progress(NULL);
}

void check_rows_free(struct check_rows *rows)
{
    size_t i;

    if (!rows)
        return;
    for (i = 0; i < rows->count; i++)
        row_free(rows->list[i]);
    free(rows->list);
    check_share_free(rows->share);
    principals_free(rows->context.principals);
    check_store_free(rows->context.store);
    http_free(rows->http);
    endpoints_free(rows->context.endpoints);
    limiter_free(rows->limiter);
    loop_free(rows->loop);
    free(rows);
}

struct check_rows *check_rows_new(int compare_with, int compare_days)
{
    struct check_rows *rows = mem_alloc(sizeof(*rows));

    rows->context.compare_with = compare_with;
    rows->context.compare_days = compare_days;
    return rows;
}

void check_rows_with_share(struct check_rows *rows)
{
    rows->with_share = true;
}

const struct host_section *check_rows_share(const struct check_rows *rows, size_t *count)
{
    return check_share_sections(rows->share, count);
}

size_t check_rows_count(const struct check_rows *rows)
{
    return rows->count;
}

struct row *const *check_rows_list(const struct check_rows *rows)
{
    return rows->list;
}

bool check_rows_know_store(const struct check_rows *rows, struct err *err)
{
    return check_store_known(rows->context.store, err);
}
