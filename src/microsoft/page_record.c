/* Records: their beginning and end. */
#include "microsoft/page_private.h"

#include <string.h>

#define PARTIAL_KEPT (64 * 1024)  /* capacity for a cut record that is kept for the next one */
#define LARGE        (256 * 1024) /* a cut record of this size gets its memory from the budget before it grows */
#define LONGEST      5            /* bytes that one byte of a record can become: & is &amp; */

void page_forget_partial(struct page *p)
{
    if (p->partial.cap > PARTIAL_KEPT)
        buf_free(&p->partial);
    else
        buf_clear(&p->partial);
    budget_hold(p->handler->budget, &p->holding, p->partial.cap);
    p->out = p->sink;
}

void page_give_up(void *ctx)
{
    struct page *p = ctx;

    buf_free(&p->partial);
    if (!page_holds_record(p)) /* only capacity for the next one */
        return;
    p->record.open = p->damage.open = false;
    p->gave_up = true;
    p->state = ST_BROKEN;
}

/* Accounts for the memory of the cut record, once it has or before it gets that many bytes. */
static bool hold_partial(struct page *p, size_t bytes)
{
    if (budget_hold(p->handler->budget, &p->holding, bytes))
        return true;
    page_give_up(p);
    return false;
}

bool page_reserve(struct page *p, size_t len)
{
    struct buf *partial = &p->partial;
    size_t most = PAGE_RECORD_MAX + PAGE_SLACK, need, cap;

    if (!page_holds_record(p) || partial->len < LARGE || len > most / LONGEST)
        return true;
    need = partial->len + LONGEST * len;
    if (need < partial->cap || partial->len >= most)
        return true;
    cap = need > partial->cap + partial->cap / 2 ? need : partial->cap + partial->cap / 2;
    cap = cap < most ? cap : most;
    if (!hold_partial(p, cap))
        return false;
    buf_room(partial, cap - partial->len);
    return hold_partial(p, partial->cap);
}

void page_record_begin(struct page *p)
{
    char *room = buf_room(p->out, p->handler->headroom + 16);

    if (!room) {
        p->record.offset = page_position(p);
        page_bad(p, PAGE_NO_ROOM);
        return;
    }
    p->out->len += p->handler->headroom;
    p->out->full = false;
    p->record.open = true;
    p->record.start = p->out->len;
    p->record.offset = page_position(p);
    p->record.has_id = p->record.has_time = p->record.replaced = false;
}

/* Appends a record that slices cut, and that grew in a buffer of its own, to the others. */
static bool record_join(struct page *p)
{
    size_t start = p->sink->len + p->handler->headroom;

    if (p->out == p->sink)
        return true;
    if (!buf_add(p->sink, p->partial.data, p->partial.len))
        return false;
    page_forget_partial(p);
    p->record.start = start;
    return true;
}

/* Decodes a text where the service wrote escapes. */
static void decode(const char **text, size_t *len, struct buf *plain)
{
    if (*len > plain->limit || !memchr(*text, '\\', *len))
        return;
    buf_clear(plain);
    page_plain(*text, *len, true, plain);
    *text = buf_text(plain);
    *len = plain->len;
}

static void set_texts(struct page *p, struct page_record *record)
{
    const char *bytes = p->out->data + p->record.start;

    if (p->record.has_id) {
        record->id = bytes + p->record.id_start;
        record->id_len = p->record.id_len;
        decode(&record->id, &record->id_len, &p->record.id_plain);
    }
    if (p->record.has_time) {
        record->time_text = bytes + p->record.time_start;
        record->time_len = p->record.time_len;
        decode(&record->time_text, &record->time_len, &p->record.time_plain);
    }
}

void page_record_end(struct page *p)
{
    struct page_record record;

    if (p->out->len - p->record.start > PAGE_RECORD_MAX) {
        page_bad_whole(p, PAGE_TOO_LARGE);
        return;
    }
    if (p->out->full || !record_join(p)) {
        page_bad_whole(p, PAGE_NO_ROOM);
        return;
    }
    record = (struct page_record){ .start = p->record.start,
                                   .len = p->out->len - p->record.start,
                                   .has_time = p->record.has_time,
                                   .time = p->record.time,
                                   .replaced = p->record.replaced };
    p->record.open = false;
    p->found.count++;
    set_texts(p, &record);
    p->handler->record(p->handler->ctx, p->out, &record);
}

void page_move_record(struct page *p)
{
    size_t from = p->record.start - p->handler->headroom, len = p->out->len - from;

    if (p->out == &p->partial)
        return;
    buf_add(&p->partial, p->out->data + from, len < p->partial.limit ? len : p->partial.limit);
    p->partial.full = p->out->full;
    p->out->len = from;
    p->out->full = false;
    p->out = &p->partial;
    p->record.start -= from;
    p->token.start -= from;
}

/* A cut record moves to a buffer of its own once and grows there, so that a large one is not moved with every slice. */
void page_keep_partial(struct page *p)
{
    if (!page_holds_record(p))
        return;
    if (p->record.open && p->out->len - p->record.start > PAGE_RECORD_MAX)
        page_bad(p, PAGE_TOO_LARGE);
    page_move_record(p);
    hold_partial(p, p->partial.cap);
}
