#include "command/export.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "command/csv_bytes.h"
#include "command/export_table.h"
#include "command/options.h"
#include "command/session.h"
#include "splunk/data_inputs.h"

#define TABLE_MAX (64u * 1024 * 1024)

struct export
{
    const char *path, *server_uri; /* path NULL: stdout */
    struct console console;
    struct loop *loop;
    struct http *http;
    struct rest *rest;
    struct data_inputs *inputs;
    struct buf text;
    int count;
    size_t changed;
    bool listed;
    struct err err;
};

static void inputs_listed(void *ctx, bool ok, const cJSON *list, const struct err *err)
{
    struct export *export = ctx;

    if (ok) {
        export->count = cJSON_GetArraySize(list);
        export->changed = export_table(list, &export->text);
    } else {
        export->err = *err;
    }
    export->listed = ok;
    loop_stop(export->loop);
}

static bool read_inputs(struct export *export, struct err *err)
{
    console_start(&export->console, "stopped before anything was written");
    export->loop = loop_new();
    export->http = http_new(export->loop);
    export->rest = session_open(&export->console, export->loop, export->http, export->server_uri, err);
    if (!export->rest)
        return false;
    export->inputs = data_inputs_new(export->rest);
    data_inputs_list(export->inputs, inputs_listed, export);
    loop_run(export->loop);
    if (!export->listed)
        *err = export->err;
    else if (export->text.full)
        return err_set(err, ERR_INPUT, "the inputs are too many for a file of %u bytes", TABLE_MAX);
    return export->listed;
}

static bool refuse_existing(const char *path, struct err *err)
{
    return err_set(err, ERR_INPUT, "'%s' exists; name another file, or remove it first", path);
}

/* Writes the table with a BOM if a letter needs it: Excel takes a file without one for a code page of Windows. */
static bool write_table(const struct export *export, struct err *err)
{
    struct buf bytes = BUF_INIT(TABLE_MAX + 8);
    const char *at = buf_text(&export->text);
    bool ok;

    while (*at && !(*at & 0x80))
        at++;
    csv_bytes_encode(*at ? CSV_UTF8_BOM : CSV_UTF8, &export->text, &bytes);
    if (export->path) {
        ok = file_create(export->path, buf_text(&bytes), bytes.len, err) ||
             (errno == EEXIST ? refuse_existing(export->path, err) : false);
    } else {
        ok = (fwrite(buf_text(&bytes), 1, bytes.len, stdout) == bytes.len && fflush(stdout) == 0) ||
             err_set(err, ERR_RETRY, "cannot write to stdout: %s", strerror(errno));
    }
    buf_free(&bytes);
    return ok;
}

static bool export_all(struct export *export, struct err *err)
{
    if (export->path && access(export->path, F_OK) == 0)
        return refuse_existing(export->path, err);
    if (!read_inputs(export, err) || !write_table(export, err))
        return false;
    if (export->path) {
        printf("%d %s written to ", export->count, export->count == 1 ? "input was" : "inputs were");
        console_put(export->path, stdout);
        puts(". Secrets are not in the file; they stay in Splunk's password store.");
    }
    if (export->changed)
        fprintf(stderr, "Warning: blanks take the place of characters that import refuses, in %zu inputs.\n",
                export->changed);
    return fflush(stdout) == 0;
}

static const char usage[] =
    "usage: defender_alerts export [CUSTOMERS.csv] [--server-uri URL]\n"
    "Writes all inputs, also disabled ones, as a CSV file that import takes: to check them, to edit many, or to take\n"
    "them to another forwarder. Without a file name it goes to stdout. A file that exists is not replaced.\n"
    "Secrets are never written: eight asterisks or an empty field mean the stored one. An apostrophe before =, +, - or @\n"
    "keeps a spreadsheet from calculating; import removes it.\n"
    "Splunk's session key, or the XML of 'splunk cmd splunkd print-modinput-config', is read from stdin.\n";

int export_run(int argc, char **argv)
{
    struct export export = { .text = BUF_INIT(TABLE_MAX) };
    const struct option_spec specs[] = { { "CUSTOMERS.csv", &export.path, NULL, "FILE", "the new file" },
                                         { "--server-uri", &export.server_uri, NULL, "URL",
                                           "splunkd; default " SERVER_URI } };
    struct err err;
    bool ok;

    if (options_want_help(argc, argv)) {
        options_print(usage, specs, COUNT_OF(specs));
        return 0;
    }
    ok = options_read(specs, COUNT_OF(specs), argc, argv, &err) && export_all(&export, &err);
    if (!ok)
        log_error("%s", err.text);
    data_inputs_free(export.inputs);
    rest_free(export.rest);
    http_free(export.http);
    loop_free(export.loop);
    buf_free(&export.text);
    return ok ? 0 : 1;
}
