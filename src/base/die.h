/* base/die.h - the end of a process that cannot continue: no memory, no random bytes, a library that does not start. */
#pragma once

#include "base/compiler.h"

/* Writes "ERROR event=fatal <text>" as one line to stderr, after the lines that wait for it (base/log.h), and exits
 * with status 1. Waits for the reader for a moment, and allocates no memory unless that was in vain. The level and
 * the word are those of EVENT_FATAL in messages/log_events.c; a test compares them. */
NORETURN void die(const char *fmt, ...) PRINTF(1, 2);

/* Writes the line and returns: the caller sees to an orderly end. */
void die_soon(const char *fmt, ...) PRINTF(1, 2);
