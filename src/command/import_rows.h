/* command/import_rows.h - the rows of an imported file: read and checked, and what is to be done for each.
 *
 * A row that is wrong is refused with its reason and keeps its place in the report; the others go on. */
#pragma once

#include "base/buf.h"
#include "base/json.h"
#include "splunk/passwords.h"
#include "splunk/stanza.h"

enum action { ACTION_NONE, ACTION_CREATE, ACTION_UPDATE, ACTION_REFUSED };

/* A secret of one or more rows, and whether it has to go to the store. */
struct upload {
    struct upload *next;
    void          *ctx;         /* for who carries it */
    char          *name;
    const char    *value;       /* secret, borrowed from the row's input */
    size_t         line;        /* of the row that brought it */
    bool           due;         /* the store does not hold it yet */
    bool           failed;
    struct err     err;
};

struct import_row {
    void             *ctx;              /* for who carries it out */
    size_t            line;
    struct raw_stanza stanza;
    struct input      input;
    enum action       action;
    char             *app;              /* where the existing stanza lives; NULL: none exists */
    char             *proxy;            /* as inputs.conf is to hold it; NULL: as given */
    const char      **list;             /* name, value, ... NULL: what to send */
    size_t            list_len;
    struct buf        changes;          /* names, for the report */
    struct upload    *uploads[3];
    size_t            upload_count;
    struct err        err;              /* why it was refused */
};

struct import_rows {
    struct import_row *list;
    size_t             count;
    struct upload     *uploads;
};

/* Reads the CSV file and checks each row like an input. False when the file as a whole is of no use. */
bool import_rows_read(struct import_rows *rows, const char *path, void *ctx, struct err *err);
void import_rows_release(struct import_rows *rows);

void import_refuse(struct import_row *row, const struct err *err);

/* Compares each row with the existing inputs (as splunkd lists them; NULL: none) and the stored secrets. Fills in action,
 * list, changes and uploads. */
void import_plan(struct import_rows *rows, const cJSON *inputs, const struct passwords *passwords);
