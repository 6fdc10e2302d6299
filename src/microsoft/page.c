#include "microsoft/page_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define SCALAR_MAX 65536 /* longest key or text of the envelope that is read */
#define ERROR_MAX  400   /* bytes of the service's error that are kept */
#define QUOTE_MAX  300   /* ... and that a message repeats */
#define BOM        "\xEF\xBB\xBF"

struct page *page_new(const struct page_shape *shape, const struct page_handler *handler)
{
    struct page *p = mem_alloc(sizeof(*p));

    p->shape = shape;
    p->handler = handler;
    p->partial = BUF_MAPPED(PAGE_RECORD_MAX + PAGE_SLACK);
    p->holding = (struct holding){ .give_up = page_give_up, .ctx = p };
    p->scalar = BUF_INIT(SCALAR_MAX);
    p->record.id_plain = BUF_INIT(PAGE_ID_MAX);
    p->record.time_plain = BUF_INIT(PAGE_TIME_MAX);
    p->found.error = BUF_INIT(ERROR_MAX);
    p->state = ST_VALUE;
    p->next.records = !shape->array;
    p->found.counted = -1;
    return p;
}

void page_free(struct page *p)
{
    if (!p)
        return;
    budget_release(&p->holding);
    buf_free(&p->partial);
    buf_free(&p->scalar);
    buf_free(&p->record.id_plain);
    buf_free(&p->record.time_plain);
    buf_free(&p->found.error);
    free(p->found.link);
    free(p);
}

size_t page_count(const struct page *p)
{
    return p->found.count;
}

bool page_gave_up(const struct page *p)
{
    return p->gave_up;
}

bool page_has_error(const struct page *p)
{
    return p->found.has_error;
}

bool page_in_records(const struct page *p)
{
    return p->record_depth > 0;
}

bool page_unbalanced(const struct page *p)
{
    return p->unbalanced;
}

const char *page_next_link(const struct page *p)
{
    return p->found.link;
}

int64_t page_counted(const struct page *p)
{
    return p->found.counted;
}

static void container_open(struct page *p, bool object)
{
    if (p->depth == PAGE_DEPTH_MAX) {
        page_bad(p, "nested deeper than 512 levels");
        return;
    }
    set_object(p, object);
    page_put(p, object ? '{' : '[');
    if (!object && p->next.records) {
        p->record_depth = p->depth;
        p->seen_array = true;
    }
    p->next.records = false;
    p->state = object ? ST_FIRST_KEY : ST_FIRST_ITEM;
    p->at++;
}

static void container_close(struct page *p)
{
    page_put(p, *p->at);
    if (p->depth == p->record_depth)
        p->record_depth = 0;
    p->depth--;
    p->at++;
    value_end(p);
}

static void value_begin(struct page *p)
{
    unsigned char c = *p->at;

    if (p->record_depth && p->depth == p->record_depth && !p->record.open) {
        page_record_begin(p);
        if (!p->record.open)
            return;
    }
    if (p->next.link && c != '"' && c != 'n') {
        page_bad(p, "a next link that is not a string");
        return;
    }
    p->found.has_error |= p->next.error && c != 'n';
    if (c == '{' || c == '[') {
        p->next.id = p->next.time = p->next.link = false;
        container_open(p, c == '{');
    } else if (c == '"') {
        page_text_begin(p, false);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        page_number_begin(p);
    } else if (c == 't' || c == 'f' || c == 'n') {
        page_word_begin(p, c == 't' ? "true" : c == 'f' ? "false" : "null");
    } else {
        page_bad(p, "not a JSON value");
    }
}

static void after_value(struct page *p)
{
    unsigned char c = *p->at;
    bool object = in_object(p);

    if (c == ',') {
        page_put(p, c);
        p->at++;
        p->state = object ? ST_KEY : ST_VALUE;
    } else if (c == (object ? '}' : ']')) {
        container_close(p);
    } else {
        page_bad(p, object ? "neither ',' nor '}' after a member" : "neither ',' nor ']' after a value");
    }
}

static void member_colon(struct page *p)
{
    if (*p->at != ':') {
        page_bad(p, "no ':' after a member's name");
        return;
    }
    page_put(p, ':');
    p->at++;
    p->state = ST_VALUE;
}

