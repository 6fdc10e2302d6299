/* Checkpoints as earlier versions wrote them. Their version number is the same: members were added since 1.0.0, and a
 * program that knew none of them left them out. */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

/* In the order in which they came. An earlier version could not know the windows and alerts of the first two: a file
 * that has these is not an older one's. */
static const char *const members[] = { "quarantine", "partial", "tid", "rate", "ledger" };

#define MEMBERS (sizeof(members) / sizeof(*members))

static void age_file(const char *path, struct text *bytes, void *ctx)
{
    size_t from = *(const size_t *)ctx;
    const char *end = strrchr(path, '.');
    cJSON *root = end && !strcmp(end, ".json") ? cJSON_ParseWithLength(bytes->data, bytes->len) : NULL;
    char *older;

    if (cJSON_GetObjectItem(root, "quarantine") || cJSON_GetObjectItem(root, "partial"))
        from = from > 2 ? from : 2;
    for (size_t i = from; root && i < MEMBERS; i++)
        cJSON_DeleteItemFromObject(root, members[i]);
    older = root ? cJSON_Print(root) : NULL;
    if (older) {
        bytes->len = 0;
        text_put(bytes, older, strlen(older));
        trace("disk: %s is as an earlier version had written it", path);
    }
    cJSON_free(older);
    cJSON_Delete(root);
}

void old_checkpoints(struct rng *rng)
{
    size_t from = (size_t)rng_between(rng, 0, MEMBERS - 1);

    disk_each(age_file, &from);
}
