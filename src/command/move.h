/* command/move.h - `import --set api=graph`: moves the present inputs to another alert API, those that are ready.
 *
 * Each input is tried and compared first (command/compare.h). One that is not ready stays as it is, with the reason. It
 * is safe to run again: inputs that were moved are left alone. What a moved input has read stays known
 * (collect/beginning.c). */
#pragma once

#include "command/console.h"

struct move_options {
    const char *set;         /* "api=graph" */
    const char *only, *days; /* NULL: all inputs; 7 */
    const char *server_uri;  /* NULL: see session_open() */
    bool dry_run, as_json;
    bool accept_missing; /* also moves inputs some of whose alerts only the present service lists */
};

/* Returns the exit status: 0 if every input that reads an API whose alerts have the same IDs is moved or was before. */
int move_run(const struct move_options *options);
