/* base/log_queue.h - the log lines that wait until stderr is read. The queue of base/log.c.
 *
 * Stderr is a pipe that may be full, and a log must not stop the collection: a line that cannot be written at once
 * waits in memory, in its order. LOG_WAITING_MOST bounds it; lines beyond that are lost and counted. */
#pragma once

#include "base/compiler.h"

#define LOG_WAITING_MOST (4u * 1024 * 1024) /* bytes; two lines each of more than 2,000 inputs */

/* Writes the line, which ends with '\n', after those that wait, or lets it wait. same > 0: a waiting line that begins
 * with the same bytes is out of date, and is dropped. Returns false if the line is lost. */
bool log_queue_put(int fd, const char *line, size_t len, size_t same);

/* Writes lines that wait, as far as the file descriptor takes them. Returns true if none is left. */
bool log_queue_flush(int fd);

/* Returns true if no line waits. */
bool log_queue_is_empty(void);
/* Returns true if a line of that length could wait. */
bool log_queue_has_room(size_t len);
