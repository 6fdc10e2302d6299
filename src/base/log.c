#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define LINE_MAX_BYTES 2000

static enum log_level lowest = LOG_INFO;
static unsigned long unwritten;     /* lines that a full pipe swallowed since the last one that got through */

void log_set_level(enum log_level level)
{
    lowest = level;
}

void log_init(void)
{
    struct stat st;
    int flags;

    if (fstat(STDERR_FILENO, &st) || !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
        return;
    flags = fcntl(STDERR_FILENO, F_GETFL);
    if (flags >= 0)
        fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
}

static bool put_line(const char *line, size_t len)
{
    ssize_t done;

    do
        done = write(STDERR_FILENO, line, len);
    while (done < 0 && errno == EINTR);
    return done == (ssize_t)len;
}

static void tell_unwritten(void)
{
    char line[128];
    int len;

    if (!unwritten)
        return;
    len = snprintf(line, sizeof(line), "WARN %lu log lines were lost because nobody read stderr\n", unwritten);
    if (put_line(line, (size_t)len))
        unwritten = 0;
}

/* No memory is asked for: one of these lines says that there is none. entry: NULL for a line without an event. */
static PRINTF(3, 0) void put(enum log_level level, const struct event_entry *entry, const char *fmt, va_list args)
{
    char line[LINE_MAX_BYTES + 2];
    size_t len;

    len = (size_t)snprintf(line, sizeof(line), "%s %s%s%s", log_level_text(level), entry ? "event=" : "",
                           entry ? entry->word : "", entry ? " " : "");
    vsnprintf(line + len, LINE_MAX_BYTES - len, fmt, args);
    if (entry && entry->advised)
        remedy_append(line, LINE_MAX_BYTES, entry->responsible, entry->advice);
    text_make_line(line);
    len = strlen(line);
    line[len++] = '\n';
    tell_unwritten();
    if (!put_line(line, len))
        unwritten++;
}

void log_event(enum event event, const char *fmt, ...)
{
    const struct event_entry *entry = &event_table[event];
    va_list args;
    int saved = errno;

    if (entry->level < lowest)
        return;
    va_start(args, fmt);
    put(entry->level, entry, fmt, args);
    va_end(args);
    errno = saved;
}

void log_error(const char *fmt, ...)
{
    va_list args;
    int saved = errno;

    va_start(args, fmt);
    put(LOG_ERROR, NULL, fmt, args);
    va_end(args);
    errno = saved;
}

void log_die(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    put(LOG_ERROR, &event_table[EVENT_FATAL], fmt, args);
    va_end(args);
    exit(1);
}
