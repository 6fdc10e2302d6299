#include "share/core.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "share/core_private.h"

#define HOUR_MS       3600000
#define CLEAN_SOON_MS 600000 /* after the start */
#define TABLES_MOST   60     /* more of them are deleted before the hour has passed */
#define SHOWN_MS      15000  /* until then a read shows a table that was inserted */
#define KEY_MOST      8192
#define QUERY_MOST    4096

struct share_core *share_core_new(const struct share_core_spec *spec, const char *const *inputs, size_t count)
{
    struct share_core *core = mem_alloc(sizeof(*core));

    *core = (struct share_core){ .group = mem_text(spec->group),
                                 .forwarder = mem_text(spec->forwarder),
                                 .program = mem_text(spec->program),
                                 .stops = spec->stops,
                                 .well = true,
                                 .random = spec->random,
                                 .ctx = spec->ctx,
                                 .version = 1,
                                 .began_ms = LONG_AGO_MS,
                                 .round_ms = spec->now_ms,
                                 .good_ms = spec->now_ms,
                                 .heard_ms = spec->now_ms,
                                 .confirmed_ms = LONG_AGO_MS,
                                 .lag_ms = -1,
                                 .joined_ms = LONG_AGO_MS,
                                 .own = { .there_ms = LONG_AGO_MS },
                                 .peers = { .asked_ms = LONG_AGO_MS },
                                 .due_ms = NEVER_MS,
                                 .key = BUF_INIT(KEY_MOST),
                                 .query = BUF_INIT(QUERY_MOST),
                                 .body = BUF_INIT(TEXT_MOST),
                                 .table = { .seen_ms = LONG_AGO_MS, .bodyless_ms = NEVER_MS },
                                 .cleaning = { .last_ms = spec->now_ms - HOUR_MS + CLEAN_SOON_MS,
                                               .hour_ms = LONG_AGO_MS } };
    share_id(core->random(core->ctx), core->start);
    for (size_t i = 0; i < count; i++)
        share_core_add_input(core, inputs[i]);
    core_peer_add(core, core->forwarder)->known = true;
    return core;
}

size_t share_core_add_input(struct share_core *core, const char *input)
{
    core->inputs = mem_grow(core->inputs, core->count + 1, sizeof(*core->inputs));
    core->inputs[core->count] = (struct own_input){ .name = mem_text(input) };
    share_names_add(&core->names, input);
    core->version++;
    return core->count++;
}

void share_core_free(struct share_core *core)
{
    if (!core)
        return;
    core_peers_free(core);
    share_body_free(&core->table.body);
    share_body_free(&core->own.body);
    share_names_free(&core->names);
    share_names_free(&core->bad);
    for (size_t i = 0; i < core->count; i++)
        free(core->inputs[i].name);
    free(core->inputs);
    free(core->newest.by);
    free(core->events.items);
    buf_free(&core->key);
    buf_free(&core->query);
    buf_free(&core->body);
    free(core->group);
    free(core->forwarder);
    free(core->program);
    free(core);
}

void share_core_restore(struct share_core *core, size_t input, const char *since, int64_t number)
{
    struct own_input *own = &core->inputs[input];

    assert(input < core->count);
    if (strlen(since) != SHARE_ID_MAX - 1)
        return;
    memcpy(own->since, since, SHARE_ID_MAX);
    own->number = number;
    own->seen_ms = LONG_AGO_MS;
}

void share_core_set_well(struct share_core *core, bool well)
{
    core->well = well;
}

/* A round. */

static const struct share_call *end_round(struct share_core *core)
{
    core->step = STEP_IDLE;
    core->round_ms = core_pace_next(core);
    return NULL;
}

/* Tells what time alone has changed. */
static void tell_of_time(struct share_core *core, int64_t now_ms)
{
    if (core_is_outside(core))
        return;
    if (!core_is_confirmed(core, now_ms) && core->joined_ms != LONG_AGO_MS && !core->told_paused) {
        core->told_paused = true;
        core_event(core, SHARE_EVENT_PAUSED, 1, "", "");
    }
    if (core_is_alone(core, now_ms) && !core->told_alone) {
        core->told_alone = true;
        core_event(core, SHARE_EVENT_ALONE, 1, "", "");
    }
}

