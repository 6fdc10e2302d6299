/* base/die.h - the end of a process that cannot continue: no memory, no random bytes, a library that does not start. */
#pragma once

#include "base/compiler.h"

/* Writes "ERROR event=fatal <text>" as one line to stderr and exits with status 1. Allocates no memory. The level and
 * the word are those of EVENT_FATAL in messages/log_events.c; a test compares them. */
NORETURN void die(const char *fmt, ...) PRINTF(1, 2);

/* Writes the line and returns: the caller sees to an orderly end. */
void die_soon(const char *fmt, ...) PRINTF(1, 2);
