#include "command/share_view.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "share/row.h"

/* The view. */

void share_view_init(struct share_view *view, const char *group)
{
    *view = (struct share_view){ .group = mem_text(group) };
}

void share_view_free(struct share_view *view)
{
    size_t i;

    for (i = 0; i < view->count; i++) {
        free(view->members[i].name);
        free(view->members[i].program);
        share_names_free(&view->members[i].takes);
        share_names_free(&view->members[i].inputs);
    }
    free(view->members);
    free(view->group);
    free(view->by);
    free(view->bad);
    share_body_free(&view->body);
    *view = (struct share_view){ .group = NULL };
}

static struct share_view_member *member_of(struct share_view *view, const char *name)
{
    size_t at = 0;

    while (at < view->count && strcmp(view->members[at].name, name) < 0)
        at++;
    if (at < view->count && text_same(view->members[at].name, name))
        return &view->members[at];
    view->members = mem_grow(view->members, view->count + 1, sizeof(struct share_view_member));
    memmove(&view->members[at + 1], &view->members[at], (view->count - at) * sizeof(struct share_view_member));
    view->members[at] = (struct share_view_member){ .name = mem_text(name), .well = true };
    view->count++;
    return &view->members[at];
}

static void is_bad(struct share_view *view, const char *key)
{
    if (!view->bad)
        view->bad = mem_text(key);
}

static void take_start(struct share_view_member *member, const char *start)
{
    if (*member->start && !text_same(start, member->start)) {
        member->starts++;
        member->moved = true;
    }
    memcpy(member->start, start, sizeof(member->start));
}

static bool take_member(struct share_view *view, const char *name, const cJSON *text)
{
    struct share_row_member row;
    struct share_view_member *member;

    if (!share_row_member(text, &row))
        return false;
    member = member_of(view, name);
    take_start(member, row.start);
    member->moved |= member->here && row.beat != member->beat;
    member->here = true;
    member->beat = row.beat;
    member->held = row.held;
    member->format = row.format;
    member->well = row.well;
    memcpy(member->follows, row.follows, sizeof(member->follows));
    free(member->program);
    member->program = *row.program ? mem_text(row.program) : NULL;
    return true;
}

static bool take_wish(struct share_view *view, const char *name, const cJSON *text)
{
    struct share_row_wish row;
    struct share_view_member *member;

    if (!share_row_wish(text, &row))
        return false;
    member = member_of(view, name);
    member->drains = row.drains;
    member->takes_all = row.takes_all;
    share_names_free(&member->takes);
    member->takes = row.takes;
    return true;
}

/* Returns the number of a table's record that can be used; 0: it is none. */
static int64_t table_of(const struct share_view *view, const cJSON *row, struct share_row_table *ret, cJSON *text)
{
    const char *key = json_text(row, "_key");

    if (!key || !text_same(json_text(row, "kind"), "table") || !share_row_table(text, ret))
        return 0;
    return share_row_number(view->group, key);
}

/* Finds the newest table by the rule of the forwarders, who do not follow one above it. */
static void find_newest(struct share_view *view, const cJSON *rows)
{
    int64_t *numbers = mem_alloc(((size_t)cJSON_GetArraySize(rows) + 1) * sizeof(*numbers)), number;
    struct share_row_table table;
    const cJSON *row;
    size_t count = 0;

    cJSON_ArrayForEach(row, rows)
    {
        CLEANUP(json_freep) cJSON *text = share_row_text(row);

        if ((number = table_of(view, row, &table, text)))
            numbers[count++] = number;
    }
    view->table = share_newest(numbers, count, 0);
    free(numbers);
    cJSON_ArrayForEach(row, rows)
    {
        CLEANUP(json_freep) cJSON *text = share_row_text(row);

        number = table_of(view, row, &table, text);
        if (number > view->table)
            is_bad(view, json_text(row, "_key"));
        if (!number || number != view->table)
            continue;
        view->format = table.format;
        memcpy(view->id, table.id, sizeof(view->id));
        free(view->by);
        view->by = mem_text(table.by);
    }
}

/* Takes a record with a name in its key. */
static bool take_named(struct share_view *view, const char *kind, const char *key, const cJSON *text)
{
    CLEANUP(mem_freep) char *name = share_row_name(view->group, kind, key);
    char start[SHARE_ID_MAX];

    if (!name)
        return false;
    if (text_same(kind, "member"))
        return take_member(view, name, text);
    if (text_same(kind, "wish"))
        return take_wish(view, name, text);
    if (!share_row_id(text, "start", start))
        return false;
    memcpy(member_of(view, name)->named, start, sizeof(start));
    return true;
}

