#include "state/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"

#define HOST_BYTE ((off_t)1 << 62) /* after every input's */

struct lock_file {
    char *path;
    int fd;
    int64_t idle_ms;
};

/* Of the file as it is before anybody here touches it. */
static int64_t idle_ms(int fd)
{
    struct stat held;
    int64_t idle;

    if (fstat(fd, &held))
        return 0;
    idle = clock_wall_ms() - ((int64_t)held.st_mtim.tv_sec * 1000 + held.st_mtim.tv_nsec / 1000000);
    return idle > 0 ? idle : 0; /* a clock that was set back says nothing */
}

/* Opens the file or creates it, and says which. Returns -1 with errno EEXIST for anything that is not a regular file. */
static int open_file(const char *path, bool *is_new)
{
    static const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    int fd = open(path, flags | O_EXCL, 0600);
    struct stat held;

    *is_new = fd >= 0;
    if (fd >= 0 || errno != EEXIST)
        return fd;
    fd = open(path, flags, 0600);
    if (fd >= 0 && !fstat(fd, &held) && S_ISREG(held.st_mode))
        return fd;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 || errno == ENXIO || errno == ELOOP || errno == EISDIR) /* a socket, a link, a folder */
        errno = EEXIST;
    return -1;
}

struct lock_file *lock_open(const char *dir, struct err *err)
{
    struct lock_file *lock = mem_alloc(sizeof(*lock));
    bool is_new, irregular = false;

    lock->path = mem_format("%s/defender_alerts.lock", dir);
    lock->fd = open_file(lock->path, &is_new);
    if (lock->fd < 0 && errno == EEXIST) { /* it would stop every input */
        irregular = remove(lock->path) != 0;
        lock->fd = irregular ? -1 : open_file(lock->path, &is_new);
    }
    if (lock->fd < 0) {
        err_set(err, ERR_RETRY, "cannot open '%s': %s", lock->path,
                irregular ? "it is not a regular file" : strerror(errno));
        lock_close(lock);
        return NULL;
    }
    lock->idle_ms = is_new ? -1 : idle_ms(lock->fd);
    return lock;
}

void lock_close(struct lock_file *lock)
{
    if (!lock)
        return;
    if (lock->fd >= 0)
        close(lock->fd);
    free(lock->path);
    free(lock);
}

int64_t lock_idle_ms(const struct lock_file *lock)
{
    return lock->idle_ms;
}

void lock_touch(struct lock_file *lock)
{
    futimens(lock->fd, NULL);
}

/* Sets or asks for a lock that belongs to the open file: closing another descriptor of the same file does not release
 * it. Kernels before 3.15 have only locks that belong to the process. */
static int control(const struct lock_file *lock, bool set, struct flock *range)
{
    int status = fcntl(lock->fd, set ? F_OFD_SETLK : F_OFD_GETLK, range);

    if (status < 0 && errno == EINVAL)
        status = fcntl(lock->fd, set ? F_SETLK : F_GETLK, range);
    return status;
}

/* Returns the input's byte of the file. */
static struct flock byte_of(const char *input_name, short type)
{
    struct hash128 hash = hash128_of(input_name, strlen(input_name));

    return (struct flock){ .l_type = type,
                           .l_whence = SEEK_SET,
                           .l_len = 1,
                           .l_start = (off_t)(hash.low >> 2) }; /* 62 bits: positive, with room for the length */
}

bool lock_input(struct lock_file *lock, const char *input_name, struct err *err)
{
    struct flock range = byte_of(input_name, F_WRLCK);

    if (!control(lock, true, &range))
        return true;
    if (errno != EACCES && errno != EAGAIN)
        return err_set(err, ERR_RETRY, "cannot lock '%s': %s", lock->path, strerror(errno));
    range.l_type = F_WRLCK;
    if (!control(lock, false, &range) && range.l_type != F_UNLCK && range.l_pid > 0) /* -1: of an open file */
        return err_set(err, ERR_RETRY, "process %d still works on this input", (int)range.l_pid);
    return err_set(err, ERR_RETRY, "another process still works on this input");
}

bool lock_host(struct lock_file *lock, struct err *err)
{
    struct flock range = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1, .l_start = HOST_BYTE };

    if (!control(lock, true, &range))
        return true;
    if (errno != EACCES && errno != EAGAIN)
        return err_set(err, ERR_RETRY, "cannot lock '%s': %s", lock->path, strerror(errno));
    return err_set(err, ERR_RETRY, "another process of this host still shares its inputs with other forwarders");
}

void lock_release_input(struct lock_file *lock, const char *input_name)
{
    struct flock range = byte_of(input_name, F_UNLCK);

    control(lock, true, &range);
}

bool lock_is_current(const struct lock_file *lock)
{
    struct stat held, named;

    return !fstat(lock->fd, &held) && !stat(lock->path, &named) && held.st_ino == named.st_ino &&
           held.st_dev == named.st_dev;
}
