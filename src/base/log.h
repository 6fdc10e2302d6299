/* base/log.h - lines on stderr, which splunkd copies into splunkd.log (component ExecProcessor).
 *
 * One call is one line and one write(); the first word is the level, since splunkd takes a line without one for an
 * error. Control characters become blanks and a line ends at 2,000 bytes: splunkd cuts long lines. Secrets are never
 * passed in. Stderr is a pipe that may be full: a line that cannot be written at once is counted and its loss is said
 * with the next one, because a log must not stop the collection. */
#pragma once

#include "messages/log_events.h"

/* "WARN event=waiting ...": level and word come from the event's row in messages/log_events.c, and where the row says so, whose
 * move it is and what to do stand behind the text. The text begins with the facts (input=, tenant=, ...). */
void log_event(enum event event, const char *fmt, ...) PRINTF(2, 3);

/* A line for the person who called a command; not for splunkd's log, where each line has its event. */
void log_error(const char *fmt, ...) PRINTF(1, 2);

/* Lines below this level are not written. Starts at LOG_INFO. */
void log_set_level(enum log_level level);

/* Puts stderr (a pipe or a socket) into non-blocking mode; other kinds of file are left as they are. */
void log_init(void);

/* One line of EVENT_FATAL, then exit status 1. */
NORETURN void log_die(const char *fmt, ...) PRINTF(1, 2);
