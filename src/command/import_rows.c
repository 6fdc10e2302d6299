#include "command/import_rows.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/csv.h"
#include "splunk/params.h"

#define FILE_MAX_BYTES (64u * 1024 * 1024)
#define CHANGES_MAX    1024

/* splunkd's own keys that a column may name. */
static const char *const own_keys[] = { "index", "sourcetype", "source", "host", "disabled" };

void import_refuse(struct import_row *row, const struct err *err)
{
    row->action = ACTION_REFUSED;
    row->err = *err;
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
        return err_set(err, ERR_INPUT,
                       "line %zu: the column authorization_code cannot be imported, since a code is "
                       "used up at once; use 'sign-in --store' or the inputs page",
                       header->line);
    if (!text_same(name, "name") && !param_find(name) && !is_own_key(name))
        return err_set(err, ERR_INPUT,
                       "line %zu: the column '%.80s' is not a parameter of an input; "
                       "README/inputs.conf.spec lists them",
                       header->line, name);
    for (i = 0; i < at; i++)
        if (text_same(header->cells[i], name))
            return err_set(err, ERR_INPUT, "line %zu: the column %s occurs twice", header->line, name);
    return true;
}

static bool check_header(const struct csv *csv, struct err *err)
{
    static const char *const needed[] = { "name", "tenant_id", "client_id" };
    const struct csv_row *header = &csv->rows[0];
    size_t i, k;

    if (!csv->count)
        return err_set(err, ERR_INPUT,
                       "the file is empty; its first line should name the columns: name, tenant_id, "
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

static void fill_stanza(struct import_row *row, const struct csv_row *header, const struct csv_row *line)
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

static bool same_name_before(const struct import_rows *rows, const struct import_row *row)
{
    const struct import_row *other;

    for (other = rows->list; other < row; other++)
        if (text_same(other->stanza.name, row->stanza.name))
            return true;
    return false;
}

static void read_row(const struct import_rows *rows, struct import_row *row, const struct csv_row *header,
                     const struct csv_row *line)
{
    struct err err;

    row->line = line->line;
    row->changes = BUF_INIT(CHANGES_MAX);
    fill_stanza(row, header, line);
    if (line->count != header->count)
        err_set(&err, ERR_INPUT, "the row has %zu fields, but the header names %zu columns", line->count,
                header->count);
    else if (same_name_before(rows, row))
        err_set(&err, ERR_INPUT, "another row has this name");
    else if (input_from_stanza(&row->stanza, true, &row->input, &err) && stanza_is_plain(&row->stanza, &err))
        return;
    import_refuse(row, &err);
}

bool import_rows_read(struct import_rows *rows, const char *path, void *ctx, struct err *err)
{
    struct buf *text = &rows->text;
    struct csv csv = { 0 };
    bool ok;
    size_t i;

    *text = BUF_INIT(FILE_MAX_BYTES);
    ok = file_read_passed(path, text, err) && csv_parse(buf_text(text), text->len, &csv, err) &&
         check_header(&csv, err);
    if (ok)
        rows->list = mem_alloc(csv.count * sizeof(*rows->list));
    for (i = 1; ok && i < csv.count; i++) {
        rows->list[rows->count].ctx = ctx;
        read_row(rows, &rows->list[rows->count++], &csv.rows[0], &csv.rows[i]);
    }
    csv_free(&csv);
    return ok;
}

void import_rows_release(struct import_rows *rows)
{
    struct upload *upload;
    size_t i;

    while ((upload = rows->uploads)) {
        rows->uploads = upload->next;
        free(upload->name);
        buf_free(&upload->hosts);
        free(upload);
    }
    for (i = 0; i < rows->count; i++) {
        struct import_row *row = &rows->list[i];

        raw_stanza_free(&row->stanza);
        input_free(&row->input);
        buf_free(&row->changes);
        free(row->list);
        free(row->app);
        free(row->proxy);
    }
    free(rows->list);
    buf_free_secret(&rows->text);
}
