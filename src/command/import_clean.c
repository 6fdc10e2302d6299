#include "command/import_clean.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/columns.h"
#include "command/csv.h"
#include "splunk/mask.h"
#include "splunk/params.h"
#include "splunk/proxy.h"

/* Returns the parameter that a column of the header is; NULL: another column. */
static const struct param *column(const struct csv *csv, size_t at)
{
    CLEANUP(mem_freep) char *name = NULL;

    if (at >= csv->rows[0].count)
        return NULL;
    name = column_of_cell(csv->rows[0].cells[at]);
    return param_find(name);
}

static bool is_secret(const struct param *param)
{
    return param && param->type == PARAM_SECRET;
}

/* Returns the masked proxy if the cell has a password; NULL: it has none. Caller frees. */
static char *without_password(const struct param *param, const char *cell)
{
    CLEANUP(mem_freep) char *text = text_trimmed(cell);
    CLEANUP(mem_freep) char *proxy = NULL;
    CLEANUP(mem_free_secretp) char *password = NULL;

    if (!param || param->type != PARAM_PROXY || !proxy_parse(text, &proxy, &password) || !password)
        return NULL;
    return proxy_masked(proxy);
}

bool import_has_secrets(const struct buf *text)
{
    struct csv csv;
    struct err err;
    bool found = false;
    size_t i, k;

    if (csv_parse(buf_text(text), text->len, &csv, &err))
        for (i = 1; i < csv.count && !found; i++)
            for (k = 0; k < csv.rows[i].count && !found; k++) {
                const char *cell = csv.rows[i].cells[k];
                CLEANUP(mem_freep) char *masked = without_password(column(&csv, k), cell);

                found = masked || (is_secret(column(&csv, k)) && *cell && !mask_matches(cell));
            }
    csv_free(&csv);
    return found;
}

static void add_row(struct buf *ret, const struct csv *csv, size_t row)
{
    size_t k, cells = 0;

    for (k = 0; k < csv->rows[row].count; k++) {
        const struct param *param = column(csv, k);
        const char *cell = csv->rows[row].cells[k];
        CLEANUP(mem_freep) char *masked = row ? without_password(param, cell) : NULL;

        if (is_secret(param))
            continue;
        if (cells++)
            buf_add_char(ret, csv->format.separator);
        csv_add_cell(ret, masked ? masked : cell);
    }
    buf_add_text(ret, csv->format.line_end);
}

/* Appends the file without its secrets, in its own encoding and with its own separator. */
static void write_clean(const struct csv *csv, size_t limit, struct buf *ret)
{
    struct buf text = BUF_INIT(limit);
    size_t i;

    csv_begin(&text, &csv->format);
    for (i = 0; i < csv->count; i++)
        add_row(&text, csv, i);
    csv_bytes_encode(csv->format.encoding, &text, ret);
    buf_free(&text);
}

bool import_clean(const char *path, const struct buf *read, struct err *err)
{
    struct buf now = BUF_INIT(read->limit), clean = BUF_INIT(4 * read->limit);
    struct csv csv = { 0 };
    bool ok = file_read(path, &now, err);

    if (ok && (now.len != read->len || memcmp(buf_text(&now), buf_text(read), now.len) != 0))
        ok = err_set(err, ERR_INPUT, "'%s' has changed since it was imported", path);
    ok = ok && csv_parse(buf_text(read), read->len, &csv, err);
    if (ok) {
        write_clean(&csv, 2 * read->limit, &clean);
        ok = !clean.full ? file_rewrite(path, buf_text(&clean), clean.len, err)
                         : err_set(err, ERR_INPUT, "'%s' would become too large", path);
    }
    csv_free(&csv);
    buf_free_secret(&now);
    buf_free(&clean);
    return ok;
}
