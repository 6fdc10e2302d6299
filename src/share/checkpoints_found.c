/* What a load finds in the store: records are read and put in order, and those of one feed become one checkpoint. Pure. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "share/checkpoints_private.h"

void finds_free(struct finds *finds)
{
    size_t i;

    for (i = 0; i < finds->count; i++)
        checkpoint_parts_free(&finds->list[i].parts);
    finds->count = 0;
}

static bool is_id(const char *text)
{
    return text && strlen(text) == SHARE_ID_MAX - 1 && strspn(text, "0123456789abcdef") == SHARE_ID_MAX - 1;
}

bool checkpoint_found_read(const char *group, const char *input, const cJSON *row, struct found *ret, struct err *err)
{
    const char *since = json_text(row, "id"), *text = json_text(row, "text");
    CLEANUP(mem_freep) char *key = is_id(since) ? checkpoint_key(group, since, input, -1) : NULL;

    *ret = (struct found){ .number = 0 };
    if (!key || !text_same(json_text(row, "_key"), key) || !text_same(json_text(row, "input"), input))
        return err_set(err, ERR_INPUT, "its key is not that of its input and id");
    if (!json_int64(row, "number", 0, SHARE_NUMBER_MOST, &ret->number))
        return err_set(err, ERR_INPUT, "it has no number");
    if (!text)
        return err_set(err, ERR_INPUT, "it has no text");
    if (!checkpoint_parts_read(text, strlen(text), true, &ret->parts, err))
        return false;
    memcpy(ret->since, since, SHARE_ID_MAX);
    if (checkpoint_parts_check(&ret->parts, err))
        return true;
    checkpoint_parts_free(&ret->parts);
    return false;
}

/* Returns true if one comes before the other: that of the newer table. Tables that were lost by the store leave equal
 * numbers: then that which has read farther. */
static bool is_newer(const struct found *one, const struct found *other)
{
    if (one->number != other->number)
        return one->number > other->number;
    return one->parts.watermark > other->parts.watermark;
}

void finds_add(struct finds *finds, struct found *found)
{
    size_t i, last = finds->count;

    if (last == PLACES_READ && !is_newer(found, &finds->list[last - 1])) {
        checkpoint_parts_free(&found->parts);
        return;
    }
    if (last == PLACES_READ)
        checkpoint_parts_free(&finds->list[--last].parts);
    for (i = last; i > 0 && is_newer(found, &finds->list[i - 1]); i--)
        finds->list[i] = finds->list[i - 1];
    finds->list[i] = *found;
    finds->count = last + 1;
}

size_t finds_versions(const struct finds *finds)
{
    size_t i, count = 0;

    for (i = 0; i < finds->count; i++)
        count += finds->list[i].parts.written.count;
    return count;
}

/* Returns the one to begin from. The first one has the highest number, and so it says of which tenant and API the input
 * is now. But numbers begin again with 1 once a store was emptied, and a last save under an old one may come after
 * that: of the same feed, the one that has read farther is the newer one. One that began later may have passed
 * something over. */
static struct checkpoint_parts *best_of(struct finds *finds)
{
    struct checkpoint_parts *first = &finds->list[0].parts, *best = first, *other;
    size_t i;

    for (i = 1; i < finds->count; i++) {
        other = &finds->list[i].parts;
        if (other->watermark > best->watermark && other->begin <= first->begin && checkpoint_same_feed(first, other))
            best = other;
    }
    return best;
}

bool finds_join(struct finds *finds, struct buf *text)
{
    struct checkpoint_parts *best;
    size_t i;

    if (!finds->count)
        return false;
    best = best_of(finds);
    for (i = 0; i < finds->count; i++)
        if (&finds->list[i].parts != best && checkpoint_same_feed(best, &finds->list[i].parts))
            versions_add_all(&best->written, &finds->list[i].parts.written);
    versions_sort(&best->written);
    checkpoint_parts_format(best, &best->written, text);
    return !text->full;
}
