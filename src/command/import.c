#include "command/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/console.h"
#include "command/csv.h"
#include "command/options.h"
#include "splunk/params.h"
#include "splunk/proxy.h"
#include "splunk/splunkd.h"

#define FILE_MAX_BYTES (64u * 1024 * 1024)
#define SERVER_URI     "https://127.0.0.1:8089"
#define AT_ONCE        4        /* splunkd validates each input with a process of its own */
#define CHANGES_MAX    1024

/* splunkd's own keys that a column may name. */
static const char *const own_keys[] = { "index", "sourcetype", "source", "host", "disabled" };

enum action { ACTION_NONE, ACTION_CREATE, ACTION_UPDATE, ACTION_REFUSED };

/* A secret of one or more rows on its way to the store. */
struct parcel {
    struct parcel *next;
    struct import *import;
    char          *name;
    const char    *value;       /* secret, borrowed from the row's input */
    size_t         line;        /* of the row that brought it */
    bool           failed;
    struct err     err;
};

struct row {
    struct import    *import;
    size_t            line;
    struct raw_stanza stanza;
    struct input      input;
    enum action       action;
    char             *app;              /* where the existing stanza lives; NULL: none exists */
    char             *proxy;            /* as inputs.conf is to hold it; NULL: as given */
    const char      **list;             /* name, value, ... NULL: what to send */
    size_t            list_len;
    struct buf        changes;          /* names, for the report */
    struct parcel    *parcels[3];
    size_t            parcel_count;
    bool              done;
    struct err        err;
};

struct import {
    const char *path, *server_uri;
    bool        dry_run;
    struct csv  csv;
    struct row *rows;
    size_t      count, next, running;
    struct parcel *parcels;
    size_t      parcels_left;
    struct loop    *loop;
    struct http    *http;
    struct splunkd *splunkd;
    struct err      err;
    bool            failed;     /* nothing could be done at all */
};

static void row_refuse(struct row *row, const struct err *err)
{
    row->action = ACTION_REFUSED;
    row->err = *err;
}

/* The file. */

static const struct param *param_named(const char *name)
{
    size_t i;

    for (i = 0; i < params_count; i++)
        if (text_same(params[i].name, name))
            return &params[i];
    return NULL;
}

static bool is_own_key(const char *name)
{
    size_t i;

    for (i = 0; i < COUNT_OF(own_keys); i++)
        if (text_same(own_keys[i], name))
            return true;
    return false;
}

static bool check_column(const struct csv_row *header, size_t at, struct err *err)
{
    const char *name = header->cells[at];
    size_t i;

    if (text_same(name, "authorization_code"))
        return err_set(err, ERR_INPUT, "line %zu: the column authorization_code cannot be imported, since a code is "
                       "used up at once; use 'sign-in --store' or the inputs page", header->line);
    if (!text_same(name, "name") && !param_named(name) && !is_own_key(name))
        return err_set(err, ERR_INPUT, "line %zu: the column '%.80s' is no parameter of an input; "
                       "README/inputs.conf.spec lists them", header->line, name);
    for (i = 0; i < at; i++)
        if (text_same(header->cells[i], name))
            return err_set(err, ERR_INPUT, "line %zu: the column %s is there twice", header->line, name);
    return true;
}

static bool check_header(const struct csv *csv, struct err *err)
{
    static const char *const needed[] = { "name", "tenant_id", "client_id" };
    const struct csv_row *header = &csv->rows[0];
    size_t i, k;

    if (!csv->count)
        return err_set(err, ERR_INPUT, "the file is empty; its first line should name the columns: name, tenant_id, "
                       "client_id and other parameters of an input");
    for (i = 0; i < header->count; i++) {
        char *trimmed = text_trimmed(header->cells[i]);

        free(header->cells[i]);
        header->cells[i] = trimmed;
        if (!check_column(header, i, err))
            return false;
    }
    for (i = 0; i < COUNT_OF(needed); i++) {
        for (k = 0; k < header->count && !text_same(header->cells[k], needed[i]); k++)
            ;
        if (k == header->count)
            return err_set(err, ERR_INPUT, "line %zu: there is no column %s; the first line should name the columns",
                           header->line, needed[i]);
    }
    return true;
}