const struct share_call *share_core_begin(struct share_core *core, int64_t now_ms)
{
    int64_t passed = now_ms - core->began_ms;

    core->events.round = core->events.count;
    core->away_ms = passed < SHARE_FENCE_MS ? core->away_ms + passed : 0;
    core->began_ms = now_ms;
    core->round_ms = NEVER_MS;
    core->pace.busy = false;
    tell_of_time(core, now_ms);
    return core->twin.watched || core->newer ? core_call_read(core) : core_call_heartbeat(core);
}

/* A good round goes on with what is due besides. */

/* Returns true if it is time for another table, and this forwarder's turn to make it. */
static bool table_due(struct share_core *core, int64_t now_ms)
{
    struct share_body next;
    bool urgent, same;
    int64_t from;

    core_plan(core, core->start, core->newest.taken + 1, now_ms, &next);
    urgent = core->table.bodyless || core_is_urgent(core, &next);
    same = share_body_same(&next, &core->table.body) && !(core->table.bodyless && next.count);
    share_body_free(&next);
    if (same) {
        core->due_ms = NEVER_MS;
        return false;
    }
    if (core->due_ms == NEVER_MS)
        core->due_ms = now_ms;
    if (core->own.number > core->newest.taken && now_ms - core->own.there_ms < SHOWN_MS)
        return false;
    from = core->due_ms;
    if (!urgent && from < core->table.seen_ms + SHARE_TABLE_MS)
        from = core->table.seen_ms + SHARE_TABLE_MS;
    return now_ms >= from + (int64_t)core_turn(core) * SHARE_TURN_MS;
}

static void make_table(struct share_core *core, int64_t now_ms)
{
    size_t left_out = 0;

    share_body_free(&core->own.body);
    share_id(core->random(core->ctx), core->own.id);
    core->own.number = core->newest.taken + 1;
    core->own.there_ms = LONG_AGO_MS;
    core->own.inserted = false;
    core_plan(core, core->own.id, core->own.number, now_ms, &core->own.body);
    for (size_t i = 0; i < core->table.body.count; i++)
        left_out += !share_body_find(&core->own.body, core->table.body.entries[i].input);
    if (left_out)
        core_event(core, SHARE_EVENT_LEFT_OUT, left_out, "", "no live forwarder has it");
}

/* Notes the newest number once an hour. */
static void note_hour(struct cleaning *cleaning, int64_t number, int64_t now_ms)
{
    if (now_ms - cleaning->hour_ms < HOUR_MS)
        return;
    memmove(cleaning->hourly + 1, cleaning->hourly, sizeof(cleaning->hourly) - sizeof(*cleaning->hourly));
    cleaning->hourly[0] = number;
    cleaning->hour_ms = now_ms;
}

/* The maker of the newest table deletes what is old. */
static bool clean_due(struct share_core *core, int64_t now_ms)
{
    struct cleaning *cleaning = &core->cleaning;
    int64_t after = core->newest.count > TABLES_MOST ? CLEAN_SOON_MS : HOUR_MS;

    if (!core->newest.by || strcmp(core->newest.by, core->forwarder) != 0 || now_ms - cleaning->last_ms < after)
        return false;
    cleaning->last_ms = now_ms;
    return true;
}

static const struct share_call *clean(struct share_core *core, int64_t now_ms)
{
    const struct share_call *call;

    if (clean_due(core, now_ms))
        return core_call_clean(core, STEP_CLEAN_TABLES);
    call = core->cleaning.places ? core_call_clean(core, STEP_CLEAN_PLACES) : NULL;
    core->cleaning.places = false;
    return call;
}

/* A good round goes on with what is due besides. Returns the call of this step if it is due, else that of a later one;
 * NULL: the round is over. */
static const struct share_call *carry_on(struct share_core *core, enum step step, int64_t now_ms)
{
    const struct share_call *call = NULL;

    switch (step) {
    default:
    case STEP_OWN_INPUTS:
        if (core->saved != core->version || now_ms - core->saved_ms >= OWN_INPUTS_MS)
            return core_call_save_inputs(core);
        /* fallthrough */
    case STEP_INPUTS:
        call = core_call_find_inputs(core, now_ms);
        if (call)
            return call;
        /* fallthrough */
    case STEP_NEXT_BODY:
        if (table_due(core, now_ms)) {
            make_table(core, now_ms);
            return core_call_save_body(core);
        }
        call = clean(core, now_ms);
        return call ? call : end_round(core);
    }
}

