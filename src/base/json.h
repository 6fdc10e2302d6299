/* base/json.h - typed looks into a cJSON tree.
 *
 * For small answers: tokens, errors, splunkd's replies, checkpoints. Alert pages never become a tree
 * (microsoft/page.h). */
#pragma once

#include <cjson/cJSON.h>

#include "base/compiler.h"

/* Gives cJSON our memory functions. Once, before anything is parsed: without it an allocation that fails looks like
 * broken JSON. */
void json_init(void);

/* Parses exactly one JSON value, white space around it allowed. NULL if it is none. Free with cJSON_Delete(). */
cJSON *json_parse(const char *bytes, size_t len);
void json_freep(cJSON **tree);      /* for CLEANUP() */

/* Member looks: the object may be NULL or of another type, which counts as "not there". Names match exactly. */
const cJSON *json_member(const cJSON *object, const char *name);
const char *json_text(const cJSON *object, const char *name);      /* borrowed from the tree; NULL */
bool json_bool(const cJSON *object, const char *name);
/* A whole number, given as a number or as text (the v1 token endpoint does): least..most. */
bool json_int64(const cJSON *object, const char *name, int64_t least, int64_t most, int64_t *ret);
