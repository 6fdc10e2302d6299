/* state/ledger_waiting.h - alert versions that were written, in the order of their events, until splunkd has them.
 *
 * 16 bytes for each, in blocks of 4 KiB at most. All zero is the empty list. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A version. 48 bits of a position are 256 TiB. */
struct waiting {
    uint64_t key;
    uint64_t pos : 48; /* where its event ends in the output stream */
    uint64_t day : 16;
};

/* Private, except for its size. */
struct waiting_block {
    struct waiting_block *next;
    uint32_t first, end, cap; /* entries before `first` are done */
    struct waiting entries[];
};

struct waiting_list {
    struct waiting_block *first, *last;
};

void waiting_clear(struct waiting_list *list); /* frees what it holds */
/* Appends a version. Its position is not less than that of the one before it. */
void waiting_add(struct waiting_list *list, uint64_t key, uint32_t day, uint64_t pos);

/* Returns the first day after this one that has versions up to pos; LEDGER_NO_DAY: there is none. */
uint32_t waiting_day_after(const struct waiting_list *list, uint64_t pos, uint32_t day);
/* Calls fn for the key of each version of that day up to pos. */
void waiting_walk(const struct waiting_list *list, uint64_t pos, uint32_t day, void (*fn)(void *ctx, uint64_t key),
                  void *ctx);
/* Drops the versions up to pos. */
void waiting_drop(struct waiting_list *list, uint64_t pos);
/* Returns true if it has a version of that day, or of one before it. */
bool waiting_has_until(const struct waiting_list *list, uint32_t day);