static void take_row(struct share_view *view, const cJSON *row)
{
    const char *key = json_text(row, "_key"), *kind = json_text(row, "kind");
    CLEANUP(json_freep) cJSON *text = share_row_text(row);
    struct share_row_table table;
    bool ok = true;

    if (!key || !kind)
        return;
    if (text_same(kind, "member") || text_same(kind, "wish") || text_same(kind, "start"))
        ok = take_named(view, kind, key, text);
    else if (text_same(kind, "table"))
        ok = share_row_number(view->group, key) && share_row_table(text, &table);
    if (!ok)
        is_bad(view, key);
}

/* Forgets what the next reading says again. Whether a member was there is kept: its heartbeat is compared. */
static void begin_reading(struct share_view *view)
{
    size_t i;

    for (i = 0; i < view->count; i++) {
        struct share_view_member *member = &view->members[i];

        member->drains = member->takes_all = false;
        share_names_free(&member->takes);
    }
    view->table = 0;
    view->id[0] = '\0';
    mem_freep(&view->bad);
}

/* Notes which members' records are gone. */
static void find_gone(struct share_view *view, const cJSON *rows)
{
    struct share_names here = { .list = NULL };
    const cJSON *row;
    size_t i;

    cJSON_ArrayForEach(row, rows)
    {
        const char *key = json_text(row, "_key");
        CLEANUP(mem_freep) char *name = key ? share_row_name(view->group, "member", key) : NULL;

        if (name)
            share_names_add(&here, name);
    }
    for (i = 0; i < view->count; i++)
        view->members[i].here &= share_names_have(&here, view->members[i].name);
    share_names_free(&here);
}

void share_view_take(struct share_view *view, const cJSON *rows)
{
    const cJSON *row;

    begin_reading(view);
    cJSON_ArrayForEach(row, rows) take_row(view, row);
    find_newest(view, rows);
    find_gone(view, rows);
    view->readings++;
}

void share_view_take_inputs(struct share_view *view, const cJSON *rows)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, rows)
    {
        const char *key = json_text(row, "_key");
        CLEANUP(mem_freep) char *name = key ? share_row_name(view->group, "inputs", key) : NULL;
        CLEANUP(json_freep) cJSON *text = share_row_text(row);
        struct share_view_member *member = name ? member_of(view, name) : NULL;

        if (!member)
            continue;
        share_names_free(&member->inputs);
        member->has_inputs = share_row_names(text, &member->inputs);
        if (!member->has_inputs)
            is_bad(view, key);
    }
}

void share_view_take_body(struct share_view *view, const cJSON *record)
{
    const char *key = json_text(record, "_key"), *text = json_text(record, "text");
    struct share_body body = { .entries = NULL };
    struct err err;

    if (!text || !share_body_parse(text, &body, &err)) {
        is_bad(view, key ? key : "body");
        return;
    }
    share_body_free(&view->body);
    view->body = body;
    memcpy(view->body_id, view->id, sizeof(view->body_id));
}

/* Questions. */

bool share_view_has_body(const struct share_view *view)
{
    return view->table && text_same(view->id, view->body_id);
}

bool share_view_is_newer(const struct share_view *view)
{
    size_t i;

    for (i = 0; i < view->count; i++)
        if (view->members[i].here && view->members[i].format > SHARE_FORMAT)
            return true;
    return view->table && view->format > SHARE_FORMAT;
}

const struct share_view_member *share_view_member(const struct share_view *view, const char *name)
{
    size_t i;

    for (i = 0; i < view->count; i++)
        if (text_same(view->members[i].name, name))
            return &view->members[i];
    return NULL;
}

size_t share_view_heard(const struct share_view *view)
{
    size_t i, heard = 0;

    for (i = 0; i < view->count; i++)
        heard += view->members[i].here && view->members[i].moved;
    return heard;
}

bool share_view_all_heard(const struct share_view *view)
{
    size_t i, here = 0;

    for (i = 0; i < view->count; i++)
        here += view->members[i].here;
    return here == share_view_heard(view);
}

size_t share_view_held(const struct share_view *view, const char *name)
{
    size_t i, held = 0;

    for (i = 0; share_view_has_body(view) && i < view->body.count; i++)
        held += text_same(view->body.entries[i].owner, name);
    return held;
}

bool share_view_is_twin(const struct share_view_member *member)
{
    return member->starts > 1 ||
           (member->here && *member->named && *member->start && !text_same(member->named, member->start));
}
