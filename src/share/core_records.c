/* The group's records, as a query shows them. Anybody may have written them: what cannot be used is told once. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "share/core_private.h"
#include "share/row.h"

#define PROGRAM_MOST 63
#define PEERS_MOST   200
#define JUMP_MOST    1000 /* a key that cannot be used is skipped only so far above the newest table */

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
    struct share_row_member row;
    struct peer *peer;

    if (!share_row_member(text, &row))
        return false;
    peer = core_peer(core, name);
    if (!peer && core->peers.count >= PEERS_MOST)
        return false;
    if (!peer)
        peer = core_peer_add(core, name);
    if (peer == core_self(core)) {
        memcpy(ret->own_start, row.start, SHARE_ID_MAX);
        ret->beat = row.beat;
        if (!strcmp(row.start, core->start) && row.beat && row.beat > core->beat - BEATS_KEPT && row.beat <= core->beat) {
            ret->began_ms = core->beats_ms[row.beat % BEATS_KEPT];
            ret->own_beat = ret->began_ms > core->confirmed_ms;
        }
        return true;
    }
    if (!core_peer_shown(peer, row.start, row.beat, now_ms))
        return true;
    free(peer->program);
    peer->program = mem_text_n(row.program, strnlen(row.program, PROGRAM_MOST));
    peer->well = row.well;
    peer->held = row.held;
    if (row.inputs != peer->version)
        core_peer_ask_again(peer);
    peer->version = row.inputs;
    share_names_free(&peer->bars);
    share_row_names(json_member(text, "bars"), &peer->bars);
    if (peer->moved && lacks(core, json_member(text, "lacks")) && now_ms - core->saved_ms >= OWN_AGAIN_MS)
        core->version++;
    return true;
}

static bool read_wish(struct share_core *core, const char *name, const cJSON *text)
{
    struct peer *peer = core_peer(core, name);
    struct share_row_wish row;

    if (!share_row_wish(text, &row))
        return false;
    if (!peer && core->peers.count < PEERS_MOST)
        peer = core_peer_add(core, name);
    if (!peer) {
        share_names_free(&row.takes);
        return false;
    }
    share_names_free(&peer->wish.takes);
    peer->wish = (struct wish){ .drains = row.drains, .takes_all = row.takes_all, .takes = row.takes };
    return true;
}

/* Reads what a table's record says. Returns false if it cannot be used. */
static bool read_table(const cJSON *row, struct newest *ret)
{
    CLEANUP(json_freep) cJSON *text = share_row_text(row);
    struct share_row_table table;

    if (!share_row_table(text, &table))
        return false;
    ret->format = table.format;
    memcpy(ret->id, table.id, SHARE_ID_MAX);
    free(ret->by);
    ret->by = mem_text(table.by);
    return true;
}

/* Notes a table's number. Returns false if its record cannot be used. */
static bool note_table(const struct share_core *core, const char *key, const cJSON *row, struct shown *ret)
{
    struct newest table = { 0 };
    int64_t number = share_row_number(core->group, key);
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
        int64_t number = key && kind && !strcmp(kind, "table") ? share_row_number(core->group, key) : 0;

        if (number && number == newest->number)
            read_table(row, newest);
        if (number > newest->number)
            core_bad_record(
                core, key,
                "no group comes to its number, so nobody follows it; who looks after the store can delete it");
    }
}

/* A record with a name in its key. */
static bool read_named(struct share_core *core, const char *kind, const char *key, const cJSON *text, int64_t now_ms,
                       struct shown *ret)
{
    CLEANUP(mem_freep) char *name = share_row_name(core->group, kind, key);

    if (!name)
        return false;
    if (!strcmp(kind, "member"))
        return read_member(core, name, text, now_ms, ret);
    if (!strcmp(kind, "wish"))
        return read_wish(core, name, text);
    return strcmp(name, core->forwarder) != 0 || share_row_id(text, "start", ret->start);
}

/* Reads a record. Returns false if it cannot be used. */
static bool read_row(struct share_core *core, const cJSON *row, int64_t now_ms, struct shown *ret)
{
    const char *key = json_text(row, "_key"), *kind = json_text(row, "kind");
    CLEANUP(json_freep) cJSON *text = NULL;

    if (!key || !kind)
        return true;
    if (!strcmp(kind, "table"))
        return note_table(core, key, row, ret);
    if (strcmp(kind, "member") != 0 && strcmp(kind, "wish") != 0 && strcmp(kind, "start") != 0)
        return true;
    text = share_row_text(row);
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
        int64_t number = key ? share_row_number(core->group, key) : 0;

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
    const char *key = json_text(row, "_key");
    CLEANUP(json_freep) cJSON *text = share_row_text(row);
    CLEANUP(mem_freep) char *name = key ? share_row_name(core->group, "inputs", key) : NULL;
    struct peer *peer = name ? core_peer(core, name) : NULL;
    struct share_names inputs = { 0 };
    char start[SHARE_ID_MAX];
    int64_t version;

    if (!peer || !share_row_id(row, "id", start) || !json_int64(row, "number", 0, SHARE_COUNT_MOST, &version) ||
        !share_row_names(text, &inputs))
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
