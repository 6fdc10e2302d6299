/* collect/fields.h - facts of an input, for a person's log line and for a program's record: one function states them for
 * both. */
#pragma once

#include "base/buf.h"

struct fields {
    struct buf *to;
    bool as_json; /* members of a JSON object, without its braces; otherwise "name=value name=value" */
};

void fields_number(struct fields *fields, const char *name, int64_t number);
/* Adds a value that needs no quotes in a line. */
void fields_word(struct fields *fields, const char *name, const char *word);
/* Adds a text, in quotes. Hidden characters become blanks. */
void fields_text(struct fields *fields, const char *name, const char *text);

/* A value that the caller writes, as it has to be in a line or in JSON, goes between these two. */
struct fields_mark {
    size_t len;
    bool was_full;
};
struct fields_mark fields_begin(const struct fields *fields, const char *name);
void fields_end(const struct fields *fields, struct fields_mark mark);
