/* The forwarders of the group: who is heard, who is dead, and what the next table would give to whom. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "share/core_private.h"

struct peer *core_self(const struct share_core *core)
{
    return core_peer(core, core->forwarder);
}

/* Returns where the member is, or would be. */
static size_t place_of(const struct share_core *core, const char *name)
{
    size_t at = 0;

    while (at < core->peers.count && strcmp(core->peers.items[at]->name, name) < 0)
        at++;
    return at;
}

struct peer *core_peer(const struct share_core *core, const char *name)
{
    size_t at = place_of(core, name);

    return at < core->peers.count && !strcmp(core->peers.items[at]->name, name) ? core->peers.items[at] : NULL;
}

struct peer *core_peer_add(struct share_core *core, const char *name)
{
    struct peer *peer = core_peer(core, name);
    size_t at = place_of(core, name);

    if (peer)
        return peer;
    peer = mem_alloc(sizeof(*peer));
    *peer = (struct peer){ .name = mem_text(name),
                           .well = true,
                           .heard_from_ms = LONG_AGO_MS,
                           .asked_ms = LONG_AGO_MS };
    for (size_t i = 0; i < DEATHS; i++)
        peer->deaths_ms[i] = LONG_AGO_MS;
    core->peers.items = mem_grow(core->peers.items, core->peers.count + 1, sizeof(*core->peers.items));
    memmove(core->peers.items + at + 1, core->peers.items + at, (core->peers.count - at) * sizeof(*core->peers.items));
    core->peers.items[at] = peer;
    core->peers.count++;
    return peer;
}

void core_peers_free(struct share_core *core)
{
    for (size_t i = 0; i < core->peers.count; i++) {
        struct peer *peer = core->peers.items[i];

        free(peer->name);
        free(peer->program);
        share_names_free(&peer->inputs);
        share_names_free(&peer->wish.takes);
        share_names_free(&peer->bars);
        free(peer);
    }
    free(core->peers.items);
}

void core_peer_ask_again(struct peer *peer)
{
    peer->asked_ms = LONG_AGO_MS;
    peer->missed = false;
}

/* Returns true if no later heartbeat of that process was shown. */
static bool is_news(const struct peer *peer, const char *start, int64_t beat)
{
    if (!strcmp(peer->start, start))
        return beat >= peer->beat;
    for (size_t i = 0; i < FORMER; i++)
        if (!strcmp(peer->former[i].start, start))
            return beat > peer->former[i].beat;
    return true;
}

/* The present process of a member is one of the former ones from now on. */
static void becomes_former(struct peer *peer, const char *next)
{
    size_t at = 0;

    while (at < FORMER - 1 && strcmp(peer->former[at].start, next) != 0)
        at++;
    memmove(peer->former + 1, peer->former, at * sizeof(*peer->former));
    memcpy(peer->former[0].start, peer->start, SHARE_ID_MAX);
    peer->former[0].beat = peer->beat;
    memcpy(peer->start, next, SHARE_ID_MAX);
    core_peer_ask_again(peer);
}

bool core_peer_shown(struct peer *peer, const char *start, int64_t beat, int64_t now_ms)
{
    bool other = strcmp(peer->start, start) != 0, moved = peer->known && (other || beat > peer->beat);

    if (!is_news(peer, start, beat))
        return false;
    if (other)
        becomes_former(peer, start);
    peer->beat = beat;
    if (!peer->known || (moved && (peer->dead || !peer->heard)))
        peer->heard_from_ms = now_ms;
    if (!peer->known)
        peer->silent_ms = 0;
    if (moved) {
        peer->heard = peer->moved = true;
        peer->dead = false;
    }
    peer->known = true;
    return true;
}

/* Returns true if the present table names the member. */
static bool owns(const struct share_core *core, const struct peer *peer)
{
    for (size_t i = 0; i < core->table.body.count; i++)
        if (!strcmp(core->table.body.entries[i].owner, peer->name))
            return true;
    return false;
}

static void die(struct share_core *core, struct peer *peer, int64_t now_ms)
{
    peer->dead = true;
    if (peer->heard) {
        memmove(peer->deaths_ms + 1, peer->deaths_ms, (DEATHS - 1) * sizeof(*peer->deaths_ms));
        peer->deaths_ms[0] = now_ms;
    }
    if (peer->heard || owns(core, peer))
        core_event(core, SHARE_EVENT_DEAD, 1, peer->name, "");
}

void core_peers_pass(struct share_core *core, int64_t passed_ms, int64_t now_ms)
{
    for (size_t i = 0; i < core->peers.count; i++) {
        struct peer *peer = core->peers.items[i];

        if (peer->moved)
            peer->silent_ms = 0;
        else if (passed_ms <= SHARE_FENCE_MS)
            peer->silent_ms += passed_ms;
        else if (peer->silent_ms > SHARE_ROUND_MS) /* this forwarder could not hear: the other one has its time again */
            peer->silent_ms = SHARE_ROUND_MS;
        peer->moved = false;
        if (peer != core_self(core) && peer->silent_ms >= SHARE_SILENCE_MS && !peer->dead)
            die(core, peer, now_ms);
    }
}

