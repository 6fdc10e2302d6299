/* Sorted lists of names, and what there is to tell. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "share/core_private.h"

#define EVENTS_MOST 1000
#define BAD_MOST    100
#define NAMES_MOST  10000 /* in a list of the store; more would cost minutes at each reading */

void names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->texts[i]);
    free(names->texts);
    *names = (struct names){ 0 };
}

/* Returns where the text is, or would be. */
static size_t place_of(const struct names *names, const char *text)
{
    size_t from = 0, to = names->count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (strcmp(names->texts[middle], text) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

bool names_have(const struct names *names, const char *text)
{
    size_t at = place_of(names, text);

    return at < names->count && !strcmp(names->texts[at], text);
}

void names_add(struct names *names, const char *text)
{
    size_t at = place_of(names, text);

    if (at < names->count && !strcmp(names->texts[at], text))
        return;
    names->texts = mem_grow(names->texts, names->count + 1, sizeof(*names->texts));
    memmove(names->texts + at + 1, names->texts + at, (names->count - at) * sizeof(*names->texts));
    names->texts[at] = mem_text(text);
    names->count++;
}

bool names_parse(const cJSON *array, struct names *ret)
{
    struct names names = { 0 };
    const cJSON *item;

    if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) > NAMES_MOST)
        return false;
    cJSON_ArrayForEach(item, array)
    {
        if (!cJSON_IsString(item) || text_empty(item->valuestring)) {
            names_free(&names);
            return false;
        }
        names_add(&names, item->valuestring);
    }
    *ret = names;
    return true;
}

void core_event(struct share_core *core, enum share_event_kind kind, size_t count, const char *from, const char *why)
{
    struct events *events = &core->events;
    struct share_event *event;

    for (size_t i = events->round; i < events->count; i++) {
        event = &events->items[i];
        if (event->kind == kind && !strcmp(event->from, from) && !strcmp(event->why, why)) {
            event->count += count;
            return;
        }
    }
    if (events->count - events->taken >= EVENTS_MOST)
        return;
    events->items = mem_grow(events->items, events->count + 1, sizeof(*events->items));
    event = &events->items[events->count++];
    *event = (struct share_event){ .kind = kind, .count = count };
    memcpy(event->from, from, strnlen(from, sizeof(event->from) - 1));
    memcpy(event->why, why, strnlen(why, sizeof(event->why) - 1));
}

bool share_core_take_event(struct share_core *core, struct share_event *ret)
{
    struct events *events = &core->events;

    if (events->taken == events->count)
        return false;
    *ret = events->items[events->taken++];
    if (events->taken == events->count)
        events->taken = events->count = events->round = 0;
    return true;
}

void core_bad_record(struct share_core *core, const char *key, const char *why)
{
    if (names_have(&core->bad, key) || core->bad.count >= BAD_MOST)
        return;
    names_add(&core->bad, key);
    core_event(core, SHARE_EVENT_BAD_RECORD, 1, key, why);
}
