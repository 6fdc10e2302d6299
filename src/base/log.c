#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2000

static enum log_level lowest = LOG_INFO;
static unsigned long unwritten;     /* lines that a full pipe swallowed since the last one that got through */

static const char *const level_names[] = { "DEBUG", "INFO", "WARN", "ERROR" };

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

static PRINTF(2, 0) void put(enum log_level level, const char *fmt, va_list args)
{
    char line[LINE_MAX_BYTES + 2];
    size_t len, i;

    len = (size_t)snprintf(line, sizeof(line), "%s ", level_names[level]);
    vsnprintf(line + len, LINE_MAX_BYTES - len, fmt, args);
    len = strlen(line);
    for (i = 0; i < len; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = ' ';
    line[len++] = '\n';
    tell_unwritten();
    if (!put_line(line, len))
        unwritten++;
}

void log_line(enum log_level level, const char *fmt, ...)
{
    va_list args;
    int saved = errno;

    if (level < lowest)
        return;
    va_start(args, fmt);
    put(level, fmt, args);
    va_end(args);
    errno = saved;
}

void log_die(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    put(LOG_ERROR, fmt, args);
    va_end(args);
    exit(1);
}
