/* splunk/secret_list.h - secrets by name, in memory. Values are overwritten before they are freed. */
#pragma once

#include "base/compiler.h"

struct secret {
    char *name;
    char *value;
};

/* Sorted by name. All zero: empty. */
struct secret_list {
    struct secret *items;
    size_t count, capacity;
};

/* Returns the value, or NULL if there is none. Borrowed until the list changes. */
const char *secret_list_get(const struct secret_list *list, const char *name);
/* Adds or replaces a secret. Copies both texts; value may be the present one. */
void secret_list_set(struct secret_list *list, const char *name, const char *value);
void secret_list_remove(struct secret_list *list, const char *name); /* harmless if there is none */
void secret_list_clear(struct secret_list *list);                    /* frees all; usable again */
