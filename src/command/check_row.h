/* command/check_row.h - one input of `check`: connection to both services, token, permission, newest alert. */
#pragma once

#include "auth/principal.h"
#include "auth/token_source.h"
#include "command/check_report.h"
#include "command/check_endpoint.h"
#include "command/check_store.h"

/* Shared by the rows. */
struct row_context {
    struct loop *loop;
    struct http *http;
    struct endpoints *endpoints;
    struct check_store *store;
    struct principals *principals;
    const char *checkpoint_dir; /* where inputs have noted whether they worked; NULL: not known */
    int compare_with; /* enum api_kind of the API that inputs are compared with (command/compare.h); -1: none */
    int compare_days;
    void (*finished)(void *ctx); /* called when a row has its outcome */
    void *ctx;
};

struct row;

/* Parses the stanza. A bad one is finished at once, without a call of finished(). *context is filled in before the
 * first row begins, and outlives the rows. */
struct row *row_new(const struct row_context *context, const struct raw_stanza *stanza);
void row_free(struct row *row); /* before http; NULL is allowed */

bool row_is_finished(const struct row *row);
/* Returns the findings so far; owned by the row. */
const struct outcome *row_outcome(const struct row *row);

/* Adds a sentence to the outcome's note: without a period, its first letter small. */
void row_add_note(struct row *row, const char *sentence);

/* Starts a row that is not finished. At most ten seconds later context->finished() is called. */
void row_begin(struct row *row);
/* Goes on if the row waited for what has changed. Does nothing to a row that has not begun or has finished. */
void row_step(struct row *row);