bool core_peer_lives(const struct share_core *core, const struct peer *peer)
{
    return peer == core_self(core) || (!peer->dead && peer->known && (peer->heard || owns(core, peer)));
}

bool core_peer_inputs_known(const struct peer *peer)
{
    return peer->version && !strcmp(peer->inputs_start, peer->start) && peer->inputs_version >= peer->version;
}

bool core_peer_died_often(const struct peer *peer, int64_t now_ms)
{
    return peer->deaths_ms[0] - peer->deaths_ms[DEATHS - 1] <= DEATHS_MS && peer->deaths_ms[0] > LONG_AGO_MS &&
           peer->deaths_ms[DEATHS - 1] > LONG_AGO_MS && now_ms - peer->deaths_ms[0] < PUNISHED_MS;
}

/* Returns true if some live member has seen this one die so often that it gets nothing more for a while. */
static bool barred(const struct share_core *core, const struct peer *peer, int64_t now_ms)
{
    for (size_t i = 0; i < core->peers.count; i++)
        if (core_peer_lives(core, core->peers.items[i]) && share_names_have(&core->peers.items[i]->bars, peer->name))
            return true;
    return core_peer_died_often(peer, now_ms);
}

bool core_peer_settled(const struct share_core *core, const struct peer *peer, int64_t now_ms)
{
    bool is_self = peer == core_self(core);

    return now_ms - peer->heard_from_ms >= SHARE_SETTLED_MS &&
           (is_self || (peer->heard && core_peer_inputs_known(peer))) && !barred(core, peer, now_ms);
}

bool core_peer_to_ask(const struct share_core *core, const struct peer *peer, int64_t now_ms)
{
    return peer != core_self(core) && peer->version && !core_peer_inputs_known(peer) && core_peer_lives(core, peer) &&
           now_ms - peer->asked_ms >= ASK_INPUTS_MS && now_ms - core->peers.asked_ms >= FIND_MS;
}

/* Without its present list, a member keeps what it has. */
static void guess_inputs(const struct share_core *core, struct peer *peer)
{
    share_names_free(&peer->inputs);
    peer->inputs_start[0] = '\0';
    for (size_t i = 0; i < core->table.body.count; i++)
        if (!strcmp(core->table.body.entries[i].owner, peer->name))
            share_names_add(&peer->inputs, core->table.body.entries[i].input);
}

static struct share_candidate candidate_of(const struct share_core *core, struct peer *peer, int64_t now_ms)
{
    const struct share_names *inputs = peer == core_self(core) ? &core->names : &peer->inputs;

    return (struct share_candidate){ .name = peer->name,
                                     .inputs = (const char *const *)inputs->list,
                                     .input_count = inputs->count,
                                     .well = peer == core_self(core) ? core->well : peer->well,
                                     .drains = peer->wish.drains,
                                     .newcomer = !core_peer_settled(core, peer, now_ms),
                                     .takes_all = peer->wish.takes_all,
                                     .takes = (const char *const *)peer->wish.takes.list,
                                     .take_count = peer->wish.takes.count };
}

void core_plan(const struct share_core *core, const char *id, int64_t number, int64_t now_ms, struct share_body *ret)
{
    struct share_candidate *candidates = mem_grow(NULL, core->peers.count + 1, sizeof(*candidates));
    size_t count = 0;

    for (size_t i = 0; i < core->peers.count; i++) {
        struct peer *peer = core->peers.items[i];

        if (!core_peer_lives(core, peer))
            continue;
        if (!core_peer_inputs_known(peer) && peer != core_self(core))
            guess_inputs(core, peer);
        candidates[count++] = candidate_of(core, peer, now_ms);
    }
    share_plan(&core->table.body, candidates, count, id, number, ret);
    for (size_t i = 0; i < ret->count && core->table.bodyless; i++) {
        memcpy(ret->entries[i].since, id, SHARE_ID_MAX);
        ret->entries[i].number = number;
    }
    free(candidates);
}

size_t core_turn(const struct share_core *core)
{
    size_t before = 0;

    for (size_t i = 0; strcmp(core->peers.items[i]->name, core->forwarder) != 0; i++)
        before += core_peer_lives(core, core->peers.items[i]);
    return before;
}

bool core_is_urgent(const struct share_core *core, const struct share_body *next)
{
    for (size_t i = 0; i < next->count; i++) {
        const struct share_entry *entry = share_body_find(&core->table.body, next->entries[i].input);
        struct peer *owner = entry ? core_peer(core, entry->owner) : NULL;
        bool is_self = owner == core_self(core);

        if (!owner || !core_peer_lives(core, owner) ||
            !share_names_have(is_self ? &core->names : &owner->inputs, entry->input))
            return true;
    }
    return false;
}
