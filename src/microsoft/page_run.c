/* The quick way through what is usual inside a record. It passes whole tokens with pointers instead of the machine's
 * members, and leaves at whatever is unusual (a cut or broken token, the id, the time, the record's end, a character
 * that XML minds), from where the state machine (page.c) takes a step. It accepts nothing that that would not. */
#include "microsoft/page_private.h"

#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

struct run {
    const unsigned char *at, *last;     /* at and RUN_AHEAD bytes behind it may be looked at while at <= last */
    char *to;
    bool  object;                       /* the innermost container is one */
};

#define RUN_AHEAD (2 * SCAN_STEP)
#define RUN_LEAST 256           /* for less of a slice it is not worth the while */

static inline bool simple_escape(unsigned char c)
{
    return c == '"' || c == '\\' || c == '/' || c == 'b' || c == 'f' || c == 'n' || c == 'r' || c == 't';
}

/* Up to the quote that ends the string; false: not seen yet. */
ALWAYS_INLINE bool run_string(struct run *run, scan_fn *scan)
{
    uint32_t found;
    size_t size;

    while (run->at <= run->last) {
        found = scan(run->at, run->to);
        size = found ? (size_t)__builtin_ctz(found) : SCAN_STEP;
        run->at += size;
        run->to += size;
        if (!found)
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

/* An integer, true, false or null; false: something else. */
ALWAYS_INLINE bool run_scalar(struct run *run)
{
    size_t sign = *run->at == '-', len = sign;

    if (!memcmp(run->at, "null", 4) || !memcmp(run->at, "true", 4)) {
        len = 4;
    } else if (!memcmp(run->at, "false", 5)) {
        len = 5;
    } else {
        while (run->at[len] >= '0' && run->at[len] <= '9' && len < SCAN_STEP - 1)
            len++;
        if (len == sign || (run->at[sign] == '0' && len > sign + 1) ||
            (run->at[len] != ',' && run->at[len] != '}' && run->at[len] != ']'))
            return false;
    }
    memcpy(run->to, run->at, SCAN_STEP);
    run->at += len;
    run->to += len;
    return true;
}

/* Is that the name of the id or of the time? */
static inline bool run_name_matters(const struct page *p, const char *name, size_t len)
{
    const char *id = p->shape->id, *time = p->shape->time;

    return (id && name[0] == id[0] && len == strlen(id)) || (time && name[0] == time[0] && len == strlen(time));
}

/* A string from its opening quote on. False: the state says where it was left. */
ALWAYS_INLINE bool run_text(struct page *p, struct run *r, bool key, scan_fn *scan)
{
    char *token = r->to + 1;

    *r->to++ = '"';
    r->at++;
    if (!run_string(r, scan) ||
        (key && p->depth == p->record_depth + 1 && run_name_matters(p, token, (size_t)(r->to - token)))) {
        p->key = key;
        p->token_start = (size_t)(token - p->out->data);
        p->state = ST_STRING;
        return false;
    }
    *r->to++ = '"';
    r->at++;
    p->state = key ? ST_COLON : ST_AFTER;
    return true;
}

ALWAYS_INLINE bool run_name(struct page *p, struct run *r, scan_fn *scan)
{
    if (*r->at != '"' || !run_text(p, r, true, scan) || *r->at != ':')
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

ALWAYS_INLINE bool run_value(struct page *p, struct run *r, scan_fn *scan)
{
    if (p->member_id || p->member_time)
        return false;
    if (*r->at == '"')
        return run_text(p, r, false, scan);
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

ALWAYS_INLINE bool run_token(struct page *p, struct run *r, scan_fn *scan)
{
    switch (p->state) {
    case ST_AFTER:
        if (*r->at != ',')
            return run_close(p, r);
        *r->to++ = ',';
        r->at++;
        p->state = r->object ? ST_KEY : ST_VALUE;
        return true;
    case ST_KEY:
        return run_name(p, r, scan);
    case ST_VALUE:
        return run_value(p, r, scan);
    case ST_FIRST_KEY:
    case ST_FIRST_ITEM:
        if (run_close(p, r))
            return true;
        return r->object ? run_name(p, r, scan) : run_value(p, r, scan);
    default:
        return false;
    }
}

ALWAYS_INLINE void run_with(struct page *p, scan_fn *scan)
{
    size_t left = (size_t)(p->end - p->at);
    struct run r = { .at = p->at };

    if (left > PAGE_STEP)
        left = PAGE_STEP;
    if (!p->in_record || p->depth == p->record_depth || left < RUN_LEAST || !buf_room(p->out, left + RUN_AHEAD))
        return;
    r.object = in_object(p);
    r.last = p->at + left - RUN_AHEAD;
    r.to = p->out->data + p->out->len;
    while (r.at <= r.last && run_token(p, &r, scan))
        ;
    p->at = r.at;
    p->out->len = (size_t)(r.to - p->out->data);
}

static void run_plain(struct page *p)
{
    run_with(p, scan_step);
}

#ifdef SCAN_WIDE

SCAN_WIDE static void run_wide(struct page *p)
{
    run_with(p, scan_step_wide);
}

void page_run(struct page *p)
{
    if (p->wide)
        run_wide(p);
    else
        run_plain(p);
}

#else

void page_run(struct page *p)
{
    run_plain(p);
}

#endif
