#include "command/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/audit_report.h"
#include "command/batch.h"
#include "command/console.h"
#include "command/options.h"
#include "splunk/config.h"
#include "state/ledger_again.h"
#include "state/store_file.h"

#define ROWS_AT_ONCE  50
#define REQUESTS_MOST 32
#define UNKNOWN       2 /* exit status */

/* What was asked for. */
struct asked {
    const char *only; /* the input's name; NULL: all */
    const char *from, *to, *again;
    bool as_json;
};

struct audit_command {
    struct env env;
    struct audit_context context;
    struct audit_row **rows;
    struct batch batch; /* of the rows */
};

/* Rows. */

static void begin_row(void *ctx, size_t number)
{
    audit_row_begin(((struct audit_command *)ctx)->rows[number]);
}

static bool is_finished(void *ctx, size_t number)
{
    return ((const struct audit_command *)ctx)->rows[number]->finished;
}

static bool lacks_alerts(void *ctx, size_t number)
{
    return audit_row_verdict(((const struct audit_command *)ctx)->rows[number]) == AUDIT_MISSING;
}

static const struct batch_kind kind = { ROWS_AT_ONCE, "compared",  "with missing alerts",
                                        begin_row,    is_finished, lacks_alerts };

static void end_if_done(const struct audit_command *command)
{
    if (batch_is_over(&command->batch))
        loop_stop(command->env.loop);
}

static void row_finished(void *ctx)
{
    struct audit_command *command = ctx;

    batch_one_done(&command->batch);
    end_if_done(command);
}

static void rows_step(void *ctx)
{
    struct audit_command *command = ctx;
    size_t i;

    for (i = 0; i < command->batch.count; i++)
        audit_row_step(command->rows[i]);
}

static void store_was_read(void *ctx)
{
    struct audit_command *command = ctx;

    batch_go(&command->batch);
    end_if_done(command);
}

static void rows_fill(struct audit_command *command, const struct config *config, const char *only)
{
    size_t i;

    command->rows = mem_alloc((config->count + 1) * sizeof(struct audit_row *));
    for (i = 0; i < config->count; i++) {
        if (!batch_wants(&config->stanzas[i], only))
            continue;
        command->rows[command->batch.count] = audit_row_new(&command->context, &config->stanzas[i]);
        batch_add(&command->batch);
    }
}

/* The command. */

static void ignore(void *ctx UNUSED)
{
}

static void compare_all(struct audit_command *command, const struct config *config)
{
    struct audit_context *context = &command->context;
    struct env *env = &command->env;
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

    env->loop = loop_new();
    env->http = http_new(env->loop);
    env->limiter = limiter_new(env->loop, REQUESTS_MOST, REQUESTS_MOST);
    env->outbox = outbox_new(nowhere); /* pages are parsed into it, and nothing of them is kept */
    env->wrote = ignore;
    env->changed = ignore;
    context->store = check_store_new(env->loop, env->http, config,
                                     &(struct check_store_calls){ .read = store_was_read,
                                                                  .proved = rows_step,
                                                                  .ctx = command });
    context->principals = principals_new(env->loop, env->http, env->limiter, check_store_passwords(context->store),
                                         ignore, command);
    context->finished = row_finished;
    context->ctx = command;
    command->batch.loop = env->loop;
    batch_start(&command->batch);
    check_store_load(context->store, config);
    loop_run(env->loop);
    console_progress(NULL);
    close(nowhere);
}

static void command_free(struct audit_command *command)
{
    struct env *env = &command->env;
    size_t i;

    for (i = 0; i < command->batch.count; i++)
        audit_row_free(command->rows[i]);
    free(command->rows);
    rate_pool_free(env->rates);
    if (!env->loop)
        return;
    principals_free(command->context.principals);
    check_store_free(command->context.store);
    http_free(env->http);
    limiter_free(env->limiter);
    outbox_free(env->outbox);
    loop_free(env->loop);
}

static int print_report(const struct audit_command *command, bool as_json)
{
    struct audit_report report = { command->rows, command->batch.count };
    struct wrap to = { .to = stdout, .width = wrap_width(STDOUT_FILENO), .colors = wrap_colors(STDOUT_FILENO) };

    if (as_json)
        audit_report_json(&report, stdout);
    else if (command->batch.count)
        audit_report_print(&report, &to);
    else
        puts("There is no enabled input.");
    return fflush(stdout) ? UNKNOWN : audit_report_status(&report);
}

static int compare(const struct config *config, const struct asked *asked, uint32_t from, uint32_t to)
{
    struct audit_command command = { .context = { .folder = config->checkpoint_dir, .from = from, .to = to } };
    int status = UNKNOWN;

    command.batch = (struct batch){ .kind = &kind, .ctx = &command };
    command.context.env = &command.env;
    command.env.rates = rate_pool_new();
    log_set_level(LOG_ERROR); /* the report has everything else */
    rows_fill(&command, config, asked->only);
    if (command.batch.finished < command.batch.count)
        compare_all(&command, config);
    if (asked->only && !command.batch.count)
        log_error("there is no enabled input '%.200s' in the XML on stdin", asked->only);
    else
        status = print_report(&command, asked->as_json);
    command_free(&command);
    return status;
}

/* Days. */

/* Reads the day of an option. Days that no ledger has are refused. */
static bool read_day(const char *option, const char *text, uint32_t *ret, struct err *err)
{
    uint32_t today = ledger_day_of(ticks_from_ms(clock_wall_ms()));

    *ret = LEDGER_NO_DAY;
    if (!text)
        return true;
    if (!ledger_read_day(text, strlen(text), ret))
        return err_set(err, ERR_INPUT, "%s is '%.40s', but it should be a day (UTC) such as 2026-11-28", option, text);
    if (*ret >= today)
        return err_set(err, ERR_INPUT, "%s is %.40s, but only days that are over can be compared", option, text);
    if (*ret + LEDGER_KEPT_DAYS < today)
        return err_set(err, ERR_INPUT, "%s is %.40s, but what was written is known for %d days only", option, text,
                       LEDGER_KEPT_DAYS);
    return true;
}

