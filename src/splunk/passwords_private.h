/* splunk/passwords_private.h - shared by passwords.c (reading) and passwords_write.c (writing). */
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
