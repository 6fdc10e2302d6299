#include "command/share_reader.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define QUERY_MAX 512
#define ROWS_MOST 5000 /* of a group: forwarders, their wishes, and twenty tables */

struct share_reader {
    struct loop *loop;
    struct share_link *link;
    struct share_reader_owner owner;
    struct share_view view;
    struct timer timer;
    bool reading, has_inputs;
    size_t failures; /* in a row */
    struct buf query;
    char *key;
    struct share_call call;
};

static void read_group(struct share_reader *reader);

static void find(struct share_reader *reader, const char *collection, const char *kind, kvstore_done_fn *done)
{
    struct buf *query = &reader->query;

    buf_clear(query);
    buf_add_text(query, "{\"group\":");
    buf_add_json(query, reader->view.group);
    if (kind)
        buf_add_format(query, ",\"kind\":\"%s\"", kind);
    buf_add_char(query, '}');
    reader->call = (struct share_call){ .kind = SHARE_CALL_FIND,
                                        .collection = collection,
                                        .query = buf_text(query),
                                        .limit = ROWS_MOST };
    share_link_call(reader->link, &reader->call, done, reader);
}

/* Returns false if the answer is a failure: it tries the next address, and ends if none is left. */
static bool is_good(struct share_reader *reader, const struct kvstore_answer *answer)
{
    if (answer->fault == KVSTORE_OK) {
        reader->failures = 0;
        return true;
    }
    if (++reader->failures < share_link_count(reader->link))
        read_group(reader);
    else
        reader->owner.failed(reader->owner.ctx, answer);
    return false;
}

static void finish(struct share_reader *reader)
{
    int64_t wait_ms;

    reader->reading = false;
    wait_ms = reader->owner.read(reader->owner.ctx, &reader->view);
    if (wait_ms >= 0 && !reader->reading)
        timer_set(reader->loop, &reader->timer, clock_ms() + wait_ms);
}

static void timer_fired(void *ctx, int64_t now_ms UNUSED)
{
    share_reader_again(ctx);
}

static void on_inputs(void *ctx, const struct kvstore_answer *answer)
{
    struct share_reader *reader = ctx;

    if (!is_good(reader, answer))
        return;
    share_view_take_inputs(&reader->view, answer->rows);
    reader->has_inputs = true;
    finish(reader);
}

static void after_body(struct share_reader *reader)
{
    if (reader->has_inputs)
        finish(reader);
    else
        find(reader, PLACES_COLLECTION, "inputs", on_inputs);
}

static void on_body(void *ctx, const struct kvstore_answer *answer)
{
    struct share_reader *reader = ctx;

    /* A table whose body is not there yet is read again with the next reading. */
    if (answer->fault != KVSTORE_MISSING && !is_good(reader, answer))
        return;
    if (answer->record)
        share_view_take_body(&reader->view, answer->record);
    after_body(reader);
}

static void on_group(void *ctx, const struct kvstore_answer *answer)
{
    struct share_reader *reader = ctx;
    const struct share_view *view = &reader->view;

    if (!is_good(reader, answer))
        return;
    share_view_take(&reader->view, answer->rows);
    if (!view->table || share_view_has_body(view) || view->format > SHARE_FORMAT) {
        after_body(reader);
        return;
    }
    free(reader->key);
    reader->key = share_key(view->group, "body", view->id);
    reader->call = (struct share_call){ .kind = SHARE_CALL_GET, .collection = PLACES_COLLECTION, .key = reader->key };
    share_link_call(reader->link, &reader->call, on_body, reader);
}

static void read_group(struct share_reader *reader)
{
    reader->reading = true;
    find(reader, SHARE_COLLECTION, NULL, on_group);
}

struct share_reader *share_reader_new(struct loop *loop, struct share_link *link, const char *group,
                                      const struct share_reader_owner *owner)
{
    struct share_reader *reader = mem_alloc(sizeof(*reader));

    *reader = (struct share_reader){ .loop = loop,
                                     .link = link,
                                     .owner = *owner,
                                     .query = BUF_INIT(QUERY_MAX),
                                     .timer = { .fire = timer_fired, .ctx = reader } };
    share_view_init(&reader->view, group);
    read_group(reader);
    return reader;
}

void share_reader_free(struct share_reader *reader)
{
    if (!reader)
        return;
    share_link_forget(reader->link, reader);
    timer_cancel(reader->loop, &reader->timer);
    share_view_free(&reader->view);
    buf_free(&reader->query);
    free(reader->key);
    free(reader);
}

const struct share_view *share_reader_view(const struct share_reader *reader)
{
    return &reader->view;
}

void share_reader_again(struct share_reader *reader)
{
    if (reader->reading)
        return;
    timer_cancel(reader->loop, &reader->timer);
    read_group(reader);
}