static bool read_days(const struct asked *asked, uint32_t *from, uint32_t *to, struct err *err)
{
    if (!read_day("--from", asked->from, from, err) || !read_day("--to", asked->to, to, err))
        return false;
    if (asked->from && !asked->to) /* up to the last day that is settled */
        return true;
    if (asked->to && !asked->from)
        *from = *to;
    if (*from > *to)
        return err_set(err, ERR_INPUT, "--from is after --to");
    return true;
}

/* Asks the program to write a day again. */

static const struct raw_stanza *find_stanza(const struct config *config, const char *name)
{
    size_t i;

    for (i = 0; i < config->count; i++)
        if (batch_wants(&config->stanzas[i], name))
            return &config->stanzas[i];
    return NULL;
}

/* Refuses a day that the next audit would call unknown, or that is before the input's beginning. */
static bool is_known_since(const struct ledger_line *line, uint32_t day, struct err *err)
{
    char since[TICKS_TEXT_MAX];

    if (line->since <= ledger_day_begin(day) || (line->whole && ledger_day_of(line->since) == day))
        return true;
    ticks_text(line->since, since);
    return err_set(err, ERR_INPUT,
                   "what this input wrote is known from %s on only, so no audit can write a day before that again",
                   since);
}

static bool ask_again(const struct config *config, const struct asked *asked, uint32_t day, struct err *err)
{
    const struct raw_stanza *stanza = find_stanza(config, asked->only);
    CLEANUP(mem_freep) char *path = NULL;
    struct input input = { .name = NULL };
    struct ledger_head head;
    bool siem, off;

    if (!stanza)
        return err_set(err, ERR_INPUT, "there is no enabled input '%.200s' in the XML on stdin", asked->only);
    if (!input_from_stanza(stanza, CHECK_FILES, &input, err))
        return false;
    path = store_file_ledger_path(config->checkpoint_dir, input.name);
    siem = input.api == API_SIEM;
    off = !input.audit;
    input_free(&input);
    if (siem)
        return err_set(err, ERR_INPUT, "the records of the SIEM exporter have no ID, so there is no audit of them");
    if (off)
        return err_set(err, ERR_INPUT,
                       "this input has audit = 0, so no audit would write the day; set it to 1 or more");
    if (!ledger_read_head(path, &head, err)) {
        if (err->kind != ERR_INPUT && errno == ENOENT)
            err_set(err, ERR_INPUT, "there is no ledger of this input in %s", config->checkpoint_dir);
        return false;
    }
    return is_known_since(&head.line, day, err) && ledger_again_ask(path, day, err);
}

static int write_again(const struct config *config, const struct asked *asked)
{
    struct err err;
    uint32_t day;

    if (!asked->only)
        err_set(&err, ERR_INPUT, "--again needs --input NAME: the input whose day is to be written again");
    else if (asked->from || asked->to || asked->as_json)
        err_set(&err, ERR_INPUT, "--again goes with --input only");
    else if (read_day("--again", asked->again, &day, &err) && ask_again(config, asked, day, &err)) {
        printf("The next audit of this input writes %s again: between 00:46 and 05:00 UTC, or\n"
               "within the hour after the input has been started again. What Splunk still has of\n"
               "that day is there twice then.\n",
               asked->again);
        return fflush(stdout) ? UNKNOWN : 0;
    }
    log_error("%s", err.text);
    return UNKNOWN;
}

static const char usage[] =
    "usage: splunk cmd splunkd print-modinput-config defender_alerts | defender_alerts audit [OPTION ...]\n"
    "Lists the alerts of whole days (UTC) by ID and update time, and compares them with the ledgers of what was\n"
    "written. Names what is missing. Writes no event and no checkpoint, also while the program runs, which mends what\n"
    "its own audits find. Without days: as many of the last ones as the input's parameter audit says.\n"
    "Exit status 0: every day of every input is equal; 1: alerts are missing; 2: something is not known.\n";

static bool read_config(struct config *config, struct err *err)
{
    console_tell_waiting("Waiting on stdin for the XML of the inputs, from 'splunk cmd splunkd print-modinput-config "
                         "defender_alerts | defender_alerts audit'; 'audit -h' says more.");
    return config_read(STDIN_FILENO, CONFIG_INPUT, config, err);
}

int audit_run(int argc, char **argv)
{
    struct asked asked = { .only = NULL };
    const struct option_spec specs[] = { { "--input", &asked.only, NULL, "NAME", "only the input of this name" },
                                         { "--from", &asked.from, NULL, "DAY", "the first day, such as 2026-11-01" },
                                         { "--to", &asked.to, NULL, "DAY", "the last day; alone: that day" },
                                         { "--json", NULL, &asked.as_json, NULL, "the findings as JSON" },
                                         { "--again", &asked.again, NULL, "DAY",
                                           "with --input: the next audit writes all of this day again" } };
    struct config config;
    struct err err;
    uint32_t from, to;
    int status;

    if (options_want_help(argc, argv)) {
        options_print(usage, specs, COUNT_OF(specs));
        return 0;
    }
    if (!options_read(specs, COUNT_OF(specs), argc, argv, &err) || !read_days(&asked, &from, &to, &err) ||
        !read_config(&config, &err)) {
        log_error("%s", err.text);
        return UNKNOWN;
    }
    status = asked.again ? write_again(&config, &asked) : compare(&config, &asked, from, to);
    config_free(&config);
    return status;
}
