/* messages/diagnosis.h - the faults of connections and answers: text, cause, who has to act and what to do.
 *
 * One table: the program's messages are made of its texts and advice, and docs/troubleshooting.md is generated from it.
 *
 * A text or an advice may have one placeholder in braces, "no connection to {the host}". A message puts its own value
 * there; the documentation prints the words in the braces. */
#pragma once

#include "base/err.h"
#include "messages/remedy.h"

enum diagnosis {
    DIAGNOSIS_NO_NAME,
    DIAGNOSIS_NO_CONNECTION,
    DIAGNOSIS_NO_PROXY,
    DIAGNOSIS_PROXY_DEAD,
    DIAGNOSIS_PROXY_TROUBLE,
    DIAGNOSIS_NOT_TLS,
    DIAGNOSIS_NO_TLS,
    DIAGNOSIS_NO_CA,
    DIAGNOSIS_CA_FILE,
    DIAGNOSIS_CUT,
    DIAGNOSIS_WEB_PAGE,
    DIAGNOSIS_BAD_ANSWER,
    DIAGNOSIS_HTTP_400,
    DIAGNOSIS_HTTP_400_FILTER,
    DIAGNOSIS_HTTP_401,
    DIAGNOSIS_HTTP_403,
    DIAGNOSIS_PERMISSION,
    DIAGNOSIS_POLICY,
    DIAGNOSIS_HTTP_4XX,
    DIAGNOSIS_HTTP_429,
    DIAGNOSIS_HTTP_5XX,
    DIAGNOSIS_SPLUNKD_BUSY,
    DIAGNOSIS_SPLUNKD_TLS,
    DIAGNOSIS_SPLUNKD_KEY,
    DIAGNOSIS_SPLUNKD_KEY_ENTERED,
    DIAGNOSIS_SPLUNKD_RIGHTS,
    DIAGNOSIS_STORE_AWAY,
    DIAGNOSIS_STORE_TLS,
    DIAGNOSIS_STORE_CA,
    DIAGNOSIS_STORE_TOKEN,
    DIAGNOSIS_STORE_RIGHTS,
    DIAGNOSIS_STORE_APP,
    DIAGNOSIS_COUNT
};

struct diagnosis_entry {
    const char *text;
    const char *cause;    /* for the documentation */
    struct remedy remedy; /* with ACT_NOBODY not in the text, only in the status and the documentation */
    const char *word;     /* cause= of the status line */
};
extern const struct diagnosis_entry diagnosis_table[DIAGNOSIS_COUNT];

/* The parts of a message that the table does not know. Each may be NULL. */
struct diagnosis_facts {
    const char *text;   /* for the placeholder of the text */
    const char *detail; /* after the text, with its own ": " or " (...)" */
    const char *advice; /* for the placeholder of the advice */
};

/* Sets *err to "<text><detail>. Our administrator: <advice>". Always returns false. */
bool diagnosis_set(struct err *err, enum err_kind kind, enum diagnosis diagnosis, const struct diagnosis_facts *facts);

/* Gives *err the word and the remedy of a row, for the status of an input. Always returns false. */
bool diagnosis_blame(struct err *err, enum diagnosis diagnosis);

/* Add only the text, or only ". Our administrator: <advice>" (nothing with ACT_NOBODY). value is for the placeholder;
 * NULL: the words in the braces. */
void diagnosis_add_text(struct buf *to, enum diagnosis diagnosis, const char *value);
void diagnosis_add_advice(struct buf *to, enum diagnosis diagnosis, const char *value);

/* Adds a text of the table with its placeholder filled in. */
void diagnosis_fill(struct buf *to, const char *text, const char *value);
