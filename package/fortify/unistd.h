/* See string.h beside this file. */
#include_next <unistd.h>

#if defined(_FORTIFY_SOURCE) && _FORTIFY_SOURCE > 0 && defined(__OPTIMIZE__) && !defined(FORTIFY_UNISTD_H)
#define FORTIFY_UNISTD_H
#pragma GCC system_header
#include "fortify.h"

#undef read
#undef pread
#undef readlink
#undef getcwd

extern ssize_t fortify_read(int, void *, size_t) __asm__("read");
extern ssize_t fortify_pread(int, void *, size_t, off_t) __asm__("pread");
extern ssize_t fortify_readlink(const char *, char *, size_t) __asm__("readlink");
extern char *fortify_getcwd(char *, size_t) __asm__("getcwd");

FORTIFIED ssize_t read(int fd, void *to, size_t len)
{
    fortify_check(len, FORTIFY_ROOM(to));
    return fortify_read(fd, to, len);
}

FORTIFIED ssize_t pread(int fd, void *to, size_t len, off_t at)
{
    fortify_check(len, FORTIFY_ROOM(to));
    return fortify_pread(fd, to, len, at);
}

FORTIFIED ssize_t readlink(const char *path, char *to, size_t len)
{
    fortify_check(len, FORTIFY_FIELD(to));
    return fortify_readlink(path, to, len);
}

FORTIFIED char *getcwd(char *to, size_t len)
{
    fortify_check(len, FORTIFY_FIELD(to));
    return fortify_getcwd(to, len);
}
#endif
