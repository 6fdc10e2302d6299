/* The records of forwarders that share inputs. Anybody who may write to the KV store may have written them. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "share/core.h"

static uint64_t next_random(void *ctx)
{
    return ++*(uint64_t *)ctx;
}

static bool is_utf8(const char *text)
{
    size_t len = strlen(text), step = 1;

    for (; len && step; text += step, len -= step)
        step = utf8_length((const unsigned char *)text, len);
    return step > 0;
}

/* A table's body that can be read is read again as it was written, unless it has bytes that are no UTF-8: they are
 * replaced. */
static void check_body(const char *text)
{
    struct buf written = BUF_INIT(64 << 20);
    struct share_body body, again;
    struct err err;

    if (!share_body_parse(text, &body, &err))
        return;
    if (!is_utf8(text)) {
        share_body_free(&body);
        return;
    }
    share_body_format(&body, &written);
    need(share_body_parse(buf_text(&written), &again, &err), "a body can be read again");
    need(share_body_same(&body, &again), "a body is read as it was written");
    for (size_t i = 0; i < body.count; i++)
        need(share_body_find(&body, body.entries[i].input) == &body.entries[i], "an entry is found");
    share_body_free(&body);
    share_body_free(&again);
    buf_free(&written);
}

static void add_row(cJSON *rows, const char *key, const char *kind, const char *text)
{
    cJSON *row = cJSON_CreateObject();

    cJSON_AddStringToObject(row, "_key", key);
    cJSON_AddStringToObject(row, "group", "g");
    cJSON_AddStringToObject(row, "kind", kind);
    cJSON_AddStringToObject(row, "id", "0123456789abcdef");
    cJSON_AddNumberToObject(row, "number", 1);
    cJSON_AddStringToObject(row, "text", text);
    cJSON_AddItemToArray(rows, row);
}

/* The records as this input has them: each kind with that text, and the text as a record. own: the forwarder's heartbeat. */
static cJSON *rows_of(const char *text, const cJSON *own)
{
    static const struct {
        const char *key, *kind;
    } kinds[] = { { "g.member.hf2", "member" }, { "g.wish.hf1", "wish" },           { "g.wish.hf2", "wish" },
                  { "g.start.hf1", "start" },   { "g.table.000000000001", "table" }, { "g.inputs.hf2", "inputs" } };
    cJSON *rows = cJSON_CreateArray(), *row = json_parse(text, strlen(text)), *item;

    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        add_row(rows, kinds[i].key, kinds[i].kind, text);
    add_row(rows, "g.table.000000000002", "table", "{\"id\":\"0123456789abcdef\",\"by\":\"hf2\",\"format\":1}");
    if (row)
        cJSON_AddItemToArray(rows, row);
    cJSON_ArrayForEach(item, own)
        cJSON_AddItemToArray(rows, cJSON_Duplicate(item, true));
    return rows;
}

/* Answers the calls of a round. */
static void make_round(struct share_core *core, const char *text, int64_t now_ms)
{
    const struct share_call *call = share_core_begin(core, now_ms);
    cJSON *own = NULL;

    for (int i = 0; call && i < 20; i++) {
        struct kvstore_answer answer = { .fault = KVSTORE_OK };
        cJSON *tree = NULL;

        if (call->kind == SHARE_CALL_SAVE && !own)
            need((own = json_parse(call->body, strlen(call->body))) != NULL, "a call has JSON");
        if (call->kind == SHARE_CALL_FIND)
            answer.rows = tree = rows_of(text, own);
        if (call->kind == SHARE_CALL_GET) {
            tree = cJSON_CreateArray();
            add_row(tree, call->key, "body", text);
            answer.record = tree->child;
        }
        call = share_core_answered(core, &answer, now_ms);
        cJSON_Delete(tree);
    }
    cJSON_Delete(own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const inputs[] = { "a", "b" };
    char *text = mem_text_n((const char *)data, size);
    uint64_t random = 1;
    struct share_core *core;
    struct share_event event;

    json_init();
    check_body(text);
    core = share_core_new(&(struct share_core_spec){ .group = "g", .forwarder = "hf1", .program = "1", .random = next_random,
                                                     .ctx = &random }, inputs, COUNT_OF(inputs));
    for (int64_t now_ms = 0; now_ms < 40000; now_ms += SHARE_ROUND_MS) {
        make_round(core, text, now_ms);
        for (size_t i = 0; i < COUNT_OF(inputs); i++)
            need(now_ms >= SHARE_WAIT_MS || !share_may_read(share_core_state(core, i, now_ms)), "it waits before it reads");
    }
    while (share_core_take_event(core, &event))
        need(strnlen(event.from, sizeof(event.from)) < sizeof(event.from), "an event has an end");
    share_core_free(core);
    free(text);
    return 0;
}
