#include "command/check_duplicates.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "command/alert_set.h"

/* The enabled inputs of the configuration. */
struct sets {
    struct alert_set *list;
    size_t count;
};

static struct alert_set *set_named(const struct sets *sets, const char *name)
{
    size_t i;

    for (i = 0; i < sets->count; i++)
        if (text_same(sets->list[i].name, name))
            return &sets->list[i];
    return NULL;
}

/* A bad input does not run, so it reads nothing. */
static void take_outcome(struct alert_set *set, const struct outcome *outcome)
{
    set->tid = outcome->claims.tenant;
    if (outcome->result == CHECK_BAD_INPUT)
        set->tenant_id = NULL;
}

static void note_row(const struct sets *sets, struct row *row)
{
    const struct alert_set *own = set_named(sets, row_outcome(row)->input), *first = NULL;
    CLEANUP(mem_freep) char *sentence = NULL;
    size_t i, others = 0;

    for (i = 0; own && i < sets->count; i++) {
        if (&sets->list[i] == own || !alert_sets_meet(own, &sets->list[i]))
            continue;
        if (!others++)
            first = &sets->list[i];
    }
    if (!first)
        return;
    sentence = alert_set_sentence(first, others - 1);
    row_add_note(row, sentence);
}

void check_duplicates_note(struct row *const *rows, size_t count, const struct config *config)
{
    struct sets sets = { .list = mem_alloc((config->count + 1) * sizeof(*sets.list)) };
    struct alert_set *set;
    size_t i;

    for (i = 0; i < config->count; i++)
        sets.count += alert_set_of_stanza(&config->stanzas[i], &sets.list[sets.count]);
    for (i = 0; i < count; i++)
        if ((set = set_named(&sets, row_outcome(rows[i])->input)))
            take_outcome(set, row_outcome(rows[i]));
    for (i = 0; i < count; i++)
        note_row(&sets, rows[i]);
    free(sets.list);
}
