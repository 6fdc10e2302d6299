/* base/json.h - typed access to a cJSON tree.
 *
 * For small answers: tokens, errors, splunkd's replies, checkpoints. Alert pages never become a tree
 * (microsoft/page.h). */
#pragma once

#include <cjson/cJSON.h>

#include "base/compiler.h"

/* Makes cJSON use our memory functions: otherwise a failed allocation would look like broken JSON. Call before anything
 * is parsed. */
void json_init(void);

/* Parses one JSON value with optional white space around it. Returns NULL for anything else. Free with cJSON_Delete().
 * */
cJSON *json_parse(const char *bytes, size_t len);
void json_freep(cJSON **tree); /* for CLEANUP() */

/* Members of an object. The object may be NULL or of another type, which counts as "no such member". Names are compared
 * exactly. */
const cJSON *json_member(const cJSON *object, const char *name); /* NULL: no such member */
const char *json_text(const cJSON *object, const char *name);    /* borrowed from the tree; NULL: no such text */
bool json_bool(const cJSON *object, const char *name);           /* true only for the value true */
/* Reads an integer from least to most, given as a number or as text (as the v1 token endpoint does). */
bool json_int64(const cJSON *object, const char *name, int64_t least, int64_t most, int64_t *ret);
