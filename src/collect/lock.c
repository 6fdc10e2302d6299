#include "collect/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/mem.h"

struct lock_file {
    char *path;
    int   fd;
};

struct lock_file *lock_open(const char *dir, struct err *err)
{
    struct lock_file *lock = mem_alloc(sizeof(*lock));

    lock->path = mem_format("%s/defender_alerts.lock", dir);
    lock->fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock->fd < 0) {
        err_set(err, ERR_RETRY, "cannot open '%s': %s", lock->path, strerror(errno));
        lock_close(lock);
        return NULL;
    }
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

bool lock_input(struct lock_file *lock, const char *input_name, struct err *err)
{
    struct hash128 hash = hash128_of(input_name, strlen(input_name));
    struct flock range = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };

    range.l_start = (off_t)(hash.low >> 2);     /* 62 bits: a positive offset with room for the length */
    if (!fcntl(lock->fd, F_SETLK, &range))
        return true;
    if (errno != EACCES && errno != EAGAIN)
        return err_set(err, ERR_RETRY, "cannot lock '%s': %s", lock->path, strerror(errno));
    range.l_type = F_WRLCK;
    if (!fcntl(lock->fd, F_GETLK, &range) && range.l_type != F_UNLCK)
        return err_set(err, ERR_RETRY, "process %d still works on this input", (int)range.l_pid);
    return err_set(err, ERR_RETRY, "another process still works on this input");
}

bool lock_is_current(const struct lock_file *lock)
{
    struct stat held, named;

    return !fstat(lock->fd, &held) && !stat(lock->path, &named) && held.st_ino == named.st_ino &&
           held.st_dev == named.st_dev;
}
