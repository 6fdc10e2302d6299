/* messages/log_events.h - everything the log can tell: the word behind `event=`, its level, its cause, whose move it is and what
 * to do. One table: log_event() takes its level, word and advice from here, and docs/troubleshooting.md is printed from
 * it, so no line can be written that the documentation does not know.
 *
 * A word may stand in two rows where it is good news at one level and bad news at another. */
#pragma once

#include "messages/remedy.h"

enum log_level { LOG_INFO, LOG_WARN, LOG_ERROR };

enum event {
    EVENT_REFUSED, EVENT_TROUBLE, EVENT_RECOVERED, EVENT_BAD_INPUT, EVENT_BAD_START, EVENT_BAD_RECORD, EVENT_ODD_RECORD,
    EVENT_REPLACED, EVENT_FORM, EVENT_WAITING, EVENT_CHECKPOINT_FAILED, EVENT_CHECKPOINT_BAD, EVENT_CHECKPOINT_RENEWED,
    EVENT_CHECKPOINT, EVENT_SECRET_STORED, EVENT_SECRET_NOT_STORED, EVENT_SECRET_WAITS, EVENT_SECRET_DAMAGED,
    EVENT_NOT_MASKED, EVENT_STORE_UNREADABLE, EVENT_STORE_FAILED, EVENT_SESSION_KEY, EVENT_SIGNED_IN,
    EVENT_CODE_REFUSED,
    EVENT_NOT_TRIED, EVENT_ASSERTION, EVENT_CERTIFICATE_READ, EVENT_CERTIFICATE_UNUSABLE, EVENT_CERTIFICATE_ENDS,
    EVENT_BACKFILL_DONE, EVENT_STATUS, EVENT_METRICS, EVENT_START, EVENT_STOP, EVENT_STOP_KEY, EVENT_STOPPED,
    EVENT_FATAL,
    EVENT_COUNT
};

struct event_entry {
    const char    *word;        /* behind event= */
    enum log_level level;
    bool           advised;     /* the line itself ends with whose move it is and what to do */
    enum responsible     responsible;
    const char    *cause;       /* a clause, no full stop */
    const char    *advice;      /* imperative, lower case, no full stop; "nothing ..." where there is nothing to do */
};
extern const struct event_entry event_table[EVENT_COUNT];

/* "ERROR" */
const char *log_level_text(enum log_level level);
