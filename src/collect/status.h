/* collect/status.h - the status line of an input: every five minutes, and whenever its state changes. */
#pragma once

#include "collect/condition.h"
#include "collect/feed.h"
#include "collect/fields.h"

/* What the line says that the feed does not know. Seconds; -1: unknown. */
struct status {
    const struct feed *feed;
    enum health_state state;
    const struct err *problem; /* why it is not ok; "": see waits_for */
    const char *waits_for;     /* said if there is no other reason */
    int64_t next_s;            /* to the next request */
    int64_t token_s;           /* until the access token expires */
    int64_t certificate_days;  /* as its file or the app registration says, whichever is sooner */
    int64_t secret_days;       /* as the app registration says (auth/expiry.h) */
    const char *share;         /* the word of its turn (share/share.h); NULL: no other forwarder has the input */
    const char *reader;        /* the other forwarder that reads it; NULL: this one, or it is not known */
    const char *credential;    /* what the input signs in with (auth/principal.h); NULL: not known yet */
    bool has_token, has_certificate, has_secret;
};

void status_log(const struct status *status, int64_t now_ms);

/* Adds the facts of the line, but not the input's name. Each is defined in docs/searching.md. */
void status_add(const struct status *status, struct fields *fields, int64_t now_ms);

/* Fills in what the input's condition follows from. */
void status_facts(const struct status *status, int64_t now_ms, struct condition_facts *ret);
/* Writes what is to be done about it, for a person, to an empty buffer. */
void status_add_todo(const struct status *status, enum condition condition, const struct condition_facts *facts,
                     struct buf *to);

/* Returns the update time of the newest alert that was seen; 0: none yet. */
ticks status_newest_alert(const struct status *status);

/* Returns when the next regular line of input number n is due: not within the first minute of the process, which logs
 * each state anyway. Each input has its own moment of the five minutes, whatever it logged in between: hundreds of lines
 * at once would not fit the pipe that the log goes to. */
int64_t status_next_ms(size_t number, int64_t started_ms, int64_t now_ms);
