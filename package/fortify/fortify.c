/* The functions that the compiler's checking built-ins call when it cannot tell at compile time that a copy fits. Added to
 * musl's libc.a, so that every library and the program find them as they would in glibc. */
#undef _FORTIFY_SOURCE
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Noreturn void __chk_fail(void);
void *__memcpy_chk(void *, const void *, size_t, size_t);
void *__memmove_chk(void *, const void *, size_t, size_t);
void *__memset_chk(void *, int, size_t, size_t);
char *__strcpy_chk(char *, const char *, size_t);
char *__stpcpy_chk(char *, const char *, size_t);
char *__strncpy_chk(char *, const char *, size_t, size_t);
char *__strcat_chk(char *, const char *, size_t);
char *__strncat_chk(char *, const char *, size_t, size_t);
int __snprintf_chk(char *, size_t, int, size_t, const char *, ...);
int __sprintf_chk(char *, int, size_t, const char *, ...);
int __vsnprintf_chk(char *, size_t, int, size_t, const char *, va_list);
int __vsprintf_chk(char *, int, size_t, const char *, va_list);

/* Memory is no longer to be trusted: one line by a bare system call, so that splunkd.log says why, and the end. */
_Noreturn void __chk_fail(void)
{
    static const char line[] = "FATAL buffer overflow stopped\n";

    if (write(2, line, sizeof(line) - 1) < 0)
        abort();
    abort();
}

static void fits(size_t len, size_t room)
{
    if (len > room)
        __chk_fail();
}

void *__memcpy_chk(void *to, const void *from, size_t len, size_t room)
{
    fits(len, room);
    return memcpy(to, from, len);
}

void *__memmove_chk(void *to, const void *from, size_t len, size_t room)
{
    fits(len, room);
    return memmove(to, from, len);
}

void *__memset_chk(void *to, int byte, size_t len, size_t room)
{
    fits(len, room);
    return memset(to, byte, len);
}

char *__strcpy_chk(char *to, const char *from, size_t room)
{
    size_t size = strlen(from) + 1;

    fits(size, room);
    return memcpy(to, from, size);
}

/* GCC turns a strcpy whose end is used into this one. */
char *__stpcpy_chk(char *to, const char *from, size_t room)
{
    size_t size = strlen(from) + 1;

    fits(size, room);
    memcpy(to, from, size);
    return to + size - 1;
}

char *__strncpy_chk(char *to, const char *from, size_t len, size_t room)
{
    fits(len, room);
    return strncpy(to, from, len);
}

char *__strcat_chk(char *to, const char *from, size_t room)
{
    size_t used = strlen(to), size = strlen(from) + 1;

    fits(size, room > used ? room - used : 0);
    memcpy(to + used, from, size);
    return to;
}

char *__strncat_chk(char *to, const char *from, size_t len, size_t room)
{
    size_t used = strlen(to), size = strnlen(from, len);

    fits(size + 1, room > used ? room - used : 0);
    memcpy(to + used, from, size);
    to[used + size] = '\0';
    return to;
}

int __vsnprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, va_list args)
{
    (void)flag;
    fits(size, room);
    return vsnprintf(to, size, format, args);
}

int __snprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = __vsnprintf_chk(to, size, flag, room, format, args);
    va_end(args);
    return len;
}

int __vsprintf_chk(char *to, int flag, size_t room, const char *format, va_list args)
{
    int len;

    (void)flag;
    len = vsnprintf(to, room > INT_MAX ? INT_MAX : room, format, args);     /* musl refuses a larger size */
    if (len >= 0)
        fits((size_t)len + 1, room);
    return len;
}

int __sprintf_chk(char *to, int flag, size_t room, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = __vsprintf_chk(to, flag, room, format, args);
    va_end(args);
    return len;
}
