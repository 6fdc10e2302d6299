/* command/audit_row.h - one input of `audit`: each day is listed and compared with the ledger's file. Writes nothing.
 *
 * The program may be running: its ledger is read as far as the checkpoint says, so that what is being appended does not
 * count. Requests keep to a tenth of the published limits, since the program uses nine. */
#pragma once

#include "collect/audit_day.h"
#include "command/check_store.h"
#include "splunk/stanza.h"

/* Shared by the rows. */
struct audit_context {
    struct env *env; /* loop, http, outbox, limiter, rates */
    struct check_store *store;
    struct principals *principals;
    const char *folder; /* of the checkpoints */
    uint32_t from, to;  /* days, both included; LEDGER_NO_DAY: the last ones, as many as the input says */
    void (*finished)(void *ctx);
    void *ctx;
};

#define AUDIT_IDS_MOST 10000 /* missing versions of a day that are named */

/* A day that was compared. */
struct audited_day {
    uint32_t day;
    struct audit_result result;
    struct listed *missing; /* those that have IDs */
    size_t missing_count;
};

struct audit_row {
    const struct audit_context *context;
    struct input input;
    char *label; /* the input's name */
    const char *api;
    bool bad, left_out; /* its stanza cannot be used; it has no audit: the API's records have no identity */
    struct err err;     /* if no day could be compared */
    struct audited_day *days;
    size_t count;
    bool begun, finished;
    struct audit_row_work *work; /* private; NULL when it is finished */
};

/* Parses the stanza. One that has nothing to be compared is finished at once. */
struct audit_row *audit_row_new(const struct audit_context *context, const struct raw_stanza *stanza);
void audit_row_free(struct audit_row *row); /* NULL is allowed */
/* Starts. context->finished() is called once, perhaps before this returns. */
void audit_row_begin(struct audit_row *row);
/* Goes on if the row waited for the password store. */
void audit_row_step(struct audit_row *row);

/* Returns the worst verdict of the days, AUDIT_UNKNOWN for a row without any; AUDIT_NONE: it has no audit. */
enum audit_verdict audit_row_verdict(const struct audit_row *row);
/* Returns how many days are equal. */
size_t audit_row_equal(const struct audit_row *row);