static void fill_stanza(struct row *row, const struct csv_row *header, const struct csv_row *line)
{
    struct raw_stanza *stanza = &row->stanza;
    size_t i;

    stanza->params = mem_alloc((header->count + 1) * sizeof(*stanza->params));
    for (i = 0; i < header->count && i < line->count; i++) {
        char *value = text_trimmed(line->cells[i]);

        if (text_same(header->cells[i], "name"))
            stanza->name = value;
        else if (*value)
            stanza->params[stanza->count++] = (struct raw_param){ mem_text(header->cells[i]), value };
        else
            free(value);
    }
    if (!stanza->name)
        stanza->name = mem_text("");
}

static bool same_name_before(const struct import *import, const struct row *row)
{
    const struct row *other;

    for (other = import->rows; other < row; other++)
        if (text_same(other->stanza.name, row->stanza.name))
            return true;
    return false;
}

static void read_row(struct import *import, struct row *row, const struct csv_row *header, const struct csv_row *line)
{
    struct err err;

    row->import = import;
    row->line = line->line;
    row->changes = BUF_INIT(CHANGES_MAX);
    fill_stanza(row, header, line);
    if (line->count != header->count)
        err_set(&err, ERR_INPUT, "the row has %zu fields, but the header names %zu columns", line->count,
                header->count);
    else if (same_name_before(import, row))
        err_set(&err, ERR_INPUT, "another row has this name");
    else if (input_from_stanza(&row->stanza, true, &row->input, &err))
        return;
    row_refuse(row, &err);
}

static bool read_file(struct import *import, struct err *err)
{
    struct buf text = BUF_INIT(FILE_MAX_BYTES);
    bool ok = file_read(import->path, &text, err) && csv_parse(buf_text(&text), text.len, &import->csv, err) &&
              check_header(&import->csv, err);
    size_t i;

    buf_free_secret(&text);
    if (!ok)
        return false;
    import->rows = mem_alloc(import->csv.count * sizeof(*import->rows));
    for (i = 1; i < import->csv.count; i++, import->count++)
        read_row(import, &import->rows[import->count], &import->csv.rows[0], &import->csv.rows[i]);
    return true;
}

/* Secrets. */

static void note_change(struct row *row, const char *name)
{
    buf_add_format(&row->changes, "%s%s", row->changes.len ? ", " : "", name);
}

/* Takes name over. A secret that is in the store as it is needs nothing; replace: another one there gives way. */
static void add_parcel(struct row *row, char *name, const char *value, bool replace, const char *parameter)
{
    struct import *import = row->import;
    const char *stored = import->splunkd ? splunkd_secret(import->splunkd, name) : NULL;
    struct parcel *parcel;
    struct err err;

    for (parcel = import->parcels; parcel && !text_same(parcel->name, name); parcel = parcel->next)
        ;
    if (parcel && !text_same(parcel->value, value)) {
        err_set(&err, ERR_INPUT, "%s differs from the one in line %zu, but both are for the same %s; one of them "
                "should be empty", parameter, parcel->line, text_same(parameter, "client_secret") ? "client_id" : "sign-in");
        row_refuse(row, &err);
    } else if (!parcel && value && !text_same(stored, value) && (replace || !stored)) {
        parcel = mem_alloc(sizeof(*parcel));
        *parcel = (struct parcel){ .import = import, .name = name, .value = value, .line = row->line,
                                   .next = import->parcels };
        import->parcels = parcel;
        name = NULL;
    }
    free(name);
    if (!parcel || row->action == ACTION_REFUSED)
        return;
    row->parcels[row->parcel_count++] = parcel;
    note_change(row, parameter);
}

static void add_parcels(struct row *row)
{
    const struct input *input = &row->input;

    if (input->client_secret)
        add_parcel(row, secret_name_client(input->client_id), input->client_secret, true, "client_secret");
    if (input->refresh_token)
        add_parcel(row, secret_name_refresh(input->tenant_id, input->client_id), input->refresh_token, false,
                   "refresh_token");
    if (input->proxy_password)
        add_parcel(row, secret_name_proxy(input->name), input->proxy_password, true, "proxy_password");
}

/* What is there, and what is to be sent. */

static const cJSON *existing(const cJSON *list, const char *name)
{
    const cJSON *entry;

    if (list)
        cJSON_ArrayForEach(entry, list)
            if (text_same(json_text(entry, "name"), name))
                return entry;
    return NULL;
}

