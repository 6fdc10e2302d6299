/* base/err.h - what failed, and what to do about it.
 *
 * Callers branch on the kind, people read the text. Lower layers fill an err in and do not log. */
#pragma once

#include "base/compiler.h"

enum err_kind {
    ERR_RETRY,      /* passes by itself: wait, try again */
    ERR_AUTH,       /* a person must act: secret, consent, licence */
    ERR_INPUT,      /* what we read is not what it should be */
    ERR_FATAL       /* the process cannot go on */
};

struct err {
    enum err_kind kind;
    int64_t       wait_ms;      /* ERR_RETRY: what the server asked for; 0: our own back-off */
    char          text[1024];   /* one line, no secrets; may be cut short */
};

/* Always false, so a failing step and its reason are one line: return err_set(...). Line ends and other control
 * characters in the result become blanks. */
bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...) PRINTF(3, 4);

/* Puts "text: " in front of what the error says. Always false. */
bool err_prefix(struct err *err, const char *fmt, ...) PRINTF(2, 3);
