/* Checkpoints as text: what is left out, what is added, and what is in pieces. Pure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "share/checkpoints_private.h"
#include "state/checkpoint.h"

#define HEAD_MAX (1024 * 1024)

/* The span of a member's list in the text of an object: from its "[" to its "]". */
struct span {
    size_t start, end;
};

/* Returns where the string that begins at `at` ends: after its quote, or at len. */
static size_t string_end(const char *text, size_t len, size_t at)
{
    for (at++; at < len && text[at] != '"'; at++)
        if (text[at] == '\\')
            at++;
    return at < len ? at + 1 : len;
}

static size_t skip_space(const char *text, size_t len, size_t at)
{
    while (at < len && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r' || text[at] == '\n'))
        at++;
    return at;
}

/* Returns true if the string at `at` is the name of a member "written" whose value is a list, which begins at *start. */
static bool names_written(const char *text, size_t len, size_t at, size_t *start)
{
    static const char name[] = "\"written\"";
    size_t end = string_end(text, len, at), colon = skip_space(text, len, end);

    if (end - at != strlen(name) || memcmp(text + at, name, strlen(name)) != 0 || colon >= len || text[colon] != ':')
        return false;
    *start = skip_space(text, len, colon + 1);
    return *start < len && text[*start] == '[';
}

/* Finds the list of written versions of the outermost object. It may hold a hundred thousand: it never becomes a tree. */
static bool find_written(const char *text, size_t len, struct span *ret)
{
    size_t at = 0, depth = 0;

    while (at < len) {
        if (text[at] == '"' && depth == 1 && names_written(text, len, at, &ret->start))
            break;
        if (text[at] == '"') {
            at = string_end(text, len, at);
            continue;
        }
        if (text[at] == '{' || text[at] == '[')
            depth++;
        else if (text[at] == '}' || text[at] == ']')
            depth -= depth > 0;
        at++;
    }
    for (ret->end = ret->start; at < len && ret->end < len; ret->end++) {
        if (text[ret->end] == '"')
            ret->end = string_end(text, len, ret->end) - 1;
        else if (text[ret->end] == ']')
            return true;
    }
    return false;
}

/* Reads the strings of the list: blanks and commas between, nothing else. */
static bool read_written(const char *text, const struct span *span, struct versions *ret)
{
    size_t at = skip_space(text, span->end, span->start + 1), end;

    while (at < span->end) {
        end = string_end(text, span->end, at);
        if (text[at] != '"' || end - at < 2 || !versions_add_text(ret, text + at + 1, end - at - 2))
            return false;
        at = skip_space(text, span->end, end);
        if (at == span->end)
            return true;
        if (text[at] != ',')
            return false;
        at = skip_space(text, span->end, at + 1);
        if (at == span->end)
            return false;
    }
    return true;
}

/* Parts. */

void checkpoint_parts_free(struct checkpoint_parts *parts)
{
    buf_free(&parts->head);
    versions_free(&parts->written);
    free(parts->pieces);
    *parts = (struct checkpoint_parts){ .piece_count = 0 };
}

/* Removes a member, however often it is there. */
static void drop(cJSON *root, const char *name)
{
    while (json_member(root, name))
        cJSON_DeleteItemFromObjectCaseSensitive(root, name);
}

static void strip(cJSON *root)
{
    static const char *const own[] = {
        "salt", "taken", "ledger", "ledger_id", "rate", "again", "own_since", "own_until"
    };
    size_t i;

    for (i = 0; i < COUNT_OF(own); i++)
        drop(root, own[i]);
}

static void add_tree(struct buf *to, const cJSON *tree)
{
    char *text = cJSON_PrintUnformatted(tree);

    buf_add_text(to, text);
    mem_lib_free(text);
}

/* Adds the object without its end. A list of versions that were written in part is left out if it is too large: then they
 * are read again, and written in full. */
static void set_head(struct checkpoint_parts *parts, cJSON *root)
{
    cJSON *partial = cJSON_GetObjectItemCaseSensitive(root, "partial");

    parts->head = BUF_INIT(CHECKPOINT_MAX);
    add_tree(&parts->head, root);
    if (parts->head.len > HEAD_MAX && json_member(partial, "written")) {
        cJSON_ReplaceItemInObjectCaseSensitive(partial, "written", cJSON_CreateArray());
        buf_clear(&parts->head);
        add_tree(&parts->head, root);
    }
    parts->head.data[--parts->head.len] = '\0';
}

/* Reads which pieces there are. */
static bool read_pieces(const cJSON *root, struct checkpoint_parts *ret)
{
    const cJSON *list = json_member(root, "pieces"), *item;
    int count = list ? cJSON_GetArraySize(list) : 0;

    if (list && (!cJSON_IsArray(list) || count > PIECES_MOST))
        return false;
    ret->pieces = mem_alloc(((size_t)count + 1) * sizeof(*ret->pieces));
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsNumber(item) || item->valueint < 0 || item->valueint > PIECES_MOST * 2)
            return false;
        ret->pieces[ret->piece_count++] = item->valueint;
    }
    return true;
}

