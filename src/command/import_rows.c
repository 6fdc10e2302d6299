#include "command/import_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/columns.h"
#include "command/csv.h"
#include "splunk/params.h"
#include "splunk/validate.h"

#define FILE_MAX_BYTES (64u * 1024 * 1024)
#define CHANGES_MAX    1024

void import_refuse(struct import_row *row, const struct err *err)
{
    row->action = ACTION_REFUSED;
    row->err = *err;
}

/* Checks one column of the header. One without a name is a column that a spreadsheet saved although it is empty. */
static bool check_column(const struct csv_row *header, size_t at, struct err *err)
{
    const char *name = header->cells[at];
    size_t i;

    if (!*name)
        return true;
    if (text_same(name, "authorization_code"))
        return err_set(err, ERR_INPUT,
                       "line %zu: the column authorization_code cannot be imported, since a code is "
                       "used up at once; use 'sign-in --store' or the inputs page",
                       header->line);
    if (!column_is_known(name))
        return err_set(err, ERR_INPUT,
                       "line %zu: the column '%.80s' is not a parameter of an input; 'defender_alerts import --help' "
                       "lists the columns",
                       header->line, name);
    for (i = 0; i < at; i++)
        if (text_same(header->cells[i], name))
            return err_set(err, ERR_INPUT, "line %zu: the column %s occurs twice", header->line, name);
    return true;
}

static bool has_column(const struct csv_row *header, const char *name)
{
    size_t i;

    for (i = 0; i < header->count; i++)
        if (text_same(header->cells[i], name))
            return true;
    return false;
}

/* Makes the names of the columns plain and drops columns without a name from the end. */
static void trim_header(struct csv_row *header)
{
    size_t i;

    for (i = 0; i < header->count; i++) {
        char *name = column_of_cell(header->cells[i]);

        free(header->cells[i]);
        header->cells[i] = name;
    }
    while (header->count && !*header->cells[header->count - 1])
        free(header->cells[--header->count]);
}

static bool check_header(const struct csv *csv, struct err *err)
{
    static const char *const needed[] = { "name", "tenant_id", "client_id" };
    struct csv_row *header = &csv->rows[0];
    size_t i;

    if (!csv->count)
        return err_set(
            err, ERR_INPUT,
            "the file is empty; its first line should name the columns: name, tenant_id, client_id and other "
            "parameters of an input ('defender_alerts import --template' prints an example)");
    trim_header(header);
    if (header->count == 1 && !column_is_known(header->cells[0]))
        return err_set(err, ERR_INPUT,
                       "line %zu: '%.80s' is one column; commas, semicolons or tabs should separate columns",
                       header->line, header->cells[0]);
    for (i = 0; i < header->count; i++)
        if (!check_column(header, i, err))
            return false;
    for (i = 0; i < COUNT_OF(needed); i++)
        if (!has_column(header, needed[i]))
            return err_set(err, ERR_INPUT, "line %zu: there is no column %s; the first line should name the columns",
                           header->line, needed[i]);
    return true;
}

static bool is_blank(const char *cell)
{
    return !cell[strspn(cell, " \t\r\n")];
}

/* Returns true for a row without any text. Spreadsheets save rows that once had some. */
static bool row_is_blank(const struct csv_row *line)
{
    size_t i;

    for (i = 0; i < line->count; i++)
        if (!is_blank(line->cells[i]))
            return false;
    return true;
}

static bool fits_header(const struct csv_row *header, const struct csv_row *line, struct err *err)
{
    size_t i;

    if (line->count < header->count)
        return err_set(err, ERR_INPUT, "the row has %zu fields, but the header names %zu columns; %s is missing",
                       line->count, header->count, header->cells[line->count]);
    for (i = 0; i < line->count; i++) {
        if (is_blank(line->cells[i]))
            continue;
        if (i >= header->count)
            return err_set(err, ERR_INPUT,
                           "the row has %zu fields, but the header names %zu columns; a field that contains the "
                           "separator should be quoted",
                           line->count, header->count);
        if (!*header->cells[i])
            return err_set(err, ERR_INPUT, "field %zu has a value, but the header has no name for its column", i + 1);
    }
    return true;
}

/* Returns the value of a cell. Secrets are never exported, so an apostrophe is part of them. */
static char *cell_value(const char *column, const char *cell)
{
    const struct param *param = param_find(column);
    CLEANUP(mem_free_secretp) char *trimmed = text_trimmed(cell);

    return mem_text(param && param->type == PARAM_SECRET ? trimmed : csv_unguarded(trimmed));
}

static void fill_stanza(struct import_row *row, const struct csv_row *header, const struct csv_row *line)
{
    struct raw_stanza *stanza = &row->stanza;
    size_t i;

    stanza->params = mem_alloc((header->count + 1) * sizeof(*stanza->params));
    for (i = 0; i < header->count && i < line->count; i++) {
        char *value = cell_value(header->cells[i], line->cells[i]);

        if (text_same(header->cells[i], "name"))
            stanza->name = value;
        else if (*value && *header->cells[i])
            stanza->params[stanza->count++] = (struct raw_param){ mem_text(header->cells[i]), value };
        else
            mem_free_secret(value);
    }
    if (!stanza->name)
        stanza->name = mem_text("");
}

static bool has_own_name(const struct import_rows *rows, const struct import_row *row, struct err *err)
{
    const struct import_row *other;

    for (other = rows->list; other < row; other++)
        if (*row->stanza.name && text_same(other->stanza.name, row->stanza.name))
            return err_set(err, ERR_INPUT, "another row has this name, in line %zu", other->line);
    return true;
}

static void read_row(const struct import_rows *rows, struct import_row *row, const struct csv_row *header,
                     const struct csv_row *line)
{
    struct err err;

    row->line = line->line;
    row->changes = BUF_INIT(CHANGES_MAX);
    fill_stanza(row, header, line);
    if (fits_header(header, line, &err) && has_own_name(rows, row, &err) &&
        input_from_stanza(&row->stanza, CHECK_FILES, &row->input, &err) && validate_values(&row->input, &err) &&
        stanza_is_plain(&row->stanza, &err))
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
        if (row_is_blank(&csv.rows[i]))
            continue;
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
        free(row->duplicate);
    }
    free(rows->list);
    buf_free_secret(&rows->text);
}
