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
};

/* Fills in *err with wait_ms = 0. Line ends and other control characters of the text become blanks. Always returns
 * false, so a failing step and its reason fit on one line: return err_set(...). */
bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...) PRINTF(3, 4);

/* Puts "text: " in front of the text of *err. Always returns false. */
bool err_prefix(struct err *err, const char *fmt, ...) PRINTF(2, 3);
