#include "command/check_host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "messages/log_events.h"

#define MEGABYTE      INT64_C(1000000)
#define DISK_LEAST    (10 * MEGABYTE)   /* for checkpoints, which are written again and again */
#define DISK_INDEXING (5000 * MEGABYTE) /* default of minFreeSpace (server.conf): below it, Splunk stops indexing */
#define CLOCK_FAR_MS  (60 * 1000)       /* signed assertions are refused from a few minutes on */
#define USER_MAX      64

static void find(struct host_finding *ret, enum host_level level, const char *fmt, ...) PRINTF(3, 4);
static void find(struct host_finding *ret, enum host_level level, const char *fmt, ...)
{
    char text[sizeof(ret->err.text)];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    err_set(&ret->err, ERR_RETRY, "%s", text);
    ret->level = level;
    if (level == HOST_BAD)
        event_blame(&ret->err, EVENT_CHECKPOINT_FAILED);
}

/* Returns the name of a user, or the number. */
static const char *user_name(uid_t user, char ret[USER_MAX])
{
    const struct passwd *entry = getpwuid(user);

    if (entry)
        snprintf(ret, USER_MAX, "%s", entry->pw_name);
    else
        snprintf(ret, USER_MAX, "user %lu", (unsigned long)user);
    return ret;
}

/* Returns the nearest folder above that exists. Caller frees. */
static char *existing_parent(const char *path)
{
    char *parent = mem_text(path);
    struct stat seen;
    char *slash;

    while (stat(parent, &seen) && (slash = strrchr(parent, '/')) && (slash > parent || slash[1]))
        slash[slash == parent] = '\0'; /* the first one is the root folder */
    return parent;
}

bool host_section_is_bad(const struct host_section *section)
{
    size_t i;

    for (i = 0; i < section->count; i++)
        if (section->found[i].level == HOST_BAD)
            return true;
    return false;
}

/* What is in the folder. */

struct files {
    int folder;
    uid_t owner; /* of the folder */
    size_t others;
    char first[256]; /* of the others */
    uid_t first_owner;
};

static bool is_ours(const char *name)
{
    size_t len = strlen(name);

    return (len > 5 && !strcmp(name + len - 5, ".json")) || (len > 5 && !strcmp(name + len - 5, ".lock"));
}

/* Counts a file that Splunk's user may not be able to use. Root can use each one, and looks at the owner in place. */
static void count_file(struct files *files, const char *name)
{
    struct stat seen;

    if (!is_ours(name) || fstatat(files->folder, name, &seen, 0))
        return;
    if (geteuid() ? !faccessat(files->folder, name, R_OK, AT_EACCESS) : seen.st_uid == files->owner)
        return;
    if (files->others++)
        return;
    snprintf(files->first, sizeof(files->first), "%s", name);
    files->first_owner = seen.st_uid;
}

static void look_at_files(const char *folder, uid_t owner, struct host_finding *ret)
{
    struct files files = { .owner = owner };
    char folder_user[USER_MAX], file_user[USER_MAX];
    const struct dirent *entry;
    DIR *list = opendir(folder);

    if (!list) {
        find(ret, HOST_BAD, "'%s' cannot be listed: %s", folder, strerror(errno));
        return;
    }
    files.folder = dirfd(list);
    while ((entry = readdir(list)))
        count_file(&files, entry->d_name);
    closedir(list);
    user_name(owner, folder_user);
    user_name(files.first_owner, file_user);
    if (!files.others)
        find(ret, HOST_FINE, "%s, which belongs to %s", folder, folder_user);
    else if (geteuid())
        find(ret, HOST_BAD, "%zu files in '%s' cannot be read, such as '%s', which belongs to %s", files.others, folder,
             files.first, file_user);
    else
        find(ret, HOST_NOTE,
             "%zu files in '%s' belong to another user than the folder (%s), such as '%s' (%s); Splunk's user may not "
             "be able to read them",
             files.others, folder, folder_user, files.first, file_user);
}

/* The folder. */

static bool may_write(const char *folder)
{
    return !faccessat(AT_FDCWD, folder, R_OK | W_OK | X_OK, AT_EACCESS);
}

