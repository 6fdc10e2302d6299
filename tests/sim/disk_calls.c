/* The disk's system calls. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"

static const char *const fixed[] = { "/sim/ca.pem", SIM_HOME "/etc/auth/cacert.pem" };

static bool is_ours(const char *path)
{
    return !strncmp(path, "/sim/", 5);
}

static bool is_folder(const char *path)
{
    return !strcmp(path, SIM_FOLDER) || !strcmp(path, "/sim");
}

static int fail(int error)
{
    errno = error;
    return -1;
}

static int open_inode(struct inode *inode)
{
    for (int i = 0; i < OPEN_MOST; i++) {
        if (disk.open_files[i])
            continue;
        disk.open_files[i] = inode_keep(inode);
        disk.read_at[i] = 0;
        return FD_DISK + i;
    }
    broken("descriptors", "the program has %d files open at a time", OPEN_MOST);
}

static bool is_fixed(const char *path)
{
    for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
        if (!strcmp(path, fixed[i]))
            return true;
    return false;
}

static int open_fixed(void)
{
    static struct inode *content;

    if (!content) {
        content = inode_keep(inode_new());
        text_say(&content->bytes, "-----BEGIN CERTIFICATE-----\n");
    }
    return open_inode(content);
}

int __wrap_open(const char *path, int flags, ...)
{
    struct entry *entry = disk_find(path);
    bool creates = flags & O_CREAT;
    struct inode *inode;

    if (!creates && is_fixed(path))
        return open_fixed();
    if (!is_ours(path) && strstr(path, ".gcda")) /* COVERAGE=1 */
        return __real_open(path, flags, 0644);
    if (!is_ours(path))
        return fail(ENOENT);
    if (creates && !machine_call())
        return fail(EIO);
    if (disk.failing && creates)
        return fail(disk.failing);
    if (entry && (flags & O_EXCL))
        return fail(EEXIST);
    if (!entry && (!creates || !disk.folder))
        return fail(ENOENT);
    if (entry)
        return open_inode(entry->inode);
    inode = inode_new();
    disk_change(path, inode);
    return open_inode(inode);
}

ssize_t disk_read(int fd, void *to, size_t len)
{
    struct inode *inode = disk.open_files[fd - FD_DISK];
    size_t left = inode->bytes.len - disk.read_at[fd - FD_DISK];

    len = len < left ? len : left;
    memcpy(to, inode->bytes.data + disk.read_at[fd - FD_DISK], len);
    disk.read_at[fd - FD_DISK] += len;
    return (ssize_t)len;
}

ssize_t disk_write(int fd, const void *bytes, size_t len)
{
    struct inode *inode = disk.open_files[fd - FD_DISK];
    bool was_dead = machine_dead();

    if (!machine_call()) {
        if (!was_dead && inode) /* killed inside of the call */
            text_put(&inode->bytes, bytes, (size_t)rng_between(&disk.luck, 0, (int64_t)len));
        return fail(EIO);
    }
    if (disk.failing)
        return fail(disk.failing);
    text_put(&inode->bytes, bytes, len);
    inode->written = now();
    inode->synced = false;
    return (ssize_t)len;
}

ssize_t __wrap_pread(int fd, void *to, size_t len, off_t offset)
{
    struct inode *inode = disk.open_files[fd - FD_DISK];
    size_t left = (size_t)offset < inode->bytes.len ? inode->bytes.len - (size_t)offset : 0;

    len = len < left ? len : left;
    if (len)
        memcpy(to, inode->bytes.data + offset, len);
    return (ssize_t)len;
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    struct inode *inode = disk.open_files[fd - FD_DISK];
    size_t end = (size_t)offset + len;

    if (!machine_call())
        return fail(EIO);
    if (disk.failing)
        return fail(disk.failing);
    while (inode->bytes.len < end)
        text_put(&inode->bytes, "", 1);
    memcpy(inode->bytes.data + offset, bytes, len);
    inode->safe = inode->safe < (size_t)offset ? inode->safe : (size_t)offset;
    inode->written = now();
    inode->synced = false;
    return (ssize_t)len;
}

