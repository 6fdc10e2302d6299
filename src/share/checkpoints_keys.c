/* Which checkpoints the store has, by their keys. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "share/checkpoints_private.h"

struct place_keys {
    struct share_link *link;
    struct buf query;
    share_listed_fn *listed;
    void *ctx;
};

/* Sorted; borrowed from the answer. */
struct share_keys {
    const char **list;
    size_t count;
};

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool place_keys_has(const struct share_keys *keys, const char *key)
{
    return keys->count && bsearch(&key, keys->list, keys->count, sizeof(*keys->list), by_text);
}

static void on_keys(void *ctx, const struct kvstore_answer *answer)
{
    struct place_keys *places = ctx;
    int rows = answer->fault == KVSTORE_OK ? cJSON_GetArraySize(answer->rows) : SHARE_KEYS_MOST;
    struct share_keys keys = { .count = 0 };
    const cJSON *row;

    if (rows >= SHARE_KEYS_MOST) /* there may be more */
        return;
    keys.list = mem_alloc(((size_t)rows + 1) * sizeof(*keys.list));
    cJSON_ArrayForEach(row, answer->rows)
    {
        if (json_text(row, "_key"))
            keys.list[keys.count++] = json_text(row, "_key");
    }
    qsort(keys.list, keys.count, sizeof(*keys.list), by_text);
    places->listed(places->ctx, &keys);
    free(keys.list);
}

void place_keys_ask(struct place_keys *places, share_listed_fn *listed, void *ctx)
{
    places->listed = listed;
    places->ctx = ctx;
    share_link_find_keys(places->link, PLACES_COLLECTION, buf_text(&places->query), on_keys, places);
}

struct place_keys *place_keys_new(const struct share_checkpoints_spec *spec)
{
    struct place_keys *places = mem_alloc(sizeof(*places));

    places->link = spec->link;
    places->query = (struct buf)BUF_INIT(HTTP_BODY_MAX);
    buf_add_text(&places->query, "{\"group\":");
    buf_add_json(&places->query, spec->group);
    buf_add_char(&places->query, '}');
    return places;
}

void place_keys_free(struct place_keys *places)
{
    share_link_forget(places->link, places);
    buf_free(&places->query);
    free(places);
}
