/* _FORTIFY_SOURCE for musl, whose headers know nothing of it: the compiler's checking built-ins, as glibc's headers use
 * them. Found before the C library's own header; see fortify.c for what runs when a check fails. */
#include_next <string.h>

#if defined(_FORTIFY_SOURCE) && _FORTIFY_SOURCE > 0 && defined(__OPTIMIZE__) && !defined(FORTIFY_STRING_H)
#define FORTIFY_STRING_H
#pragma GCC system_header
#include "fortify.h"

#undef memcpy
#undef memmove
#undef memset
#undef strcpy
#undef strncpy
#undef strcat
#undef strncat

FORTIFIED void *memcpy(void *to, const void *from, size_t len)
{
    return __builtin___memcpy_chk(to, from, len, FORTIFY_ROOM(to));
}

FORTIFIED void *memmove(void *to, const void *from, size_t len)
{
    return __builtin___memmove_chk(to, from, len, FORTIFY_ROOM(to));
}

FORTIFIED void *memset(void *to, int byte, size_t len)
{
    return __builtin___memset_chk(to, byte, len, FORTIFY_ROOM(to));
}

FORTIFIED char *strcpy(char *to, const char *from)
{
    return __builtin___strcpy_chk(to, from, FORTIFY_FIELD(to));
}

FORTIFIED char *strncpy(char *to, const char *from, size_t len)
{
    return __builtin___strncpy_chk(to, from, len, FORTIFY_FIELD(to));
}

FORTIFIED char *strcat(char *to, const char *from)
{
    return __builtin___strcat_chk(to, from, FORTIFY_FIELD(to));
}

FORTIFIED char *strncat(char *to, const char *from, size_t len)
{
    return __builtin___strncat_chk(to, from, len, FORTIFY_FIELD(to));
}
#endif
