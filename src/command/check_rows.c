#include "command/check_rows.h"

#include <stdlib.h>

#include "base/mem.h"
#include "command/batch.h"
#include "command/check_share.h"
#include "command/console.h"

#define ROWS_AT_ONCE  150
#define REQUESTS_MOST 64

struct check_rows {
    struct loop *loop;
    struct http *http;
    struct limiter *limiter;
    struct row_context context;
    bool with_share;
    struct check_share *share; /* NULL: no input is shared, or nobody asks */
    struct row **list;
    struct batch batch; /* of the list */
};

/* Rows. */

static void begin_row(void *ctx, size_t number)
{
    row_begin(((struct check_rows *)ctx)->list[number]);
}

static bool is_finished(void *ctx, size_t number)
{
    return row_is_finished(((const struct check_rows *)ctx)->list[number]);
}

static bool is_bad(void *ctx, size_t number)
{
    const struct row *row = ((const struct check_rows *)ctx)->list[number];

    return row_is_finished(row) && row_outcome(row)->result != CHECK_OK;
}

static const struct batch_kind kind = { ROWS_AT_ONCE, "tried", "not ok", begin_row, is_finished, is_bad };

static void end_if_done(struct check_rows *rows)
{
    if (batch_is_over(&rows->batch) && check_share_is_done(rows->share))
        loop_stop(rows->loop);
}

static void share_done(void *ctx)
{
    end_if_done(ctx);
}

static void row_finished(void *ctx)
{
    struct check_rows *rows = ctx;

    batch_one_done(&rows->batch);
    end_if_done(rows);
}

static void rows_step(void *ctx)
{
    struct check_rows *rows = ctx;
    size_t i;

    for (i = 0; i < rows->batch.count; i++)
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

    if (rows->share)
        check_share_begin(rows->share);
    batch_go(&rows->batch);
    end_if_done(rows);
}

void check_rows_fill(struct check_rows *rows, const struct config *config, const char *only)
{
    size_t i;

    rows->list = mem_alloc((config->count + 1) * sizeof(struct row *));
    for (i = 0; i < config->count; i++) {
        if (!batch_wants(&config->stanzas[i], only))
            continue;
        rows->list[rows->batch.count] = row_new(&rows->context, &config->stanzas[i]);
        batch_add(&rows->batch);
    }
}

static void session_lost(void *ctx UNUSED)
{
}

void check_rows_try(struct check_rows *rows, const struct config *config)
{
    struct row_context *context = &rows->context;

    if (!rows->batch.count)
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
    rows->batch.loop = rows->loop;
    batch_start(&rows->batch);
    check_store_load(context->store, config);
    loop_run(rows->loop);
    console_progress(NULL);
}

void check_rows_free(struct check_rows *rows)
{
    size_t i;

    if (!rows)
        return;
    for (i = 0; i < rows->batch.count; i++)
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

    rows->batch = (struct batch){ .kind = &kind, .ctx = rows };
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
    return rows->batch.count;
}

struct row *const *check_rows_list(const struct check_rows *rows)
{
    return rows->list;
}

bool check_rows_know_store(const struct check_rows *rows, struct err *err)
{
    return check_store_known(rows->context.store, err);
}
