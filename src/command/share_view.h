/* command/share_view.h - who shares with whom and who reads what, as the records of a group say. Pure: it only reads.
 *
 * One reading shows no life: a forwarder is alive if its heartbeat moves between readings. Whatever a record holds, it
 * harms nothing: one that cannot be used is named in `bad` and left out. */
#pragma once

#include "base/json.h"
#include "share/names.h"
#include "share/table.h"

struct share_view_member {
    char *name;
    bool here;     /* its record was in the last reading; otherwise only its wish or its inputs are there */
    char *program; /* version; NULL: not known */
    char start[SHARE_ID_MAX]; /* of its process */
    char named[SHARE_ID_MAX]; /* start of the process that took the name last; "": not known */
    char follows[SHARE_ID_MAX];
    int64_t beat, held, format;
    bool well;
    bool moved; /* its heartbeat moved since the first reading */
    int starts; /* how often `start` changed: a restart is one, two processes of one name are more */
    bool drains, takes_all;
    struct share_names takes;
    bool has_inputs;
    struct share_names inputs; /* that it could read */
};

struct share_view {
    char *group;
    struct share_view_member *members; /* sorted by name */
    size_t count;
    int64_t table;         /* number of the newest; 0: none */
    char id[SHARE_ID_MAX]; /* of it */
    char *by;              /* who made it */
    int64_t format;
    struct share_body body; /* valid if body_id is id */
    char body_id[SHARE_ID_MAX];
    char *bad; /* key of a record that could not be used; NULL: none */
    int readings;
};

void share_view_init(struct share_view *view, const char *group);
void share_view_free(struct share_view *view); /* frees the members */

/* Takes the rows of the group in SHARE_COLLECTION: one reading. */
void share_view_take(struct share_view *view, const cJSON *rows);
/* Takes rows of kind "inputs". */
void share_view_take_inputs(struct share_view *view, const cJSON *rows);
/* Takes the record of the newest table's body. */
void share_view_take_body(struct share_view *view, const cJSON *record);

/* Returns true if the body of the newest table is known. */
bool share_view_has_body(const struct share_view *view);
/* Returns true if the newest table, or a forwarder, is of a newer program whose records this one cannot judge. */
bool share_view_is_newer(const struct share_view *view);
const struct share_view_member *share_view_member(const struct share_view *view, const char *name); /* NULL: none */
/* Returns true if more readings can tell nothing more: every forwarder has been heard. */
bool share_view_all_heard(const struct share_view *view);
/* Returns the number of forwarders that were heard. */
size_t share_view_heard(const struct share_view *view);
/* Returns how many inputs the newest table gives to a forwarder. */
size_t share_view_held(const struct share_view *view, const char *name);
/* Returns true if two processes call themselves so. It shows for some seconds after the second one has started: then it
 * stays outside. */
bool share_view_is_twin(const struct share_view_member *member);