static void set_stamp(struct checkpoint_parts *parts, const cJSON *root)
{
    CLEANUP(mem_freep) char *of = mem_format("%s\n%s", json_text(root, "tenant_id"), json_text(root, "api"));

    snprintf(parts->stamp, sizeof(parts->stamp), "%016llx", (unsigned long long)hash128_of(of, strlen(of)).high);
}

static bool read_root(cJSON *root, bool strips, struct checkpoint_parts *ret, struct err *err)
{
    if (!cJSON_IsObject(root))
        return err_set(err, ERR_INPUT, "it is not a JSON object");
    if (!json_text(root, "tenant_id") || !json_text(root, "api"))
        return err_set(err, ERR_INPUT, "it does not say for which tenant_id and api");
    if (!read_pieces(root, ret))
        return err_set(err, ERR_INPUT, "member 'pieces' is not a list of numbers");
    set_stamp(ret, root);
    if (strips)
        strip(root);
    drop(root, "written");
    drop(root, "pieces");
    set_head(ret, root);
    return true;
}

/* Returns the text without the versions. */
static cJSON *parse_without(const char *text, size_t len, const struct span *span)
{
    struct buf rest = BUF_INIT(CHECKPOINT_MAX);
    cJSON *root;

    buf_add(&rest, text, span->start + 1);
    buf_add(&rest, text + span->end, len - span->end);
    root = rest.full ? NULL : json_parse(rest.data, rest.len);
    buf_free(&rest);
    return root;
}

bool checkpoint_parts_read(const char *text, size_t len, bool strips, struct checkpoint_parts *ret, struct err *err)
{
    struct span span = { 0, 0 };
    cJSON *root;
    bool ok;

    *ret = (struct checkpoint_parts){ .piece_count = 0 };
    if (!text || !find_written(text, len, &span) || !read_written(text, &span, &ret->written)) {
        checkpoint_parts_free(ret);
        return err_set(err, ERR_INPUT, "member 'written' is not a list of \"time hash\"");
    }
    root = parse_without(text, len, &span);
    ok = read_root(root, strips, ret, err);
    cJSON_Delete(root);
    if (!ok)
        checkpoint_parts_free(ret);
    return ok;
}

bool checkpoint_parts_check(struct checkpoint_parts *parts, struct err *err)
{
    static const struct versions none = { .count = 0 };
    struct checkpoint checkpoint = { .imported_count = 0 };
    struct dedup *dedup = dedup_new();
    struct buf text = BUF_INIT(CHECKPOINT_MAX);
    bool ok;

    if (parts->head.len)
        checkpoint_parts_format(parts, &none, &text);
    ok = checkpoint_parse(buf_text(&text), text.len, &checkpoint, dedup, err);
    parts->watermark = checkpoint.cursor.watermark;
    checkpoint_release(&checkpoint);
    dedup_free(dedup);
    buf_free(&text);
    return ok;
}

void checkpoint_parts_format(const struct checkpoint_parts *parts, const struct versions *written, struct buf *to)
{
    size_t i;

    buf_add(to, parts->head.data, parts->head.len);
    buf_add_text(to, ",\"written\":[");
    for (i = 0; i < written->count; i++) {
        buf_add_text(to, i ? ",\"" : "\"");
        version_format(&written->list[i], to);
        buf_add_char(to, '"');
    }
    buf_add_text(to, "]}");
}

void checkpoint_parts_format_pieces(const struct checkpoint_parts *parts, const struct pieces *pieces, struct buf *to)
{
    size_t i;

    buf_add(to, parts->head.data, parts->head.len);
    buf_add_text(to, ",\"pieces\":[");
    for (i = 0; i < pieces->count; i++)
        buf_add_format(to, "%s%d", i ? "," : "", pieces->list[i].n);
    buf_add_text(to, "],\"written\":[]}");
}