/* The newest table is known whole: the round is good. body: NULL: it is the one that is followed. */
static const struct share_call *good(struct share_core *core, struct share_body *body, int64_t now_ms)
{
    if (now_ms - core->shown_ms >= SHARE_FENCE_MS) {
        if (body)
            share_body_free(body);
        return end_round(core);
    }
    core_peers_pass(core, core->began_ms - core->heard_ms, now_ms);
    core_follow(core, body, now_ms);
    if (core->joined_ms == LONG_AGO_MS)
        core->joined_ms = core_self(core)->heard_from_ms = now_ms;
    core->good_ms = now_ms;
    core->heard_ms = core->began_ms;
    core->away_ms = 0;
    core->stale = 0;
    note_hour(&core->cleaning, core->table.number, now_ms);
    return carry_on(core, STEP_OWN_INPUTS, now_ms);
}

static const struct share_call *on_rows(struct share_core *core, const cJSON *rows, int64_t now_ms)
{
    struct share_body body = { 0 };
    struct shown shown;

    core_read_rows(core, rows, now_ms, &shown);
    if (core->twin.watched) {
        core_watch_twin(core, &shown, now_ms);
        return end_round(core);
    }
    if (core_look_for_newer(core, now_ms))
        return end_round(core);
    if (!shown.own_beat) {
        core_not_shown(core, shown.own_start);
        return end_round(core);
    }
    if (core_doubt(core, shown.start, shown.beat >= core->start_beat, now_ms))
        return end_round(core);
    core->shown_ms = shown.began_ms;
    core->lag_ms = now_ms - shown.began_ms;
    core_look_for_rollback(core);
    if (!core->newest.number)
        return good(core, core->table.id[0] || core->table.bodyless ? &body : NULL, now_ms);
    if (!strcmp(core->newest.id, core->table.id) && !core->table.bodyless)
        return good(core, NULL, now_ms);
    if (!strcmp(core->newest.id, core->own.id)) {
        share_body_copy(&core->own.body, &body);
        return good(core, &body, now_ms);
    }
    return core_call_get_body(core);
}

static const struct share_call *on_body(struct share_core *core, const struct kvstore_answer *answer, int64_t now_ms)
{
    struct share_body body;
    struct err err;

    if (answer->fault == KVSTORE_OK && share_body_parse(json_text(answer->record, "text"), &body, &err))
        return good(core, &body, now_ms);
    if (answer->fault == KVSTORE_OK) {
        CLEANUP(mem_freep) char *key = share_key(core->group, "body", core->newest.id);

        core_bad_record(core, key, err.text);
    } else if (answer->fault != KVSTORE_MISSING) {
        return end_round(core);
    }
    return core_no_body(core, now_ms) ? good(core, NULL, now_ms) : end_round(core);
}

/* There is a table of that number: this one's, or another's. An older node shows it later. */
static const struct share_call *on_insert(struct share_core *core, enum kvstore_fault fault, int64_t now_ms)
{
    core->own.inserted = fault == KVSTORE_OK;
    if (fault == KVSTORE_OK || fault == KVSTORE_TAKEN)
        core->own.there_ms = now_ms;
    return end_round(core);
}

const struct share_call *share_core_answered(struct share_core *core, const struct kvstore_answer *answer,
                                             int64_t now_ms)
{
    bool ok = answer->fault == KVSTORE_OK;

    switch (core->step) {
    case STEP_HEARTBEAT: return ok ? core_call_read(core) : end_round(core);
    case STEP_READ: return ok ? on_rows(core, answer->rows, now_ms) : end_round(core);
    case STEP_BODY: return on_body(core, answer, now_ms);
    case STEP_OWN_INPUTS:
        if (ok) {
            core->saved = core->saving;
            core->saved_ms = now_ms;
        }
        return carry_on(core, STEP_INPUTS, now_ms);
    case STEP_INPUTS:
        if (ok)
            core_read_inputs(core, answer->rows);
        return carry_on(core, STEP_NEXT_BODY, now_ms);
    case STEP_NEXT_BODY: return ok ? core_call_insert(core) : end_round(core);
    case STEP_CLEAN_TABLES: core->cleaning.places = true; return core_call_clean(core, STEP_CLEAN_BODIES);
    case STEP_INSERT: return on_insert(core, answer->fault, now_ms);
    default: return end_round(core);
    }
}

int64_t share_core_round_ms(const struct share_core *core)
{
    return core->round_ms;
}
