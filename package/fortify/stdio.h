/* See string.h beside this file. */
#include_next <stdio.h>

#if defined(_FORTIFY_SOURCE) && _FORTIFY_SOURCE > 0 && defined(__OPTIMIZE__) && !defined(FORTIFY_STDIO_H)
#define FORTIFY_STDIO_H
#pragma GCC system_header
#include "fortify.h"

#undef snprintf
#undef sprintf
#undef vsnprintf
#undef vsprintf
#undef fgets
#undef fread

FORTIFIED_VARIADIC int snprintf(char *to, size_t size, const char *format, ...)
{
    return __builtin___snprintf_chk(to, size, 0, FORTIFY_FIELD(to), format, __builtin_va_arg_pack());
}

FORTIFIED_VARIADIC int sprintf(char *to, const char *format, ...)
{
    return __builtin___sprintf_chk(to, 0, FORTIFY_FIELD(to), format, __builtin_va_arg_pack());
}

FORTIFIED int vsnprintf(char *to, size_t size, const char *format, __builtin_va_list args)
{
    return __builtin___vsnprintf_chk(to, size, 0, FORTIFY_FIELD(to), format, args);
}

FORTIFIED int vsprintf(char *to, const char *format, __builtin_va_list args)
{
    return __builtin___vsprintf_chk(to, 0, FORTIFY_FIELD(to), format, args);
}

extern char *fortify_fgets(char *, int, FILE *) __asm__("fgets");
extern size_t fortify_fread(void *, size_t, size_t, FILE *) __asm__("fread");

FORTIFIED char *fgets(char *to, int size, FILE *file)
{
    if (size > 0)
        fortify_check((size_t)size, FORTIFY_FIELD(to));
    return fortify_fgets(to, size, file);
}

FORTIFIED size_t fread(void *to, size_t size, size_t count, FILE *file)
{
    size_t len;

    fortify_check(__builtin_mul_overflow(size, count, &len) ? (size_t)-2 : len, FORTIFY_ROOM(to));
    return fortify_fread(to, size, count, file);
}
#endif
