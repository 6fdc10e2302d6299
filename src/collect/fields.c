#include "collect/fields.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

/* Adds the name, and the value if it needs no escape. Adds nothing if both do not fit. */
static void add_plain(const struct fields *fields, const char *name, const char *value, size_t value_len)
{
    struct buf *to = fields->to;
    bool first = !to->len || (fields->as_json && to->data[to->len - 1] == '{');
    size_t name_len = strlen(name);
    char *at = buf_space(to, !first + name_len + (fields->as_json ? 3 : 1) + value_len);

    if (!at)
        return;
    if (!first)
        *at++ = fields->as_json ? ',' : ' ';
    if (fields->as_json)
        *at++ = '"';
    memcpy(at, name, name_len);
    at += name_len;
    if (fields->as_json)
        *at++ = '"';
    *at++ = fields->as_json ? ':' : '=';
    memcpy(at, value, value_len);
    at += value_len;
    *at = '\0';
    to->len = (size_t)(at - to->data);
}

/* The mark is where a member begins: one that does not fit is left out whole. */
struct fields_mark fields_begin(const struct fields *fields, const char *name)
{
    struct fields_mark mark = { fields->to->len, fields->to->full };

    fields->to->full = false;
    add_plain(fields, name, "", 0);
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
    char text[NUMBER_TEXT_MAX];

    add_plain(fields, name, text, (size_t)(number_write(text, number) - text));
}

void fields_word(struct fields *fields, const char *name, const char *word)
{
    struct fields_mark mark;

    if (!fields->as_json) {
        add_plain(fields, name, word, strlen(word));
        return;
    }
    mark = fields_begin(fields, name);
    buf_add_json(fields->to, word);
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
