/* The group's records, as a query shows them. Anybody may have written them: what cannot be used is told once. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "share/core_private.h"

#define NAME_MOST     255
#define PROGRAM_MOST  63
#define PEERS_MOST    200
#define NUMBER_DIGITS 12
#define JUMP_MOST     1000 /* a key that cannot be used is skipped only so far above the newest table */
#define BEAT_MOST     (INT64_C(1) << 53)

static bool read_id(const cJSON *tree, const char *name, char ret[SHARE_ID_MAX])
{
    const char *text = json_text(tree, name);
    uint64_t id;

    if (!text || strlen(text) != SHARE_ID_MAX - 1 || !text_hex64(text, &id))
        return false;
    memcpy(ret, text, SHARE_ID_MAX);
    return true;
}

/* Returns the name in the key of a record of this kind, which the caller frees; NULL: the key is not of that form. */
static char *name_of(const struct share_core *core, const char *kind, const char *key)
{
    CLEANUP(mem_freep) char *start = share_key(core->group, kind, "");
    CLEANUP(mem_freep) char *again = NULL;
    char *name;

    if (!text_starts(key, start) || !text_url_decode(key + strlen(start), strlen(key + strlen(start)), false, &name))
        return NULL;
    again = share_key(core->group, kind, name);
    if (name[0] && strlen(name) <= NAME_MOST && !strcmp(again, key))
        return name;
    free(name);
    return NULL;
}

/* Returns true if a member says that it did not find this forwarder's list of inputs: a failover has lost it, or a late
 * write has replaced it. */
static bool lacks(const struct share_core *core, const cJSON *names)
{
    const cJSON *name;

    cJSON_ArrayForEach(name, names)
    {
        if (cJSON_IsString(name) && !strcmp(name->valuestring, core->forwarder))
            return true;
    }
    return false;
}

static bool read_member(struct share_core *core, const char *name, const cJSON *text, int64_t now_ms, struct shown *ret)
{
    char start[SHARE_ID_MAX];
    const char *program = json_text(text, "program");
    struct peer *peer;
    int64_t beat, version;

    if (!read_id(text, "start", start) || !json_int64(text, "beat", 0, BEAT_MOST, &beat))
        return false;
    peer = core_peer(core, name);
    if (!peer && core->peers.count >= PEERS_MOST)
        return false;
    if (!peer)
        peer = core_peer_add(core, name);
    if (peer == core_self(core)) {
        memcpy(ret->own_start, start, SHARE_ID_MAX);
        ret->beat = beat;
        if (!strcmp(start, core->start) && beat && beat > core->beat - BEATS_KEPT && beat <= core->beat) {
            ret->began_ms = core->beats_ms[beat % BEATS_KEPT];
            ret->own_beat = ret->began_ms > core->confirmed_ms;
        }
        return true;
    }
    if (!core_peer_shown(peer, start, beat, now_ms))
        return true;
    free(peer->program);
    peer->program = mem_text_n(program ? program : "", strnlen(program ? program : "", PROGRAM_MOST));
    peer->well = json_bool(text, "well");
    if (!json_int64(text, "held", 0, BEAT_MOST, &peer->held))
        peer->held = 0;
    if (!json_int64(text, "inputs", 0, BEAT_MOST, &version))
        version = 0;
    if (version != peer->version)
        core_peer_ask_again(peer);
    peer->version = version;
    share_names_free(&peer->bars);
    names_parse(json_member(text, "bars"), &peer->bars);
    if (peer->moved && lacks(core, json_member(text, "lacks")) && now_ms - core->saved_ms >= OWN_AGAIN_MS)
        core->version++;
    return true;
}

static bool read_wish(struct share_core *core, const char *name, const cJSON *text)
{
    const cJSON *take = json_member(text, "take");
    struct wish wish = { .drains = json_bool(text, "drain") };
    struct peer *peer = core_peer(core, name);

    if (!cJSON_IsObject(text) || (take && !names_parse(take, &wish.takes)))
        return false;
    if (!peer && core->peers.count < PEERS_MOST)
        peer = core_peer_add(core, name);
    wish.takes_all = share_names_have(&wish.takes, "*");
    if (!peer) {
        share_names_free(&wish.takes);
        return false;
    }
    share_names_free(&peer->wish.takes);
    peer->wish = wish;
    return true;
}

/* Reads the number at the end of a table's key; 0: there is none. */
static int64_t number_of(const struct share_core *core, const char *key)
{
    CLEANUP(mem_freep) char *start = share_key(core->group, "table", "");
    int64_t number;

    if (!text_starts(key, start) || strlen(key + strlen(start)) != NUMBER_DIGITS ||
        !text_int64(key + strlen(start), 1, SHARE_NUMBER_MOST, &number))
        return 0;
    return number;
}

/* Reads what a table's record says. Returns false if it cannot be used. */
static bool read_table(const cJSON *row, struct newest *ret)
{
    const char *body = json_text(row, "text");
    CLEANUP(json_freep) cJSON *text = body ? json_parse(body, strlen(body)) : NULL;
    const char *by = json_text(text, "by");
    char id[SHARE_ID_MAX] = "";
    int64_t format;

    if (!json_int64(text, "format", 1, BEAT_MOST, &format) || (!read_id(text, "id", id) && format <= SHARE_FORMAT))
        return false;
    ret->format = format;
    memcpy(ret->id, id, SHARE_ID_MAX);
    free(ret->by);
    ret->by = mem_text(by ? by : "");
    return true;
}

