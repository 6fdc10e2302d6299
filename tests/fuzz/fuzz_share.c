/* What is read from the KV store that forwarders share, and from the token of that store: a checkpoint's text, a piece of
 * one, a record, two texts that are merged, the records of a group for the commands. Whoever may write there is not
 * trusted. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "command/share_report.h"
#include "fuzz.h"
#include "share/checkpoints_private.h"
#include "state/checkpoint.h"

/* Parses a text as a process that begins does. Returns its written versions; NULL: it is no checkpoint. */
static struct dedup *parse(const char *text, size_t len)
{
    struct checkpoint checkpoint = { .imported_count = 0 };
    struct dedup *dedup = dedup_new();
    struct err err;
    bool ok = checkpoint_parse(text, len, &checkpoint, dedup, &err);

    checkpoint_release(&checkpoint);
    if (ok)
        return dedup;
    dedup_free(dedup);
    return NULL;
}

static void expect(void *ctx, const struct dedup_entry *entry)
{
    need(dedup_has(ctx, entry->key), "no written version is lost");
}

/* What is stripped can be stripped again without a change, and is a checkpoint if it was one. */
static void check_strip(const char *text, size_t len)
{
    struct buf once = BUF_INIT(CHECKPOINT_MAX), twice = BUF_INIT(CHECKPOINT_MAX);
    struct dedup *before, *after;

    if (!share_checkpoint_strip(text, len, &once)) {
        need(!once.len, "a refusal leaves nothing");
        return;
    }
    need(share_checkpoint_strip(once.data, once.len, &twice) && text_same(once.data, twice.data), "it is stripped");
    before = parse(text, len);
    after = parse(once.data, once.len);
    if (before) {
        need(after != NULL, "a checkpoint stays one");
        dedup_each(before, expect, after);
        dedup_free(before);
    }
    dedup_free(after);
    buf_free(&once);
    buf_free(&twice);
}

/* What is merged holds the versions of both. */
static void check_merge(const char *text, size_t len, const char *other, size_t other_len)
{
    struct buf merged = BUF_INIT(CHECKPOINT_MAX);
    struct dedup *both, *one;

    buf_add(&merged, text, len);
    if (share_checkpoint_merge(&merged, other, other_len)) {
        both = parse(merged.data, merged.len);
        need(both != NULL, "what is merged is a checkpoint");
        if ((one = parse(text, len)))
            dedup_each(one, expect, both);
        dedup_free(one);
        if ((one = parse(other, other_len)))
            dedup_each(one, expect, both);
        dedup_free(one);
        dedup_free(both);
    } else {
        need(merged.len == len && (!len || !memcmp(merged.data, text, len)), "a refusal leaves the text");
    }
    buf_free(&merged);
}

static void check_piece(const char *text)
{
    static const char stamp[] = "0123456789abcdef";
    struct versions versions = { .count = 0 }, copy = { .count = 0 };
    struct buf again = BUF_INIT(CHECKPOINT_MAX);

    if (piece_read(text, stamp, &versions)) {
        piece_format(stamp, versions.list, versions.count, &again);
        need(piece_read(buf_text(&again), stamp, &copy) && copy.count == versions.count, "a piece can be written again");
    } else {
        need(!versions.count, "a refusal adds nothing");
    }
    versions_free(&versions);
    versions_free(&copy);
    buf_free(&again);
}

static void check_record(const char *text, size_t len)
{
    cJSON *row = json_parse(text, len);
    struct err err = { .text = "" };
    struct found found;

    if (checkpoint_found_read("g", "a", row, &found, &err))
        checkpoint_parts_free(&found.parts);
    else
        need(err.text[0] && !strpbrk(err.text, "\r\n"), "a refusal says why");
    cJSON_Delete(row);
}

/* Records of a group, read twice: what is printed has no line that a record made, and the JSON is JSON. */
static void check_group(const char *text, size_t len)
{
    CLEANUP(json_freep) cJSON *rows = json_parse(text, len), *shown = NULL;
    struct share_inputs own = { .urls = NULL };
    struct share_view view;
    struct share_report report = { .view = &view, .own = &own, .name = "hf1", .store = "s" };
    CLEANUP(mem_freep) char *printed = NULL;
    size_t printed_len;
    FILE *to = open_memstream(&printed, &printed_len);
    struct wrap wrap = { .to = to, .width = 80 };

    share_view_init(&view, "g");
    share_view_take(&view, rows);
    share_view_take_inputs(&view, rows);
    share_view_take_body(&view, cJSON_GetArrayItem(rows, 0));
    share_view_take(&view, rows);
    need(view.readings == 2 && share_view_heard(&view) <= view.count, "what is heard is there");
    share_report_print(&report, &wrap);
    fflush(to);
    need(!strpbrk(printed, "\r\033"), "no record acts on the terminal");
    rewind(to);
    share_report_json(&report, to);
    fclose(to);
    shown = json_parse(printed, printed_len);
    need(cJSON_IsObject(shown), "the JSON can be read");
    share_view_free(&view);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(mem_freep) char *text = mem_text_n((const char *)data, size);
    const char *end = memchr(text, '\n', size);

    check_strip(text, size);
    check_piece(text);
    check_record(text, size);
    check_group(text, size);
    need(share_token_ends_s(text) >= 0, "a token ends after 1970");
    if (end)
        check_merge(text, (size_t)(end - text), end + 1, size - (size_t)(end + 1 - text));
    return 0;
}
