#include "command/import.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "command/columns.h"
#include "command/import_clean.h"
#include "command/import_rows.h"
#include "command/import_send.h"
#include "command/options.h"
#include "command/session.h"
#include "command/wrap.h"
#include "splunk/data_inputs.h"

#define NAME_COLUMNS 24
#define AT_ONCE      4 /* splunkd starts a process to validate each input */

struct import {
    const char *path, *server_uri;
    bool dry_run, remove_secrets, template;
    struct console console;
    struct import_rows rows;
    struct import_sending sending;
    size_t next, running;
    struct loop *loop;
    struct http *http;
    struct rest *rest;
    struct passwords *passwords;
    struct data_inputs *inputs;
    struct err err;
    bool failed; /* before the first row */
    bool has_secrets;
};

/* Carrying out the plan. */

static void rows_go_on(struct import *import);

static void row_done(void *ctx, bool ok, const struct err *err)
{
    struct import_row *row = ctx;
    struct import *import = row->ctx;

    if (!ok)
        import_refuse(row, err);
    import->running--;
    rows_go_on(import);
}

static void show_progress(const struct import *import)
{
    char text[80];

    snprintf(text, sizeof(text), "%zu of %zu rows", import->next - import->running, import->rows.count);
    console_progress(text);
}

static void rows_go_on(struct import *import)
{
    while (import->next < import->rows.count && import->running < AT_ONCE)
        import->running += import_send_row(&import->rows.list[import->next++], import->inputs, row_done);
    show_progress(import);
    if (!import->running && import->next == import->rows.count)
        loop_stop(import->loop);
}

static void secrets_stored(void *ctx)
{
    rows_go_on(ctx);
}

static void import_fail(struct import *import, const struct err *err)
{
    import->failed = true;
    import->err = *err;
    loop_stop(import->loop);
}

static void inputs_listed(void *ctx, bool ok, const cJSON *list, const struct err *err)
{
    struct import *import = ctx;

    if (!ok) {
        import_fail(import, err);
        return;
    }
    import_plan(&import->rows, list, import->passwords);
    import_find_duplicates(&import->rows, list);
    if (import->dry_run)
        loop_stop(import->loop);
    else
        import_send_secrets(&import->sending, &import->rows, import->passwords, secrets_stored, import);
}

static void secrets_read(void *ctx, bool ok, const struct err *err)
{
    struct import *import = ctx;

    if (ok)
        data_inputs_list(import->inputs, inputs_listed, import);
    else
        import_fail(import, err);
}

/* The report. */

static const char *action_word(const struct import *import, enum action action)
{
    switch (action) {
    case ACTION_CREATE: return import->dry_run ? "would be created" : "created";
    case ACTION_UPDATE: return import->dry_run ? "would be updated" : "updated";
    case ACTION_REFUSED: return "refused";
    default: return "unchanged";
    }
}

static void print_row(const struct import *import, const struct import_row *row)
{
    CLEANUP(mem_freep) char *name = mem_text(row->stanza.name);
    size_t columns;

    utf8_make_line(name);
    columns = wrap_columns(name);
    printf("line %zu  %s%*s  %s", row->line, name, columns < NAME_COLUMNS ? NAME_COLUMNS - (int)columns : 0, "",
           action_word(import, row->action));
    if (row->action == ACTION_REFUSED || row->changes.len)
        fputs(": ", stdout);
    console_put(row->action == ACTION_REFUSED ? row->err.text : buf_text(&row->changes), stdout);
    putchar('\n');
}

/* Prints the rows that were refused, or the others. */
static void print_rows(const struct import *import, bool refused)
{
    size_t count = 0, i;

    for (i = 0; i < import->rows.count; i++) {
        const struct import_row *row = &import->rows.list[i];

        if ((row->action == ACTION_REFUSED) != refused)
            continue;
        if (refused && !count++)
            puts("\nRefused:");
        print_row(import, row);
    }
}

static void print_duplicates(const struct import *import)
{
    size_t i;

    for (i = 0; i < import->rows.count; i++) {
        const struct import_row *row = &import->rows.list[i];

        if (!row->duplicate || row->action == ACTION_REFUSED)
            continue;
        printf("\nWarning: line %zu  ", row->line);
        console_put(row->stanza.name, stdout);
        fputs(": ", stdout);
        console_put(row->duplicate, stdout);
        puts(".");
    }
}

static int import_report(const struct import *import)
{
    size_t counts[ACTION_REFUSED + 1] = { 0 }, i;

    console_progress(NULL);
    for (i = 0; i < import->rows.count; i++)
        counts[import->rows.list[i].action]++;
    print_rows(import, false);
    print_duplicates(import);
    print_rows(import, true);
    printf("\n%zu %s, %zu %s, %zu unchanged, %zu refused.\n", counts[ACTION_CREATE], action_word(import, ACTION_CREATE),
           counts[ACTION_UPDATE], action_word(import, ACTION_UPDATE), counts[ACTION_NONE], counts[ACTION_REFUSED]);
    return fflush(stdout) == 0 && !counts[ACTION_REFUSED] ? 0 : 1;
}

