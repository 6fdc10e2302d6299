#include "share/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void share_names_free(struct share_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names->list);
    *names = (struct share_names){ 0 };
}

/* Returns where the name is, or would be. */
static size_t place_of(const struct share_names *names, const char *name)
{
    size_t from = 0, to = names->count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (strcmp(names->list[middle], name) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

bool share_names_have(const struct share_names *names, const char *name)
{
    size_t at = place_of(names, name);

    return at < names->count && !strcmp(names->list[at], name);
}

void share_names_add(struct share_names *names, const char *name)
{
    size_t at = place_of(names, name);

    if (at < names->count && !strcmp(names->list[at], name))
        return;
    names->list = mem_grow(names->list, names->count + 1, sizeof(*names->list));
    memmove(names->list + at + 1, names->list + at, (names->count - at) * sizeof(*names->list));
    names->list[at] = mem_text(name);
    names->count++;
}
