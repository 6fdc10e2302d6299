/* The disk: a folder of files whose writes tear, fail, come late and are lost.
 *
 * What a process wrote survives its death. When the power is lost, what was not synced is lost in part: of a file's
 * bytes a beginning remains, and of the changes of the folder (new, renamed and removed files) the last ones within
 * five seconds are undone, as by a journal that was not written yet. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine.h"

#define FILES_MOST   800
#define OPEN_MOST    16
#define CHANGES_MOST 4096
#define JOURNAL      (5 * SECOND)
#define WRITEBACK    (30 * SECOND)

struct inode {
    struct text bytes;
    bool synced;
    int64_t written, made;
    ino_t number;
    int refs;
};

struct entry {
    uint32_t hash; /* of the name */
    char name[160];
    struct inode *inode; /* NULL: the entry is free */
};

struct change {
    int64_t time;
    char name[160];
    struct inode *before; /* NULL: there was none */
};

static struct entry entries[FILES_MOST];
static size_t entry_count; /* those after it were never used */
static struct change changes[CHANGES_MOST];
static size_t change_count;
static struct inode *open_files[OPEN_MOST];
static size_t read_at[OPEN_MOST];
static bool folder;
static int64_t folder_changed;
static ino_t folder_number, next_number = 100;
static int failing; /* errno */
static int64_t failing_since;
static struct rng disk_luck;

static const char *const fixed[] = { "/sim/ca.pem", SIM_HOME "/etc/auth/cacert.pem" };

void disk_init(void)
{
    disk_luck = rng_of(plan.seed, "disk", 0);
}

static void drop(struct inode *inode)
{
    if (!inode || --inode->refs)
        return;
    text_drop(&inode->bytes);
    free(inode);
}

static struct inode *keep(struct inode *inode)
{
    if (inode)
        inode->refs++;
    return inode;
}

static bool is_ours(const char *path)
{
    return !strncmp(path, "/sim/", 5);
}

static bool is_folder(const char *path)
{
    return !strcmp(path, SIM_FOLDER) || !strcmp(path, "/sim");
}

static uint32_t hash_of(const char *path)
{
    uint32_t hash = 2166136261u;

    for (; *path; path++)
        hash = (hash ^ (unsigned char)*path) * 16777619u;
    return hash;
}

static struct entry *find(const char *path)
{
    uint32_t hash = hash_of(path);

    for (size_t i = 0; i < entry_count; i++)
        if (entries[i].hash == hash && entries[i].inode && !strcmp(entries[i].name, path))
            return &entries[i];
    return NULL;
}

bool disk_has_file(const char *path)
{
    return find(path) != NULL;
}

static void set_entry(const char *path, struct inode *inode)
{
    struct entry *entry = find(path);

    for (size_t i = 0; !entry && i < FILES_MOST; i++)
        if (!entries[i].inode)
            entry = &entries[i];
    if (entry && entry_count <= (size_t)(entry - entries))
        entry_count = (size_t)(entry - entries) + 1;
    if (!entry)
        broken("files", "the program has made more than %d files, the last is %s", FILES_MOST, path);
    entry->hash = hash_of(path);
    strncpy(entry->name, path, sizeof(entry->name) - 1);
    keep(inode);
    drop(entry->inode);
    entry->inode = inode;
    folder_changed = now();
}

static void forget_changes(void)
{
    size_t old = 0;

    while (old < change_count && (changes[old].time < now() - JOURNAL || change_count - old > CHANGES_MOST / 2))
        drop(changes[old++].before);
    memmove(changes, changes + old, (change_count - old) * sizeof(*changes));
    change_count -= old;
}

/* Changes what the name means, and notes how it was. */
static void change(const char *path, struct inode *inode)
{
    struct entry *entry = find(path);

    if (change_count == CHANGES_MOST || (change_count > 64 && changes[0].time < now() - JOURNAL))
        forget_changes();
    changes[change_count].time = now();
    strncpy(changes[change_count].name, path, sizeof(changes[0].name) - 1);
    changes[change_count++].before = keep(entry ? entry->inode : NULL);
    set_entry(path, inode);
}

