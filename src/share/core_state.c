/* What the core says of an input, and of itself. */
#include <string.h>

#include "share/core_private.h"

enum share_state share_core_state(const struct share_core *core, size_t input, int64_t now_ms)
{
    const struct own_input *own = &core->inputs[input];
    int64_t reads_ms = own->seen_ms + SHARE_WAIT_MS;

    if (!own->since[0] || core_is_outside(core))
        return SHARE_ELSEWHERE;
    if (core_is_confirmed(core, now_ms))
        return now_ms >= reads_ms ? SHARE_READING : SHARE_WAITING;
    if (core_is_alone(core, now_ms))
        return now_ms >= reads_ms ? SHARE_ALONE : SHARE_WAITING;
    return reads_ms < core->confirmed_ms + SHARE_FENCE_MS ? SHARE_PAUSED : SHARE_WAITING;
}

const char *share_core_since(const struct share_core *core, size_t input, int64_t *number)
{
    const struct own_input *own = &core->inputs[input];

    *number = own->since[0] ? own->number : 0;
    return own->since;
}

const char *share_core_owner(const struct share_core *core, size_t input)
{
    const struct share_entry *entry = share_body_find(&core->table.body, core->inputs[input].name);

    return entry && !core->table.bodyless ? entry->owner : NULL;
}

static int64_t sooner(int64_t a, int64_t b, int64_t now_ms)
{
    return b > now_ms && b < a ? b : a;
}

int64_t share_core_change_ms(const struct share_core *core, int64_t now_ms)
{
    int64_t next = NEVER_MS;
    bool holds = false;

    for (size_t i = 0; i < core->count; i++) {
        if (!core->inputs[i].since[0])
            continue;
        holds = true;
        next = sooner(next, core->inputs[i].seen_ms + SHARE_WAIT_MS, now_ms);
    }
    if (!holds || core_is_outside(core))
        return NEVER_MS;
    next = sooner(next, core->confirmed_ms + SHARE_FENCE_MS, now_ms);
    if (core->stops || SHARE_ALONE_MS - core->away_ms >= SHARE_FENCE_MS)
        return next;
    return sooner(next, core->began_ms + SHARE_ALONE_MS - core->away_ms, now_ms);
}

static const char *word_of(const struct share_core *core, int64_t now_ms)
{
    if (core_is_outside(core))
        return "outside";
    if (core_is_confirmed(core, now_ms))
        return "member";
    if (core_is_alone(core, now_ms))
        return "alone";
    return core->joined_ms == LONG_AGO_MS && now_ms - core->good_ms < SHARE_ALONE_MS ? "waiting" : "paused";
}

void share_core_summary(const struct share_core *core, int64_t now_ms, struct share_summary *ret)
{
    *ret = (struct share_summary){ .state = word_of(core, now_ms),
                                   .table = core->table.number,
                                   .of = core->count,
                                   .confirmed_ms = core->confirmed_ms == LONG_AGO_MS ? -1 : now_ms - core->confirmed_ms,
                                   .lag_ms = core->lag_ms };
    for (size_t i = 0; i < core->peers.count; i++)
        ret->members += core_peer_lives(core, core->peers.items[i]);
    for (size_t i = 0; i < core->count; i++)
        ret->held += share_core_state(core, i, now_ms) != SHARE_ELSEWHERE;
}

/* Returns how many inputs the present table gives to the member. */
static size_t held_by(const struct share_core *core, const struct peer *peer)
{
    size_t held = 0;

    for (size_t i = 0; i < core->table.body.count; i++)
        held += !strcmp(core->table.body.entries[i].owner, peer->name);
    return held;
}

size_t share_core_members(const struct share_core *core, struct share_member *ret, size_t most)
{
    size_t count = 0;

    for (size_t i = 0; i < core->peers.count; i++) {
        const struct peer *peer = core->peers.items[i];
        bool is_self = peer == core_self(core);

        if (!peer->known)
            continue;
        if (count < most)
            ret[count] = (struct share_member){ .name = peer->name,
                                                .program = is_self ? core->program : peer->program,
                                                .held = held_by(core, peer),
                                                .alive = core_peer_lives(core, peer),
                                                .well = is_self ? core->well : peer->well,
                                                .drains = peer->wish.drains,
                                                .is_self = is_self };
        count++;
    }
    return count;
}
