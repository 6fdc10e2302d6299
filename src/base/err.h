/* base/err.h - an error: what to do, for the program, and what happened, for people.
 *
 * Callers branch on the kind. Lower layers fill in the err and do not log. */
#pragma once

#include "base/compiler.h"

enum err_kind {
    ERR_RETRY, /* transient: wait and try again */
    ERR_AUTH,  /* a person has to act: secret, consent, license */
    ERR_INPUT, /* malformed input or response */
    ERR_FATAL  /* the process cannot continue */
};

struct err {
    enum err_kind kind;
    int64_t wait_ms; /* ERR_RETRY: delay requested by the server; 0: our own backoff */
    char text[1024]; /* one line, no secrets; may be truncated */
    /* For the status of an input, from the tables of messages/ (messages/remedy.h). */
    char cause[24];     /* a word, the same for every input that has this trouble; "": not known */
    int responsible;    /* enum responsible */
    const char *advice; /* static; NULL: not known */
};

/* Fills in *err with wait_ms = 0 and without a cause. Line ends and other control characters of the text become blanks.
 * Always returns false, so a failing step and its reason fit on one line: return err_set(...). */
bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...) PRINTF(3, 4);

/* Gives *err the cause and the advice of another one. Always returns false. */
bool err_blame(struct err *err, const struct err *as);

/* Puts "text: " in front of the text of *err. Always returns false. */
bool err_prefix(struct err *err, const char *fmt, ...) PRINTF(2, 3);
