#include "share/row.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define NAME_MOST     255
#define NUMBER_DIGITS 12

bool share_row_id(const cJSON *tree, const char *name, char ret[SHARE_ID_MAX])
{
    const char *text = json_text(tree, name);
    uint64_t id;

    if (!text || strlen(text) != SHARE_ID_MAX - 1 || !text_hex64(text, &id))
        return false;
    memcpy(ret, text, SHARE_ID_MAX);
    return true;
}

char *share_row_name(const char *group, const char *kind, const char *key)
{
    CLEANUP(mem_freep) char *start = share_key(group, kind, "");
    CLEANUP(mem_freep) char *again = NULL;
    char *name;

    if (!text_starts(key, start) || !text_url_decode(key + strlen(start), strlen(key + strlen(start)), false, &name))
        return NULL;
    again = share_key(group, kind, name);
    if (name[0] && strlen(name) <= NAME_MOST && !strcmp(again, key))
        return name;
    free(name);
    return NULL;
}

int64_t share_row_number(const char *group, const char *key)
{
    CLEANUP(mem_freep) char *start = share_key(group, "table", "");
    int64_t number;

    if (!text_starts(key, start) || strlen(key + strlen(start)) != NUMBER_DIGITS ||
        !text_int64(key + strlen(start), 1, SHARE_NUMBER_MOST, &number))
        return 0;
    return number;
}

cJSON *share_row_text(const cJSON *row)
{
    const char *text = json_text(row, "text");

    return text ? json_parse(text, strlen(text)) : NULL;
}

bool share_row_names(const cJSON *array, struct share_names *ret)
{
    struct share_names names = { 0 };
    const cJSON *item;

    if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) > SHARE_NAMES_MOST)
        return false;
    cJSON_ArrayForEach(item, array)
    {
        if (!cJSON_IsString(item) || text_empty(item->valuestring)) {
            share_names_free(&names);
            return false;
        }
        share_names_add(&names, item->valuestring);
    }
    *ret = names;
    return true;
}

/* Returns a number that may be missing. */
static int64_t count_of(const cJSON *text, const char *name)
{
    int64_t count;

    return json_int64(text, name, 0, SHARE_COUNT_MOST, &count) ? count : 0;
}

static const char *text_or_none(const cJSON *text, const char *name)
{
    const char *value = json_text(text, name);

    return value ? value : "";
}

bool share_row_member(const cJSON *text, struct share_row_member *ret)
{
    *ret = (struct share_row_member){ .held = count_of(text, "held"),
                                      .format = count_of(text, "format"),
                                      .inputs = count_of(text, "inputs"),
                                      .well = json_bool(text, "well"),
                                      .program = text_or_none(text, "program") };
    share_row_id(text, "follows", ret->follows);
    return share_row_id(text, "start", ret->start) && json_int64(text, "beat", 0, SHARE_COUNT_MOST, &ret->beat);
}

bool share_row_wish(const cJSON *text, struct share_row_wish *ret)
{
    const cJSON *take = json_member(text, "take");

    *ret = (struct share_row_wish){ .drains = json_bool(text, "drain") };
    if (!cJSON_IsObject(text) || (take && !share_row_names(take, &ret->takes)))
        return false;
    ret->takes_all = share_names_have(&ret->takes, "*");
    return true;
}

bool share_row_table(const cJSON *text, struct share_row_table *ret)
{
    *ret = (struct share_row_table){ .by = text_or_none(text, "by") };
    return json_int64(text, "format", 1, SHARE_COUNT_MOST, &ret->format) &&
           (share_row_id(text, "id", ret->id) || ret->format > SHARE_FORMAT);
}
