#include "collect/joined.h"

#include "base/json.h"
#include "share/checkpoints.h"
#include "state/checkpoint.h"
#include "state/store_file.h"

/* Sets *watermark to how far the checkpoint has read. Returns false if it is none. */
static bool read_watermark(const struct buf *text, ticks *watermark)
{
    struct checkpoint checkpoint = { .tenant_id = NULL };
    struct dedup *dedup = dedup_new();
    struct err ignored;
    bool ok = checkpoint_parse(buf_text(text), text->len, &checkpoint, dedup, &ignored);

    *watermark = checkpoint.cursor.watermark;
    checkpoint_release(&checkpoint);
    dedup_free(dedup);
    return ok;
}

/* What is this host's own stays: which secrets were imported here, what the service was not relied on for, and the ledger,
 * which has what this forwarder wrote. What is left of the hourly limit is not known any more. */
static void keep_own(struct buf *text, const struct buf *own)
{
    static const char *const members[] = { "salt", "taken", "again", "ledger", "ledger_id", "own_since" };
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
        if (json_member(from, members[i]))
            cJSON_AddItemToObject(to, members[i], cJSON_Duplicate(json_member(from, members[i]), true));
    }
    printed = cJSON_PrintUnformatted(to);
    text->len = 0;
    buf_add_text(text, printed);
    cJSON_free(printed);
}

/* *text is the store's at first. */
static void join(struct buf *text, const struct buf *own, bool own_is_ahead)
{
    struct buf base = BUF_INIT(STORE_FILE_MAX);

    if (own_is_ahead) {
        buf_add(&base, own->data, own->len);
        share_checkpoint_merge(&base, buf_text(text), text->len);
    } else {
        buf_add(&base, text->data, text->len);
        share_checkpoint_merge(&base, buf_text(own), own->len);
    }
    buf_free(text);
    *text = base;
}

bool joined_checkpoint(struct buf *text, const struct buf *own)
{
    ticks shared, file = 0;

    if (!read_watermark(text, &shared) || (own && !read_watermark(own, &file)))
        return false;
    if (own)
        join(text, own, file > shared);
    keep_own(text, own);
    return true;
}
