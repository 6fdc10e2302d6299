/* collect/last_save.h - the last saves of all inputs, when the process ends.
 *
 * Each input is saved as far as splunkd has its events; the others come again at the next start. Nothing else may be
 * asked of the store any more. */
#pragma once

#include "collect/tenant.h"

struct last_save {
    const struct env *env; /* outbox, store */
    struct tenant *const *tenants;
    size_t count;
};

/* For an end in peace, once the outbox is closed. From monotonic sync_until_ms on, saves are only written, and none waits
 * for one that a slow disk still has. */
void last_save_all(const struct last_save *save, int64_t sync_until_ms);
/* For an allocation that failed once more, from inside of it: nothing but whole events follows what is in the pipe, whose
 * reader is waited for, and nothing is synced. */
void last_save_now(const struct last_save *save, int wait_ms);
