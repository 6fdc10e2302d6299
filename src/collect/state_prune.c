#include "collect/state_prune.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define OLD_S     (7 * 86400) /* an instance that has been silent for so long will not write again */
#define MOST      10000
#define QUERY_MAX 4096

struct suspect {
    char *key, *name;
};

struct state_prune {
    struct kvstore *kvstore;
    struct data_inputs *data_inputs;
    const char *forwarder;
    struct suspect *suspects;
    size_t count;
    bool busy;
};

struct state_prune *state_prune_new(struct kvstore *kvstore, struct data_inputs *data_inputs, const char *forwarder)
{
    struct state_prune *prune = mem_alloc(sizeof(*prune));

    *prune = (struct state_prune){ .kvstore = kvstore, .data_inputs = data_inputs, .forwarder = forwarder };
    return prune;
}

/* Forgets the last suspect. */
static void drop(struct state_prune *prune)
{
    prune->count--;
    free(prune->suspects[prune->count].key);
    free(prune->suspects[prune->count].name);
}

void state_prune_free(struct state_prune *prune)
{
    if (!prune)
        return;
    while (prune->count)
        drop(prune);
    free(prune->suspects);
    free(prune);
}

static bool is_ours(const struct state_prune *prune, const cJSON *stored, int64_t wall_s)
{
    int64_t updated_s = 0;

    json_int64(stored, "updated", 0, INT64_MAX, &updated_s);
    return text_same(json_text(stored, "forwarder"), prune->forwarder) || updated_s < wall_s - OLD_S;
}

void state_prune_take(struct state_prune *prune, const cJSON *stored, int64_t wall_s)
{
    const char *name = json_text(stored, "input");

    if (prune->count >= MOST || text_empty(name) || !is_ours(prune, stored, wall_s))
        return;
    prune->suspects = mem_grow(prune->suspects, prune->count + 1, sizeof(*prune->suspects));
    prune->suspects[prune->count++] = (struct suspect){ mem_text(json_text(stored, "_key")), mem_text(name) };
}

static void next(struct state_prune *prune);

static void on_done(void *ctx, const struct kvstore_answer *answer UNUSED)
{
    struct state_prune *prune = ctx;

    drop(prune);
    next(prune);
}

/* Returns a query for the suspect's record. Caller frees. Keys are not put into paths: they hold '%'. */
static char *query_of(const struct suspect *suspect)
{
    struct buf query = BUF_INIT(QUERY_MAX);

    buf_add_text(&query, "{\"_key\":");
    buf_add_json(&query, suspect->key);
    buf_add_char(&query, '}');
    return buf_take(&query);
}

static void set(cJSON *record, const char *name, cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(record, name);
    cJSON_AddItemToObject(record, name, value);
}

/* Marks the record of a disabled input. Its history stays. */
static void mark_off(struct state_prune *prune, const cJSON *stored)
{
    static const char *const past[] = { "why", "cause", "who", "remedy", "next", "note", "_user" };
    int64_t wall_s = clock_wall_ms() / 1000;
    cJSON *batch = cJSON_CreateArray(), *record = cJSON_Duplicate(stored, true);
    CLEANUP(buf_free) struct buf body = BUF_INIT(HTTP_BODY_MAX);
    CLEANUP(mem_freep) char *text = NULL;
    size_t i;

    for (i = 0; i < COUNT_OF(past); i++)
        cJSON_DeleteItemFromObjectCaseSensitive(record, past[i]);
    set(record, "condition", cJSON_CreateString("off"));
    set(record, "rank", cJSON_CreateNumber(12));
    set(record, "todo", cJSON_CreateString("Nothing: it is disabled"));
    set(record, "since", cJSON_CreateNumber((double)wall_s));
    set(record, "updated", cJSON_CreateNumber((double)wall_s));
    cJSON_AddItemToArray(batch, record);
    text = cJSON_PrintUnformatted(batch);
    cJSON_Delete(batch);
    buf_add_text(&body, text);
    kvstore_save(prune->kvstore, &body, on_done, prune);
}

static void on_stored(void *ctx, const struct kvstore_answer *answer)
{
    const cJSON *record = cJSON_GetArrayItem(answer->rows, 0);

    if (record && !text_same(json_text(record, "condition"), "off"))
        mark_off(ctx, record);
    else
        on_done(ctx, answer);
}

static void on_input(void *ctx, enum data_input_found found)
{
    struct state_prune *prune = ctx;
    CLEANUP(mem_freep) char *query = query_of(&prune->suspects[prune->count - 1]);

    if (found == DATA_INPUT_GONE) {
        kvstore_delete_where(prune->kvstore, query, on_done, prune);
    } else if (found == DATA_INPUT_DISABLED) {
        kvstore_find(prune->kvstore, &(struct kvstore_query){ .query = query, .limit = 1 }, on_stored, prune);
    } else {
        drop(prune);
        next(prune);
    }
}

static void next(struct state_prune *prune)
{
    prune->busy = prune->count > 0;
    if (prune->busy)
        data_inputs_find(prune->data_inputs, prune->suspects[prune->count - 1].name, on_input, prune);
}

void state_prune_start(struct state_prune *prune)
{
    if (!prune->busy)
        next(prune);
}
