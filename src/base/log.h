/* base/log.h - lines on stderr, which splunkd copies into splunkd.log (component ExecProcessor).
 *
 * One call is one line and one write(). The first word is the level: splunkd takes a line without one for an error.
 * Hidden characters (base/utf8.h) become blanks. A line has at most LOG_LINE_MAX bytes, because splunkd truncates long
 * lines. Stderr is a pipe that may be full: lines then wait in memory (base/log_queue.h), and the event loop calls
 * log_flush() when the reader takes more. Lines beyond the bound are lost and counted (log_take_lost()). Never pass
 * secrets in.
 *
 * Splunk takes key=value from anywhere in a line. Text that is not ours (of a service, a file, a name, a conf file, or
 * an err that may repeat any of them) is therefore always a value in quotes: "why=%s", QUOTED(err->text). */
#pragma once

#include "base/compiler.h"

#define LOG_LINE_MAX 2000

enum log_level { LOG_INFO, LOG_WARN, LOG_ERROR };

/* Returns "INFO", "WARN" or "ERROR". */
const char *log_level_text(enum log_level level);

/* Drops lines below this level from now on. The level at the start is LOG_INFO. */
void log_set_level(enum log_level level);
bool log_has_level(enum log_level level); /* true unless lines of this level are dropped */

/* Writes "LEVEL text". Keeps errno. same > 0: the line replaces a waiting one of which the first `same` bytes of the
 * text are equal. */
void log_line(enum log_level level, const char *text, size_t same);

/* Writes lines that wait. Returns true if none is left. */
bool log_flush(void);
/* Writes lines that wait until none is left, or for that many milliseconds, at the end of the process. */
void log_close(int for_ms);
/* Calls waits() from now on whenever a line has to wait; NULL: nobody is told. */
void log_tell(void (*waits)(void *ctx), void *ctx);

/* Returns how many lines were lost since the last call, once there is room for a line that says so; 0: none. */
unsigned long log_take_lost(void);

/* Writes the text, in double quotes, as a value for key="value": one line, truncated if need be, with every backslash
 * doubled. A double quote becomes a single one, because some readers, Splunk's own extraction among them, end a value at
 * an escaped quote too. Returns ret. */
#define LOG_QUOTED_MAX 1300
const char *log_quoted(const char *text, char ret[LOG_QUOTED_MAX]);
/* The same in a buffer that lasts as long as the caller's block. */
#define QUOTED(text) log_quoted((text), (char[LOG_QUOTED_MAX]){ "" })

/* Writes an error for the person who called a command. Not for splunkd's log: see log_event() in messages. */
void log_error(const char *fmt, ...) PRINTF(1, 2);

/* Makes stderr non-blocking if it is a pipe or a socket. */
void log_init(void);
