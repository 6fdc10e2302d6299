#include "command/export_table.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "command/columns.h"
#include "command/csv.h"
#include "splunk/app.h"
#include "splunk/data_inputs.h"
#include "splunk/mask.h"
#include "splunk/params.h"
#include "splunk/proxy.h"

/* Returns what splunkd shows for a key that the stanza does not set; NULL: nothing. */
static const char *default_of(const char *column)
{
    static const struct {
        const char *key, *value;
    } own[] = { { "index", "default" },
                { "host", "$decideOnStartup" },
                { "sourcetype", SCHEME_NAME },
                { "disabled", "0" } };
    const struct param *param = param_find(column);
    size_t i;

    if (param)
        return param->default_text;
    for (i = 0; i < COUNT_OF(own); i++)
        if (text_same(own[i].key, column))
            return own[i].value;
    return NULL;
}

/* Returns a value as text: splunkd writes booleans and numbers in its own ways. */
static char *text_of(const cJSON *item)
{
    if (cJSON_IsBool(item))
        return mem_text(cJSON_IsTrue(item) ? "1" : "0");
    if (cJSON_IsNumber(item))
        return mem_format("%.15g", item->valuedouble);
    return mem_text(cJSON_IsString(item) ? item->valuestring : "");
}

/* Returns the address with its password masked. An address that cannot be read is masked as a whole, since a password
 * may be in it. */
static char *proxy_without_password(const char *text)
{
    CLEANUP(mem_freep) char *proxy = NULL;
    CLEANUP(mem_free_secretp) char *password = NULL;

    if (text_empty(text))
        return mem_text("");
    if (!proxy_parse(text, &proxy, &password))
        return mem_text(SECRET_MASK);
    return password ? proxy_masked(proxy) : mem_text(text);
}

/* Returns a cell: the value, or what may be shown of it. */
static char *cell_of(const cJSON *input, const char *column)
{
    const cJSON *content = json_member(input, "content");
    const struct param *param = param_find(column);
    const cJSON *item = json_member(text_same(column, "name") ? input : content, column);
    CLEANUP(mem_free_secretp) char *text = text_of(item);

    if (param && param->type == PARAM_SECRET)
        return mem_text(text_empty(text) ? "" : SECRET_MASK);
    if (param && param->type == PARAM_PROXY)
        return proxy_without_password(text);
    if (text_same(column, "disabled"))
        return mem_text(data_inputs_is_disabled(input) ? "1" : "0");
    return mem_take(&text);
}

static bool says_nothing(const char *column, const char *cell)
{
    return text_empty(cell) || text_same(cell, default_of(column));
}

/* Returns true for what splunkd shows in place of a key of its own that is not set. */
static bool is_stand_in(const char *column, const char *cell)
{
    return !param_find(column) && !text_same(column, "disabled") && says_nothing(column, cell);
}

static bool is_needed(const cJSON *inputs, const char *column)
{
    static const char *const always[] = { "name", "tenant_id", "client_id", "api", "index" };
    const cJSON *input;
    size_t i;

    for (i = 0; i < COUNT_OF(always); i++)
        if (text_same(always[i], column))
            return true;
    cJSON_ArrayForEach(input, inputs)
    {
        CLEANUP(mem_freep) char *cell = cell_of(input, column);

        if (!says_nothing(column, cell))
            return true;
    }
    return false;
}

/* Adds a row; input NULL: the header. Returns false if a text had to be made plain. */
static bool add_row(const cJSON *input, const char *const *columns, struct buf *ret)
{
    bool plain = true;
    size_t i;

    for (i = 0; columns[i]; i++) {
        CLEANUP(mem_freep) char *cell = input ? cell_of(input, columns[i]) : mem_text(columns[i]);

        if (i)
            buf_add_char(ret, ',');
        if (input && is_stand_in(columns[i], cell))
            continue;
        plain = utf8_is_plain(cell) && plain;
        utf8_make_line(cell);
        csv_add_guarded(ret, cell);
    }
    buf_add_char(ret, '\n');
    return plain;
}

size_t export_table(const cJSON *inputs, struct buf *ret)
{
    size_t at, all = 0, count = 0, changed = 0;
    const char **columns, *column;
    const cJSON *input;

    while (column_name(all))
        all++;
    columns = mem_alloc((all + 1) * sizeof(*columns));
    for (at = 0; (column = column_name(at)); at++)
        if (is_needed(inputs, column))
            columns[count++] = column;
    add_row(NULL, columns, ret);
    cJSON_ArrayForEach(input, inputs) changed += !add_row(input, columns, ret);
    free(columns);
    return changed;
}
