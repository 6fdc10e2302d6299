#include "command/share_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define NUMBER_MOST (SHARE_NUMBER_MOST - 1) /* the last one has none after it */

/* Adds the texts of an array. Returns false if it is none, or longer than that of any forwarder. */
static bool names_take(struct share_names *names, const cJSON *array)
{
    const cJSON *item;

    if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) > SHARE_NAMES_MOST)
        return false;
    cJSON_ArrayForEach(item, array) if (!text_empty(cJSON_GetStringValue(item)))
        share_names_add(names, cJSON_GetStringValue(item));
    return true;
}

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

/* Returns the name at the end of a key "<group>.<kind>.<name>". The caller frees it. NULL: it is no such key. */
static char *name_of_key(const struct share_view *view, const char *kind, const char *key)
{
    CLEANUP(mem_freep) char *start = mem_format("%s.%s.", view->group, kind);
    char *name = NULL;

    if (!text_starts(key, start) || !key[strlen(start)] ||
        !text_url_decode(key + strlen(start), strlen(key) - strlen(start), false, &name))
        return NULL;
    return name;
}

static cJSON *text_of(const cJSON *row)
{
    const char *text = json_text(row, "text");

    return text ? json_parse(text, strlen(text)) : NULL;
}

static void add_start(const cJSON *start, char ret[SHARE_START_MAX])
{
    snprintf(ret, SHARE_START_MAX, "%s", cJSON_IsString(start) ? start->valuestring : "");
}

static void take_start(struct share_view_member *member, const cJSON *start)
{
    char now[sizeof(member->start)];

    add_start(start, now);
    if (*member->start && !text_same(now, member->start)) {
        member->starts++;
        member->moved = true;
    }
    memcpy(member->start, now, sizeof(member->start));
}

static bool take_member(struct share_view_member *member, const cJSON *text)
{
    const cJSON *well = json_member(text, "well");
    const char *program = json_text(text, "program"), *follows = json_text(text, "follows");
    bool heard_before = member->here;
    int64_t beat;

    if (!json_int64(text, "beat", 0, INT64_MAX, &beat))
        return false;
    take_start(member, json_member(text, "start"));
    member->moved |= heard_before && beat != member->beat;
    member->here = true;
    member->beat = beat;
    if (!json_int64(text, "held", 0, INT64_MAX, &member->held))
        member->held = 0;
    if (!json_int64(text, "format", 0, INT64_MAX, &member->format))
        member->format = 0;
    member->well = !cJSON_IsFalse(well) && !text_same(cJSON_GetStringValue(well), "no");
    snprintf(member->follows, sizeof(member->follows), "%s", follows ? follows : "");
    free(member->program);
    member->program = mem_text(program);
    return true;
}

static bool take_wish(struct share_view_member *member, const cJSON *text)
{
    const cJSON *takes = json_member(text, "take");

    if (!cJSON_IsObject(text) || (takes && !names_take(&member->takes, takes)))
        return false;
    member->drains = json_bool(text, "drain");
    member->takes_all = share_names_have(&member->takes, "*");
    return true;
}

/* Takes a table if it is the newest one so far. */
static bool take_table(struct share_view *view, const cJSON *row, const cJSON *text)
{
    const char *id = json_text(text, "id");
    int64_t number;

    if (!json_int64(row, "number", 1, NUMBER_MOST, &number) || !id || strlen(id) >= SHARE_ID_MAX)
        return false;
    if (number <= view->table)
        return true;
    view->table = number;
    snprintf(view->id, sizeof(view->id), "%s", id);
    free(view->by);
    view->by = mem_text(json_text(text, "by"));
    if (!json_int64(text, "format", 0, INT64_MAX, &view->format))
        view->format = 0;
    return number < NUMBER_MOST;
}

static void take_row(struct share_view *view, const cJSON *row)
{
    const char *key = json_text(row, "_key"), *kind = json_text(row, "kind");
    bool is_member = text_same(kind, "member"), is_wish = text_same(kind, "wish"), is_start = text_same(kind, "start");
    CLEANUP(json_freep) cJSON *text = text_of(row);
    CLEANUP(mem_freep) char *name = key && (is_member || is_wish || is_start) ? name_of_key(view, kind, key) : NULL;
    bool ok = true;

    if (!key)
        return;
    if (is_member)
        ok = name && take_member(member_of(view, name), text);
    else if (is_wish)
        ok = name && take_wish(member_of(view, name), text);
    else if (is_start && name)
        add_start(json_member(text, "start"), member_of(view, name)->named);
    else if (text_same(kind, "table"))
        ok = take_table(view, row, text);
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
        CLEANUP(mem_freep) char *name = key ? name_of_key(view, "member", key) : NULL;

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
    find_gone(view, rows);
    view->readings++;
}

void share_view_take_inputs(struct share_view *view, const cJSON *rows)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, rows)
    {
        const char *key = json_text(row, "_key");
        CLEANUP(mem_freep) char *name = key ? name_of_key(view, "inputs", key) : NULL;
        CLEANUP(json_freep) cJSON *text = text_of(row);
        struct share_view_member *member = name ? member_of(view, name) : NULL;

        if (!member)
            continue;
        share_names_free(&member->inputs);
        member->has_inputs = names_take(&member->inputs, text);
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
