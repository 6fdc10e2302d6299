#include "share/versions.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define HASH_TEXT 32 /* hex digits of a version's key */

void versions_free(struct versions *versions)
{
    free(versions->list);
    *versions = (struct versions){ .count = 0 };
}

void versions_add(struct versions *versions, struct version version)
{
    if (versions->count == versions->capacity) {
        versions->capacity = versions->capacity ? versions->capacity * 2 : 64;
        versions->list = mem_grow(versions->list, versions->capacity, sizeof(*versions->list));
    }
    versions->list[versions->count++] = version;
}

void versions_add_all(struct versions *versions, const struct versions *more)
{
    size_t i;

    for (i = 0; i < more->count; i++)
        versions_add(versions, more->list[i]);
}

int version_compare(const void *a, const void *b)
{
    const struct version *left = a, *right = b;

    if (left->time != right->time)
        return left->time < right->time ? -1 : 1;
    if (left->key.high != right->key.high)
        return left->key.high < right->key.high ? -1 : 1;
    return left->key.low < right->key.low ? -1 : left->key.low > right->key.low;
}

void versions_sort(struct versions *versions)
{
    size_t i, kept = 0;

    if (versions->count < 2)
        return;
    qsort(versions->list, versions->count, sizeof(*versions->list), version_compare);
    for (i = 1; i < versions->count; i++)
        if (version_compare(&versions->list[kept], &versions->list[i]) != 0)
            versions->list[++kept] = versions->list[i];
    versions->count = kept + 1;
}

bool versions_add_text(struct versions *versions, const char *text, size_t len)
{
    const char *blank = memchr(text, ' ', len);
    struct version version;

    if (!blank || (size_t)(text + len - blank) != 1 + HASH_TEXT ||
        !ticks_parse(text, (size_t)(blank - text), &version.time) || !text_hex64(blank + 1, &version.key.high) ||
        !text_hex64(blank + 17, &version.key.low) || (!version.key.high && !version.key.low))
        return false;
    versions_add(versions, version);
    return true;
}

bool versions_add_texts(struct versions *versions, const char *text)
{
    size_t before = versions->count, len;

    for (; *text; text += len + (text[len] == ',')) {
        len = strcspn(text, ",");
        if (!versions_add_text(versions, text, len)) {
            versions->count = before;
            return false;
        }
    }
    return true;
}

void version_format(const struct version *version, struct buf *to)
{
    char time[TICKS_TEXT_MAX];

    ticks_text(version->time, time);
    buf_add_format(to, "%s %016llx%016llx", time, (unsigned long long)version->key.high,
                   (unsigned long long)version->key.low);
}
