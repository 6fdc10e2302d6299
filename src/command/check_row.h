/* command/check_row.h - one input as `check` tries it: way to both services, token, permission, newest alert. */
#pragma once

#include "auth/principal.h"
#include "auth/token_source.h"
#include "command/check_report.h"
#include "command/check_endpoint.h"
#include "command/check_store.h"

/* What the rows share. */
struct row_context {
    struct loop        *loop;
    struct http        *http;
    struct endpoints       *endpoints;
    struct check_store *store;
    struct principals    *principals;
    void              (*finished)(void *ctx);       /* one more row has its outcome */
    void               *ctx;
};

struct row;

/* Reads the stanza; one that cannot be used is finished at once, without a call of finished. world is filled in before
 * the first row begins, and stays. */
struct row *row_new(const struct row_context *context, const struct raw_stanza *stanza);
void row_free(struct row *row);     /* before the transport; NULL is fine */

bool row_is_finished(const struct row *row);
const struct outcome *row_outcome(const struct row *row);

void row_begin(struct row *row);
/* Something that it may wait for has changed. Nothing happens to a row that has not begun or has finished. */
void row_step(struct row *row);
