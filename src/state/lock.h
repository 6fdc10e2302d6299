/* state/lock.h - one process per input. Private to state/store_file.c and its tests.
 *
 * After an edit, splunkd's old and new process overlap for moments. Each input is one byte, chosen by the hash of
 * its name, of the file defender_alerts.lock in the checkpoint folder. The byte is locked with an open file
 * description lock: one descriptor serves any number of inputs, and the kernel releases the locks when the process
 * ends, however it ends. */
#pragma once

#include "base/err.h"

struct lock_file;

/* Opens or creates the file. A link, a named pipe or an empty folder in its place is removed. Returns NULL with err if
 * that fails. */
struct lock_file *lock_open(const char *dir, struct err *err);
void lock_close(struct lock_file *lock); /* NULL is allowed */

/* Returns how long before lock_open() a process last worked here (lock_touch()), in milliseconds of the host's
 * clock. -1: never, as far as the file tells. */
int64_t lock_idle_ms(const struct lock_file *lock);
/* Records that this process is at work. To be called every CLOCK_IDLE_MS at least. */
void lock_touch(struct lock_file *lock);

/* Tries once. Returns false with err->kind ERR_RETRY if another process has the lock, or the file cannot be locked. */
bool lock_input(struct lock_file *lock, const char *input_name, struct err *err);
/* Lets another process have the input. */
void lock_release_input(struct lock_file *lock, const char *input_name);

/* Tries once to get the byte that is no input's: whoever has it speaks for this host among forwarders that share inputs. */
bool lock_host(struct lock_file *lock, struct err *err);

/* Returns true if the locked file is still the one under its name. A folder that was cleaned gets a new file, and locks
 * on the old one no longer keep a second process out. */
bool lock_is_current(const struct lock_file *lock);
