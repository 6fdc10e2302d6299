#include "collect/joined.h"

#include "base/json.h"
#include "collect/same_tenant.h"
#include "share/checkpoints.h"
#include "state/checkpoint.h"
#include "state/store_file.h"

/* How far a checkpoint has read, and of what. */
struct reach {
    bool fits; /* it is of the tenant and records that the input names now */
    ticks watermark;
};

/* Returns false if the text is no checkpoint. */
static bool read_reach(const struct buf *text, const struct joined_input *input, struct reach *ret)
{
    struct checkpoint checkpoint = { .tenant_id = NULL };
    struct dedup *dedup = dedup_new();
    struct err ignored;
    bool ok = checkpoint_parse(buf_text(text), text->len, &checkpoint, dedup, &ignored);

    ret->watermark = checkpoint.cursor.watermark;
    ret->fits = ok && api_same_ids(input->api, checkpoint.api) &&
                same_tenant(&checkpoint, input->tenant_id, NULL) != TENANT_OTHER;
    checkpoint_release(&checkpoint);
    dedup_free(dedup);
    return ok;
}

/* What is this host's own stays: which secrets were imported here, and if both are of the same feed, what the service
 * was not relied on for, and the ledger, which has what this forwarder wrote. What is left of the hourly limit is not
 * known any more. */
static void keep_own(struct buf *text, const struct buf *own, bool same_feed)
{
    static const char *const members[] = { "salt", "taken", "again", "ledger", "ledger_id", "own_since" };
    const size_t host_only = 2; /* of them: whatever the input reads */
    CLEANUP(json_freep) cJSON *to = json_parse(buf_text(text), text->len);
    CLEANUP(json_freep) cJSON *from = own ? json_parse(buf_text(own), own->len) : NULL;
    char *printed;
    size_t i;

    if (!cJSON_IsObject(to))
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(to, "rate");
    cJSON_DeleteItemFromObjectCaseSensitive(to, "own_until");
    for (i = 0; i < COUNT_OF(members); i++) {
        cJSON_DeleteItemFromObjectCaseSensitive(to, members[i]);
        if ((same_feed || i < host_only) && json_member(from, members[i]))
            cJSON_AddItemToObject(to, members[i], cJSON_Duplicate(json_member(from, members[i]), true));
    }
    printed = cJSON_PrintUnformatted(to);
    text->len = 0;
    buf_add_text(text, printed);
    cJSON_free(printed);
}

/* *text is the store's at first. Returns true if both are of the same feed. */
static bool join(struct buf *text, const struct buf *own, bool own_first)
{
    const struct buf *first = own_first ? own : text, *second = own_first ? text : own;
    struct buf base = BUF_INIT(STORE_FILE_MAX);
    bool merged;

    buf_add(&base, first->data, first->len);
    merged = share_checkpoint_merge(&base, buf_text(second), second->len);
    buf_free(text);
    *text = base;
    return merged || own_first;
}

bool joined_checkpoint(struct buf *text, const struct buf *own, const struct joined_input *input)
{
    struct reach shared, file;
    bool own_first, same_feed = true;

    if (!read_reach(text, input, &shared) || (own && !read_reach(own, input, &file)))
        return false;
    if (own) {
        own_first = file.fits != shared.fits ? file.fits : file.watermark > shared.watermark;
        same_feed = join(text, own, own_first);
    }
    keep_own(text, own, same_feed);
    return true;
}
