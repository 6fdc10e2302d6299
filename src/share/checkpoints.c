#include "share/checkpoints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "share/checkpoints_private.h"

enum {
    INLINE_MOST = PIECE_MOST,          /* versions in the checkpoint's own record */
    INLINE_AGAIN = PIECE_MOST * 3 / 4, /* pieces are given up below */
    BATCH_BYTES_LEAST = 64 * 1024
};
#define BATCH_MAX  (4 * 1000 * 1000)
#define RECORD_MAX (BATCH_MAX - 2)

struct saved;

/* A record that is to be written. */
struct pending {
    struct pending *next;
    struct saved *of;
    char *key, *record;
    size_t len;
    bool in_batch; /* the batch in flight has it as it is */
};

/* What is known of an input's checkpoint in the store. */
struct saved {
    struct saved *next;
    char *input;
    char since[SHARE_ID_MAX];
    int64_t number;
    char stamp[STAMP_MAX];
    struct pieces pieces; /* as they are, or will be, in the store; none: the checkpoint has its versions itself */
};

struct share_checkpoints {
    struct share_checkpoints_spec spec;
    char *group;
    struct saved *saved;
    struct pending *pending, **end; /* in the order in which they are sent */
    bool in_call;
    size_t batch_records, batch_bytes; /* most of a batch; fewer after a failure */
    struct err trouble;
    struct loads *loads;
    struct place_keys *keys;
};

char *checkpoint_key(const char *group, const char *since, const char *input, int n)
{
    CLEANUP(mem_freep) char *start = share_key(group, "place", since);
    struct buf key = BUF_INIT(RECORD_MAX);

    buf_add_format(&key, "%s.", start);
    share_key_add(&key, input);
    if (n >= 0)
        buf_add_format(&key, ".%d", n);
    return buf_take(&key);
}

/* What waits. */

static void pending_free(struct share_checkpoints *checkpoints, struct pending **slot)
{
    struct pending *pending = *slot;

    *slot = pending->next;
    if (!*slot)
        checkpoints->end = slot;
    free(pending->key);
    free(pending->record);
    free(pending);
}

/* Removes what waits of this input; of NULL all. */
static void drop_pending(struct share_checkpoints *checkpoints, const struct saved *of)
{
    struct pending **slot = &checkpoints->pending;

    while (*slot) {
        if (!of || (*slot)->of == of)
            pending_free(checkpoints, slot);
        else
            slot = &(*slot)->next;
    }
}

/* Takes the record over; it replaces one with its key that waits. */
static void add_pending(struct share_checkpoints *checkpoints, struct saved *of, char *key, struct buf *record)
{
    struct pending *pending = checkpoints->pending;

    while (pending && !text_same(pending->key, key))
        pending = pending->next;
    if (pending) {
        free(key);
        free(pending->record);
    } else {
        pending = mem_alloc(sizeof(*pending));
        pending->key = key;
        pending->of = of;
        *checkpoints->end = pending;
        checkpoints->end = &pending->next;
    }
    pending->len = record->len;
    pending->record = buf_take(record);
    pending->in_batch = false;
}

/* Puts. */

static struct saved *find(const struct share_checkpoints *checkpoints, const char *input)
{
    struct saved *saved = checkpoints->saved;

    while (saved && !text_same(saved->input, input))
        saved = saved->next;
    return saved;
}

/* Returns what is known of the input under this since: nothing, at first. */
static struct saved *saved_of(struct share_checkpoints *checkpoints, const char *input, const char *since,
                              int64_t number)
{
    struct saved *saved = find(checkpoints, input);

    if (!saved) {
        saved = mem_alloc(sizeof(*saved));
        saved->input = mem_text(input);
        saved->next = checkpoints->saved;
        checkpoints->saved = saved;
    } else if (!text_same(saved->since, since)) {
        drop_pending(checkpoints, saved);
        pieces_free(&saved->pieces);
    }
    snprintf(saved->since, sizeof(saved->since), "%s", since);
    saved->number = number;
    return saved;
}

