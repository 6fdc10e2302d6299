/* collect/known.h - which alert versions have been written.
 *
 * A hash set; an entry takes 32 bytes, and half to three quarters of the slots are in use. The end position of its
 * event in the output stream goes with it, so that what splunkd has not safely taken can be left out of a checkpoint
 * and comes again. */
#pragma once

#include "base/digest.h"
#include "base/ticks.h"

struct known;

struct known_entry {
    struct hash128 key;
    ticks          time;    /* the version's update time */
    uint64_t       pos;     /* behind its event in the stream; 0: written by an earlier process */
};

struct known *known_new(void);
void known_free(struct known *known);

/* What an alert version is known by: its id and update time, or (id NULL) all its content. */
struct hash128 known_key(const char *id, size_t id_len, ticks time);

bool known_has(const struct known *known, struct hash128 key);
void known_add(struct known *known, struct known_entry entry);      /* an entry with that key is replaced */
size_t known_count(const struct known *known);

/* Calls fn for every entry, in no order. */
void known_each(const struct known *known, void (*fn)(void *ctx, const struct known_entry *entry), void *ctx);
/* Drops the entries for which keep says false, and gives memory back. */
void known_prune(struct known *known, bool (*keep)(void *ctx, const struct known_entry *entry), void *ctx);
