#include "base/log_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct line {
    struct line *next;
    size_t len, done; /* bytes; done: written already, by a write that took a part */
    char text[];
};

static struct {
    struct line *first, *last;
    size_t bytes;
} queue;

/* Returns the bytes that were written; -1: the file descriptor takes none for good. */
static ssize_t put(int fd, const char *text, size_t len)
{
    ssize_t done;

    do
        done = write(fd, text, len);
    while (done < 0 && errno == EINTR);
    return done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : done;
}

/* Takes *slot out of the queue. before: the line in front of it; NULL: it is the first. */
static void drop(struct line **slot, struct line *before)
{
    struct line *line = *slot;

    *slot = line->next;
    if (queue.last == line)
        queue.last = before;
    queue.bytes -= line->len;
    free(line);
}

/* Drops the waiting line that begins as this one. One that is written in part stays. */
static void drop_same(const char *text, size_t same)
{
    struct line **slot, *before = NULL;

    for (slot = &queue.first; *slot; before = *slot, slot = &before->next) {
        if ((*slot)->len < same || (*slot)->done || memcmp((*slot)->text, text, same) != 0)
            continue;
        drop(slot, before);
        return;
    }
}

/* Plain malloc(): a log line is no reason to end the process. */
static bool append(const char *text, size_t len, size_t done)
{
    struct line *line = queue.bytes + len > LOG_WAITING_MOST && !done ? NULL : malloc(sizeof(*line) + len);

    if (!line)
        return false;
    *line = (struct line){ .len = len, .done = done };
    memcpy(line->text, text, len);
    if (queue.last)
        queue.last->next = line;
    else
        queue.first = line;
    queue.last = line;
    queue.bytes += len;
    return true;
}

bool log_queue_put(int fd, const char *line, size_t len, size_t same)
{
    ssize_t done = 0;

    if (log_queue_flush(fd))
        done = put(fd, line, len);
    else if (same)
        drop_same(line, same);
    if (done < 0)
        return false;
    return done == (ssize_t)len || append(line, len, (size_t)done);
}

bool log_queue_flush(int fd)
{
    struct line *line;
    ssize_t done;

    while ((line = queue.first)) {
        done = put(fd, line->text + line->done, line->len - line->done);
        if (done < 0) { /* nobody will read the others either */
            drop(&queue.first, NULL);
            continue;
        }
        line->done += (size_t)done;
        if (line->done < line->len)
            return false;
        drop(&queue.first, NULL);
    }
    return true;
}

bool log_queue_is_empty(void)
{
    return !queue.first;
}

bool log_queue_has_room(size_t len)
{
    return queue.bytes + len <= LOG_WAITING_MOST;
}
