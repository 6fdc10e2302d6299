#include "base/die.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1000

void die(const char *fmt, ...)
{
    char line[LINE_MAX_BYTES] = "ERROR event=fatal ";
    size_t len = strlen(line);
    va_list args;
    ssize_t ignored UNUSED;

    va_start(args, fmt);
    vsnprintf(line + len, sizeof(line) - len - 1, fmt, args);
    va_end(args);
    len = strlen(line);
    line[len++] = '\n';
    ignored = write(STDERR_FILENO, line, len);
    exit(1);
}