/* Makes a record, n as in checkpoint_key(), and lets it wait. Takes the text. */
static void add_record(struct share_checkpoints *checkpoints, struct saved *saved, int n, struct buf *text)
{
    char *key = checkpoint_key(checkpoints->group, saved->since, saved->input, n);
    struct buf record = BUF_INIT(RECORD_MAX);

    buf_add_text(&record, "{\"_key\":");
    buf_add_json(&record, key);
    buf_add_text(&record, ",\"group\":");
    buf_add_json(&record, checkpoints->group);
    buf_add_format(&record, ",\"kind\":\"%s\",\"input\":", n < 0 ? "place" : "piece");
    buf_add_json(&record, saved->input);
    buf_add_format(&record, ",\"number\":%lld,\"id\":\"%s\",\"text\":", (long long)saved->number, saved->since);
    buf_add_json(&record, buf_text(text));
    buf_add_char(&record, '}');
    if (!record.full && !text->full)
        add_pending(checkpoints, saved, mem_take(&key), &record);
    else
        err_set(&checkpoints->trouble, ERR_INPUT, "the checkpoint of an input is too large for the shared KV store");
    free(key);
    buf_free(&record);
    buf_free(text);
}

/* Where a changed piece goes. */
struct put {
    struct share_checkpoints *checkpoints;
    struct saved *saved;
};

static void piece_changed(void *ctx, int n, const struct version *list, size_t count)
{
    struct put *put = ctx;
    struct buf text = BUF_INIT(RECORD_MAX);

    piece_format(put->saved->stamp, list, count, &text);
    add_record(put->checkpoints, put->saved, n, &text);
}

/* Returns true if the versions are in pieces, and adds those that have changed. */
static bool put_pieces(struct share_checkpoints *checkpoints, struct saved *saved, struct checkpoint_parts *parts)
{
    struct put put = { checkpoints, saved };

    if (parts->written.count <= (saved->pieces.count ? INLINE_AGAIN : INLINE_MOST)) {
        pieces_free(&saved->pieces);
        return false;
    }
    if (!text_same(saved->stamp, parts->stamp))
        pieces_free(&saved->pieces);
    memcpy(saved->stamp, parts->stamp, sizeof(saved->stamp));
    versions_sort(&parts->written);
    return pieces_update(&saved->pieces, &parts->written, piece_changed, &put);
}

void share_checkpoints_put(struct share_checkpoints *checkpoints, const char *input, const char *since, int64_t number,
                           const char *text, size_t len)
{
    struct saved *saved = saved_of(checkpoints, input, since, number);
    struct buf ret = BUF_INIT(RECORD_MAX);
    struct checkpoint_parts parts;

    if (!checkpoint_parts_read(text, len, true, &parts, &checkpoints->trouble))
        return;
    if (put_pieces(checkpoints, saved, &parts))
        checkpoint_parts_format_pieces(&parts, &saved->pieces, &ret);
    else
        checkpoint_parts_format(&parts, &parts.written, &ret);
    add_record(checkpoints, saved, -1, &ret);
    checkpoint_parts_free(&parts);
}

bool share_checkpoints_waits(const struct share_checkpoints *checkpoints, const char *input)
{
    const struct pending *pending = checkpoints->pending;

    while (pending && input && !text_same(pending->of->input, input))
        pending = pending->next;
    return pending != NULL;
}

void share_checkpoints_forget(struct share_checkpoints *checkpoints, const char *input)
{
    struct saved **slot = &checkpoints->saved, *saved;

    while (*slot && !text_same((*slot)->input, input))
        slot = &(*slot)->next;
    saved = *slot;
    if (!saved)
        return;
    drop_pending(checkpoints, saved);
    *slot = saved->next;
    pieces_free(&saved->pieces);
    free(saved->input);
    free(saved);
}

/* Batches. */

static void send_batch(struct share_checkpoints *checkpoints);

static void batch_saved(struct share_checkpoints *checkpoints)
{
    struct pending **slot = &checkpoints->pending;

    while (*slot) {
        if ((*slot)->in_batch)
            pending_free(checkpoints, slot);
        else
            slot = &(*slot)->next;
    }
    checkpoints->trouble.text[0] = '\0';
    checkpoints->batch_records = KVSTORE_BATCH_MOST;
    if (checkpoints->batch_bytes < BATCH_MAX / 2)
        checkpoints->batch_bytes *= 2;
    else
        checkpoints->batch_bytes = BATCH_MAX;
}

/* Puts the records of a batch that failed to the end, so that one that the store refuses does not hold up the others. One
 * that is refused alone is dropped: the next checkpoint of its input takes its place. */
