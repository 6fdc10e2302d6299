/* The calls of a round. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "share/core_private.h"

#define FIND_MOST  10000 /* records of a group, of which there are some dozen */
#define KEPT       20    /* tables below the newest one that are not deleted */
#define NE_MOST    40    /* numbers in a query that are kept */
#define QUERY_MOST 1500  /* bytes of a query for lists of inputs; each has one key more at most */

static const struct share_call *call_of(struct share_core *core, enum step step, enum share_call_kind kind,
                                        const char *collection)
{
    if (step != STEP_HEARTBEAT && step != STEP_READ)
        core_pace_extra(core);
    core->step = step;
    core->call = (struct share_call){ .kind = kind, .collection = collection };
    if (kind == SHARE_CALL_GET)
        core->call.key = buf_text(&core->key);
    if (kind == SHARE_CALL_FIND || kind == SHARE_CALL_DELETE)
        core->call.query = buf_text(&core->query);
    if (kind == SHARE_CALL_SAVE || kind == SHARE_CALL_INSERT)
        core->call.body = buf_text(&core->body);
    if (kind == SHARE_CALL_FIND)
        core->call.limit = FIND_MOST;
    return &core->call;
}

static void set_key(struct share_core *core, const char *kind, const char *name)
{
    CLEANUP(mem_freep) char *key = share_key(core->group, kind, name);

    buf_clear(&core->key);
    buf_add_text(&core->key, key);
}

/* Adds a record to the body of the call. */
static void add_record(struct share_core *core, const char *kind, const char *name, const char *id, int64_t number,
                       const struct buf *text)
{
    struct buf *body = &core->body;

    set_key(core, kind, name);
    buf_add_text(body, "{\"_key\":");
    buf_add_json(body, buf_text(&core->key));
    buf_add_text(body, ",\"group\":");
    buf_add_json(body, core->group);
    buf_add_format(body, ",\"kind\":\"%s\",\"number\":%" PRId64 ",\"id\":", kind, number);
    buf_add_json(body, id);
    buf_add_text(body, ",\"text\":");
    buf_add_json(body, buf_text(text));
    buf_add_char(body, '}');
}

static void add_start(struct share_core *core)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MOST);

    buf_add_format(&text, "{\"start\":\"%s\"}", core->start);
    add_record(core, "start", core->forwarder, core->start, 0, &text);
    buf_add_char(&core->body, ',');
}

static bool died_often(const struct share_core *core, const struct peer *peer)
{
    return core_peer_died_often(peer, core->began_ms);
}

static bool is_missed(const struct share_core *core, const struct peer *peer)
{
    return peer->missed && core_peer_lives(core, peer) && !core_peer_inputs_known(peer);
}

/* Adds the names of the members that are so, so that the others, and they themselves, know. */
static void add_names(const struct share_core *core, struct buf *text, const char *name,
                      bool (*is_so)(const struct share_core *core, const struct peer *peer))
{
    size_t count = 0;

    for (size_t i = 0; i < core->peers.count; i++) {
        if (!is_so(core, core->peers.items[i]))
            continue;
        if (!count++)
            buf_add_format(text, ",\"%s\":[", name);
        else
            buf_add_char(text, ',');
        buf_add_json(text, core->peers.items[i]->name);
    }
    if (count)
        buf_add_char(text, ']');
}

const struct share_call *core_call_heartbeat(struct share_core *core)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MOST);
    size_t held = 0;

    for (size_t i = 0; i < core->count; i++)
        held += core->inputs[i].since[0] != '\0';
    core->beat++;
    core->beats_ms[core->beat % BEATS_KEPT] = core->began_ms;
    buf_add_format(&text,
                   "{\"start\":\"%s\",\"beat\":%" PRId64 ",\"follows\":\"%s\",\"held\":%zu,\"inputs\":%" PRId64
                   ",\"well\":%s,\"program\":",
                   core->start, core->beat, core->table.id, held, core->saved,
                   core->well && core->stale < STALE_MOST ? "true" : "false");
    buf_add_json(&text, core->program);
    add_names(core, &text, "bars", died_often);
    add_names(core, &text, "lacks", is_missed);
    buf_add_format(&text, ",\"format\":%d}", SHARE_FORMAT);
    buf_clear(&core->body);
    buf_add_char(&core->body, '[');
    if (!core->start_shown) {
        core->start_beat = core->beat;
        add_start(core);
    }
    add_record(core, "member", core->forwarder, core->start, core->beat, &text);
    buf_add_char(&core->body, ']');
    return call_of(core, STEP_HEARTBEAT, SHARE_CALL_SAVE, SHARE_COLLECTION);
}

/* Begins a query for records of the group: {"group": "..." */
static void begin_query(struct share_core *core)
{
    buf_clear(&core->query);
    buf_add_text(&core->query, "{\"group\":");
    buf_add_json(&core->query, core->group);
}

const struct share_call *core_call_read(struct share_core *core)
{
    begin_query(core);
    buf_add_char(&core->query, '}');
    return call_of(core, STEP_READ, SHARE_CALL_FIND, SHARE_COLLECTION);
}

const struct share_call *core_call_get_body(struct share_core *core)
{
    set_key(core, "body", core->newest.id);
    return call_of(core, STEP_BODY, SHARE_CALL_GET, PLACES_COLLECTION);
}

