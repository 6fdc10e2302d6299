#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define READ_STEP 65536

static bool fail(struct err *err, const char *what, const char *path)
{
    int saved = errno;

    err_set(err, ERR_RETRY, "cannot %s '%s': %s", what, path, strerror(saved));
    errno = saved;
    return false;
}

static bool read_all(int fd, const char *path, struct buf *ret, struct err *err)
{
    size_t step, room;
    ssize_t got;
    char *to, more;

    for (;;) {
        room = ret->limit - ret->len;
        step = room < READ_STEP ? room : READ_STEP;
        to = buf_room(ret, step);
        got = step ? read(fd, to, step) : read(fd, &more, 1); /* full: the file must end here */
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(err, "read", path);
        if (got == 0)
            break;
        if (!step)
            return err_set(err, ERR_INPUT, "'%s' is larger than %zu bytes", path, ret->limit);
        ret->len += (size_t)got;
    }
    ret->data[ret->len] = '\0';
    return true;
}

bool file_read(const char *path, struct buf *ret, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok;

    if (fd < 0)
        return fail(err, "open", path);
    ok = read_all(fd, path, ret, err);
    close(fd);
    return ok;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    ssize_t done;

    while (len) {
        done = write(fd, bytes, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        bytes += done;
        len -= (size_t)done;
    }
    return true;
}

/* Creates the file in the place of one that a crash left. A thread that still writes to that one does no harm. */
static int create(const char *path)
{
    static const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    int fd = open(path, flags, 0600);

    if (fd >= 0 || errno != EEXIST)
        return fd;
    unlink(path);
    return open(path, flags, 0600);
}

bool file_write(const char *path, const char *bytes, size_t len, bool sync, struct err *err)
{
    int fd = create(path);

    if (fd < 0)
        return fail(err, "create", path);
    if (!write_all(fd, bytes, len) || (sync && fdatasync(fd))) {
        fail(err, "write", path);
        close(fd);
        return false;
    }
    if (close(fd))
        return fail(err, "write", path);
    return true;
}

bool file_rename(const char *from, const char *to, struct err *err)
{
    return !rename(from, to) || fail(err, "replace", to);
}

bool file_try(const char *path, const char *bytes, size_t len, struct err *err)
{
    CLEANUP(mem_freep) char *trial = mem_format("%s.try", path);
    bool ok = file_write(trial, bytes, len, false, err);
    int saved = errno;

    unlink(trial);
    errno = saved;
    return ok;
}

bool file_replace(const char *path, const char *bytes, size_t len, bool sync, struct err *err)
{
    CLEANUP(mem_freep) char *temp = mem_format("%s.tmp", path);

    return file_write(temp, bytes, len, sync, err) && file_rename(temp, path, err);
}

bool file_make_folder(const char *path, struct err *err)
{
    CLEANUP(mem_freep) char *part = mem_text(path);
    struct stat st;
    char *slash;

    if (!*path) {
        errno = ENOENT;
        return fail(err, "create folder", path);
    }
    for (slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0700) && errno != EEXIST)
            return fail(err, "create folder", part);
        *slash = '/';
    }
    if (mkdir(path, 0700) && errno != EEXIST)
        return fail(err, "create folder", path);
    if (stat(path, &st) || !S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return fail(err, "use as a folder", path);
    }
    return true;
}

bool file_readable(const char *path)
{
    return access(path, R_OK) == 0;
}

bool file_is_shared(const char *path)
{
    struct stat st;

    if (stat(path, &st) || !S_ISREG(st.st_mode))
        return false;
    return (st.st_mode & (S_IROTH | S_IWOTH)) || ((st.st_mode & (S_IRGRP | S_IWGRP)) && st.st_gid != getegid());
}

/* Fills a new file and gives it the place of the old one. */
static bool take_place(int fd, const char *from, const char *path, const char *bytes, size_t len, struct err *err)
{
    struct stat st, own;

    if (stat(path, &st) || fstat(fd, &own))
        return fail(err, "look at", path);
    if ((st.st_uid != own.st_uid || st.st_gid != own.st_gid) && fchown(fd, st.st_uid, st.st_gid))
        return fail(err, "keep the owner of", path);
    if (!write_all(fd, bytes, len) || fchmod(fd, st.st_mode & 07777) || fsync(fd))
        return fail(err, "write", from);
    return file_rename(from, path, err);
}

bool file_rewrite(const char *path, const char *bytes, size_t len, struct err *err)
{
    CLEANUP(mem_freep) char *real = realpath(path, NULL);
    CLEANUP(mem_freep) char *from = NULL;
    bool ok;
    int fd;

    if (!real)
        return fail(err, "find", path);
    from = mem_format("%s.XXXXXX", real);
    fd = mkostemp(from, O_CLOEXEC);
    if (fd < 0)
        return fail(err, "create", from);
    ok = take_place(fd, from, real, bytes, len, err);
    if (!ok)
        unlink(from);
    close(fd);
    return ok;
}
