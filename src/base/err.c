#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
    va_list args;

    err->kind = kind;
    err->wait_ms = 0;
    err->cause[0] = '\0';
    err->advice = NULL;
    va_start(args, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    utf8_make_line(err->text);
    return false;
}

bool err_blame(struct err *err, const struct err *as)
{
    memmove(err->cause, as->cause, sizeof(err->cause));
    err->responsible = as->responsible;
    err->advice = as->advice;
    return false;
}

bool err_prefix(struct err *err, const char *fmt, ...)
{
    char old[sizeof(err->text)];
    va_list args;
    size_t len;

    memcpy(old, err->text, sizeof(old));
    va_start(args, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    len = strlen(err->text);
    snprintf(err->text + len, sizeof(err->text) - len, ": %s", old);
    utf8_make_line(err->text);
    return false;
}
