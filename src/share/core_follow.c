/* What the newest table means for the inputs of this forwarder. */
#include <stdlib.h>
#include <string.h>

#include "share/core_private.h"

bool core_is_outside(const struct share_core *core)
{
    return core->newer || core->twin.confirmed;
}

bool core_is_confirmed(const struct share_core *core, int64_t now_ms)
{
    return now_ms - core->confirmed_ms < SHARE_FENCE_MS;
}

bool core_is_alone(const struct share_core *core, int64_t now_ms)
{
    int64_t since_ms = now_ms - core->began_ms;

    return !core->stops && !core_is_outside(core) && !core_is_confirmed(core, now_ms) && since_ms < SHARE_FENCE_MS &&
           core->away_ms + since_ms >= SHARE_ALONE_MS;
}

void core_let_go(struct share_core *core)
{
    for (size_t i = 0; i < core->count; i++)
        core->inputs[i].since[0] = '\0';
    core->confirmed_ms = LONG_AGO_MS;
}

/* Says why something of this forwarder's goes to another one. */
static const char *why_given(const struct share_core *core, const char *to, int64_t now_ms)
{
    const struct peer *taker = core_peer(core, to);

    if (!to[0])
        return "no table names it";
    if (now_ms - core->good_ms >= SHARE_SILENCE_MS)
        return "this forwarder was not heard";
    if (taker && (taker->wish.takes_all || taker->wish.takes.count))
        return "on a wish";
    if (core_self(core)->wish.drains)
        return "this forwarder drains";
    return core->well ? "to make the shares equal" : "this forwarder is not well";
}

static const char *why_taken(const struct share_core *core, const char *from)
{
    const struct peer *giver = core_peer(core, from);
    const struct wish *wish = &core_self(core)->wish;

    if (core->joined_ms == LONG_AGO_MS)
        return "";
    if (!from[0])
        return "nobody had it";
    if (!giver || giver->dead)
        return "it is not heard";
    if (wish->takes_all || wish->takes.count)
        return "on a wish";
    if (giver->wish.drains)
        return "it drains";
    return giver->well ? "to make the shares equal" : "it is not well";
}

static void take(struct share_core *core, struct own_input *input, const struct share_entry *entry, const char *from,
                 int64_t now_ms)
{
    bool was_held = input->since[0] != '\0';

    memcpy(input->since, entry->since, SHARE_ID_MAX);
    input->number = entry->number;
    input->seen_ms = core->own.inserted && !strcmp(entry->since, core->own.id) ? core->own.there_ms : now_ms;
    if (!was_held || strcmp(from, core->forwarder) != 0)
        core_event(core, SHARE_EVENT_TAKEN, 1, from, why_taken(core, from));
}

/* Compares what is held with the table. before: the table that was followed until now. */
static void follow_input(struct share_core *core, struct own_input *input, const struct share_body *before,
                         int64_t now_ms)
{
    const struct share_entry *entry = core->table.bodyless ? NULL : share_body_find(&core->table.body, input->name);
    const struct share_entry *was = share_body_find(before, input->name);
    bool mine = entry && !strcmp(entry->owner, core->forwarder);

    if (mine && strcmp(input->since, entry->since) != 0)
        take(core, input, entry, was && strcmp(was->owner, core->forwarder) != 0 ? was->owner : "", now_ms);
    if (!mine && input->since[0]) {
        const char *to = entry ? entry->owner : "";

        input->since[0] = '\0';
        core_event(core, SHARE_EVENT_GIVEN, 1, to, why_given(core, to, now_ms));
    }
}

static void tell_of_round(struct share_core *core)
{
    if (core->joined_ms == LONG_AGO_MS)
        core_event(core, SHARE_EVENT_JOINED, core->names.count, "", "");
    else if (core->told_paused || core->told_alone)
        core_event(core, SHARE_EVENT_BACK, 1, "", "");
    core->told_paused = core->told_alone = false;
}

void core_follow(struct share_core *core, struct share_body *body, int64_t now_ms)
{
    struct table *table = &core->table;
    struct share_body before = body ? table->body : (struct share_body){ 0 };

    tell_of_round(core);
    if (body) {
        table->body = *body;
        *body = (struct share_body){ 0 };
        table->seen_ms = now_ms;
        core->due_ms = NEVER_MS;
        table->bodyless = false;
    }
    if (!table->bodyless) {
        memcpy(table->id, core->newest.id, SHARE_ID_MAX);
        table->number = core->newest.number;
        if (table->number > table->highest)
            table->highest = table->number;
        table->bodyless_ms = NEVER_MS;
    }
    for (size_t i = 0; i < core->count; i++)
        follow_input(core, &core->inputs[i], body ? &before : &table->body, now_ms);
    if (body)
        share_body_free(&before);
    core->confirmed_ms = core->shown_ms;
}

bool core_no_body(struct share_core *core, int64_t now_ms)
{
    struct table *table = &core->table;

    if (table->bodyless_ms == NEVER_MS)
        table->bodyless_ms = now_ms;
    if (now_ms - table->bodyless_ms < SHARE_SILENCE_MS)
        return false;
    table->bodyless = true;
    return true;
}
