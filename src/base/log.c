#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_queue.h"
#include "base/utf8.h"

static enum log_level lowest = LOG_INFO;
static unsigned long lost; /* lines, not yet told */
static void (*waits_fn)(void *ctx);
static void *waits_ctx;

const char *log_level_text(enum log_level level)
{
    static const char *const names[] = { "INFO", "WARN", "ERROR" };

    return names[level];
}

void log_set_level(enum log_level level)
{
    lowest = level;
}

bool log_has_level(enum log_level level)
{
    return level >= lowest;
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

bool log_flush(void)
{
    return log_queue_flush(STDERR_FILENO);
}

void log_close(int for_ms)
{
    struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };
    int64_t until_ms = clock_ms() + for_ms, left_ms;

    while (!log_flush() && (left_ms = until_ms - clock_ms()) > 0)
        if (poll(&fd, 1, (int)left_ms) < 0 && errno != EINTR)
            return;
}

void log_tell(void (*waits)(void *ctx), void *ctx)
{
    waits_fn = waits;
    waits_ctx = ctx;
}

unsigned long log_take_lost(void)
{
    unsigned long count = lost;

    if (!lost || !log_queue_has_room(LOG_LINE_MAX))
        return 0;
    lost = 0;
    return count;
}

const char *log_quoted(const char *text, char ret[LOG_QUOTED_MAX])
{
    char plain[LOG_QUOTED_MAX];
    const char *at;
    size_t len = 0;

    snprintf(plain, sizeof(plain), "%s", text);
    utf8_make_line(plain);
    ret[len++] = '"';
    for (at = plain; *at && len < LOG_QUOTED_MAX - 3; at++) {
        if (*at == '\\')
            ret[len++] = '\\';
        ret[len++] = *at;
        if (*at == '"')
            ret[len - 1] = '\'';
    }
    ret[len] = '\0';
    utf8_end_whole(ret);
    len = strlen(ret);
    ret[len] = '"';
    ret[len + 1] = '\0';
    return ret;
}

/* Ends a value in quotes that the end of the line cut off. There is room for one more byte. */
static void close_quote(char *line)
{
    size_t len = strlen(line), slashes = 0;
    bool inside = false;
    const char *at;

    for (at = line; (at = strchr(at, '"')); at++)
        inside = !inside;
    if (!inside)
        return;
    while (slashes < len && line[len - 1 - slashes] == '\\')
        slashes++;
    len -= slashes % 2; /* half an escape */
    line[len] = '"';
    line[len + 1] = '\0';
}

void log_line(enum log_level level, const char *text, size_t same)
{
    char line[LOG_LINE_MAX + 1];
    int saved = errno;
    size_t len;

    if (!log_has_level(level))
        return;
    snprintf(line, LOG_LINE_MAX - 1, "%s %s", log_level_text(level), text);
    utf8_make_line(line);
    close_quote(line);
    len = strlen(line);
    line[len++] = '\n';
    if (same)
        same += strlen(log_level_text(level)) + 1;
    if (!log_queue_put(STDERR_FILENO, line, len, same < len ? same : len))
        lost++;
    if (waits_fn && !log_queue_is_empty())
        waits_fn(waits_ctx);
    errno = saved;
}

void log_error(const char *fmt, ...)
{
    char text[LOG_LINE_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    log_line(LOG_ERROR, text, 0);
}
