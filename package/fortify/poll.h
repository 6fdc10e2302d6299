/* See string.h beside this file. */
#include_next <poll.h>

#if defined(_FORTIFY_SOURCE) && _FORTIFY_SOURCE > 0 && defined(__OPTIMIZE__) && !defined(FORTIFY_POLL_H)
#define FORTIFY_POLL_H
#pragma GCC system_header
#include "fortify.h"

#undef poll

extern int fortify_poll(struct pollfd *, nfds_t, int) __asm__("poll");

FORTIFIED int poll(struct pollfd *fds, nfds_t count, int wait_ms)
{
    fortify_check(count * sizeof(*fds), FORTIFY_ROOM(fds));
    return fortify_poll(fds, count, wait_ms);
}
#endif
