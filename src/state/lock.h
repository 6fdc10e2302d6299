/* state/lock.h - one process an input.
 *
 * After an edit splunkd's old and new process overlap for moments. Each input is one byte, chosen by the hash of its
 * name, of the file defender_alerts.lock in the checkpoint folder, locked with fcntl: one descriptor for any number of
 * inputs, and the kernel lets go when the process ends, however it ends. */
#pragma once

#include "base/err.h"

struct lock_file;

/* Opens or creates the file. NULL with err when that fails. */
struct lock_file *lock_open(const char *dir, struct err *err);
void lock_close(struct lock_file *lock);

/* How long ago did a process last work here (lock_touch()), in milliseconds of the host's clock? -1: never, as far as
 * the file tells. Of the time when this one was opened. */
int64_t lock_idle_ms(const struct lock_file *lock);
/* This process is at work: to be called each CLOCK_IDLE_MS at the latest. */
void lock_touch(struct lock_file *lock);

/* Tries once. False with err->kind ERR_RETRY: another process has it, or the file cannot be locked. */
bool lock_input(struct lock_file *lock, const char *input_name, struct err *err);
/* Lets another process have the input. */
void lock_release_input(struct lock_file *lock, const char *input_name);

/* Is the file that is locked still the one under its name? A folder that was cleaned gets a new file, and locks on the
 * old one no longer keep a second process out. */
bool lock_is_current(const struct lock_file *lock);
