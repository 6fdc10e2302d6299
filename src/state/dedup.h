/* state/dedup.h - which alert versions have been written.
 *
 * A hash set. An entry takes 32 bytes and stays where it is while the set grows. The index takes four bytes a slot,
 * with three eighths to three quarters of its slots in use (after a prune: from a quarter on): 37 to 43 bytes an entry
 * in all. An empty set takes 40 bytes, one with 10 entries about 500. The end position of its event in the output
 * stream goes with an entry, so that what splunkd has not safely taken can be left out of a checkpoint and comes again.
 *
 * The set owns its entries. What dedup_each() and dedup_prune() show is good until the callback returns, and the
 * callback may not change the set. */
#pragma once

#include "base/digest.h"
#include "base/ticks.h"

struct dedup;

struct dedup_entry {
    struct hash128 key;
    ticks          time;    /* the version's update time */
    uint64_t       pos;     /* behind its event in the stream; 0: written by an earlier process */
};

struct dedup *dedup_new(void);
void dedup_free(struct dedup *dedup);

/* What an alert version is known by: its id and update time, or (id NULL) all its content. */
struct hash128 dedup_key(const char *id, size_t id_len, ticks time);

bool dedup_has(const struct dedup *dedup, struct hash128 key);
void dedup_add(struct dedup *dedup, struct dedup_entry entry);      /* an entry with that key is replaced */
size_t dedup_count(const struct dedup *dedup);

/* Calls fn for every entry, in no order that anybody may count on. */
void dedup_each(const struct dedup *dedup, void (*fn)(void *ctx, const struct dedup_entry *entry), void *ctx);
/* Drops the entries for which keep, asked once for each, says false, and gives memory back. The
 * rest moves together. */
void dedup_prune(struct dedup *dedup, bool (*keep)(void *ctx, const struct dedup_entry *entry), void *ctx);
