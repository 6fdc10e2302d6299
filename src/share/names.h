/* share/names.h - a set of names: sorted, each once. */
#pragma once

#include "base/compiler.h"

#define SHARE_NAMES_MOST 10000 /* in a list of the store; more would cost minutes at each reading */

/* Owns its texts. All zeros is an empty one. */
struct share_names {
    char **list;
    size_t count;
};

bool share_names_have(const struct share_names *names, const char *name);
/* Adds a copy of the name in its place, unless it is there. */
void share_names_add(struct share_names *names, const char *name);
void share_names_free(struct share_names *names); /* leaves an empty one */