static void batch_failed(struct share_checkpoints *checkpoints, const struct kvstore_answer *answer)
{
    struct pending **slot = &checkpoints->pending, *failed = NULL, **failed_end = &failed, *pending;
    size_t count = 0;

    while ((pending = *slot)) {
        if (!pending->in_batch) {
            slot = &pending->next;
            continue;
        }
        pending->in_batch = false;
        *slot = pending->next;
        pending->next = NULL;
        *failed_end = pending;
        failed_end = &pending->next;
        count++;
    }
    *slot = failed;
    checkpoints->end = failed ? failed_end : slot;
    if (count == 1 && answer->fault == KVSTORE_REFUSED)
        pending_free(checkpoints, slot);
    checkpoints->trouble = *answer->err;
    checkpoints->batch_records = count > 1 ? count / 2 : 1;
    if (checkpoints->batch_bytes / 2 >= BATCH_BYTES_LEAST)
        checkpoints->batch_bytes /= 2;
}

static void on_saved(void *ctx, const struct kvstore_answer *answer)
{
    struct share_checkpoints *checkpoints = ctx;

    checkpoints->in_call = false;
    if (answer->fault == KVSTORE_OK) {
        batch_saved(checkpoints);
        send_batch(checkpoints);
    } else {
        batch_failed(checkpoints, answer);
    }
}

/* Sends what waits, as much as a batch may hold. A record that is larger than a batch goes alone. */
static void send_batch(struct share_checkpoints *checkpoints)
{
    struct buf batch = BUF_INIT(BATCH_MAX + 2);
    struct pending *pending;
    size_t count = 0;

    for (pending = checkpoints->pending; pending && count < checkpoints->batch_records; pending = pending->next) {
        if (count && batch.len + pending->len + 2 > checkpoints->batch_bytes)
            break;
        buf_add_char(&batch, count++ ? ',' : '[');
        buf_add(&batch, pending->record, pending->len);
        pending->in_batch = true;
    }
    if (!count)
        return;
    buf_add_char(&batch, ']');
    checkpoints->in_call = true;
    share_link_save(checkpoints->spec.link, PLACES_COLLECTION, &batch, on_saved, checkpoints);
}

void share_checkpoints_flush(struct share_checkpoints *checkpoints)
{
    if (!checkpoints->in_call)
        send_batch(checkpoints);
}

const struct err *share_checkpoints_trouble(const struct share_checkpoints *checkpoints)
{
    return checkpoints->trouble.text[0] ? &checkpoints->trouble : NULL;
}

/* From beginning to end. */

struct share_checkpoints *share_checkpoints_new(const struct share_checkpoints_spec *spec)
{
    struct share_checkpoints *checkpoints = mem_alloc(sizeof(*checkpoints));

    checkpoints->spec = *spec;
    checkpoints->group = mem_text(spec->group);
    checkpoints->end = &checkpoints->pending;
    checkpoints->batch_records = KVSTORE_BATCH_MOST;
    checkpoints->batch_bytes = BATCH_MAX;
    checkpoints->loads = loads_new(spec);
    checkpoints->keys = place_keys_new(spec);
    return checkpoints;
}

void share_checkpoints_free(struct share_checkpoints *checkpoints)
{
    if (!checkpoints)
        return;
    share_link_forget(checkpoints->spec.link, checkpoints);
    loads_free(checkpoints->loads);
    place_keys_free(checkpoints->keys);
    drop_pending(checkpoints, NULL);
    while (checkpoints->saved)
        share_checkpoints_forget(checkpoints, checkpoints->saved->input);
    free(checkpoints->group);
    free(checkpoints);
}

void share_checkpoints_load(struct share_checkpoints *checkpoints, const char *input, share_loaded_fn *loaded,
                            void *ctx)
{
    loads_add(checkpoints->loads, input, loaded, ctx);
}

void share_checkpoints_load_stop(struct share_checkpoints *checkpoints, const char *input)
{
    loads_stop(checkpoints->loads, input);
}

void share_checkpoints_list(struct share_checkpoints *checkpoints, share_listed_fn *listed, void *ctx)
{
    place_keys_ask(checkpoints->keys, listed, ctx);
}

bool share_checkpoints_listed(const struct share_checkpoints *checkpoints, const struct share_keys *keys,
                              const char *input, const char *since)
{
    const struct saved *saved = find(checkpoints, input);
    size_t i, count = saved && text_same(saved->since, since) ? saved->pieces.count : 0;
    int n = -1; /* the checkpoint itself, then its pieces */

    for (i = 0;; i++) {
        CLEANUP(mem_freep) char *key = checkpoint_key(checkpoints->group, since, input, n);

        if (!place_keys_has(keys, key))
            return false;
        if (i == count)
            return true;
        n = saved->pieces.list[i].n;
    }
}
