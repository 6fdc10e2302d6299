/* base/log.h - lines on stderr, which splunkd copies into splunkd.log (component ExecProcessor).
 *
 * One call is one line and one write(); the first word is the level, since splunkd takes a line without one for an
 * error. Control characters become blanks and a line ends at 2,000 bytes: splunkd cuts long lines. Secrets are never
 * passed in. Stderr is a pipe that may be full: a line that cannot be written at once is counted and its loss is said
 * with the next one, because a log must not stop the collection. */
#pragma once

#include "base/compiler.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_line(enum log_level level, const char *fmt, ...) PRINTF(2, 3);

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

/* Lines below this level are not written. Starts at LOG_INFO. */
void log_set_level(enum log_level level);

/* Puts stderr (a pipe or a socket) into non-blocking mode; other kinds of file are left as they are. */
void log_init(void);

/* One ERROR line, then exit status 1. */
NORETURN void log_die(const char *fmt, ...) PRINTF(1, 2);
