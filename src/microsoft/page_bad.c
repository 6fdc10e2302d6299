/* Records that are not JSON: their text is kept, and they are skipped by their brackets. */
#include "microsoft/page_private.h"

#include <limits.h>
#include <string.h>

#define ENTITY_LONGEST 5 /* &amp; */

static size_t text_len(const struct page *p)
{
    return p->partial.len > p->record.start ? p->partial.len - p->record.start : 0;
}

/* Returns a length of at most len, at which the text ends with a whole character or entity. */
static size_t whole_length(const char *text, size_t len)
{
    size_t back;

    for (back = 1; back < ENTITY_LONGEST && back <= len && text[len - back] != ';'; back++)
        if (text[len - back] == '&')
            return len - back;
    for (back = 1; back <= 4 && back <= len && (unsigned char)text[len - back] >= 0x80; back++)
        if ((unsigned char)text[len - back] >= 0xC0)
            return len - back;
    return len;
}

/* The text is too long: its beginning stays, the other memory is given back. */
static void cut_text(struct page *p)
{
    struct buf kept = BUF_MAPPED(p->partial.limit);
    size_t len = text_len(p) < PAGE_BAD_KEPT ? text_len(p) : PAGE_BAD_KEPT;

    if (len)
        len = whole_length(p->partial.data + p->record.start, len);
    buf_add(&kept, p->partial.data, p->record.start + len);
    buf_free(&p->partial);
    p->partial = kept;
    p->damage.cut = true;
    snprintf(p->damage.why, sizeof(p->damage.why), "%s", PAGE_TOO_LARGE);
}

static void cut_if_long(struct page *p)
{
    if (!p->damage.cut && text_len(p) > PAGE_RECORD_MAX)
        cut_text(p);
}

/* Adds the next bytes as they are; only what XML needs escaped is. */
static void keep_bytes(struct page *p, const unsigned char *at, const unsigned char *end)
{
    const unsigned char *from = at;

    for (; at < end && !p->damage.cut; at++) {
        const char *entity = *at == '&' ? "&amp;" : *at == '<' ? "&lt;" : *at == '>' ? "&gt;" : NULL;

        if (!entity && at - from < PAGE_STEP)
            continue;
        buf_add(&p->partial, from, (size_t)(at - from));
        if (entity)
            buf_add_text(&p->partial, entity);
        from = entity ? at + 1 : at;
        cut_if_long(p);
    }
    if (!p->damage.cut)
        buf_add(&p->partial, from, (size_t)(at - from));
    cut_if_long(p);
}

/* The record in hand is bad. What was copied of it, and its id, are kept. */
static void damage_begin(struct page *p, const char *why)
{
    p->damage = (struct damage){ .open = true,
                                 .end = page_position(p),
                                 .has_id = p->record.has_id && p->record.id_len <= PAGE_ID_MAX };
    snprintf(p->damage.why, sizeof(p->damage.why), "%s", why);
    page_move_record(p);
    p->partial.full = false;
    p->record.open = false;
    p->next.id = p->next.time = false;
    buf_clear(&p->record.id_plain);
    if (p->damage.has_id && p->record.start + p->record.id_start + p->record.id_len <= p->partial.len)
        page_plain(p->partial.data + p->record.start + p->record.id_start, p->record.id_len, true, &p->record.id_plain);
    p->found.count++;
    if (p->blanks_end == page_position(p) && text_len(p)) /* two tokens that only a blank tells apart stay two */
        buf_add_text(&p->partial, " ");
    cut_if_long(p);
}

void page_bad_end(struct page *p, bool whole)
{
    const struct damage *damage = &p->damage;
    struct page_bad_record bad = { .ordinal = p->found.count - 1,
                                   .offset = p->record.offset,
                                   .bytes = damage->end - p->record.offset,
                                   .why = damage->why,
                                   .len = text_len(p),
                                   .cut = damage->cut,
                                   .whole = whole,
                                   .balanced = whole && !p->unbalanced,
                                   .has_time = p->record.has_time,
                                   .time = p->record.time };

    if (!damage->open)
        return;
    bad.text = bad.len ? p->partial.data + p->record.start : "";
    while (!bad.cut && bad.len && page_blank((unsigned char)bad.text[bad.len - 1]))
        bad.len--;
    if (damage->has_id) {
        bad.id = buf_text(&p->record.id_plain);
        bad.id_len = p->record.id_plain.len;
    }
    p->damage.open = false;
    p->handler->bad(p->handler->ctx, p->sink, &bad);
    page_forget_partial(p);
}

void page_bad_whole(struct page *p, const char *why)
{
    damage_begin(p, why);
    page_bad_end(p, true);
}

void page_bad(struct page *p, const char *why)
{
    bool in_string = p->state == ST_STRING || p->state == ST_ESCAPE || p->state == ST_HEX || p->state == ST_UTF8;

    if (p->record.open && p->record_depth) {
        damage_begin(p, why);
        p->damage.in_string = in_string;
        p->damage.after_escape = p->state == ST_ESCAPE;
        if (p->state == ST_UTF8)
            keep_bytes(p, p->token.utf8, p->token.utf8 + p->token.utf8_len);
        p->state = ST_SKIP;
        return;
    }
    snprintf(p->why, sizeof(p->why), "%s at byte %llu", why, (unsigned long long)page_position(p));
    p->state = ST_BROKEN;
}

/* No next record can be found. */
static void skip_failed(struct page *p, const char *why)
{
    snprintf(p->why, sizeof(p->why), "%s at byte %llu", why, (unsigned long long)page_position(p));
    page_bad_end(p, false);
    p->state = ST_BROKEN;
}

/* Follows the strings and brackets of a bad record. Returns true at its end. */
static bool skip_byte(struct page *p, unsigned char c)
{
    struct damage *damage = &p->damage;

    if (damage->in_string) {
        if (damage->after_escape)
            damage->after_escape = false;
        else if (c == '\\')
            damage->after_escape = true;
        else if (c == '"')
            damage->in_string = false;
        return false;
    }
    if (p->depth == p->record_depth && (c == ',' || c == ']'))
        return true;
    if (c == '"')
        damage->in_string = true;
    else if (c == '{' || c == '[')
        p->depth++;
    else if (c == '}' || c == ']')
        p->depth--;
    else if (c > ' ' && !strchr("truefalsnE0123456789+-.,:", c))
        p->unbalanced = true;
    return false;
}

void page_skip(struct page *p)
{
    const unsigned char *from = p->at;
    bool done = false;

    for (; p->at < p->end && !done; p->at += !done) {
        done = skip_byte(p, *p->at);
        if (p->depth < p->record_depth || p->depth == INT_MAX) {
            keep_bytes(p, from, p->at);
            skip_failed(p, p->depth == INT_MAX ? "too many open brackets" : "a bracket that nothing opened");
            return;
        }
        if (!done && !page_blank(*p->at))
            p->damage.end = page_position(p) + 1;
    }
    keep_bytes(p, from, p->at);
    if (done) {
        page_bad_end(p, true);
        p->state = ST_AFTER;
    }
}
