#include "collect/fields.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

/* The mark is where a member begins: one that does not fit is left out whole. */
struct fields_mark fields_begin(const struct fields *fields, const char *name)
{
    struct buf *to = fields->to;
    struct fields_mark mark = { to->len, to->full };
    bool first = !to->len || (fields->as_json && to->data[to->len - 1] == '{');
    size_t name_len = strlen(name);
    char *at;

    to->full = false;
    at = buf_space(to, !first + name_len + (fields->as_json ? 3 : 1));
    if (!at)
        return mark;
    if (!first)
        *at++ = fields->as_json ? ',' : ' ';
    if (fields->as_json)
        *at++ = '"';
    memcpy(at, name, name_len);
    at += name_len;
    if (fields->as_json)
        *at++ = '"';
    *at++ = fields->as_json ? ':' : '=';
    *at = '\0';
    to->len = (size_t)(at - to->data);
    return mark;
}

void fields_end(const struct fields *fields, struct fields_mark mark)
{
    struct buf *to = fields->to;

    if (to->full && to->data) {
        to->len = mark.len;
        to->data[to->len] = '\0';
    }
    to->full = to->full || mark.was_full;
}

void fields_number(struct fields *fields, const char *name, int64_t number)
{
    struct fields_mark mark = fields_begin(fields, name);

    buf_add_number(fields->to, number);
    fields_end(fields, mark);
}

void fields_word(struct fields *fields, const char *name, const char *word)
{
    struct fields_mark mark = fields_begin(fields, name);

    if (fields->as_json)
        buf_add_json(fields->to, word);
    else
        buf_add_text(fields->to, word);
    fields_end(fields, mark);
}

static void add_json_line(struct buf *to, const char *text)
{
    CLEANUP(mem_freep) char *line = mem_text(text);

    utf8_make_line(line);
    buf_add_json(to, line);
}

void fields_text(struct fields *fields, const char *name, const char *text)
{
    struct fields_mark mark = fields_begin(fields, name);

    if (fields->as_json)
        add_json_line(fields->to, text);
    else
        buf_add_text(fields->to, QUOTED(text));
    fields_end(fields, mark);
}
