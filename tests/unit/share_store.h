/* A KV store for tests of the forwarders' agreement: a primary, and a node that lags until it is told to catch up. The
 * store can be made to lose what that node does not have. Used by the unit tests and by tests/cores. */
#pragma once

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "share/core.h"

struct store_record {
    int refs;
    const char *collection;
    cJSON *json;
    const char *key;
};

struct store_node {
    struct store_record **records;
    size_t count;
};

/* A write that the second node does not have yet. */
struct store_write {
    struct store_record *record;
    bool deletes;
};

struct store {
    struct store_node prime, lag;
    struct store_write *log;
    size_t log_count;
    size_t written;  /* writes in all */
    bool overwrites; /* an insert under a key that is taken replaces the record: such a store is unfit */
};

static inline struct store_record *store_hold(struct store_record *record)
{
    record->refs++;
    return record;
}

static inline void store_drop(struct store_record *record)
{
    if (--record->refs)
        return;
    cJSON_Delete(record->json);
    free(record);
}

static inline size_t store_place(const struct store_node *node, const char *collection, const char *key)
{
    size_t i = 0;

    while (i < node->count &&
           (strcmp(node->records[i]->key, key) != 0 || strcmp(node->records[i]->collection, collection) != 0))
        i++;
    return i;
}

static inline void store_node_write(struct store_node *node, struct store_record *record, bool deletes)
{
    size_t at = store_place(node, record->collection, record->key);

    if (at == node->count && !deletes) {
        node->records = mem_grow(node->records, node->count + 1, sizeof(*node->records));
        node->records[node->count++] = store_hold(record);
    } else if (at < node->count && deletes) {
        store_drop(node->records[at]);
        node->records[at] = node->records[--node->count];
    } else if (at < node->count) {
        store_hold(record);
        store_drop(node->records[at]);
        node->records[at] = record;
    }
}

static inline void store_write(struct store *store, struct store_record *record, bool deletes)
{
    store_node_write(&store->prime, record, deletes);
    store->log = mem_grow(store->log, store->log_count + 1, sizeof(*store->log));
    store->written++;
    store->log[store->log_count++] = (struct store_write){ store_hold(record), deletes };
}

/* The second node applies its next writes. */
static inline void store_catch_up(struct store *store, size_t most)
{
    size_t count = most < store->log_count ? most : store->log_count;

    for (size_t i = 0; i < count; i++) {
        store_node_write(&store->lag, store->log[i].record, store->log[i].deletes);
        store_drop(store->log[i].record);
    }
    store->log_count -= count;
    if (count)
        memmove(store->log, store->log + count, store->log_count * sizeof(*store->log));
}

static inline void store_node_free(struct store_node *node)
{
    for (size_t i = 0; i < node->count; i++)
        store_drop(node->records[i]);
    free(node->records);
    *node = (struct store_node){ 0 };
}

/* The second node becomes the primary before it has caught up. */
static inline void store_roll_back(struct store *store)
{
    store_node_free(&store->prime);
    for (size_t i = 0; i < store->lag.count; i++)
        store_node_write(&store->prime, store->lag.records[i], false);
    for (size_t i = 0; i < store->log_count; i++)
        store_drop(store->log[i].record);
    store->log_count = 0;
}

static inline void store_free(struct store *store)
{
    store_catch_up(store, SIZE_MAX);
    store_node_free(&store->prime);
    store_node_free(&store->lag);
    free(store->log);
    *store = (struct store){ 0 };
}

static inline bool store_fits(const cJSON *json, const cJSON *query);

/* Returns true if a condition holds: a value, {"$lt": n} or {"$ne": n}; "$or" and "$and" have a list of queries. */
static inline bool store_holds(const cJSON *json, const cJSON *condition)
{
    const cJSON *value = json_member(json, condition->string), *part;
    bool all = !strcmp(condition->string, "$and");

    if (all || !strcmp(condition->string, "$or")) {
        cJSON_ArrayForEach(part, condition) if (store_fits(json, part) != all) return !all;
        return all;
    }
    if (!cJSON_IsObject(condition))
        return cJSON_Compare(value, condition, true);
    part = condition->child;
    if (!strcmp(part->string, "$ne"))
        return !cJSON_Compare(value, part, true);
    assert(!strcmp(part->string, "$lt") && !part->next);
    return cJSON_IsNumber(value) && value->valuedouble < part->valuedouble;
}

