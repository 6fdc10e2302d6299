/* See ../string.h. */
#include_next <sys/socket.h>

#if defined(_FORTIFY_SOURCE) && _FORTIFY_SOURCE > 0 && defined(__OPTIMIZE__) && !defined(FORTIFY_SOCKET_H)
#define FORTIFY_SOCKET_H
#pragma GCC system_header
#include "../fortify.h"

#undef recv
#undef recvfrom

extern ssize_t fortify_recv(int, void *, size_t, int) __asm__("recv");
extern ssize_t fortify_recvfrom(int, void *__restrict, size_t, int, struct sockaddr *__restrict,
                                socklen_t *__restrict) __asm__("recvfrom");

FORTIFIED ssize_t recv(int fd, void *to, size_t len, int flags)
{
    fortify_check(len, FORTIFY_ROOM(to));
    return fortify_recv(fd, to, len, flags);
}

FORTIFIED ssize_t recvfrom(int fd, void *__restrict to, size_t len, int flags, struct sockaddr *__restrict from,
                           socklen_t *__restrict from_len)
{
    fortify_check(len, FORTIFY_ROOM(to));
    return fortify_recvfrom(fd, to, len, flags, from, from_len);
}
#endif
