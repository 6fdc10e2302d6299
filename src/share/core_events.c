/* What there is to tell. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "share/core_private.h"

#define EVENTS_MOST 1000
#define BAD_MOST    100

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
    if (share_names_have(&core->bad, key) || core->bad.count >= BAD_MOST)
        return;
    share_names_add(&core->bad, key);
    core_event(core, SHARE_EVENT_BAD_RECORD, 1, key, why);
}