static struct inode *new_inode(void)
{
    struct inode *inode = calloc(1, sizeof(*inode));

    inode->number = next_number++;
    inode->made = inode->written = now();
    return inode;
}

/* Damage. */

void disk_process_ends(void)
{
    for (size_t i = 0; i < OPEN_MOST; i++) {
        drop(open_files[i]);
        open_files[i] = NULL;
    }
}

static void tear(struct inode *inode)
{
    size_t whole = inode->bytes.len;

    if (inode->synced || inode->written < now() - WRITEBACK || !whole || rng_chance(&disk_luck, 0.3))
        return;
    inode->bytes.len = (size_t)rng_between(&disk_luck, 0, (int64_t)whole);
    if (rng_chance(&disk_luck, 0.5)) { /* the length was written, the bytes were not */
        memset(inode->bytes.data + inode->bytes.len, 0, whole - inode->bytes.len);
        inode->bytes.len = whole;
    }
}

void disk_power_loss(void)
{
    int64_t until = now() - rng_between(&disk_luck, 0, JOURNAL);
    size_t undone = 0;

    for (; change_count && changes[change_count - 1].time > until; undone++) {
        change_count--;
        set_entry(changes[change_count].name, changes[change_count].before);
        drop(changes[change_count].before);
    }
    for (size_t i = 0; i < FILES_MOST; i++)
        if (entries[i].inode)
            tear(entries[i].inode);
    trace("disk: %zu changes of the folder are lost", undone);
}

int64_t disk_failing_since(void)
{
    return failing ? failing_since : NEVER - DAY;
}

void disk_fails(int error)
{
    if (error && !failing)
        failing_since = now();
    failing = error;
}

void disk_each(void (*fn)(const char *path, struct text *bytes, void *ctx), void *ctx)
{
    for (size_t i = 0; i < entry_count; i++)
        if (entries[i].inode)
            fn(entries[i].name, &entries[i].inode->bytes, ctx);
}

void disk_wipe(bool all)
{
    for (size_t i = 0; i < FILES_MOST; i++) {
        if (!all && strstr(entries[i].name, ".lock"))
            continue;
        drop(entries[i].inode);
        entries[i].inode = NULL;
    }
    folder = folder && !all;
    folder_changed = now();
}

/* The calls. */

static int fail(int error)
{
    errno = error;
    return -1;
}

static int open_inode(struct inode *inode)
{
    for (int i = 0; i < OPEN_MOST; i++) {
        if (open_files[i])
            continue;
        open_files[i] = keep(inode);
        read_at[i] = 0;
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
        content = keep(new_inode());
        text_say(&content->bytes, "-----BEGIN CERTIFICATE-----\n");
    }
    return open_inode(content);
}

int __wrap_open(const char *path, int flags, ...)
{
    struct entry *entry = find(path);
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
    if (failing && creates)
        return fail(failing);
    if (entry && (flags & O_EXCL))
        return fail(EEXIST);
    if (!entry && (!creates || !folder))
        return fail(ENOENT);
    if (entry)
        return open_inode(entry->inode);
    inode = new_inode();
    change(path, inode);
    return open_inode(inode);
}

ssize_t disk_read(int fd, void *to, size_t len)
{
    struct inode *inode = open_files[fd - FD_DISK];
    size_t left = inode->bytes.len - read_at[fd - FD_DISK];

    len = len < left ? len : left;
    memcpy(to, inode->bytes.data + read_at[fd - FD_DISK], len);
    read_at[fd - FD_DISK] += len;
    return (ssize_t)len;
}

