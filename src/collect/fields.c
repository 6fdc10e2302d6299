#include "collect/fields.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

/* Where a member begins: one that does not fit is left out whole. */
struct mark {
    size_t len;
    bool was_full;
};

static struct mark begin(const struct fields *fields, const char *name)
{
    struct buf *to = fields->to;
    struct mark mark = { to->len, to->full };
    char last = to->len ? to->data[to->len - 1] : '{';

    to->full = false;
    if (!fields->as_json) {
        buf_add_text(to, to->len ? " " : "");
        buf_add_text(to, name);
        buf_add_char(to, '=');
    } else {
        buf_add_text(to, last == '{' ? "\"" : ",\"");
        buf_add_text(to, name);
        buf_add_text(to, "\":");
    }
    return mark;
}

static void end(const struct fields *fields, struct mark mark)
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
    struct mark mark = begin(fields, name);

    buf_add_number(fields->to, number);
    end(fields, mark);
}

void fields_word(struct fields *fields, const char *name, const char *word)
{
    struct mark mark = begin(fields, name);

    if (fields->as_json)
        buf_add_json(fields->to, word);
    else
        buf_add_text(fields->to, word);
    end(fields, mark);
}

static void add_json_line(struct buf *to, const char *text)
{
    CLEANUP(mem_freep) char *line = mem_text(text);

    utf8_make_line(line);
    buf_add_json(to, line);
}

void fields_text(struct fields *fields, const char *name, const char *text)
{
    struct mark mark = begin(fields, name);

    if (fields->as_json)
        add_json_line(fields->to, text);
    else
        buf_add_text(fields->to, QUOTED(text));
    end(fields, mark);
}
