#include "splunk/secret_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Returns the index of the name, or the index at which it is to be inserted. */
static size_t index_of(const struct secret_list *list, const char *name, bool *found)
{
    size_t low = 0, high = list->count, middle;
    int order;

    *found = false;
    while (low < high) {
        middle = low + (high - low) / 2;
        order = strcmp(list->items[middle].name, name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const char *secret_list_get(const struct secret_list *list, const char *name)
{
    bool found;
    size_t at = index_of(list, name, &found);

    return found ? list->items[at].value : NULL;
}

void secret_list_set(struct secret_list *list, const char *name, const char *value)
{
    bool found;
    size_t at = index_of(list, name, &found);
    char *copy = mem_text(value); /* before the old one goes: it may be the same text */

    if (found) {
        mem_free_secret(list->items[at].value);
        list->items[at].value = copy;
        return;
    }
    if (list->count == list->capacity) {
        list->capacity = list->capacity * 2 + 16;
        list->items = mem_grow(list->items, list->capacity, sizeof(*list->items));
    }
    memmove(list->items + at + 1, list->items + at, (list->count - at) * sizeof(*list->items));
    list->items[at] = (struct secret){ .name = mem_text(name), .value = copy };
    list->count++;
}

void secret_list_remove(struct secret_list *list, const char *name)
{
    bool found;
    size_t at = index_of(list, name, &found);

    if (!found)
        return;
    free(list->items[at].name);
    mem_free_secret(list->items[at].value);
    memmove(list->items + at, list->items + at + 1, (--list->count - at) * sizeof(*list->items));
}

void secret_list_clear(struct secret_list *list)
{
    size_t i;

    for (i = 0; i < list->count; i++) {
        free(list->items[i].name);
        mem_free_secret(list->items[i].value);
    }
    free(list->items);
    *list = (struct secret_list){ 0 };
}
