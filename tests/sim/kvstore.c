/* splunkd's KV store: the collection in which the program keeps the state of each customer, and its faults. None of them
 * may delay an alert. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define COLLECTION   "storage/collections/data/defender_state"
#define FORWARDER    "sim" /* server_host of the configuration */
#define RECORDS_MOST (CUSTOMERS_MOST + 8)
#define BATCH_MOST   1000 /* records; limits.conf: max_documents_per_batch_save */
#define CALLS_MOST   20   /* in a minute; saves are ten seconds apart */
#define UPDATED_S    400  /* each record is written again after five minutes */
#define BEGIN        "{\"_key\":\""

int64_t kv_off_until;

static struct record {
    char key[80];
    uint32_t hash; /* of the key */
    struct text json;
} records[RECORDS_MOST];
static size_t record_count;
static int64_t called[CALLS_MOST];
static uint64_t calls, batches;

static struct record *find(const char *key)
{
    uint32_t hash = text_hash(key);

    for (size_t i = 0; i < record_count; i++)
        if (records[i].hash == hash && !strcmp(records[i].key, key))
            return &records[i];
    return NULL;
}

static void put(const char *json, size_t len)
{
    size_t key_len = strcspn(json + strlen(BEGIN), "\"");
    char key[sizeof(records->key)] = "";
    struct record *record;

    memcpy(key, json + strlen(BEGIN), key_len < sizeof(key) ? key_len : sizeof(key) - 1);
    record = find(key);
    if (!record && record_count == RECORDS_MOST)
        broken("kvstore", "there are more than %d records, the last is %s", RECORDS_MOST, key);
    if (!record)
        record = &records[record_count++];
    memcpy(record->key, key, sizeof(key));
    record->hash = text_hash(key);
    record->json.len = 0;
    text_put(&record->json, json, len);
}

static void delete(struct record *record)
{
    text_drop(&record->json);
    *record = records[--record_count];
    records[record_count] = (struct record){ .key = "" };
}

void kv_init(void)
{
    /* Of inputs that were deleted and disabled while no process ran, and of another forwarder. */
    static const char *const rows[] = {
        BEGIN "gone\",\"input\":\"gone\",\"forwarder\":\"" FORWARDER "\",\"updated\":1780272000,\"condition\":\"ok\"}",
        BEGIN "asleep\",\"input\":\"asleep\",\"forwarder\":\"" FORWARDER "\",\"updated\":1780272000,\"condition\":\"ok\"}",
        BEGIN "other\",\"input\":\"other\",\"forwarder\":\"another\",\"updated\":4102444800,\"condition\":\"ok\"}",
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        put(rows[i], strlen(rows[i]));
}

/* Calls. */

static void head(struct reply *reply, int status)
{
    reply->status = status;
    text_say(&reply->headers, "HTTP/1.1 %d x\r\nContent-Type: application/json\r\n\r\n", status);
}

/* Every 64th batch is looked at closely; of the others it is known where each record begins, since quotes in a text are
 * escaped. */
static void check_batch(const char *json)
{
    cJSON *tree = batches++ % 64 ? NULL : cJSON_Parse(json);

    if (batches % 64 == 1 && (!cJSON_IsArray(tree) || cJSON_GetArraySize(tree) > BATCH_MOST))
        broken("kvstore", "this is no batch of records: %.300s", json);
    cJSON_Delete(tree);
    if (text_has_secret(json))
        broken("secrets", "a record has a secret: %.2000s", json);
}

static void save(const char *json, struct reply *reply)
{
    const char *at = strstr(json, BEGIN), *next;

    check_batch(json);
    if (json[0] != '[' || !at) {
        head(reply, 400);
        return;
    }
    head(reply, 200);
    text_say(&reply->body, "[");
    for (; at; at = next) {
        next = strstr(at + 1, "," BEGIN);
        put(at, next ? (size_t)(next - at) : strlen(at) - 1);
        next = next ? next + 1 : NULL;
        text_add(&reply->body, reply->body.len > 1 ? ",\"" : "\"");
        text_put(&reply->body, at + strlen(BEGIN), strcspn(at + strlen(BEGIN), "\"") + 1);
    }
    text_say(&reply->body, "]");
}

/* Returns the key that a query asks for, which it is the caller's to free; NULL: it asks for all. */
static char *key_of(const char *path)
{
    char *query = form_get(path, "query"), *ret = NULL;
    cJSON *tree = query ? cJSON_Parse(query) : NULL;
    const char *key = cJSON_GetStringValue(cJSON_GetObjectItem(tree, "_key"));

    if (query && (!key || cJSON_GetArraySize(tree) != 1))
        broken("kvstore", "the store cannot read the query %s", query);
    if (key)
        ret = strdup(key);
    cJSON_Delete(tree);
    free(query);
    return ret;
}

/* Adds the record with the members that are asked for. */
static void add(struct text *ret, const struct record *record, const char *fields)
{
    cJSON *tree = cJSON_Parse(record->json.data), *only = cJSON_CreateObject();
    char *names = strdup(fields), *rest = names, *name, *json;

    cJSON_AddStringToObject(only, "_user", "nobody");
    while ((name = strtok_r(rest, ",", &rest)))
        cJSON_AddItemToObject(only, name, cJSON_DetachItemFromObject(tree, name));
    json = cJSON_PrintUnformatted(only);
    text_say(ret, "%s", ret->len > 1 ? "," : "");
    text_put(ret, json, strlen(json));
    cJSON_free(json);
    free(names);
    cJSON_Delete(only);
    cJSON_Delete(tree);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct record *)a)->key, ((const struct record *)b)->key);
}

