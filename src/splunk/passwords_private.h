/* splunk/passwords_private.h - shared by passwords.c (reading), passwords_write.c (writing a secret: its note, its pieces)
 * and passwords_entry.c (one entry of the store). */
#pragma once

#include "splunk/passwords.h"
#include "splunk/rest_call.h"
#include "splunk/secret_list.h"

#define PASSWORDS_ENDPOINT "storage/passwords"
#define PROBE_NAME         "length_probe" /* an entry that is written to see whether the store truncates */

enum truncation { TRUNCATES_UNKNOWN, TRUNCATES_NOT, TRUNCATES };

struct password_load;
struct password_write;

struct passwords {
    struct rest *rest;
    struct secret_list whole;      /* our secrets, joined */
    struct secret_list entries;    /* every entry of our realm, pieces too; values only while they are loaded */
    enum truncation truncation;    /* whether the store truncates long secrets */
    bool probing;                  /* one write is finding that out */
    struct password_write *writes; /* in the order of passwords_store() */
    struct password_load *load;    /* NULL: none in flight */
    struct err trouble;            /* see passwords_trouble(); "": none */
    void (*troubled)(void *ctx);
    void *troubled_ctx;
};

/* Reads splunkd's list of entries; ret gets those of our realm, as they are stored. Returns false if it is no list. */
bool passwords_read_entries(const struct buf *body, struct secret_list *ret);
/* Notes the result of a call: NULL if the store did what it was asked to, or can. */
void passwords_note(struct passwords *passwords, const struct err *err);
/* Frees the writes in flight. */
void passwords_writes_free(struct passwords *passwords);

/* passwords_entry.c */

enum entry_end {
    ENTRY_KEPT,    /* read back as it was written */
    ENTRY_CHANGED, /* read back otherwise, or refused for its length */
    ENTRY_FAILED,
    ENTRY_DELETED /* or not: nobody depends on it */
};

/* The entry may be written again, and released, from here. err: with ENTRY_FAILED only. */
typedef void entry_done_fn(void *ctx, enum entry_end end, const struct err *err);

/* Fill in with password_entry_init(). */
struct password_entry {
    struct passwords *passwords;
    entry_done_fn *done;
    void *ctx;
    char *name;
    char *value; /* secret */
    enum entry_call { ENTRY_UPDATE, ENTRY_CREATE, ENTRY_READ } asked;
    int turns; /* between creating and updating */
    struct rest_call call;
};

void password_entry_init(struct password_entry *entry, struct passwords *passwords, entry_done_fn *done, void *ctx);
/* Starts to write an entry: updates or creates it, then reads it back. Takes name and value over. */
void password_entry_write(struct password_entry *entry, char *name, char *value);
/* Starts to delete an entry. */
void password_entry_delete(struct password_entry *entry, const char *name);
/* Ends what is under way, without a result. */
void password_entry_release(struct password_entry *entry);
