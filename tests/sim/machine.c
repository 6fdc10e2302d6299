/* The process, as the kernel sees it: clocks, random bytes, pipes, signals, its end. The linker redirects the program's
 * system calls to __wrap_*().
 *
 * A process that was killed is still there as code: it is let run to the end of run_inputs(), so that its memory is
 * freed and can be checked for leaks, but none of its calls has an effect any more, and its clock is its own. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"

static bool dead, power_lost;
static int64_t calls_left = -1;   /* until the kill; -1: none is planned */
static int64_t changes_left = -1; /* the same, but only those that rename, link or unlink a file */
static int64_t dead_ms;
static bool woken;
static bool orphan;
static void (*on_term)(int);
static size_t config_read;
static struct rng bytes_luck;
static int64_t last_round, idle_rounds;

void machine_boot(void)
{
    dead = power_lost = woken = orphan = false;
    calls_left = changes_left = -1;
    dead_ms = 0;
    on_term = NULL;
    config_read = 0;
    if (!bytes_luck.state)
        bytes_luck = rng_of(plan.seed, "bytes", 0);
}

void machine_end(void)
{
    on_term = NULL;
    disk_process_ends();
}

bool machine_alive(void)
{
    return on_term && !dead;
}

bool machine_dead(void)
{
    return dead;
}

bool machine_lost_power(void)
{
    return power_lost;
}

static void die_now(void)
{
    dead = true;
    dead_ms = now();
    calls_left = changes_left = -1;
    counts->kills++;
    trace("%s", power_lost ? "power is lost" : "SIGKILL");
    disk_process_ends();
    ledger_killed(repeats_within(power_lost));
}

void machine_kill(int64_t calls, bool power)
{
    if (dead)
        return;
    power_lost = power;
    calls_left = calls;
    if (!calls)
        die_now();
}

void machine_kill_at_change(int64_t changes, bool power)
{
    if (dead)
        return;
    power_lost = power;
    changes_left = changes;
}

void machine_spare(void)
{
    if (!dead)
        calls_left = changes_left = -1;
}

void machine_orphan(void)
{
    orphan = true;
}

bool machine_term(void)
{
    if (!machine_alive())
        return false;
    trace("SIGTERM");
    on_term(SIGTERM);
    return true;
}

bool machine_call(void)
{
    if (!dead && calls_left > 0 && --calls_left == 0)
        die_now();
    return !dead;
}

bool machine_change(void)
{
    if (!dead && changes_left > 0 && --changes_left == 0)
        die_now();
    return machine_call();
}

int64_t machine_dead_time(int64_t passes)
{
    return dead_ms += passes;
}

bool machine_ready(void)
{
    return dead || curl_ready();
}

/* Waiting. */

static const struct pollfd *waiting_for;
static size_t waiting_count;

static short state_of(int fd, short events)
{
    short ret = 0;

    if ((events & POLLIN) && fd_readable(fd))
        ret |= POLLIN;
    if ((events & POLLOUT) && fd_writable(fd))
        ret |= POLLOUT;
    if (fd_hung_up(fd))
        ret |= POLLERR;
    return ret;
}

static bool any_ready(void)
{
    for (size_t i = 0; i < waiting_count; i++)
        if (state_of(waiting_for[i].fd, waiting_for[i].events))
            return true;
    return dead;
}

static bool any_ready_or_transfer(void)
{
    return any_ready() || curl_ready();
}

int machine_wait(struct pollfd *fds, size_t count, int64_t wait, bool transfers)
{
    int ready = 0;

    if (!dead) {
        waiting_for = fds;
        waiting_count = count;
        world_run(now() + wait, transfers ? any_ready_or_transfer : any_ready);
    }
    if (dead)
        dead_ms += wait > 0 ? wait : 1;
    for (size_t i = 0; i < count; i++) {
        fds[i].revents = state_of(fds[i].fd, fds[i].events);
        ready += fds[i].revents != 0;
    }
    return ready;
}

bool fd_readable(int fd)
{
    return fd == FD_WAKE_READ ? woken || dead : fd == FD_WRITER && writer_ready();
}

bool fd_writable(int fd)
{
    return fd == STDOUT_FILENO ? pipe_has_room() : fd == STDERR_FILENO;
}

bool fd_hung_up(int fd)
{
    return fd == STDOUT_FILENO && pipe_closed();
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int wait)
{
    return machine_wait(fds, count, wait < 0 ? DAY : wait, false);
}