int __wrap_ftruncate(int fd, off_t size)
{
    struct inode *inode = disk.open_files[fd - FD_DISK];

    if (!machine_call())
        return fail(EIO);
    if (disk.failing)
        return fail(disk.failing);
    while (inode->bytes.len < (size_t)size)
        text_put(&inode->bytes, "", 1);
    inode->bytes.len = (size_t)size;
    inode->safe = inode->safe < (size_t)size ? inode->safe : (size_t)size;
    inode->written = now();
    inode->synced = false;
    return 0;
}

int disk_close(int fd)
{
    inode_drop(disk.open_files[fd - FD_DISK]);
    disk.open_files[fd - FD_DISK] = NULL;
    return 0;
}

static void tell(const struct inode *inode, struct stat *st)
{
    int64_t changed = wall_of(inode->written) + wall_shift;

    memset(st, 0, sizeof(*st));
    st->st_mode = S_IFREG | 0600;
    st->st_nlink = 1;
    st->st_ino = inode->number;
    st->st_size = (off_t)inode->bytes.len;
    st->st_mtim.tv_sec = changed / 1000;
    st->st_mtim.tv_nsec = changed % 1000 * 1000000;
}

int disk_fstat(int fd, struct stat *st)
{
    if (!disk.open_files[fd - FD_DISK])
        return fail(EBADF);
    tell(disk.open_files[fd - FD_DISK], st);
    return 0;
}

int __wrap_stat(const char *path, struct stat *st)
{
    struct entry *entry = disk_find(path);
    int64_t changed = wall_of(disk.folder_changed);

    if (entry) {
        tell(entry->inode, st);
        return 0;
    }
    if (is_fixed(path)) {
        memset(st, 0, sizeof(*st));
        st->st_mode = S_IFREG | 0444;
        st->st_size = 30;
        return 0;
    }
    if (!is_folder(path) || (!disk.folder && !strcmp(path, SIM_FOLDER)))
        return fail(ENOENT);
    memset(st, 0, sizeof(*st));
    st->st_mode = S_IFDIR | 0700;
    st->st_ino = disk.folder_number;
    st->st_mtim.tv_sec = changed / 1000;
    st->st_mtim.tv_nsec = changed % 1000 * 1000000;
    return 0;
}

int __wrap_access(const char *path, int mode)
{
    struct stat ignored;

    (void)mode;
    return __wrap_stat(path, &ignored);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    (void)mode;
    if (strcmp(path, SIM_FOLDER) || disk.folder)
        return fail(EEXIST);
    if (!machine_call())
        return fail(EIO);
    if (disk.failing)
        return fail(disk.failing);
    disk.folder = true;
    disk.folder_number = disk.next_number++;
    disk.folder_changed = now();
    return 0;
}

int __wrap_rename(const char *from, const char *to)
{
    struct entry *entry = disk_find(from);

    if (!machine_change())
        return fail(EIO);
    if (!entry)
        return fail(ENOENT);
    if (disk.failing && disk.failing != ENOSPC)
        return fail(disk.failing);
    if (disk_find(to) && disk_find(to)->inode == entry->inode) /* POSIX: two names of one file stay */
        return 0;
    disk_change(to, entry->inode);
    disk_change(from, NULL);
    return 0;
}

int __wrap_link(const char *from, const char *to)
{
    struct entry *entry = disk_find(from);

    if (!machine_change())
        return fail(EIO);
    if (!entry)
        return fail(ENOENT);
    if (disk_find(to))
        return fail(EEXIST);
    if (disk.failing)
        return fail(disk.failing);
    disk_change(to, entry->inode);
    return 0;
}

int __wrap_unlink(const char *path)
{
    if (!machine_change())
        return fail(EIO);
    if (!disk_find(path))
        return fail(ENOENT);
    disk_change(path, NULL);
    return 0;
}

int __wrap_remove(const char *path)
{
    return __wrap_unlink(path);
}

int __wrap_fdatasync(int fd)
{
    if (!machine_call())
        return fail(EIO);
    if (disk.failing)
        return fail(disk.failing);
    disk.open_files[fd - FD_DISK]->synced = true;
    disk.open_files[fd - FD_DISK]->safe = disk.open_files[fd - FD_DISK]->bytes.len;
    return 0;
}

int __wrap_fsync(int fd)
{
    return __wrap_fdatasync(fd);
}

int __wrap_futimens(int fd, const struct timespec times[2])
{
    (void)times;
    if (!machine_dead())
        disk.open_files[fd - FD_DISK]->written = now();
    return 0;
}
