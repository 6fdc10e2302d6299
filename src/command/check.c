#include "command/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/check_row.h"
#include "command/console.h"
#include "command/options.h"

#define ROWS_AT_ONCE  50
#define REQUESTS_MOST 64
#define PROGRESS_MS   200

struct check {
    struct loop *loop;
    struct http *http;
    struct limiter *limiter;
    struct row_context context;
    bool ready; /* the password store was read, or could not be: rows may begin */
    struct timer progress_timer;
    bool progress, progress_shown;
    struct row **rows;
    size_t count, next, running, finished;
};

/* Rows. */

static void rows_begin(struct check *check)
{
    while (check->ready && check->next < check->count && check->running < ROWS_AT_ONCE) {
        struct row *row = check->rows[check->next++];

        if (row_is_finished(row))
            continue;
        check->running++;
        row_begin(row);
    }
}

static void row_finished(void *ctx)
{
    struct check *check = ctx;

    check->running--;
    if (++check->finished == check->count)
        loop_stop(check->loop);
    else
        rows_begin(check);
}

static void rows_step(void *ctx)
{
    struct check *check = ctx;
    size_t i;

    for (i = 0; i < check->count; i++)
        row_step(check->rows[i]);
}

static void endpoint_tried(void *ctx, const struct endpoint *endpoint UNUSED)
{
    rows_step(ctx);
}

static void store_was_read(void *ctx)
{
    struct check *check = ctx;

    check->ready = true;
    rows_begin(check);
}

static bool is_wanted(const struct raw_stanza *stanza, const char *only)
{
    return !only || text_same(only, stanza->name) || text_same(only, stanza_input_name(stanza));
}

static void rows_fill(struct check *check, const struct config *config, const char *only)
{
    size_t i;

    check->rows = mem_alloc((config->count + 1) * sizeof(struct row *));
    for (i = 0; i < config->count; i++) {
        if (!is_wanted(&config->stanzas[i], only) || stanza_is_disabled(&config->stanzas[i]))
            continue;
        check->rows[check->count] = row_new(&check->context, &config->stanzas[i]);
        check->finished += row_is_finished(check->rows[check->count++]);
    }
}

/* The command. */

static void progress_fire(void *ctx, int64_t now_ms)
{
    struct check *check = ctx;

    fprintf(stderr, "\r%zu of %zu inputs tried", check->finished, check->count);
    check->progress_shown = true;
    timer_set(check->loop, &check->progress_timer, now_ms + PROGRESS_MS);
}

static void session_lost(void *ctx UNUSED)
{
}

static void try_all(struct check *check, const struct config *config)
{
    struct row_context *context = &check->context;

    check->loop = context->loop = loop_new();
    check->http = context->http = http_new(check->loop);
    check->limiter = limiter_new(check->loop, REQUESTS_MOST, REQUESTS_MOST);
    context->endpoints = endpoints_new(check->http, endpoint_tried, check);
    context->store = check_store_new(check->loop, check->http, config,
                                     &(struct check_store_calls){ .read = store_was_read,
                                                                  .proved = rows_step,
                                                                  .ctx = check });
    context->principals = principals_new(check->loop, check->http, check->limiter,
                                         check_store_passwords(context->store), session_lost, check);
    context->finished = row_finished;
    context->ctx = check;
    check->progress_timer = (struct timer){ .fire = progress_fire, .ctx = check };
    if (check->progress)
        timer_set(check->loop, &check->progress_timer, clock_ms() + PROGRESS_MS);
    check_store_load(context->store, config);
    loop_run(check->loop);
    if (check->progress_shown)
        fputs("\r\033[K", stderr);
}

static void check_free(struct check *check)
{
    size_t i;

    for (i = 0; i < check->count; i++)
        row_free(check->rows[i]);
    free(check->rows);
    principals_free(check->context.principals);
    check_store_free(check->context.store);
    http_free(check->http);
    endpoints_free(check->context.endpoints);
    limiter_free(check->limiter);
    loop_free(check->loop);
}

static int report(const struct check *check, bool as_json)
{
    const struct outcome **rows = mem_alloc((check->count + 1) * sizeof(const struct outcome *));
    size_t i, good = 0;

    for (i = 0; i < check->count; i++) {
        rows[i] = row_outcome(check->rows[i]);
        good += rows[i]->result == CHECK_OK;
    }
    if (as_json)
        report_json(rows, check->count, stdout);
    else if (check->count)
        report_table(rows, check->count, isatty(STDOUT_FILENO) && text_empty(getenv("NO_COLOR")), stdout);
    else
        puts("There is no enabled input.");
    free(rows);
    return fflush(stdout) == 0 && good == check->count ? 0 : 1;
}

static int check_all(const struct config *config, const char *only, bool as_json)
{
    struct check check = { .progress = isatty(STDERR_FILENO) };
    int status = 1;

    log_set_level(LOG_ERROR); /* the table has everything else */
    rows_fill(&check, config, only);
    if (check.finished < check.count)
        try_all(&check, config);
    if (only && !check.count)
        log_error("there is no enabled input '%.200s' in the XML on stdin", only);
    else
        status = report(&check, as_json);
    check_free(&check);
    return status;
}

static const char usage[] =
    "usage: splunk cmd splunkd print-modinput-config defender_alerts | defender_alerts check [--input NAME] [--json]\n"
    "Tries every input once: name lookup, connection or proxy, TLS, token, permission, newest alert.\n"
    "Writes no event and no checkpoint. Exit status 0: all inputs are good; 1: some are not.\n";

static bool read_config(struct config *config, struct err *err)
{
    console_tell_waiting("Waiting on stdin for the XML of the inputs, from 'splunk cmd splunkd print-modinput-config "
                         "defender_alerts | defender_alerts check'; 'check -h' says more.");
    return config_read(STDIN_FILENO, CONFIG_INPUT, config, err);
}

int check_run(int argc, char **argv)
{
    const char *only = NULL;
    bool as_json = false;
    const struct option_spec specs[] = { { "--input", &only, NULL, "NAME", "only the input of this name" },
                                         { "--json", NULL, &as_json, NULL, "the findings as JSON" } };
    struct config config;
    struct err err;
    int status;

    if (options_want_help(argc, argv)) {
        options_print(usage, specs, COUNT_OF(specs));
        return 0;
    }
    if (!options_read(specs, COUNT_OF(specs), argc, argv, &err) || !read_config(&config, &err)) {
        log_error("%s", err.text);
        return 1;
    }
    status = check_all(&config, only, as_json);
    config_free(&config);
    return status;
}