const struct share_call *core_call_find_inputs(struct share_core *core, int64_t now_ms)
{
    size_t asked = 0;

    begin_query(core);
    buf_add_text(&core->query, ",\"$or\":[");
    for (size_t i = 0; i < core->peers.count && core->query.len < QUERY_MOST; i++) {
        struct peer *peer = core->peers.items[i];

        if (!core_peer_to_ask(core, peer, now_ms))
            continue;
        set_key(core, "inputs", peer->name);
        buf_add_text(&core->query, asked++ ? ",{\"_key\":" : "{\"_key\":");
        buf_add_json(&core->query, buf_text(&core->key));
        buf_add_char(&core->query, '}');
        peer->asked_ms = now_ms;
        peer->missed = false;
    }
    buf_add_text(&core->query, "]}");
    if (asked)
        core->peers.asked_ms = now_ms;
    return asked ? call_of(core, STEP_INPUTS, SHARE_CALL_FIND, PLACES_COLLECTION) : NULL;
}

const struct share_call *core_call_save_inputs(struct share_core *core)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MOST);

    for (size_t i = 0; i < core->names.count; i++) {
        buf_add_char(&text, i ? ',' : '[');
        buf_add_json(&text, core->names.list[i]);
    }
    buf_add_text(&text, core->names.count ? "]" : "[]");
    buf_clear(&core->body);
    buf_add_char(&core->body, '[');
    core->saving = core->version;
    add_record(core, "inputs", core->forwarder, core->start, core->saving, &text);
    buf_add_char(&core->body, ']');
    return call_of(core, STEP_OWN_INPUTS, SHARE_CALL_SAVE, PLACES_COLLECTION);
}

const struct share_call *core_call_save_body(struct share_core *core)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MOST);

    share_body_format(&core->own.body, &text);
    buf_clear(&core->body);
    buf_add_char(&core->body, '[');
    add_record(core, "body", core->own.id, core->own.id, core->own.number, &text);
    buf_add_char(&core->body, ']');
    return call_of(core, STEP_NEXT_BODY, SHARE_CALL_SAVE, PLACES_COLLECTION);
}

const struct share_call *core_call_insert(struct share_core *core)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MOST);
    size_t members = 0;
    char number[32];

    for (size_t i = 0; i < core->peers.count; i++)
        members += core_peer_lives(core, core->peers.items[i]);
    buf_add_format(&text, "{\"id\":\"%s\",\"after\":\"%s\",\"by\":", core->own.id, core->newest.id);
    buf_add_json(&text, core->forwarder);
    buf_add_format(&text, ",\"members\":%zu,\"format\":%d}", members, SHARE_FORMAT);
    snprintf(number, sizeof(number), "%012" PRId64, core->own.number);
    buf_clear(&core->body);
    add_record(core, "table", number, core->own.id, core->own.number, &text);
    return call_of(core, STEP_INSERT, SHARE_CALL_INSERT, SHARE_COLLECTION);
}

/* Collects the numbers below this one of tables that gave somebody what he still has, at most NE_MOST of them. Returns
 * more than that if there are more. */
static size_t old_numbers(const struct share_body *body, int64_t below, int64_t kept[NE_MOST], int64_t *least)
{
    size_t count = 0, k;

    *least = below;
    for (size_t i = 0; i < body->count; i++) {
        int64_t number = body->entries[i].number;

        if (number >= below)
            continue;
        if (number < *least)
            *least = number;
        for (k = 0; k < count && k < NE_MOST && kept[k] != number; k++)
            continue;
        if (k < count)
            continue;
        if (count < NE_MOST)
            kept[count] = number;
        count++;
    }
    return count;
}

/* Adds which numbers a checkpoint has that nobody reads under any more. With too many exceptions for a query, only what
 * is older than all of them goes. */
static void add_old(struct share_core *core, int64_t below)
{
    int64_t kept[NE_MOST], least;
    size_t count = old_numbers(&core->table.body, below, kept, &least);

    if (count > NE_MOST) {
        buf_add_format(&core->query, ",\"number\":{\"$lt\":%" PRId64 "}", least);
        return;
    }
    buf_add_format(&core->query, ",\"$and\":[{\"number\":{\"$lt\":%" PRId64 "}}", below);
    for (size_t k = 0; k < count; k++)
        buf_add_format(&core->query, ",{\"number\":{\"$ne\":%" PRId64 "}}", kept[k]);
    buf_add_char(&core->query, ']');
}

const struct share_call *core_call_clean(struct share_core *core, enum step step)
{
    int64_t below = core->table.number - KEPT, day_ago = core->cleaning.hourly[COUNT_OF(core->cleaning.hourly) - 1];

    begin_query(core);
    if (step == STEP_CLEAN_PLACES) {
        if (!day_ago || below <= 0)
            return NULL;
        buf_add_text(&core->query, ",\"$or\":[{\"kind\":\"place\"},{\"kind\":\"piece\"}]");
        add_old(core, day_ago < below ? day_ago : below);
    } else {
        if (below <= 0)
            return NULL;
        buf_add_format(&core->query, ",\"kind\":\"%s\",\"number\":{\"$lt\":%" PRId64 "}",
                       step == STEP_CLEAN_TABLES ? "table" : "body", below);
    }
    buf_add_char(&core->query, '}');
    return call_of(core, step, SHARE_CALL_DELETE, step == STEP_CLEAN_TABLES ? SHARE_COLLECTION : PLACES_COLLECTION);
}
