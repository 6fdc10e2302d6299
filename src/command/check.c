#include "command/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/check_duplicates.h"
#include "command/check_row.h"
#include "command/console.h"
#include "command/options.h"

#define ROWS_AT_ONCE  150
#define REQUESTS_MOST 64
#define PROGRESS_MS   200
#define BAR           20
#define BAR_WIDTH     70 /* of a terminal that has room for it: a line that wraps could not be replaced */

struct check {
    struct loop *loop;
    struct http *http;
    struct limiter *limiter;
    struct row_context context;
    bool ready; /* the password store was read, or could not be: rows may begin */
    struct timer progress_timer;
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

static void end_if_done(struct check *check)
{
    if (check->ready && check->finished == check->count)
        loop_stop(check->loop);
}

static void row_finished(void *ctx)
{
    struct check *check = ctx;

    check->running--;
    check->finished++;
    rows_begin(check);
    end_if_done(check);
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
    end_if_done(check);
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

/* Shows how far it is: "[#####.....] 150 of 300 inputs tried, 2 not ok". */
static void progress_fire(void *ctx, int64_t now_ms)
{
    struct check *check = ctx;
    struct buf line = BUF_INIT(160);
    size_t i, bad = 0;

    for (i = 0; i < check->count; i++)
        bad += row_is_finished(check->rows[i]) && row_outcome(check->rows[i])->result != CHECK_OK;
    if (wrap_width(STDERR_FILENO) >= BAR_WIDTH) {
        buf_add_char(&line, '[');
        for (i = 0; i < BAR; i++)
            buf_add_char(&line, i * check->count < check->finished * BAR ? '#' : '.');
        buf_add_text(&line, "] ");
    }
    buf_add_format(&line, "%zu of %zu inputs tried", check->finished, check->count);
    if (bad)
        buf_add_format(&line, ", %zu not ok", bad);
    console_progress(buf_text(&line));
    buf_free(&line);
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
    timer_set(check->loop, &check->progress_timer, clock_ms() + PROGRESS_MS);
    check_store_load(context->store, config);
    loop_run(check->loop);
    console_progress(NULL);
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

/* What was asked for. */
struct asked {
    const char *only; /* the input's name; NULL: all */
    bool as_json, only_bad;
};

/* Finds out what is not about one input. Returns how many findings there are. */
static size_t look_at_host(const struct check *check, const struct config *config, struct host_finding *ret)
{
    struct host_finding *store = &ret[0];
    size_t i;

    *store = (struct host_finding){ .what = "password store" };
    if (check_store_known(check->context.store, &store->err))
        err_set(&store->err, ERR_RETRY, "read, from splunkd at %s", config->server_uri);
    else
        store->level = HOST_BAD;
    host_look_at_folder(config->checkpoint_dir, &ret[1]);
    host_look_at_disk(config->checkpoint_dir, &ret[2]);
    for (i = 0; i < check->count; i++) {
        if (!row_outcome(check->rows[i])->has_clock)
            continue;
        host_judge_clock(row_outcome(check->rows[i])->clock_offset_ms, &ret[3]);
        return 4;
    }
    return 3;
}

static bool wants_colors(void)
{
    return isatty(STDOUT_FILENO) && text_empty(getenv("NO_COLOR")) && !text_same(getenv("TERM"), "dumb");
}

static int print_report(const struct check *check, const struct config *config, const struct asked *asked)
{
    const struct outcome **rows = mem_alloc((check->count + 1) * sizeof(const struct outcome *));
    struct host_finding host[4];
    struct report report = { .rows = rows,
                             .count = check->count,
                             .host = host,
                             .host_count = check->count ? look_at_host(check, config, host) : 0,
                             .only_bad = asked->only_bad };
    struct wrap to = { .to = stdout, .width = wrap_width(STDOUT_FILENO), .colors = wants_colors() };
    bool good;
    size_t i;

    for (i = 0; i < check->count; i++)
        rows[i] = row_outcome(check->rows[i]);
    if (asked->as_json)
        report_json(&report, stdout);
    else if (check->count)
        report_table(&report, &to);
    else
        puts("There is no enabled input.");
    good = report_is_good(&report);
    free(rows);
    return fflush(stdout) == 0 && good ? 0 : 1;
}

static int check_all(const struct config *config, const struct asked *asked)
{
    struct check check = { .ready = false };
    int status = 1;

    log_set_level(LOG_ERROR); /* the report has everything else */
    rows_fill(&check, config, asked->only);
    if (check.count)
        try_all(&check, config);
    check_duplicates_note(check.rows, check.count, config);
    if (asked->only && !check.count)
        log_error("there is no enabled input '%.200s' in the XML on stdin", asked->only);
    else
        status = print_report(&check, config, asked);
    check_free(&check);
    return status;
}

static const char usage[] =
    "usage: splunk cmd splunkd print-modinput-config defender_alerts | defender_alerts check [OPTION ...]\n"
    "Tries every input once: name lookup, connection or proxy, TLS, token, permission, newest alert. Looks at the\n"
    "checkpoint folder, its disk, the password store and the clock, too. Inputs that are not ok come first.\n"
    "Writes no event and no checkpoint. Exit status 0: all inputs are good; 1: some are not, or\n"
    "none can work on this host.\n";

static bool read_config(struct config *config, struct err *err)
{
    console_tell_waiting("Waiting on stdin for the XML of the inputs, from 'splunk cmd splunkd print-modinput-config "
                         "defender_alerts | defender_alerts check'; 'check -h' says more.");
    return config_read(STDIN_FILENO, CONFIG_INPUT, config, err);
}

int check_run(int argc, char **argv)
{
    struct asked asked = { .only = NULL };
    const struct option_spec specs[] = { { "--input", &asked.only, NULL, "NAME", "only the input of this name" },
                                         { "--bad", NULL, &asked.only_bad, NULL, "only inputs that are not ok" },
                                         { "--json", NULL, &asked.as_json, NULL, "the findings as JSON" } };
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
    status = check_all(&config, &asked);
    config_free(&config);
    return status;
}
