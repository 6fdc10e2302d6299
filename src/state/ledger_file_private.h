/* state/ledger_file_private.h - for ledger_file.c (what is in a file, and reading it) and ledger_file_write.c. */
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include "state/ledger_file.h"

#define LEDGER_ONES      UINT64_MAX /* the first half of a mark */
#define LEDGER_DROP_BITS 56

static inline uint64_t ledger_slot_at(const char *bytes)
{
    uint64_t ret = 0;

    for (int i = 7; i >= 0; i--)
        ret = ret << 8 | (unsigned char)bytes[i];
    return ret;
}

static inline void ledger_slot_to(char *bytes, uint64_t slot)
{
    for (int i = 0; i < 8; i++, slot >>= 8)
        bytes[i] = (char)slot;
}

/* Sets err from errno, and keeps errno. Returns false. */
bool ledger_fail(struct err *err, const char *what, const char *path);
/* Opens the file, which must be one: whatever else has its name could make the process wait. -1 with err. */
int ledger_open_file(const char *path, int flags, struct stat *st, struct err *err);
/* Reads len bytes unless the file ends before. Returns how many; -1 with errno. */
ssize_t ledger_read_some(int fd, char *to, size_t len, uint64_t offset);
