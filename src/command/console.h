/* command/console.h - lines from the person or the program that called us.
 *
 * Lines come from stdin; when that has ended and is no terminal, from the terminal itself, if there is one: so a
 * session key can come through a pipe and a pasted address by hand. Terminals are read in raw lines, because the
 * kernel's own line editing cuts a line at 4,095 bytes and addresses may be longer. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct console {
    int  fd;
    bool is_terminal;
};

/* From here on Ctrl-C, SIGTERM and the like end the process at once: the terminal as it was, "ERROR <stopped>" on
 * stderr (text that lives on), exit status 1. */
void console_start(struct console *console, const char *stopped);

/* One line without its end, trimmed of blanks; of a pipe the first that is not empty. The prompt is shown on a
 * terminal only; hidden: what is typed is not. False at the end of the input. */
bool console_line(struct console *console, const char *prompt, bool hidden, struct buf *ret);

/* The session key: the first line, or the <input> XML that print-modinput-config gives, which also holds the address
 * of splunkd. Each is NULL when not there. Secret key: mem_free_secret(). */
bool console_session(struct console *console, char **session_key, char **server_uri, struct err *err);

/* Shows that and how long we wait; only where stderr is a terminal. NULL wipes it out. */
void console_progress(const char *text);