static void look_at_missing(const char *folder, struct host_finding *ret)
{
    CLEANUP(mem_freep) char *parent = existing_parent(folder);

    if (may_write(parent))
        find(ret, HOST_FINE, "%s does not exist yet; the first start makes it", folder);
    else
        find(ret, HOST_BAD, "'%s' does not exist, and cannot be made in '%s': %s", folder, parent, strerror(errno));
}

/* Returns true if the folder is root's although Splunk's home is another user's: a start as root made it. */
static bool is_roots_only(const struct stat *folder)
{
    const char *home = getenv("SPLUNK_HOME");
    struct stat seen;

    return !folder->st_uid && home && !stat(home, &seen) && seen.st_uid;
}

void host_look_at_folder(const char *folder, struct host_finding *ret)
{
    char owner[USER_MAX], self[USER_MAX];
    struct stat seen;

    *ret = (struct host_finding){ .what = "checkpoint folder" };
    if (stat(folder, &seen)) {
        if (errno == ENOENT)
            look_at_missing(folder, ret);
        else
            find(ret, HOST_BAD, "'%s' cannot be used: %s", folder, strerror(errno));
        return;
    }
    user_name(seen.st_uid, owner);
    if (!S_ISDIR(seen.st_mode))
        find(ret, HOST_BAD, "'%s' is no folder", folder);
    else if (!may_write(folder))
        find(ret, HOST_BAD, "%s cannot write to '%s', which belongs to %s: %s. Run check as Splunk's user",
             user_name(geteuid(), self), folder, owner, strerror(errno));
    else if (is_roots_only(&seen))
        find(ret, HOST_NOTE, "'%s' belongs to root, but $SPLUNK_HOME does not; Splunk's user may not be able to write",
             folder);
    else
        look_at_files(folder, seen.st_uid, ret);
}

/* Disk and clock. */

void host_judge_disk(int64_t bytes, bool has_room_for_files, struct host_finding *ret)
{
    char left[32];

    *ret = (struct host_finding){ .what = "disk" };
    if (bytes >= 10000 * MEGABYTE)
        snprintf(left, sizeof(left), "%lld GB", (long long)(bytes / (1000 * MEGABYTE)));
    else
        snprintf(left, sizeof(left), "%lld MB", (long long)(bytes / MEGABYTE));
    if (bytes < DISK_LEAST)
        find(ret, HOST_BAD, "%s free on the disk of the checkpoint folder: it is full", left);
    else if (!has_room_for_files)
        find(ret, HOST_BAD, "no room for another file on the disk of the checkpoint folder (inodes)");
    else if (bytes < DISK_INDEXING)
        find(ret, HOST_NOTE,
             "%s free on the disk of the checkpoint folder; where Splunk indexes, it stops below minFreeSpace "
             "(5000 MB by default)",
             left);
    else
        find(ret, HOST_FINE, "%s free", left);
}

void host_look_at_disk(const char *folder, struct host_finding *ret)
{
    CLEANUP(mem_freep) char *path = existing_parent(folder);
    struct statvfs disk;

    if (!statvfs(path, &disk)) {
        host_judge_disk((int64_t)disk.f_bavail * (int64_t)disk.f_frsize, !disk.f_files || disk.f_favail, ret);
        return;
    }
    *ret = (struct host_finding){ .what = "disk" };
    find(ret, HOST_NOTE, "the free space of '%s' is not known: %s", path, strerror(errno));
}

void host_judge_clock(int64_t offset_ms, struct host_finding *ret)
{
    int64_t s = (offset_ms < 0 ? -offset_ms : offset_ms) / 1000;
    const char *side = offset_ms < 0 ? "ahead of" : "behind"; /* lint: words */

    *ret = (struct host_finding){ .what = "clock" };
    if (s <= 1) /* a Date header has whole seconds */
        find(ret, HOST_FINE, "right");
    else if (s * 1000 <= CLOCK_FAR_MS)
        find(ret, HOST_FINE, "%lld s %s Microsoft's", (long long)s, side);
    else
        find(ret, HOST_NOTE, "%lld s %s Microsoft's, which is more than a minute; set it right (NTP)", (long long)s,
             side);
}
