/* base/file.h - files that are read and replaced as a whole. Failures are ERR_RETRY with the path and the system's
 * error, unless stated otherwise; errno is kept. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Appends the content of a regular file to *ret. A folder, a named pipe, a socket or a device in its place is refused
 * before it is opened: waiting for one would hold up every input and the end of the process. Links are followed. errno
 * is ENOENT if there is no file. A file that is larger than the limit of *ret is ERR_INPUT. */
bool file_read(const char *path, struct buf *ret, struct err *err);

/* The same for a file that a person names on the command line, where waiting holds up nobody: descriptors that the
 * shell passed may be pipes too (/dev/stdin, and /dev/fd/63 of a <(...)). */
bool file_read_passed(const char *path, struct buf *ret, struct err *err);

/* Returns true for a regular file that can be read, is not empty and has at most the limit's bytes: a file that a
 * library will open. */
bool file_usable(const char *path, size_t limit, struct err *err);

/* Writes the bytes to a new file with mode 0600 in the place of one of that name, and calls fdatasync() on it if
 * sync is set. Allocates no memory, and so does file_rename(). */
bool file_write(const char *path, const char *bytes, size_t len, bool sync, struct err *err);
/* The same for a file that does not exist yet; errno is EEXIST if it does. A file that cannot be completed is removed. */
bool file_create(const char *path, const char *bytes, size_t len, struct err *err);
bool file_rename(const char *from, const char *to, struct err *err);
/* The same for a file that a loss of power may leave empty, since it is not synced. The one that it replaces is kept as
 * "<to>.before" until one comes that is synced. Where the file system has no links, nothing is kept. */
bool file_rename_kept(const char *from, const char *to, bool synced, struct err *err);
/* Returns true if something is kept: the file may not be on the disk yet. */
bool file_has_kept(const char *path);
/* Renames a file to `aside`, and puts what was kept, if anything, in its place. The process may be killed at any time:
 * there is one of the two under the name, or nothing was kept. */
bool file_put_aside(const char *path, const char *aside);

/* Writes the bytes to path.try and removes that file again: proves that the folder is writable and has room. */
bool file_try(const char *path, const char *bytes, size_t len, struct err *err);

/* Writes path.tmp, calls fdatasync() on it if sync is set, and renames it to path. After a crash the file holds the old
 * or the new content, never a mixture. On failure the old file stays. */
bool file_replace(const char *path, const char *bytes, size_t len, bool sync, struct err *err);

/* Creates the folder and its missing parents with mode 0700. */
bool file_make_folder(const char *path, struct err *err);

/* Returns true if people other than the owner and this process's group may read or change the file. */
bool file_is_shared(const char *path);
/* Writes new content in place of the file, in one step, with its mode and owner. A link is followed. On failure the old
 * file stays. */
bool file_rewrite(const char *path, const char *bytes, size_t len, struct err *err);