/* Notes a table's number. Returns false if its record cannot be used. */
static bool note_table(const struct share_core *core, const char *key, const cJSON *row, struct shown *ret)
{
    struct newest table = { 0 };
    int64_t number = number_of(core, key);
    bool ok = number && read_table(row, &table);

    free(table.by);
    if (!ok)
        return false;
    ret->numbers = mem_grow(ret->numbers, ret->tables + 1, sizeof(*ret->numbers));
    ret->numbers[ret->tables++] = number;
    return true;
}

/* Finds the newest table, and tells of those above it, which nobody follows. */
static void find_newest(struct share_core *core, const cJSON *rows, const struct shown *shown)
{
    struct newest *newest = &core->newest;
    const cJSON *row;

    newest->number = share_newest(shown->numbers, shown->tables, core->table.highest);
    newest->count = shown->tables;
    cJSON_ArrayForEach(row, rows)
    {
        const char *key = json_text(row, "_key"), *kind = json_text(row, "kind");
        int64_t number = key && kind && !strcmp(kind, "table") ? number_of(core, key) : 0;

        if (number && number == newest->number)
            read_table(row, newest);
        if (number > newest->number)
            core_bad_record(core, key, "no group comes to its number, so nobody follows it; who looks after the store can delete it");
    }
}

/* A record with a name in its key. */
static bool read_named(struct share_core *core, const char *kind, const char *key, const cJSON *text, int64_t now_ms,
                       struct shown *ret)
{
    CLEANUP(mem_freep) char *name = name_of(core, kind, key);

    if (!name)
        return false;
    if (!strcmp(kind, "member"))
        return read_member(core, name, text, now_ms, ret);
    if (!strcmp(kind, "wish"))
        return read_wish(core, name, text);
    return strcmp(name, core->forwarder) != 0 || read_id(text, "start", ret->start);
}

/* Reads a record. Returns false if it cannot be used. */
static bool read_row(struct share_core *core, const cJSON *row, int64_t now_ms, struct shown *ret)
{
    const char *key = json_text(row, "_key"), *kind = json_text(row, "kind"), *body = json_text(row, "text");
    CLEANUP(json_freep) cJSON *text = NULL;

    if (!key || !kind)
        return true;
    if (!strcmp(kind, "table"))
        return note_table(core, key, row, ret);
    if (strcmp(kind, "member") != 0 && strcmp(kind, "wish") != 0 && strcmp(kind, "start") != 0)
        return true;
    text = body ? json_parse(body, strlen(body)) : NULL;
    return read_named(core, kind, key, text, now_ms, ret);
}

/* The key of a table that cannot be used is taken, too. If there is no table at all any more, the next one goes on
 * above those that were: it gives every input a new since, and checkpoints with higher numbers would seem newer. */
static void find_taken(struct share_core *core, const cJSON *rows)
{
    struct newest *newest = &core->newest;
    const cJSON *row;

    newest->taken = newest->number ? newest->number : core->table.highest;
    cJSON_ArrayForEach(row, rows)
    {
        const char *key = json_text(row, "_key");
        int64_t number = key ? number_of(core, key) : 0;

        if (number > newest->taken && number <= newest->number + JUMP_MOST)
            newest->taken = number;
    }
}

void core_read_rows(struct share_core *core, const cJSON *rows, int64_t now_ms, struct shown *ret)
{
    const cJSON *row;

    *ret = (struct shown){ 0 };
    free(core->newest.by);
    core->newest = (struct newest){ 0 };
    for (size_t i = 0; i < core->peers.count; i++) {
        share_names_free(&core->peers.items[i]->wish.takes);
        core->peers.items[i]->wish = (struct wish){ 0 };
    }
    cJSON_ArrayForEach(row, rows)
    {
        const char *key = json_text(row, "_key");

        if (!read_row(core, row, now_ms, ret) && key)
            core_bad_record(core, key, "it is not what this program writes");
    }
    find_newest(core, rows, ret);
    find_taken(core, rows);
    free(ret->numbers);
    ret->numbers = NULL;
}

static bool read_inputs(struct share_core *core, const cJSON *row)
{
    const char *key = json_text(row, "_key"), *body = json_text(row, "text");
    CLEANUP(json_freep) cJSON *text = body ? json_parse(body, strlen(body)) : NULL;
    CLEANUP(mem_freep) char *name = key ? name_of(core, "inputs", key) : NULL;
    struct peer *peer = name ? core_peer(core, name) : NULL;
    struct share_names inputs = { 0 };
    char start[SHARE_ID_MAX];
    int64_t version;

    if (!peer || !read_id(row, "id", start) || !json_int64(row, "number", 0, BEAT_MOST, &version) ||
        !names_parse(text, &inputs))
        return false;
    share_names_free(&peer->inputs);
    peer->inputs = inputs;
    peer->inputs_version = version;
    memcpy(peer->inputs_start, start, SHARE_ID_MAX);
    return true;
}

void core_read_inputs(struct share_core *core, const cJSON *rows)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, rows)
    {
        const char *key = json_text(row, "_key");

        if (!read_inputs(core, row) && key)
            core_bad_record(core, key, "it is no list of inputs");
    }
    for (size_t i = 0; i < core->peers.count; i++) {
        struct peer *peer = core->peers.items[i];

        if (peer->asked_ms == core->peers.asked_ms)
            peer->missed = !core_peer_inputs_known(peer);
    }
}