/* Is it in place as it stands? splunkd writes booleans and numbers in its own ways. */
static bool is_in_place(const cJSON *content, const char *name, const char *value)
{
    const cJSON *item = json_member(content, name);
    char number[32];
    bool truth = text_same(value, "1") || text_same_nocase(value, "true");

    if (cJSON_IsBool(item))
        return cJSON_IsTrue(item) == truth;
    if (cJSON_IsNumber(item)) {
        snprintf(number, sizeof(number), "%.15g", item->valuedouble);
        return text_same(number, value);
    }
    if (text_same(name, "disabled") && cJSON_IsString(item))
        return truth == (text_same(item->valuestring, "1") || text_same_nocase(item->valuestring, "true"));
    return cJSON_IsString(item) && text_same(item->valuestring, value);
}

static void add_to_list(struct row *row, const char *name, const char *value)
{
    row->list = mem_grow(row->list, row->list_len + 3, sizeof(*row->list));
    row->list[row->list_len++] = name;
    row->list[row->list_len++] = value;
    row->list[row->list_len] = NULL;
}

static void plan_parameters(struct row *row, const cJSON *content)
{
    size_t i;

    for (i = 0; i < row->stanza.count; i++) {
        const struct raw_param *raw = &row->stanza.params[i];
        const struct param *param = param_named(raw->name);
        const char *value = raw->value;

        if (param && param->type == PARAM_SECRET)
            continue;
        if (param && param->type == PARAM_PROXY && row->input.proxy_password)
            value = row->proxy = proxy_masked(row->input.proxy);
        if (content && is_in_place(content, raw->name, value))
            continue;
        add_to_list(row, raw->name, value);
        if (content)
            note_change(row, raw->name);
    }
}

static void plan(struct row *row, const cJSON *list)
{
    const cJSON *entry = existing(list, row->stanza.name);
    const char *app = json_text(json_member(entry, "acl"), "app");

    if (row->action == ACTION_REFUSED)
        return;
    add_parcels(row);
    if (row->action == ACTION_REFUSED)
        return;
    if (entry) {
        row->app = mem_text(app ? app : "");
        plan_parameters(row, json_member(entry, "content"));
        row->action = row->list_len || row->parcel_count ? ACTION_UPDATE : ACTION_NONE;
        return;
    }
    add_to_list(row, "name", row->stanza.name);
    plan_parameters(row, NULL);
    row->action = ACTION_CREATE;
}

/* Doing it. */

static void rows_go_on(struct import *import);

static void row_done(void *ctx, bool ok, const struct err *err)
{
    struct row *row = ctx;

    row->done = true;
    if (!ok)
        row_refuse(row, err);
    row->import->running--;
    rows_go_on(row->import);
}

/* False: it needs no request. */
static bool row_start(struct row *row)
{
    size_t i;

    if (row->action != ACTION_CREATE && row->action != ACTION_UPDATE)
        return false;
    for (i = 0; i < row->parcel_count; i++) {
        if (row->parcels[i]->failed) {
            row_refuse(row, &row->parcels[i]->err);
            return false;
        }
    }
    if (!row->list_len)
        return false;
    if (row->action == ACTION_CREATE)
        splunkd_create_input(row->import->splunkd, row->list, row_done, row);
    else
        splunkd_edit_input(row->import->splunkd, row->app, row->stanza.name, row->list, row_done, row);
    return true;
}

static void show_progress(const struct import *import)
{
    char text[80];

    snprintf(text, sizeof(text), "%zu of %zu rows", import->next - import->running, import->count);
    console_progress(text);
}

static void rows_go_on(struct import *import)
{
    while (import->next < import->count && import->running < AT_ONCE)
        import->running += row_start(&import->rows[import->next++]);
    show_progress(import);
    if (!import->running && import->next == import->count)
        loop_stop(import->loop);
}

static void parcel_stored(void *ctx, bool ok, const struct err *err)
{
    struct parcel *parcel = ctx;
    struct import *import = parcel->import;

    if (!ok) {
        parcel->failed = true;
        parcel->err = *err;
    }
    if (--import->parcels_left == 0)
        rows_go_on(import);
}

static void carry_out(struct import *import)
{
    struct parcel *parcel;

    for (parcel = import->parcels; parcel; parcel = parcel->next)
        import->parcels_left++;
    for (parcel = import->parcels; parcel; parcel = parcel->next)
        splunkd_store_secret(import->splunkd, parcel->name, parcel->value, parcel_stored, parcel);
    if (!import->parcels)
        rows_go_on(import);
}

static void give_up(struct import *import, const struct err *err)
{
    import->failed = true;
    import->err = *err;
    loop_stop(import->loop);
}

