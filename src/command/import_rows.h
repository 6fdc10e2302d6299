/* command/import_rows.h - the rows of an imported file: parsed, validated, and what each needs.
 *
 * A bad row is refused with its reason and stays in the report; the others go on. */
#pragma once

#include "base/buf.h"
#include "base/json.h"
#include "splunk/passwords.h"
#include "splunk/stanza.h"

enum action { ACTION_NONE, ACTION_CREATE, ACTION_UPDATE, ACTION_REFUSED };

struct import_sending;

/* A secret of one or more rows. */
struct upload {
    struct upload *next;
    struct import_sending *sending; /* see import_send.h */
    char *name;
    const char *value; /* secret, borrowed from the row's input */
    struct buf hosts;  /* that it may go to, named by its rows: see passwords_store() */
    size_t line;       /* of the first row that has it */
    bool due;          /* it is not stored yet */
    bool failed;
    struct err err;
};

struct import_row {
    void *ctx; /* for the caller */
    size_t line;
    struct raw_stanza stanza;
    struct input input;
    enum action action;
    char *app;         /* where the existing stanza lives; NULL: none exists */
    char *proxy;       /* masked, for inputs.conf; NULL: as given */
    const char **list; /* to send: name, value, ..., NULL */
    size_t list_len;
    struct buf changes; /* names, for the report */
    struct upload *uploads[3];
    size_t upload_count;
    char *duplicate; /* a sentence: which input reads the same alerts; NULL: none */
    struct err err;  /* why it was refused */
};

struct import_rows {
    struct import_row *list;
    size_t count;
    struct upload *uploads;
    struct buf text; /* of the file; a secret */
};

/* Reads the CSV file and validates each row like an input. Returns false if the file as a whole is unusable. */
bool import_rows_read(struct import_rows *rows, const char *path, void *ctx, struct err *err);
void import_rows_release(struct import_rows *rows); /* frees the members */

/* Marks a row as refused, with the reason. */
void import_refuse(struct import_row *row, const struct err *err);

/* Compares each row with the existing inputs (as splunkd lists them; NULL: none) and the stored secrets. Fills in
 * action, list, changes and uploads. */
void import_plan(struct import_rows *rows, const cJSON *inputs, const struct passwords *passwords);

/* Fills in duplicate. inputs: as for import_plan(), which comes first. */
void import_find_duplicates(struct import_rows *rows, const cJSON *inputs);
