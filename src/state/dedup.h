/* state/dedup.h - the dedup set: which alert versions have been written.
 *
 * A hash set. An entry takes 32 bytes and keeps its address while the set grows. The index takes four bytes a slot,
 * with three eighths to three quarters of its slots in use (after a prune, from a quarter on): 37 to 43 bytes an
 * entry in all. An empty set takes 40 bytes, one with 10 entries about 500. An entry also holds the end position of
 * its event in the output stream, so that events which splunkd has not safely taken can be left out of a checkpoint
 * and come again.
 *
 * The set owns its entries. What dedup_each() and dedup_prune() show is valid until the callback returns, and the
 * callback may not change the set. */
#pragma once

#include "base/digest.h"
#include "base/ticks.h"

struct dedup;

struct dedup_entry {
    struct hash128 key;
    ticks time;   /* the version's update time; without one, when it was seen last */
    uint64_t pos; /* where its event ends in the stream; 0: written by an earlier process */
};

struct dedup *dedup_new(void);
void dedup_free(struct dedup *dedup);

/* Returns the set of the versions that were written without all of their content, for a while: they count as written
 * only for those who cannot read more. Created when it is first asked for; owned by its set. */
struct dedup *dedup_partial(struct dedup *dedup);

/* Returns the key of an alert version: of its ID and update time, or of all its content and the time 0. `high` is of the
 * ID alone. */
struct hash128 dedup_key(const char *id, size_t id_len, ticks time);

bool dedup_has(const struct dedup *dedup, struct hash128 key);
void dedup_add(struct dedup *dedup, struct dedup_entry entry); /* an entry with that key is replaced */
/* Moves the time of the entry with that key up to `time`, so that it is pruned later. Returns false if there is
 * none. */
bool dedup_renew(struct dedup *dedup, struct hash128 key, ticks time);
size_t dedup_count(const struct dedup *dedup);

/* Calls fn for every entry, in no particular order. */
void dedup_each(const struct dedup *dedup, void (*fn)(void *ctx, const struct dedup_entry *entry), void *ctx);
/* Drops the entries for which keep() returns false, and gives memory back. keep() is called once for each entry. */
void dedup_prune(struct dedup *dedup, bool (*keep)(void *ctx, const struct dedup_entry *entry), void *ctx);
