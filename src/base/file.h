/* base/file.h - files read whole and replaced whole. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Appends the file to ret. False with errno ENOENT when there is none; err says what failed otherwise, and a file
 * larger than ret's limit is ERR_INPUT. */
bool file_read(const char *path, struct buf *ret, struct err *err);

/* Writes path.tmp with mode 0600 beside the file, whole, without putting it in place: shows that the folder can be
 * written and the bytes find room. */
bool file_stage(const char *path, const char *bytes, size_t len, struct err *err);

/* file_stage(), then fdatasync when sync is set, then rename over path: after a crash the file holds the old or the
 * new content, never a mixture. The old one stays on failure. */
bool file_replace(const char *path, const char *bytes, size_t len, bool sync, struct err *err);

/* mkdir -p with mode 0700 for what is missing. */
bool file_make_folder(const char *path, struct err *err);

bool file_readable(const char *path);
