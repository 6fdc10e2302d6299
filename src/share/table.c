#include "share/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define OWNER_MOST 255                 /* bytes of a host's name */
#define JUMP_MOST  INT64_C(1000000000) /* tables, of which a group makes one a minute: those of two thousand years */

void share_body_free(struct share_body *body)
{
    for (size_t i = 0; i < body->count; i++) {
        free(body->entries[i].input);
        free(body->entries[i].owner);
    }
    free(body->entries);
    *body = (struct share_body){ 0 };
}

void share_body_copy(const struct share_body *body, struct share_body *ret)
{
    *ret = (struct share_body){ .entries = mem_grow(NULL, body->count + 1, sizeof(*ret->entries)),
                                .count = body->count };
    for (size_t i = 0; i < body->count; i++) {
        ret->entries[i] = body->entries[i];
        ret->entries[i].input = mem_text(body->entries[i].input);
        ret->entries[i].owner = mem_text(body->entries[i].owner);
    }
}

static int by_input(const void *a, const void *b)
{
    return strcmp(((const struct share_entry *)a)->input, ((const struct share_entry *)b)->input);
}

const struct share_entry *share_body_find(const struct share_body *body, const char *input)
{
    struct share_entry key = { .input = (char *)input };

    return body->count ? bsearch(&key, body->entries, body->count, sizeof(key), by_input) : NULL;
}

/* Reads ["hf1", "<since>", <number>]. The texts of *ret are borrowed from the tree. */
static bool parse_entry(const cJSON *item, struct share_entry *ret)
{
    const cJSON *owner = cJSON_GetArrayItem(item, 0), *since = cJSON_GetArrayItem(item, 1);
    const cJSON *number = cJSON_GetArrayItem(item, 2);
    uint64_t id;

    if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) != 3 || !cJSON_IsString(owner) || !cJSON_IsString(since))
        return false;
    if (text_empty(item->string) || text_empty(owner->valuestring) || strlen(owner->valuestring) > OWNER_MOST)
        return false;
    if (strlen(since->valuestring) != SHARE_ID_MAX - 1 || !text_hex64(since->valuestring, &id))
        return false;
    if (!cJSON_IsNumber(number) || !(number->valuedouble >= 1 && number->valuedouble <= (double)SHARE_NUMBER_MOST) ||
        number->valuedouble != (double)(int64_t)number->valuedouble)
        return false;
    *ret = (struct share_entry){ .input = item->string, .owner = owner->valuestring };
    memcpy(ret->since, since->valuestring, SHARE_ID_MAX);
    ret->number = (int64_t)number->valuedouble;
    return true;
}

/* Reads all entries, sorted. Their texts are borrowed from the tree. */
static bool parse_entries(const cJSON *tree, struct share_entry *entries, size_t count, struct err *err)
{
    const cJSON *item;
    size_t i = 0;

    cJSON_ArrayForEach(item, tree)
    {
        if (!parse_entry(item, &entries[i++]))
            return err_set(err, ERR_INPUT, "its entry %zu is not \"input\": [\"forwarder\", \"id\", number]", i);
    }
    qsort(entries, count, sizeof(*entries), by_input);
    for (i = 1; i < count; i++)
        if (!strcmp(entries[i - 1].input, entries[i].input))
            return err_set(err, ERR_INPUT, "an input is in it twice");
    return true;
}

bool share_body_parse(const char *text, struct share_body *ret, struct err *err)
{
    CLEANUP(json_freep) cJSON *tree = text ? json_parse(text, strlen(text)) : NULL;
    struct share_entry *entries;
    size_t count;

    if (!cJSON_IsObject(tree))
        return err_set(err, ERR_INPUT, "it is no JSON object");
    count = (size_t)cJSON_GetArraySize(tree);
    entries = mem_grow(NULL, count + 1, sizeof(*entries));
    if (!parse_entries(tree, entries, count, err)) {
        free(entries);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        entries[i].input = mem_text(entries[i].input);
        entries[i].owner = mem_text(entries[i].owner);
    }
    *ret = (struct share_body){ .entries = entries, .count = count };
    return true;
}

void share_body_format(const struct share_body *body, struct buf *to)
{
    buf_add_char(to, '{');
    for (size_t i = 0; i < body->count; i++) {
        const struct share_entry *entry = &body->entries[i];

        if (i)
            buf_add_text(to, ",");
        buf_add_json(to, entry->input);
        buf_add_text(to, ":[");
        buf_add_json(to, entry->owner);
        buf_add_format(to, ",\"%s\",%" PRId64 "]", entry->since, entry->number);
    }
    buf_add_char(to, '}');
}

bool share_body_same(const struct share_body *a, const struct share_body *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->entries[i].input, b->entries[i].input) || strcmp(a->entries[i].owner, b->entries[i].owner))
            return false;
    return true;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int64_t share_newest(int64_t *numbers, size_t count, int64_t known)
{
    int64_t newest = 0, most = known ? known + JUMP_MOST : SHARE_NUMBER_MOST - JUMP_MOST;

    if (count)
        qsort(numbers, count, sizeof(*numbers), by_number);
    for (size_t i = 0; i < count && numbers[i] <= most; i++) {
        newest = numbers[i];
        most = (newest > known ? newest : known) + JUMP_MOST;
    }
    return newest;
}
