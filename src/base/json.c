#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

void json_init(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){ .malloc_fn = mem_lib_alloc, .free_fn = mem_lib_free });
}

cJSON *json_parse(const char *bytes, size_t len)
{
    const char *end = NULL;
    cJSON *tree;

    if (!bytes)
        return NULL;
    tree = cJSON_ParseWithLengthOpts(bytes, len, &end, 0);
    if (!tree)
        return NULL;
    while (end < bytes + len && strchr(" \t\r\n", *end) && *end)
        end++;
    if (end != bytes + len) {
        cJSON_Delete(tree);
        return NULL;
    }
    return tree;
}

void json_freep(cJSON **tree)
{
    cJSON_Delete(*tree);
    *tree = NULL;
}

const cJSON *json_member(const cJSON *object, const char *name)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}

const char *json_text(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(json_member(object, name));
}

bool json_bool(const cJSON *object, const char *name)
{
    return cJSON_IsTrue(json_member(object, name));
}

bool json_int64(const cJSON *object, const char *name, int64_t least, int64_t most, int64_t *ret)
{
    const cJSON *item = json_member(object, name);
    int64_t value;

    if (cJSON_IsString(item))
        return text_int64(item->valuestring, least, most, ret);
    /* (double)INT64_MAX is 2^63, which does not fit: therefore this bound, and then a comparison of integers. */
    if (!cJSON_IsNumber(item) || floor(item->valuedouble) != item->valuedouble || item->valuedouble < -0x1p63 ||
        item->valuedouble >= 0x1p63)
        return false;
    value = (int64_t)item->valuedouble;
    if (value < least || value > most)
        return false;
    *ret = value;
    return true;
}