static inline bool store_fits(const cJSON *json, const cJSON *query)
{
    const cJSON *condition;

    cJSON_ArrayForEach(condition, query) if (!store_holds(json, condition)) return false;
    return true;
}

static inline bool store_matches(const struct store_record *record, const struct share_call *call, const cJSON *query)
{
    return !strcmp(record->collection, call->collection) && store_fits(record->json, query);
}

static inline struct store_record *store_record_of(const char *collection, cJSON *json)
{
    struct store_record *record = mem_alloc(sizeof(*record));

    *record = (struct store_record){ .refs = 1,
                                     .collection = strcmp(collection, SHARE_COLLECTION) ? PLACES_COLLECTION
                                                                                        : SHARE_COLLECTION,
                                     .json = json,
                                     .key = json_text(json, "_key") };
    assert(record->key);
    return record;
}

static inline void store_put(struct store *store, const char *collection, const char *text)
{
    struct store_record *record = store_record_of(collection, json_parse(text, strlen(text)));

    store_write(store, record, false);
    store_drop(record);
}

static inline bool store_is_write(const struct share_call *call)
{
    return call->kind == SHARE_CALL_SAVE || call->kind == SHARE_CALL_INSERT || call->kind == SHARE_CALL_DELETE;
}

static inline void store_delete(struct store *store, const struct share_call *call)
{
    CLEANUP(json_freep) cJSON *query = json_parse(call->query, strlen(call->query));

    assert(cJSON_GetArraySize(query) > 0);
    for (size_t i = store->prime.count; i-- > 0;)
        if (store_matches(store->prime.records[i], call, query)) {
            struct store_record *record = store_hold(store->prime.records[i]);

            store_write(store, record, true);
            store_drop(record);
        }
}

/* Does a call that writes. */
static inline enum kvstore_fault store_apply(struct store *store, const struct share_call *call)
{
    CLEANUP(json_freep) cJSON *body = call->body ? json_parse(call->body, strlen(call->body)) : NULL;
    struct store_record *record;

    if (call->kind == SHARE_CALL_DELETE) {
        store_delete(store, call);
        return KVSTORE_OK;
    }
    assert(call->kind == SHARE_CALL_SAVE ? cJSON_IsArray(body) : cJSON_IsObject(body));
    if (call->kind == SHARE_CALL_INSERT && !store->overwrites &&
        store_place(&store->prime, call->collection, json_text(body, "_key")) < store->prime.count)
        return KVSTORE_TAKEN;
    while (call->kind == SHARE_CALL_SAVE ? body->child : body) {
        cJSON *item = call->kind == SHARE_CALL_SAVE ? cJSON_DetachItemFromArray(body, 0) : body;

        record = store_record_of(call->collection, item);
        store_write(store, record, false);
        store_drop(record);
        if (item == body)
            body = NULL;
    }
    return KVSTORE_OK;
}

/* Does a call that reads. *tree keeps what the answer needs; the caller deletes it after the answer's use. */
static inline struct kvstore_answer store_read(const struct store_node *node, const struct share_call *call,
                                               cJSON **tree)
{
    CLEANUP(json_freep) cJSON *query = call->query ? json_parse(call->query, strlen(call->query)) : NULL;
    struct kvstore_answer answer = { .fault = KVSTORE_OK };

    *tree = NULL;
    if (call->kind == SHARE_CALL_GET) {
        size_t at = store_place(node, call->collection, call->key);

        answer.fault = at < node->count ? KVSTORE_OK : KVSTORE_MISSING;
        answer.record = *tree = at < node->count ? cJSON_Duplicate(node->records[at]->json, true) : NULL;
        return answer;
    }
    assert(call->kind == SHARE_CALL_FIND && call->limit > 0);
    *tree = cJSON_CreateArray();
    for (size_t i = 0; i < node->count; i++)
        if (store_matches(node->records[i], call, query))
            cJSON_AddItemToArray(*tree, cJSON_Duplicate(node->records[i]->json, true));
    answer.rows = *tree;
    return answer;
}
