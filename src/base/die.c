#include "base/die.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1000

static void write_line(const char *fmt, va_list args)
{
    char line[LINE_MAX_BYTES] = "ERROR event=fatal ";
    size_t len = strlen(line);
    ssize_t ignored UNUSED;

    vsnprintf(line + len, sizeof(line) - len - 1, fmt, args);
    len = strlen(line);
    line[len++] = '\n';
    ignored = write(STDERR_FILENO, line, len);
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
    exit(1);
}
