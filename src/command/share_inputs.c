#include "command/share_inputs.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"
#include "share/token.h"
#include "splunk/app.h"
#include "splunk/data_inputs.h"

#define ADDRESSES_MOST 8
#define GROUP_MOST     40
#define GROUP_DEFAULT  "default"
#define LOST_DEFAULT   "continue"

/* The parameters that all shared inputs of a process have in common, and what an empty one means. */
static const struct {
    const char *name, *empty;
} common[] = {
    { "share_url", "" }, { "share_group", GROUP_DEFAULT }, { "share_ca_file", "" }, { "share_lost", LOST_DEFAULT }
};

enum { URLS, GROUP, CA_FILE, LOST, COMMON };

static void add_text(char ***list, size_t *count, char *text)
{
    *list = mem_grow(*list, *count + 1, sizeof(char *));
    (*list)[(*count)++] = text;
}

static char *value_of(const struct raw_stanza *stanza, int at)
{
    const char *value = stanza_value(stanza, common[at].name);
    char *text = text_trimmed(value ? value : "");

    if (*text)
        return text;
    free(text);
    return mem_text(common[at].empty);
}

static void take_first(struct share_inputs *ret, const struct raw_stanza *stanza, char *values[COMMON])
{
    ret->first = mem_text(stanza_input_name(stanza));
    ret->urls = mem_text(values[URLS]);
    free(ret->group);
    ret->group = mem_text(values[GROUP]);
    ret->ca_file = *values[CA_FILE] ? mem_text(values[CA_FILE]) : NULL;
}

/* Returns a sentence about the first parameter that differs from the first input's; NULL: none does. */
static char *difference(const struct share_inputs *inputs, const char *name, char *const values[COMMON],
                        char *const first[COMMON])
{
    size_t i;

    for (i = 0; i < COMMON; i++)
        if (!text_same(values[i], first[i]))
            return mem_format(
                "input '%.200s' has %s '%.300s', but '%.200s', which comes first, has '%.300s'; it is left "
                "out: our administrator has to give all inputs the same, best in the stanza "
                "[" SCHEME_NAME "] only",
                name, common[i].name, values[i], inputs->first, first[i]);
    return NULL;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void share_inputs_read(const struct config *config, struct share_inputs *ret)
{
    char *first[COMMON] = { NULL }, *values[COMMON], *odd;
    size_t i, k;

    *ret = (struct share_inputs){ .group = mem_text(GROUP_DEFAULT) };
    for (i = 0; i < config->count; i++) {
        const struct raw_stanza *stanza = &config->stanzas[i];

        if (stanza_is_disabled(stanza))
            continue;
        for (k = 0; k < COMMON; k++)
            values[k] = value_of(stanza, (int)k);
        if (*values[URLS] && !ret->first) {
            take_first(ret, stanza, values);
            for (k = 0; k < COMMON; k++)
                first[k] = mem_text(values[k]);
        }
        odd = *values[URLS] ? difference(ret, stanza_input_name(stanza), values, first) : NULL;
        if (odd)
            add_text(&ret->odd, &ret->odd_count, odd);
        else if (*values[URLS])
            add_text(&ret->names, &ret->count, mem_text(stanza_input_name(stanza)));
        for (k = 0; k < COMMON; k++)
            free(values[k]);
    }
    for (k = 0; k < COMMON; k++)
        free(first[k]);
    if (ret->count)
        qsort(ret->names, ret->count, sizeof(char *), by_text);
}

void share_inputs_free(struct share_inputs *inputs)
{
    size_t i;

    for (i = 0; i < inputs->count; i++)
        free(inputs->names[i]);
    for (i = 0; i < inputs->odd_count; i++)
        free(inputs->odd[i]);
    free(inputs->names);
    free(inputs->odd);
    free(inputs->urls);
    free(inputs->group);
    free(inputs->ca_file);
    free(inputs->first);
    *inputs = (struct share_inputs){ .urls = NULL };
}

bool share_inputs_have(const struct share_inputs *inputs, const char *name)
{
    return inputs->count && bsearch(&name, inputs->names, inputs->count, sizeof(char *), by_text);
}

static void add_param(struct raw_stanza *stanza, const char *name, const char *value)
{
    stanza->params = mem_grow(stanza->params, stanza->count + 1, sizeof(struct raw_param));
    stanza->params[stanza->count++] = (struct raw_param){ .name = mem_text(name), .value = mem_text(value) };
}

void share_inputs_list(const cJSON *list, struct config *config)
{
    const cJSON *entry;
    size_t i;

    config->stanzas = mem_alloc(((size_t)cJSON_GetArraySize(list) + 1) * sizeof(struct raw_stanza));
    cJSON_ArrayForEach(entry, list)
    {
        const char *name = json_text(entry, "name");
        struct raw_stanza *stanza = &config->stanzas[config->count];

        if (text_empty(name))
            continue;
        *stanza = (struct raw_stanza){ .name = mem_text(name), .app = mem_text("") };
        for (i = 0; i < COMMON; i++) {
            const char *value = json_text(json_member(entry, "content"), common[i].name);

            if (value)
                add_param(stanza, common[i].name, value);
        }
        if (data_inputs_is_disabled(entry))
            add_param(stanza, "disabled", "1");
        config->count++;
    }
    config->capacity = config->count;
}

static bool is_group(const char *text)
{
    size_t len = strlen(text);

    return len && len <= GROUP_MOST &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

bool share_inputs_check(const char *urls_name, const char *urls, const char *group_name, const char *group,
                        struct err *err)
{
    const char *rest = urls;
    size_t count = 0;
    char *url;
    bool ok = true;

    while (ok && (url = share_next_url(&rest))) {
        ok = url_is_base(url) && ++count <= ADDRESSES_MOST;
        free(url);
    }
    if (!ok || !count)
        return err_set(err, ERR_INPUT,
                       "%s is '%.300s', but it should be 1 to %d management addresses, each https://host:port (http:// "
                       "only for this machine), with blanks or commas between",
                       urls_name, urls, ADDRESSES_MOST);
    return is_group(group) ||
           err_set(err, ERR_INPUT, "%s is '%.80s', but it should be 1 to %d letters, digits, hyphens and underscores",
                   group_name, group, GROUP_MOST);
}
