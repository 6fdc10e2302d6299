#include "command/saved_input.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "splunk/params.h"
#include "splunk/stanza.h"

bool saved_input_read(const cJSON *entry, struct input *ret, struct err *err)
{
    const cJSON *content = json_member(entry, "content");
    struct raw_stanza stanza = { .name = mem_text(json_text(entry, "name")),
                                 .params = mem_alloc(params_count * sizeof(*stanza.params)) };
    bool ok;
    size_t i;

    for (i = 0; i < params_count; i++) {
        const char *value = json_text(content, params[i].name);

        if (value)
            stanza.params[stanza.count++] = (struct raw_param){ mem_text(params[i].name), mem_text(value) };
    }
    ok = input_from_stanza(&stanza, CHECK_NO_FILES, ret, err);
    raw_stanza_free(&stanza);
    return ok;
}

/* Returns true if the parameter decides how to sign in and what to ask for, and is no secret. */
static bool matters(const struct param *param)
{
    return param->type != PARAM_SECRET && param->type != PARAM_START && param->type != PARAM_SECONDS &&
           param->group != GROUP_SHARED;
}

static bool same_value(const struct param *param, const struct input *a, const struct input *b)
{
    const void *one = (const char *)a + param->offset, *other = (const char *)b + param->offset;

    if (param->type == PARAM_CHOICE)
        return *(const int *)one == *(const int *)other;
    return text_same(*(char *const *)one, *(char *const *)other);
}

static bool is_same(const struct input *before, const struct input *input)
{
    size_t i;

    if (input->client_secret || input->refresh_token || input->authorization_code || input->proxy_password)
        return false; /* entered now */
    for (i = 0; i < params_count; i++)
        if (matters(&params[i]) && !same_value(&params[i], before, input))
            return false;
    return true;
}

bool saved_input_is_same(const cJSON *list, const struct input *input)
{
    const cJSON *entry;
    struct input before;
    struct err unusable;
    bool same = false;

    cJSON_ArrayForEach(entry, list)
    {
        if (!text_same(json_text(entry, "name"), input->name) || !saved_input_read(entry, &before, &unusable))
            continue;
        same = same || is_same(&before, input);
        input_free(&before);
    }
    return same;
}
