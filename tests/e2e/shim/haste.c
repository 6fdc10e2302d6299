/* Preloaded into the program by HastyCase in cases.py: its own clock and its waits go HASTE times as fast. libcurl's
 * clock, which is another one, stays. HASTE_JUMP: a file of eight bytes, the seconds by which that clock is ahead besides:
 * a test writes them when a day or a week is to be over. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static long long haste(void)
{
    static long long factor;

    if (!factor)
        factor = getenv("HASTE") ? strtoll(getenv("HASTE"), NULL, 10) : 1;
    return factor;
}

static long long ahead_s(void)
{
    static const volatile long long *seconds;
    const char *path = getenv("HASTE_JUMP");
    void *mapped;
    int fd;

    if (!seconds && path) {
        fd = open(path, O_RDONLY | O_CLOEXEC);
        mapped = mmap(NULL, sizeof(*seconds), PROT_READ, MAP_SHARED, fd, 0);
        if (mapped == MAP_FAILED)
            abort();
        close(fd);
        seconds = mapped;
    }
    return seconds ? *seconds : 0;
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
    now = begun + (now - begun) * haste() + ahead_s() * 1000000000LL;
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
