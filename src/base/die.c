#include "base/die.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

#define READ_MOST_MS 300 /* splunkd reads its log at once, or is in trouble itself */

/* Writes the line after those that wait for stderr. Room for all of them is made first, since there may be no memory
 * for one more that waits. */
static void write_line(const char *fmt, va_list args)
{
    char text[LOG_LINE_MAX];
    int len = snprintf(text, sizeof(text), "event=fatal ");

    vsnprintf(text + len, sizeof(text) - (size_t)len, fmt, args);
    log_close(READ_MOST_MS);
    log_line(LOG_ERROR, text, 0);
}

void die_soon(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    write_line(fmt, args);
    va_end(args);
}

void die(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    write_line(fmt, args);
    va_end(args);
    log_close(READ_MOST_MS);
    exit(1);
}
