/* The fast path through the usual tokens of a record. It keeps its position in local pointers instead of the members of
 * struct page, and stops at everything unusual (a cut or broken token, the id, the time, the end of the record, a
 * character that XML escapes). From there the state machine (page.c) takes a step. Both accept the same texts. */
#include "microsoft/page_private.h"

#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

struct run {
    const unsigned char *at, *last; /* while at <= last, RUN_AHEAD bytes from at on may be read */
    char *to;
    bool object; /* the innermost container is an object */
};

#define RUN_AHEAD    64
#define RUN_LEAST    256 /* bytes of a slice below which the fast path does not pay */
#define SCALAR_BYTES 32  /* copied at once, so that the compiler makes it two instructions */

static inline bool simple_escape(unsigned char c)
{
    return c == '"' || c == '\\' || c == '/' || c == 'b' || c == 'f' || c == 'n' || c == 'r' || c == 't';
}

/* Copies up to the quote that ends the string. Returns false if something unusual comes first. */
ALWAYS_INLINE bool run_string(struct run *run)
{
    size_t size;

    while (run->at <= run->last) {
        size = scan_step(run->at, run->to);
        run->at += size;
        run->to += size;
        if (size == SCAN_STEP)
            continue;
        if (*run->at == '"')
            return true;
        if (*run->at == '\\' && simple_escape(run->at[1]))
            size = 2;
        else if (*run->at < 0x80 || *run->at >= 0xEF || !(size = utf8_length(run->at, 4)))
            return false;
        memcpy(run->to, run->at, 4);
        run->at += size;
        run->to += size;
    }
    return false;
}

/* Copies an integer, true, false or null. Returns false for anything else. */
ALWAYS_INLINE bool run_scalar(struct run *run)
{
    size_t sign = *run->at == '-', len = sign;

    if (!memcmp(run->at, "null", 4) || !memcmp(run->at, "true", 4)) {
        len = 4;
    } else if (!memcmp(run->at, "false", 5)) {
        len = 5;
    } else {
        while (run->at[len] >= '0' && run->at[len] <= '9' && len < SCALAR_BYTES - 1)
            len++;
        if (len == sign || (run->at[sign] == '0' && len > sign + 1) ||
            (run->at[len] != ',' && run->at[len] != '}' && run->at[len] != ']'))
            return false;
    }
    memcpy(run->to, run->at, SCALAR_BYTES);
    run->at += len;
    run->to += len;
    return true;
}

/* Returns true for the name of the id or of the time, or one that may be. */
static inline bool run_name_matters(const struct page *p, const char *name, size_t len)
{
    const char *id = p->shape->id, *time = p->shape->time;

    return (id && name[0] == id[0] && len == strlen(id)) || (time && name[0] == time[0] && len == strlen(time));
}

/* Copies a string with its quotes. On false p->state says where it stopped. */
ALWAYS_INLINE bool run_text(struct page *p, struct run *r, bool key)
{
    char *token = r->to + 1;

    *r->to++ = '"';
    r->at++;
    if (!run_string(r) ||
        (key && p->depth == p->record_depth + 1 && run_name_matters(p, token, (size_t)(r->to - token)))) {
        p->token.key = key;
        p->token.start = (size_t)(token - p->out->data);
        p->state = ST_STRING;
        return false;
    }
    *r->to++ = '"';
    r->at++;
    p->state = key ? ST_COLON : ST_AFTER;
    return true;
}

ALWAYS_INLINE bool run_name(struct page *p, struct run *r)
{
    if (*r->at != '"' || !run_text(p, r, true) || *r->at != ':')
        return false;
    *r->to++ = ':';
    r->at++;
    p->state = ST_VALUE;
    return true;
}

ALWAYS_INLINE bool run_open(struct page *p, struct run *r)
{
    if (p->depth == PAGE_DEPTH_MAX)
        return false;
    r->object = *r->at == '{';
    set_object(p, r->object);
    p->state = r->object ? ST_FIRST_KEY : ST_FIRST_ITEM;
    *r->to++ = (char)*r->at++;
    return true;
}

ALWAYS_INLINE bool run_value(struct page *p, struct run *r)
{
    if (p->next.id || p->next.time)
        return false;
    if (*r->at == '"')
        return run_text(p, r, false);
    if (*r->at == '{' || *r->at == '[')
        return run_open(p, r);
    if (!run_scalar(r))
        return false;
    p->state = ST_AFTER;
    return true;
}

ALWAYS_INLINE bool run_close(struct page *p, struct run *r)
{
    if (*r->at != (r->object ? '}' : ']') || p->depth <= p->record_depth + 1)
        return false;
    *r->to++ = (char)*r->at++;
    p->depth--;
    r->object = in_object(p);
    p->state = ST_AFTER;
    return true;
}

/* Passes a comma, a name and a value, or what is next of these, or the end of a container. RUN_AHEAD has room for all:
 * only strings are longer, and they stop after `last`. */
ALWAYS_INLINE bool run_member(struct page *p, struct run *r)
{
    if (p->state == ST_AFTER) {
        if (*r->at != ',')
            return run_close(p, r);
        *r->to++ = ',';
        r->at++;
        p->state = r->object ? ST_KEY : ST_VALUE;
    } else if ((p->state == ST_FIRST_KEY || p->state == ST_FIRST_ITEM) && run_close(p, r)) {
        return true;
    }
    if ((p->state == ST_KEY || p->state == ST_FIRST_KEY) && !run_name(p, r))
        return false;
    return (p->state == ST_VALUE || p->state == ST_FIRST_ITEM) && run_value(p, r);
}

void page_run(struct page *p)
{
    size_t left = (size_t)(p->end - p->at);
    struct run r = { .at = p->at };

    if (left > PAGE_STEP)
        left = PAGE_STEP;
    if (!p->record.open || p->depth == p->record_depth || left < RUN_LEAST || !buf_room(p->out, left + RUN_AHEAD))
        return;
    r.object = in_object(p);
    r.last = p->at + left - RUN_AHEAD;
    r.to = p->out->data + p->out->len;
    while (r.at <= r.last && run_member(p, &r))
        ;
    p->at = r.at;
    p->out->len = (size_t)(r.to - p->out->data);
}
