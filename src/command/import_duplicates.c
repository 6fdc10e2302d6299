/* Rows of an imported file that read the same alerts as another row, or as an input that exists. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "command/alert_set.h"
#include "command/import_rows.h"

/* What the inputs read after the import. */
struct reader {
    struct alert_set set;
    bool enabled;
    struct import_row *row; /* NULL: the file does not name this input */
};

struct readers {
    struct reader *list;
    size_t count;
};

static struct reader *reader_named(const struct readers *readers, const char *name)
{
    size_t i;

    for (i = 0; i < readers->count; i++)
        if (text_same(readers->list[i].set.name, name))
            return &readers->list[i];
    return NULL;
}

/* Adds a row, or changes the existing input that it names. A parameter without a value stays as it is. */
static void take_row(struct readers *readers, struct import_row *row)
{
    struct reader *reader = reader_named(readers, row->stanza.name);
    struct alert_set set;
    bool enabled = alert_set_of_stanza(&row->stanza, &set);

    if (!reader) {
        readers->list[readers->count++] = (struct reader){ set, enabled, row };
        return;
    }
    reader->row = row;
    reader->set.tenant_id = set.tenant_id;
    if (stanza_value(&row->stanza, "api"))
        reader->set.api = set.api;
    if (stanza_value(&row->stanza, "filter"))
        reader->set.filter = set.filter;
    if (stanza_value(&row->stanza, "disabled"))
        reader->enabled = enabled;
}

/* Returns true if the second input is one that the first is told about: of two rows, the later one is. */
static bool is_told(const struct reader *reader, const struct reader *other)
{
    return other->enabled && (!other->row || other->row->line < reader->row->line) &&
           alert_sets_meet(&reader->set, &other->set);
}

static void compare(const struct readers *readers, struct reader *reader)
{
    const struct alert_set *first = NULL;
    size_t i, count = 0;

    if (!reader->row || !reader->enabled)
        return;
    for (i = 0; i < readers->count; i++)
        if (&readers->list[i] != reader && is_told(reader, &readers->list[i]) && !count++)
            first = &readers->list[i].set;
    if (first)
        reader->row->duplicate = alert_set_sentence(first, count - 1);
}

void import_find_duplicates(struct import_rows *rows, const cJSON *inputs)
{
    size_t most = rows->count + (size_t)cJSON_GetArraySize(inputs) + 1, i;
    struct readers readers = { .list = mem_alloc(most * sizeof(*readers.list)) };
    const cJSON *entry;

    cJSON_ArrayForEach(entry, inputs)
    {
        struct reader *reader = &readers.list[readers.count++];

        reader->enabled = alert_set_of_entry(entry, &reader->set);
    }
    for (i = 0; i < rows->count; i++)
        if (rows->list[i].action != ACTION_REFUSED)
            take_row(&readers, &rows->list[i]);
    for (i = 0; i < readers.count; i++)
        compare(&readers, &readers.list[i]);
    free(readers.list);
}
