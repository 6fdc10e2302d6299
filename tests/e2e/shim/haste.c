/* Preloaded into the program by HastyCase in cases.py: its own clock and its waits go HASTE times as fast. libcurl's
 * clock, which is another one, stays. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

static long long haste(void)
{
    static long long factor;

    if (!factor)
        factor = getenv("HASTE") ? strtoll(getenv("HASTE"), NULL, 10) : 1;
    return factor;
}

int clock_gettime(clockid_t id, struct timespec *ret)
{
    static int (*real)(clockid_t, struct timespec *);
    static long long begun;
    long long now;
    int status;

    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    status = real(id, ret);
    if (status || id != CLOCK_BOOTTIME)
        return status;
    now = ret->tv_sec * 1000000000LL + ret->tv_nsec;
    if (!begun)
        begun = now;
    now = begun + (now - begun) * haste();
    ret->tv_sec = now / 1000000000;
    ret->tv_nsec = now % 1000000000;
    return 0;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    static int (*real)(struct pollfd *, nfds_t, int);

    if (!real)
        real = (int (*)(struct pollfd *, nfds_t, int))dlsym(RTLD_NEXT, "poll");
    return real(fds, count, timeout > 0 ? (int)((timeout + haste() - 1) / haste()) : timeout);
}