void piece_format(const char *stamp, const struct version *list, size_t count, struct buf *to)
{
    size_t i;

    buf_add_format(to, "{\"of\":\"%s\",\"written\":\"", stamp);
    for (i = 0; i < count; i++) {
        if (i)
            buf_add_char(to, ',');
        version_format(&list[i], to);
    }
    buf_add_text(to, "\"}");
}

bool piece_read(const char *text, const char *stamp, struct versions *to)
{
    CLEANUP(json_freep) cJSON *root = text ? json_parse(text, strlen(text)) : NULL;
    const char *written = json_text(root, "written");

    return written && text_same(json_text(root, "of"), stamp) && versions_add_texts(to, written);
}

/* Comparing and merging. */

static cJSON *head_tree(const struct checkpoint_parts *parts)
{
    struct buf text = BUF_INIT(CHECKPOINT_MAX);
    cJSON *root;

    buf_add(&text, parts->head.data, parts->head.len);
    buf_add_char(&text, '}');
    root = json_parse(text.data, text.len);
    buf_free(&text);
    return root;
}

/* Returns true if one of a's names of the tenant is one of b's. */
static bool same_tenant(const cJSON *a, const cJSON *b)
{
    static const char *const names[] = { "tenant_id", "tid" };
    size_t i, k;

    for (i = 0; i < COUNT_OF(names); i++)
        for (k = 0; k < COUNT_OF(names); k++)
            if (json_text(a, names[i]) && text_same_nocase(json_text(a, names[i]), json_text(b, names[k])))
                return true;
    return false;
}

static bool same_feed(const cJSON *a, const cJSON *b)
{
    return text_same(json_text(a, "api"), json_text(b, "api")) && same_tenant(a, b);
}

bool checkpoint_same_feed(const struct checkpoint_parts *a, const struct checkpoint_parts *b)
{
    CLEANUP(json_freep) cJSON *of_a = head_tree(a);
    CLEANUP(json_freep) cJSON *of_b = head_tree(b);

    return same_feed(of_a, of_b);
}

/* A text without them gets the hashes of the secrets that were imported on this host: otherwise a plaintext secret of
 * inputs.conf would replace the stored one once more. */
static void adopt_imported(struct checkpoint_parts *to, const struct checkpoint_parts *from)
{
    CLEANUP(json_freep) cJSON *root = head_tree(to);
    CLEANUP(json_freep) cJSON *other = head_tree(from);

    if (json_member(root, "salt") || !json_member(other, "salt") || !json_member(other, "taken"))
        return;
    cJSON_AddItemToObject(root, "salt", cJSON_DetachItemFromObjectCaseSensitive(other, "salt"));
    cJSON_AddItemToObject(root, "taken", cJSON_DetachItemFromObjectCaseSensitive(other, "taken"));
    buf_free(&to->head);
    set_head(to, root);
}

bool share_checkpoint_merge(struct buf *text, const char *other, size_t other_len)
{
    struct checkpoint_parts of_text, of_other;
    struct buf merged = BUF_INIT(text->limit);
    struct err err;
    bool ok = false;

    checkpoint_parts_read(text->data, text->len, false, &of_text, &err);
    checkpoint_parts_read(other, other_len, false, &of_other, &err);
    if (checkpoint_parts_check(&of_text, &err) && checkpoint_parts_check(&of_other, &err) &&
        checkpoint_same_feed(&of_text, &of_other)) {
        versions_add_all(&of_text.written, &of_other.written);
        versions_sort(&of_text.written);
        adopt_imported(&of_text, &of_other);
        checkpoint_parts_format(&of_text, &of_text.written, &merged);
        ok = !merged.full;
    }
    if (ok) {
        buf_free(text);
        *text = merged;
    } else {
        buf_free(&merged);
    }
    checkpoint_parts_free(&of_text);
    checkpoint_parts_free(&of_other);
    return ok;
}

bool share_checkpoint_strip(const char *text, size_t len, struct buf *ret)
{
    struct checkpoint_parts parts;
    struct err err;

    if (!checkpoint_parts_read(text, len, true, &parts, &err))
        return false;
    checkpoint_parts_format(&parts, &parts.written, ret);
    checkpoint_parts_free(&parts);
    return true;
}