static void inputs_listed(void *ctx, bool ok, const cJSON *list, const struct err *err)
{
    struct import *import = ctx;
    size_t i;

    if (!ok) {
        give_up(import, err);
        return;
    }
    for (i = 0; i < import->count; i++)
        plan(&import->rows[i], list);
    if (import->dry_run)
        loop_stop(import->loop);
    else
        carry_out(import);
}

static void secrets_read(void *ctx, bool ok, const struct err *err)
{
    struct import *import = ctx;

    if (ok)
        splunkd_list_inputs(import->splunkd, inputs_listed, import);
    else
        give_up(import, err);
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

static int report(const struct import *import)
{
    size_t counts[ACTION_REFUSED + 1] = { 0 }, i;

    console_progress(NULL);
    for (i = 0; i < import->count; i++) {
        const struct row *row = &import->rows[i];

        counts[row->action]++;
        printf("line %zu  %-24s  %s", row->line, row->stanza.name, action_word(import, row->action));
        if (row->action == ACTION_REFUSED)
            printf(": %s", row->err.text);
        else if (row->changes.len)
            printf(": %s", buf_text(&row->changes));
        putchar('\n');
    }
    printf("\n%zu %s, %zu %s, %zu unchanged, %zu refused.\n", counts[ACTION_CREATE],
           action_word(import, ACTION_CREATE), counts[ACTION_UPDATE], action_word(import, ACTION_UPDATE),
           counts[ACTION_NONE], counts[ACTION_REFUSED]);
    return fflush(stdout) == 0 && !counts[ACTION_REFUSED] ? 0 : 1;
}

/* The whole. */

static bool run(struct import *import, struct err *err)
{
    CLEANUP(mem_free_secretp) char *key = NULL;
    CLEANUP(mem_freep) char *uri = NULL;
    struct console console;
    struct config config;

    console_start(&console);
    if (!import->path)
        return err_set(err, ERR_INPUT, "which file? See 'defender_alerts import --help'");
    if (!read_file(import, err) || !console_session(&console, &key, &uri, err))
        return false;
    if (!key)
        return err_set(err, ERR_INPUT, "Splunk's session key is needed on stdin; see 'defender_alerts import --help'");
    config = (struct config){ .session_key = key, .server_uri = uri };
    if (import->server_uri || !uri)
        config.server_uri = (char *)(import->server_uri ? import->server_uri : SERVER_URI);
    import->loop = loop_new();
    import->http = http_new(import->loop);
    import->splunkd = splunkd_new(import->loop, import->http, &config, getenv("SPLUNK_HOME"));
    splunkd_load_secrets(import->splunkd, secrets_read, import);
    loop_run(import->loop);
    console_progress(NULL);
    if (import->failed)
        *err = import->err;
    return !import->failed;
}

static void release(struct import *import)
{
    struct parcel *parcel;
    size_t i;

    splunkd_free(import->splunkd);
    http_free(import->http);
    loop_free(import->loop);
    while ((parcel = import->parcels)) {
        import->parcels = parcel->next;
        free(parcel->name);
        free(parcel);
    }
    for (i = 0; i < import->count; i++) {
        struct row *row = &import->rows[i];

        raw_stanza_free(&row->stanza);
        input_free(&row->input);
        buf_free(&row->changes);
        free(row->list);
        free(row->app);
        free(row->proxy);
    }
    free(import->rows);
    csv_free(&import->csv);
}

static const char usage[] =
    "usage: defender_alerts import CUSTOMERS.csv [--dry-run] [--server-uri URL]\n"
    "Creates or updates one input a row. The first line names the columns: name, parameters of an input, and Splunk's\n"
    "index, sourcetype, source, host, disabled. An empty field leaves a parameter as it is. Secrets go to Splunk's\n"
    "password store. Can be run again without harm.\n"
    "Splunk's session key, or the XML of 'splunk cmd splunkd print-modinput-config', is read from stdin.\n";

int import_run(int argc, char **argv)
{
    struct import import = { .path = NULL };
    const struct option_spec specs[] = {
        { "CUSTOMERS.csv", &import.path, NULL, "FILE", "the file" },
        { "--dry-run", NULL, &import.dry_run, NULL, "only say what would be done" },
        { "--server-uri", &import.server_uri, NULL, "URL", "splunkd; preset " SERVER_URI }
    };
    struct err err;
    int status = 1;

    if (options_want_help(argc, argv)) {
        options_print(usage, specs, COUNT_OF(specs));
        return 0;
    }
    if (options_read(specs, COUNT_OF(specs), argc, argv, &err) && run(&import, &err))
        status = report(&import);
    else
        log_error("%s", err.text);
    release(&import);
    return status;
}