/* The file afterwards. */

/* Returns true if a person at the terminal agrees. */
static bool wants_removal(struct import *import)
{
    CLEANUP(mem_freep)
    char *prompt = mem_format("Remove the secrets from %s, now that Splunk's password store has "
                              "them? [y/N] ",
                              import->path);
    struct buf line = BUF_INIT(16);
    bool yes = console_line(&import->console, prompt, false, &line) && strchr("yY", *buf_text(&line)) && line.len;

    buf_free(&line);
    return yes;
}

/* Removes the secrets from the file, or tells how. A refused row may need its secret for the next run. Returns the exit
 * status. */
static int leave_file(struct import *import, int status)
{
    struct err err;

    if (!import->has_secrets || import->dry_run)
        return status;
    if (status) {
        printf("The secrets stay in %s, since not everything was imported.\n", import->path);
        return status;
    }
    if (!import->remove_secrets && !import->console.is_terminal) {
        printf("The secrets are in Splunk's password store and still in %s; --remove-secrets removes them there.\n",
               import->path);
        return status;
    }
    if (!import->remove_secrets && !wants_removal(import))
        return status;
    if (!import_clean(import->path, &import->rows.text, &err)) {
        log_error("the secrets are still in the file: %s", err.text);
        return 1;
    }
    printf("The secrets were removed from %s. Copies of it and backups may still have them.\n", import->path);
    return status;
}

/* The command. */

static bool import_all(struct import *import, struct err *err)
{
    console_start(&import->console, "stopped: rows that had not begun are not done; import the file again to continue");
    if (!import->path)
        return err_set(err, ERR_INPUT, "which file? See 'defender_alerts import --help'");
    if (!import_rows_read(&import->rows, import->path, import, err))
        return false;
    import->has_secrets = import_has_secrets(&import->rows.text);
    if (import->has_secrets)
        console_warn_of_readers(import->path);
    import->loop = loop_new();
    import->http = http_new(import->loop);
    import->rest = session_open(&import->console, import->loop, import->http, import->server_uri, err);
    if (!import->rest)
        return false;
    import->passwords = passwords_new(import->rest);
    import->inputs = data_inputs_new(import->rest);
    passwords_load(import->passwords, secrets_read, import);
    loop_run(import->loop);
    console_progress(NULL);
    if (import->failed)
        *err = import->err;
    return !import->failed;
}

static void import_release(struct import *import)
{
    passwords_free(import->passwords);
    data_inputs_free(import->inputs);
    rest_free(import->rest);
    http_free(import->http);
    loop_free(import->loop);
    import_rows_release(&import->rows);
}

static const char usage[] =
    "usage: defender_alerts import CUSTOMERS.csv [--dry-run] [--remove-secrets] [--server-uri URL]\n"
    "       defender_alerts import --template > CUSTOMERS.csv\n"
    "Creates or updates one input for each row. The first line names the columns. An empty field leaves a parameter as\n"
    "it is. Secrets go to Splunk's password store. It is safe to run again.\n"
    "The file is UTF-8 or UTF-16, with commas, semicolons or tabs: in Excel, save it as \"CSV UTF-8\".\n"
    "Splunk's session key, or the XML of 'splunk cmd splunkd print-modinput-config', is read from stdin.\n";

static void print_help(const struct option_spec *specs, size_t count)
{
    struct buf list = BUF_INIT(4096);

    options_print(usage, specs, count);
    columns_add_list(&list);
    printf("Columns; name, tenant_id and client_id are needed (README/inputs.conf.spec explains them):\n%s",
           buf_text(&list));
    buf_free(&list);
}

static int print_template(void)
{
    struct buf text = BUF_INIT(4096);

    columns_add_template(&text);
    fputs(buf_text(&text), stdout);
    buf_free(&text);
    return fflush(stdout) ? 1 : 0;
}

int import_run(int argc, char **argv)
{
    struct import import = { .path = NULL };
    const struct option_spec specs[] = {
        { "CUSTOMERS.csv", &import.path, NULL, "FILE", "the file" },
        { "--dry-run", NULL, &import.dry_run, NULL, "only report what would be done" },
        { "--remove-secrets", NULL, &import.remove_secrets, NULL,
          "afterwards, remove the secrets from the file without asking" },
        { "--template", NULL, &import.template, NULL, "print a file to fill in, with two examples" },
        { "--server-uri", &import.server_uri, NULL, "URL", "splunkd; default " SERVER_URI }
    };
    struct err err;
    int status = 1;

    if (options_want_help(argc, argv)) {
        print_help(specs, COUNT_OF(specs));
        return 0;
    }
    if (!options_read(specs, COUNT_OF(specs), argc, argv, &err) || (!import.template && !import_all(&import, &err)))
        log_error("%s", err.text);
    else if (import.template)
        status = print_template();
    else
        status = leave_file(&import, import_report(&import));
    import_release(&import);
    return status;
}
