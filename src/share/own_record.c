#include "share/own_record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define FILE_MAX_BYTES (4 * 1024 * 1024)
#define VERSION_KNOWN  1
#define NUMBER_MOST    (INT64_C(1) << 50)
#define ID_DIGITS      "0123456789abcdef"

static char *path_of(const char *folder)
{
    return mem_format("%s/" SHARE_OWN_FILE, folder);
}

void share_own_record_free(struct share_own_record *own)
{
    size_t i;

    for (i = 0; i < own->count; i++)
        free(own->entries[i].input);
    free(own->entries);
    *own = (struct share_own_record){ .count = 0 };
}

static struct share_own_entry *find(const struct share_own_record *own, const char *input)
{
    size_t i;

    for (i = 0; i < own->count; i++)
        if (text_same(own->entries[i].input, input))
            return &own->entries[i];
    return NULL;
}

const struct share_own_entry *share_own_record_find(const struct share_own_record *own, const char *input)
{
    return find(own, input);
}

void share_own_record_set(struct share_own_record *own, const char *input, const char *since, int64_t number)
{
    struct share_own_entry *entry = find(own, input);

    if (!entry) {
        own->entries = mem_grow(own->entries, own->count + 1, sizeof(*own->entries));
        entry = &own->entries[own->count++];
        entry->input = mem_text(input);
    }
    snprintf(entry->since, sizeof(entry->since), "%s", since);
    entry->number = number;
}

bool share_own_record_remove(struct share_own_record *own, const char *input)
{
    struct share_own_entry *entry = find(own, input);

    if (!entry)
        return false;
    free(entry->input);
    *entry = own->entries[--own->count];
    return true;
}

/* Reading. */

static bool read_entry(const cJSON *item, struct share_own_entry *ret)
{
    const cJSON *number = cJSON_GetArrayItem(item, 1);
    const char *since = cJSON_GetStringValue(cJSON_GetArrayItem(item, 0));

    if (!cJSON_IsArray(item) || !since || strlen(since) != SHARE_ID_MAX - 1 ||
        strspn(since, ID_DIGITS) != SHARE_ID_MAX - 1 || !cJSON_IsNumber(number) || number->valuedouble < 0 ||
        number->valuedouble > (double)NUMBER_MOST)
        return false;
    memcpy(ret->since, since, SHARE_ID_MAX);
    ret->number = (int64_t)number->valuedouble;
    return true;
}

static bool read_inputs(const cJSON *inputs, struct share_own_record *ret, struct err *err)
{
    struct share_own_entry entry;
    const cJSON *item;

    if (!cJSON_IsObject(inputs))
        return err_set(err, ERR_INPUT, "it has no 'inputs'");
    cJSON_ArrayForEach(item, inputs)
    {
        if (!read_entry(item, &entry))
            return err_set(err, ERR_INPUT, "member 'inputs' holds something that is not [since, number]");
        share_own_record_set(ret, item->string, entry.since, entry.number);
    }
    return true;
}

static bool parse(const struct buf *text, const char *group, const char *forwarder, struct share_own_record *ret,
                  struct err *err)
{
    CLEANUP(json_freep) cJSON *root = json_parse(text->data, text->len);
    int64_t version;

    if (!cJSON_IsObject(root))
        return err_set(err, ERR_INPUT, "it is not a JSON object");
    if (!json_int64(root, "version", VERSION_KNOWN, VERSION_KNOWN, &version))
        return err_set(err, ERR_INPUT, "it is not of version %d", VERSION_KNOWN);
    if (!text_same(json_text(root, "group"), group))
        return err_set(err, ERR_INPUT, "it is of another share_group");
    if (!text_same(json_text(root, "forwarder"), forwarder))
        return err_set(err, ERR_INPUT, "it is of another forwarder");
    return read_inputs(json_member(root, "inputs"), ret, err);
}

bool share_own_record_load(const char *folder, const char *group, const char *forwarder, struct share_own_record *ret,
                           struct err *err)
{
    CLEANUP(mem_freep) char *path = path_of(folder);
    CLEANUP(buf_free) struct buf text = BUF_INIT(FILE_MAX_BYTES);

    *ret = (struct share_own_record){ .count = 0 };
    errno = 0;
    if (!file_read(path, &text, err))
        return errno == ENOENT;
    if (parse(&text, group, forwarder, ret, err))
        return true;
    share_own_record_free(ret);
    return err_prefix(err, "%s", path);
}

/* Writing. */

bool share_own_record_save(const char *folder, const char *group, const char *forwarder,
                           const struct share_own_record *own, struct err *err)
{
    CLEANUP(mem_freep) char *path = path_of(folder);
    CLEANUP(buf_free) struct buf text = BUF_INIT(FILE_MAX_BYTES);
    size_t i;

    buf_add_format(&text, "{\"version\": %d, \"group\": ", VERSION_KNOWN);
    buf_add_json(&text, group);
    buf_add_text(&text, ", \"forwarder\": ");
    buf_add_json(&text, forwarder);
    buf_add_text(&text, ",\n \"inputs\": {");
    for (i = 0; i < own->count; i++) {
        buf_add_text(&text, i ? ",\n  " : "\n  ");
        buf_add_json(&text, own->entries[i].input);
        buf_add_format(&text, ": [\"%s\", %lld]", own->entries[i].since, (long long)own->entries[i].number);
    }
    buf_add_text(&text, "}}\n");
    if (text.full)
        return err_set(err, ERR_INPUT, "%s would be larger than %d bytes", path, FILE_MAX_BYTES);
    return file_replace(path, text.data, text.len, false, err);
}
