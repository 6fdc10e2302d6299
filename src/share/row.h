/* share/row.h - what the records of a group say (share/record.h): one reader for the agreement's core and for the commands
 * that show it, so that they never differ in what they ignore. Pure.
 *
 * Anybody may have written a record. A function returns false or NULL for what this program does not write. */
#pragma once

#include "base/json.h"
#include "share/names.h"
#include "share/record.h"

#define SHARE_COUNT_MOST (INT64_C(1) << 53) /* of heartbeats and the like: JSON keeps it exactly */

/* Reads a member that is an ID. */
bool share_row_id(const cJSON *tree, const char *name, char ret[SHARE_ID_MAX]);
/* Returns the name in the key of a record of this kind, 255 bytes at most. The caller frees it. */
char *share_row_name(const char *group, const char *kind, const char *key);
/* Returns the number in a table's key; 0: there is none. */
int64_t share_row_number(const char *group, const char *key);
/* Returns the parsed text of a record. The caller deletes it. */
cJSON *share_row_text(const cJSON *row);
/* Reads a JSON array of texts, none of them empty. */
bool share_row_names(const cJSON *array, struct share_names *ret);

struct share_row_member {
    char start[SHARE_ID_MAX];
    char follows[SHARE_ID_MAX]; /* "": no table */
    int64_t beat, held, format;
    int64_t inputs; /* version of its list; 0: it has not saved one */
    bool well;
    const char *program; /* borrowed from the text; "": not known */
};
bool share_row_member(const cJSON *text, struct share_row_member *ret);

struct share_row_wish {
    bool drains, takes_all;
    struct share_names takes; /* owned */
};
bool share_row_wish(const cJSON *text, struct share_row_wish *ret);

struct share_row_table {
    int64_t format;
    char id[SHARE_ID_MAX]; /* "" may be one of a newer program */
    const char *by;        /* borrowed from the text; "": not known */
};
bool share_row_table(const cJSON *text, struct share_row_table *ret);