static void member_name(struct page *p)
{
    if (*p->at == '"')
        page_text_begin(p, true);
    else if (*p->at == '}' && p->state == ST_FIRST_KEY)
        container_close(p);
    else
        page_bad(p, "no member name in quotes");
}

static void pass_blanks(struct page *p)
{
    while (p->at < p->end && page_blank(*p->at))
        p->at++;
    p->blanks_end = page_position(p);
}

static void between_tokens(struct page *p)
{
    if (page_blank(*p->at))
        pass_blanks(p);
    if (p->at == p->end)
        return;
    switch (p->state) {
    case ST_FIRST_ITEM:
        if (*p->at == ']') {
            container_close(p);
            return;
        }
        value_begin(p);
        return;
    case ST_VALUE: value_begin(p); return;
    case ST_FIRST_KEY:
    case ST_KEY: member_name(p); return;
    case ST_COLON: member_colon(p); return;
    case ST_AFTER: after_value(p); return;
    default: page_bad(p, "something after the end of the JSON text");
    }
}

static void page_step(struct page *p)
{
    switch (p->state) {
    case ST_STRING: page_text_goes_on(p); return;
    case ST_ESCAPE: page_text_escape(p); return;
    case ST_HEX: page_text_hex(p); return;
    case ST_UTF8: page_text_cut_character(p); return;
    case ST_NUMBER: page_number_goes_on(p); return;
    case ST_LITERAL: page_word_goes_on(p); return;
    case ST_SKIP: page_skip(p); return;
    default: between_tokens(p);
    }
}

/* Skips a byte order mark, which is not part of JSON but is written by some. */
static void pass_bom(struct page *p)
{
    while (p->at < p->end && p->bom < strlen(BOM) && page_position(p) == p->bom &&
           *p->at == (unsigned char)BOM[p->bom]) {
        p->at++;
        p->bom++;
    }
    if (p->at < p->end && p->bom && p->bom < strlen(BOM))
        page_bad(p, "half a byte order mark");
}

bool page_feed(struct page *p, const char *bytes, size_t len, struct buf *out)
{
    if (!len || p->state == ST_BROKEN)
        return p->state != ST_BROKEN;
    if (!page_reserve(p, len))
        return false;
    p->slice = p->at = (const unsigned char *)bytes;
    p->end = p->at + len;
    p->sink = out;
    p->out = page_holds_record(p) ? &p->partial : out;
    if (p->offset < strlen(BOM))
        pass_bom(p);
    while (p->at < p->end && p->state != ST_BROKEN) {
        page_run(p);
        page_step(p);
    }
    page_keep_partial(p);
    p->offset += len;
    return p->state != ST_BROKEN;
}

/* Says what the service wrote about its error. */
static bool error_said(const struct page *p, struct err *err)
{
    CLEANUP(buf_free) struct buf words = BUF_INIT(QUOTE_MAX);

    buf_add_foreign(&words, buf_text(&p->found.error), QUOTE_MAX);
    return err_set(err, ERR_INPUT, "the answer is not complete, it holds an error: '%s'", buf_text(&words));
}

bool page_end(struct page *p, struct err *err)
{
    if (p->state == ST_NUMBER && p->depth == 0 && page_number_complete(p))
        p->state = ST_DONE;
    p->sink = NULL;
    page_bad_end(p, false);
    if (p->gave_up)
        return err_set(err, ERR_RETRY,
                       "the answer has the largest of too many unfinished records, and waits for the "
                       "others");
    if (p->state == ST_BROKEN)
        return err_set(err, ERR_INPUT, "the answer is not JSON: %s", p->why);
    if (p->offset == 0)
        return err_set(err, ERR_INPUT, "the answer is empty");
    if (p->state != ST_DONE)
        return err_set(err, ERR_INPUT, "the answer ends inside its JSON, after %llu bytes",
                       (unsigned long long)p->offset);
    if (p->found.has_error)
        return error_said(p, err);
    if (!p->seen_array)
        return err_set(err, ERR_INPUT, "the answer is JSON but has no array %s%s%s",
                       p->shape->array ? "\"" : "of alerts", p->shape->array ? p->shape->array : "",
                       p->shape->array ? "\"" : "");
    return true;
}
