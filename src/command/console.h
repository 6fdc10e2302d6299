/* command/console.h - lines from the person or the program that started the command.
 *
 * Lines come from stdin. After the end of a pipe they come from the terminal, if there is one: a session key can come
 * through a pipe and an address be pasted. Terminals are read without the kernel's line editing, which truncates a line
 * at 4,095 bytes: addresses may be longer. */
#pragma once

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "splunk/config.h"

struct console {
    int fd;
    bool is_terminal;
};

/* Starts to handle Ctrl-C, SIGTERM, SIGHUP and SIGQUIT: they restore the terminal, write "ERROR <stopped>" to stderr
 * and end the process with exit status 1. stopped must outlive the console. */
void console_start(struct console *console, const char *stopped);

/* Reads one line, without its end and surrounding blanks; from a pipe the first one that is not empty. The prompt is
 * shown on a terminal only. hidden: typed characters are not shown. Returns false at the end of the input. */
bool console_line(struct console *console, const char *prompt, bool hidden, struct buf *ret);

/* Reads the session key: the first line, or the <input> XML of print-modinput-config, which also has splunkd's address.
 * Each is NULL if it is missing. The key is a secret: free with mem_free_secret(). */
bool console_session(struct console *console, char **session_key, char **server_uri, struct err *err);

/* The same for a command that needs the inputs, too: *ret has only the session key if that is all that came, and is empty
 * if nothing came. Free it with config_free(). */
bool console_config(struct console *console, struct config *ret, struct err *err);

/* Says on stderr what is waited for, if stdin is a terminal: a person who started the program would see nothing. */
void console_tell_waiting(const char *text);

/* Prints text that is not ours (a name, words of a service, an address) without hidden characters (base/utf8.h), which
 * could control the terminal or change the order of what is read. */
void console_put(const char *text, FILE *to);

/* Prints a warning if others on this host can read the file, which holds a secret. NULL is no file. */
void console_warn_of_readers(const char *path);

/* Shows a progress line if stderr is a terminal. NULL clears it. */
void console_progress(const char *text);