ssize_t disk_write(int fd, const void *bytes, size_t len)
{
    struct inode *inode = open_files[fd - FD_DISK];
    bool was_dead = machine_dead();

    if (!machine_call()) {
        if (!was_dead && inode) /* killed inside of the call */
            text_put(&inode->bytes, bytes, (size_t)rng_between(&disk_luck, 0, (int64_t)len));
        return fail(EIO);
    }
    if (failing)
        return fail(failing);
    text_put(&inode->bytes, bytes, len);
    inode->written = now();
    inode->synced = false;
    return (ssize_t)len;
}

ssize_t __wrap_pread(int fd, void *to, size_t len, off_t offset)
{
    struct inode *inode = open_files[fd - FD_DISK];
    size_t left = (size_t)offset < inode->bytes.len ? inode->bytes.len - (size_t)offset : 0;

    len = len < left ? len : left;
    if (len)
        memcpy(to, inode->bytes.data + offset, len);
    return (ssize_t)len;
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    struct inode *inode = open_files[fd - FD_DISK];
    size_t end = (size_t)offset + len;

    if (!machine_call())
        return fail(EIO);
    if (failing)
        return fail(failing);
    while (inode->bytes.len < end)
        text_put(&inode->bytes, "", 1);
    memcpy(inode->bytes.data + offset, bytes, len);
    inode->written = now();
    inode->synced = false;
    return (ssize_t)len;
}

int __wrap_ftruncate(int fd, off_t size)
{
    struct inode *inode = open_files[fd - FD_DISK];

    if (!machine_call())
        return fail(EIO);
    if (failing)
        return fail(failing);
    while (inode->bytes.len < (size_t)size)
        text_put(&inode->bytes, "", 1);
    inode->bytes.len = (size_t)size;
    inode->written = now();
    inode->synced = false;
    return 0;
}

int disk_close(int fd)
{
    drop(open_files[fd - FD_DISK]);
    open_files[fd - FD_DISK] = NULL;
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
    if (!open_files[fd - FD_DISK])
        return fail(EBADF);
    tell(open_files[fd - FD_DISK], st);
    return 0;
}

int __wrap_stat(const char *path, struct stat *st)
{
    struct entry *entry = find(path);
    int64_t changed = wall_of(folder_changed);

    if (is_fixed(path)) {
        memset(st, 0, sizeof(*st));
        st->st_mode = S_IFREG | 0444;
        st->st_size = 30;
        return 0;
    }
    if (entry) {
        tell(entry->inode, st);
        return 0;
    }
    if (!is_folder(path) || (!folder && !strcmp(path, SIM_FOLDER)))
        return fail(ENOENT);
    memset(st, 0, sizeof(*st));
    st->st_mode = S_IFDIR | 0700;
    st->st_ino = folder_number;
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
    if (strcmp(path, SIM_FOLDER) || folder)
        return fail(EEXIST);
    if (!machine_call())
        return fail(EIO);
    if (failing)
        return fail(failing);
    folder = true;
    folder_number = next_number++;
    folder_changed = now();
    return 0;
}

int __wrap_rename(const char *from, const char *to)
{
    struct entry *entry = find(from);

    if (!machine_call())
        return fail(EIO);
    if (!entry)
        return fail(ENOENT);
    if (failing && failing != ENOSPC)
        return fail(failing);
    change(to, entry->inode);
    change(from, NULL);
    return 0;
}

int __wrap_link(const char *from, const char *to)
{
    struct entry *entry = find(from);

    if (!machine_call())
        return fail(EIO);
    if (!entry)
        return fail(ENOENT);
    if (find(to))
        return fail(EEXIST);
    if (failing)
        return fail(failing);
    change(to, entry->inode);
    return 0;
}

int __wrap_unlink(const char *path)
{
    if (!machine_call())
        return fail(EIO);
    if (!find(path))
        return fail(ENOENT);
    change(path, NULL);
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
    if (failing)
        return fail(failing);
    open_files[fd - FD_DISK]->synced = true;
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
        open_files[fd - FD_DISK]->written = now();
    return 0;
}