int __wrap_usleep(useconds_t us)
{
    machine_wait(NULL, 0, (int64_t)us / 1000, false);
    return 0;
}

/* Clocks and random bytes. */

int __wrap_clock_gettime(clockid_t id, struct timespec *ret)
{
    int64_t ms = dead ? machine_dead_time(1) : now();

    if (id == CLOCK_REALTIME)
        ms = wall_of(ms) + wall_shift;
    ret->tv_sec = ms / 1000;
    ret->tv_nsec = ms % 1000 * 1000000;
    return 0;
}

static void fill(unsigned char *to, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (unsigned char)rng_next(&bytes_luck);
}

ssize_t __wrap_getrandom(void *to, size_t len, unsigned flags)
{
    (void)flags;
    fill(to, len);
    return (ssize_t)len;
}

int __wrap_RAND_bytes(unsigned char *to, int len)
{
    fill(to, (size_t)len);
    return 1;
}

/* Signals and the parent. */

int __wrap_sigaction(int number, const struct sigaction *action, struct sigaction *before)
{
    (void)before;
    if (number == SIGTERM)
        on_term = action->sa_handler;
    return 0;
}

pid_t __wrap_getppid(void)
{
    return orphan ? 1 : 4242;
}

int __wrap_pipe2(int fds[2], int flags)
{
    (void)flags;
    fds[0] = FD_WAKE_READ;
    fds[1] = FD_WAKE_WRITE;
    return 0;
}

/* The metrics count the process's own descriptors and memory, which are not the world's. */
DIR *__wrap_opendir(const char *path)
{
    (void)path;
    return NULL;
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
    return strcmp(path, "/proc/self/statm") ? __real_fopen(path, mode) : NULL;
}

/* Descriptors. */

static ssize_t read_config(char *to, size_t len)
{
    const char *config = splunkd_config();
    size_t left = strlen(config) - config_read;

    len = len < left ? len : left;
    memcpy(to, config + config_read, len);
    config_read += len;
    return (ssize_t)len;
}

ssize_t __wrap_read(int fd, void *to, size_t len)
{
    if (fd == STDIN_FILENO)
        return read_config(to, len);
    return fd >= FD_DISK ? disk_read(fd, to, len) : __real_read(fd, to, len);
}

static ssize_t write_event(const char *bytes, size_t len)
{
    int64_t done = machine_call() ? pipe_write(bytes, len) : -2;

    if (done >= 0)
        return (ssize_t)done;
    errno = done == -1 ? EAGAIN : EPIPE;
    return -1;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
    if (fd == STDOUT_FILENO)
        return write_event(bytes, len);
    if (fd == STDERR_FILENO) {
        if (!dead)
            log_write(bytes, len);
        return (ssize_t)len;
    }
    if (fd == FD_WAKE_WRITE) {
        woken = true;
        return (ssize_t)len;
    }
    return fd >= FD_DISK ? disk_write(fd, bytes, len) : __real_write(fd, bytes, len);
}

int __wrap_close(int fd)
{
    if (fd >= FD_DISK)
        return disk_close(fd);
    return fd >= FD_WAKE_READ ? 0 : __real_close(fd);
}

int __wrap_fstat(int fd, struct stat *st)
{
    if (fd >= FD_DISK)
        return disk_fstat(fd, st);
    memset(st, 0, sizeof(*st));
    st->st_mode = S_IFIFO;
    return 0;
}

int __wrap_fcntl(int fd, int command, ...)
{
    va_list args;
    void *lock;

    if (fd >= FD_WAKE_READ || fd <= STDERR_FILENO) /* flags of pipes; locks, which no other process has */
        return 0;
    va_start(args, command);
    lock = va_arg(args, void *);
    va_end(args);
    return __real_fcntl(fd, command, lock); /* gcov's own files */
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
    va_list args;

    (void)fd;
    va_start(args, request);
    if (request == FIONREAD)
        *va_arg(args, int *) = (int)pipe_unread();
    va_end(args);
    return 0;
}

/* The loop has gone round. Its first rounds at one moment are work; many of them are a loop that spins. */
void check_round(void)
{
    counts->rounds++;
    if (dead)
        return;
    idle_rounds = now() == last_round ? idle_rounds + 1 : 0;
    last_round = now();
    if (idle_rounds > 20000)
        broken("no_busy_loop", "the loop went round %lld times at one moment", (long long)idle_rounds);
}