static int64_t number_of(const char *path, const char *name, int64_t other)
{
    char *value = form_get(path, name);
    int64_t ret = value ? atoll(value) : other;

    free(value);
    return ret;
}

static void list(const char *path, struct reply *reply)
{
    char *key = key_of(path), *fields = form_get(path, "fields");
    int64_t skip = number_of(path, "skip", 0), limit = number_of(path, "limit", 50000);

    qsort(records, record_count, sizeof(*records), by_key);
    head(reply, 200);
    text_say(&reply->body, "[");
    for (size_t i = 0; i < record_count; i++) {
        if ((key && strcmp(key, records[i].key) != 0) || skip-- > 0 || limit-- <= 0)
            continue;
        if (fields) {
            add(&reply->body, &records[i], fields);
        } else {
            text_say(&reply->body, "%s", reply->body.len > 1 ? "," : "");
            text_put(&reply->body, records[i].json.data, records[i].json.len);
        }
    }
    text_say(&reply->body, "]");
    free(fields);
    free(key);
}

static void delete_where(const char *path, struct reply *reply)
{
    char *key = key_of(path);
    struct record *record = key ? find(key) : NULL;

    if (!key)
        broken("kvstore", "all records are deleted: %s", path);
    if (record)
        delete(record);
    head(reply, 200);
    free(key);
}

static void serve(const struct request *request, struct reply *reply)
{
    const char *rest = strstr(request->path, COLLECTION);

    if (!rest)
        broken("kvstore", "there is no such collection: %s", request->path);
    rest += strlen(COLLECTION);
    if (!strncmp(rest, "/batch_save", 11) && request->form)
        save(request->form, reply);
    else if (*rest == '?' && !strcmp(request->method, "DELETE"))
        delete_where(request->path, reply);
    else if (*rest == '?' && !request->form)
        list(request->path, reply);
    else
        broken("kvstore", "the program makes no such call: %s %s", request->method, request->path);
}

/* Faults. */

static void refuse(struct reply *reply)
{
    static const int statuses[] = { 500, 503, 401, 403, 404, 400, 413 };

    head(reply, statuses[rng_between(luck(), 0, 6)]);
    text_say(&reply->body, "{\"messages\":[{\"type\":\"ERROR\",\"text\":\"The store says no.\"}]}");
}

static void spoil(struct reply *reply)
{
    static const char *const garbage[] = { "", "<html>", "[{\"_key\":", "null", "{\"entry\":[]}", "[[],1,null,{\"_key\":7}]",
                                           "[{\"_key\":\"customer%200\",\"history\":\"[[[\",\"history_at\":-1,\"since\":1e99}]" };

    text_drop(&reply->body);
    reply->body = (struct text){ 0 };
    text_say(&reply->body, "%s", garbage[rng_between(luck(), 0, 6)]);
}

static void check_calls(void)
{
    int64_t *before = &called[calls++ % CALLS_MOST];

    if (*before && now() - *before < MINUTE)
        broken("kvstore", "there are %d calls to the KV store within %lld s", CALLS_MOST + 1,
               (long long)(now() - *before) / 1000);
    *before = now();
}

void kv_answer(const struct request *request, struct reply *reply)
{
    check_calls();
    if (kv_off_until > now()) {
        head(reply, 503);
        text_say(&reply->body, "{\"messages\":[{\"type\":\"ERROR\",\"text\":\"KV Store is initializing.\"}]}");
        return;
    }
    if (fault_strikes(FAULT_kv_refuses, NULL)) {
        refuse(reply);
        return;
    }
    serve(request, reply);
    if (fault_strikes(FAULT_kv_garbage, NULL))
        spoil(reply);
    if (fault_strikes(FAULT_kv_lost, NULL))
        reply->end = rng_chance(luck(), 0.5) ? REPLY_RESET : REPLY_SILENT;
    if (fault_strikes(FAULT_kv_slow, NULL))
        reply->delay += rng_between(luck(), 100, 30 * SECOND);
}

/* The verdict. */

static void check_age(const char *key)
{
    const struct record *record = find(key);
    const char *updated = record ? strstr(record->json.data, "\"updated\":") : NULL;
    int64_t age_s;

    if (!updated)
        broken("kvstore", "the store has no record of %s", key);
    age_s = (wall_of(now()) + wall_shift) / 1000 - atoll(updated + 10);
    if (age_s > UPDATED_S)
        broken("kvstore", "the record of %s is %lld s old", key, (long long)age_s);
}

void kv_check_age(void)
{
    char key[40];

    for (int i = 0; i < plan.customers; i++) {
        snprintf(key, sizeof(key), "customer%%20%d", i);
        check_age(key);
    }
}

/* other: a second condition that may be true, since there may be no alerts for days. */
static void check_record(const char *key, const char *condition, const char *other)
{
    const struct record *record = find(key);
    char want[60], or[60];

    snprintf(want, sizeof(want), "\"condition\":\"%s\"", condition);
    snprintf(or, sizeof(or), "\"condition\":\"%s\"", other);
    if (!record || (!strstr(record->json.data, want) && !strstr(record->json.data, or)))
        broken("kvstore", "%s is not %s: %s", key, condition, record ? record->json.data : "");
}

void kv_check(void)
{
    char key[40];

    kv_check_age();
    for (int i = 0; i < plan.customers; i++) {
        snprintf(key, sizeof(key), "customer%%20%d", i);
        check_record(key, "ok", "quiet");
    }
    check_record("other", "ok", "ok");
    check_record("asleep", "off", "off");
    if (find("gone"))
        broken("kvstore", "the record of an input that was deleted is still there");
}
