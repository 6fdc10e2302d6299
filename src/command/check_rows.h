/* command/check_rows.h - the inputs that `check` and `import --set` try, many at a time. */
#pragma once

#include "command/check_row.h"
#include "splunk/config.h"

struct check_rows;

/* compare_with, compare_days: as in struct row_context. Never returns NULL. */
struct check_rows *check_rows_new(int compare_with, int compare_days);
void check_rows_free(struct check_rows *rows); /* NULL is allowed */

/* Adds the enabled inputs of the configuration; only: the one of this name, NULL: all. */
void check_rows_fill(struct check_rows *rows, const struct config *config, const char *only);
/* The store that forwarders share is tried, too. */
void check_rows_with_share(struct check_rows *rows);
/* Tries them all, with the session of the configuration, and shows how far it is. Does nothing without an input. */
void check_rows_try(struct check_rows *rows, const struct config *config);

size_t check_rows_count(const struct check_rows *rows);
struct row *const *check_rows_list(const struct check_rows *rows);
/* Returns true if the password store was read; otherwise err says why not. */
bool check_rows_know_store(const struct check_rows *rows, struct err *err);
/* Returns what was found of the shared store. */
const struct host_section *check_rows_share(const struct check_rows *rows, size_t *count);
