#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

#define READ_STEP 65536
#define NEW_FILE  (O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW)

static bool fail(struct err *err, const char *what, const char *path)
{
    int saved = errno;

    err_set(err, ERR_RETRY, "cannot %s '%s': %s", what, path, strerror(saved));
    errno = saved;
    return false;
}

static const char *kind_of(mode_t mode)
{
    return S_ISDIR(mode) ? "a folder" : S_ISFIFO(mode) ? "a named pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
}

static bool is_regular(const struct stat *st, const char *path, struct err *err)
{
    if (S_ISREG(st->st_mode))
        return true;
    err_set(err, ERR_RETRY, "cannot open '%s': it is %s, not a file", path, kind_of(st->st_mode));
    errno = EINVAL;
    return false;
}

/* Opens a regular file. Looks before it opens, as opening a device can have effects, and again afterwards, as the file
 * may have been replaced meanwhile: O_NONBLOCK keeps even that from waiting. Returns -1 with err. */
static int open_regular(const char *path, struct stat *st, struct err *err)
{
    int fd;

    if (stat(path, st)) {
        fail(err, "open", path);
        return -1;
    }
    if (!is_regular(st, path, err))
        return -1;
    if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) < 0) {
        fail(err, "open", path);
        return -1;
    }
    if (!fstat(fd, st) && is_regular(st, path, err))
        return fd;
    close(fd);
    return -1;
}

static bool is_too_large(const struct stat *st, size_t limit)
{
    return st->st_size > 0 && (uintmax_t)st->st_size > limit;
}

static bool too_large(const char *path, size_t limit, struct err *err)
{
    errno = EFBIG;
    return err_set(err, ERR_INPUT, "'%s' is larger than %zu bytes", path, limit);
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
            return too_large(path, ret->limit, err);
        ret->len += (size_t)got;
    }
    ret->data[ret->len] = '\0';
    return true;
}

bool file_read(const char *path, struct buf *ret, struct err *err)
{
    struct stat st;
    int fd = open_regular(path, &st, err);
    bool ok;

    if (fd < 0)
        return false;
    ok = is_too_large(&st, ret->limit - ret->len) ? too_large(path, ret->limit, err) : read_all(fd, path, ret, err);
    close(fd);
    return ok;
}

/* Returns the number of the descriptor that the path names; -1: it names a file. */
static int descriptor_of(const char *path)
{
    static const char *const folders[] = { "/dev/fd/", "/proc/self/fd/" };
    int64_t number;
    size_t i;

    if (text_same(path, "/dev/stdin"))
        return STDIN_FILENO;
    for (i = 0; i < COUNT_OF(folders); i++)
        if (text_starts(path, folders[i]) && text_int64(path + strlen(folders[i]), 0, INT_MAX, &number))
            return (int)number;
    return -1;
}

bool file_read_passed(const char *path, struct buf *ret, struct err *err)
{
    int fd = descriptor_of(path);

    return fd < 0 ? file_read(path, ret, err) : read_all(fd, path, ret, err);
}

bool file_usable(const char *path, size_t limit, struct err *err)
{
    struct stat st;
    int fd = open_regular(path, &st, err);

    if (fd < 0)
        return false;
    close(fd);
    if (!st.st_size)
        return err_set(err, ERR_INPUT, "'%s' is empty", path);
    return !is_too_large(&st, limit) || too_large(path, limit, err);
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
    int fd = open(path, NEW_FILE, 0600);

    if (fd >= 0 || errno != EEXIST)
        return fd;
    unlink(path);
    return open(path, NEW_FILE, 0600);
}

/* Writes to the new file and closes it. */
static bool fill(int fd, const char *path, const char *bytes, size_t len, bool sync, struct err *err)
{
    if (!write_all(fd, bytes, len) || (sync && fdatasync(fd))) {
        fail(err, "write", path);
        close(fd);
        return false;
    }
    return !close(fd) || fail(err, "write", path);
}

bool file_write(const char *path, const char *bytes, size_t len, bool sync, struct err *err)
{
    int fd = create(path);

    return fd < 0 ? fail(err, "create", path) : fill(fd, path, bytes, len, sync, err);
}

bool file_create(const char *path, const char *bytes, size_t len, struct err *err)
{
    int fd = open(path, NEW_FILE, 0600), saved;

    if (fd < 0)
        return fail(err, "create", path);
    if (fill(fd, path, bytes, len, true, err))
        return true;
    saved = errno;
    unlink(path);
    errno = saved;
    return false;
}

bool file_rename(const char *from, const char *to, struct err *err)
{
    return !rename(from, to) || fail(err, "replace", to);
}

static const char *kept_name(char ret[PATH_MAX], const char *path)
{
    int len = snprintf(ret, PATH_MAX, "%s.before", path);

    return len < PATH_MAX ? ret : NULL;
}

bool file_rename_kept(const char *from, const char *to, bool synced, struct err *err)
{
    char name[PATH_MAX];
    const char *kept = kept_name(name, to);

    if (kept && !synced)
        (void)!link(to, kept); /* one that is there already was synced, and stays */
    if (!file_rename(from, to, err))
        return false;
    if (kept && synced)
        unlink(kept);
    return true;
}

bool file_has_kept(const char *path)
{
    char name[PATH_MAX];
    const char *kept = kept_name(name, path);

    return kept && !access(kept, F_OK);
}

bool file_put_aside(const char *path, const char *aside)
{
    char name[PATH_MAX];
    const char *kept = kept_name(name, path);

    unlink(aside);
    if (kept && !link(path, aside) && !rename(kept, path))
        return true;
    unlink(aside); /* a rename between two names of one file does nothing */
    return !rename(path, aside);
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
