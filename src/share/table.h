/* share/table.h - who reads which customer: the table that the forwarders of a group agree on.
 *
 * Pure: no clock, network or file. A table's body has one entry for each input that somebody reads. */
#pragma once

#include "base/err.h"
#include "share/record.h"

struct share_entry {
    char *input;
    char *owner;              /* forwarder */
    char since[SHARE_ID_MAX]; /* ID of the table that gave it to him */
    int64_t number;           /* of that table */
};

/* Sorted by input (strcmp). Owns its texts. */
struct share_body {
    struct share_entry *entries;
    size_t count;
};

void share_body_free(struct share_body *body); /* the members; all zeros is an empty body */
void share_body_copy(const struct share_body *body, struct share_body *ret);
const struct share_entry *share_body_find(const struct share_body *body, const char *input);
bool share_body_parse(const char *text, struct share_body *ret, struct err *err);
void share_body_format(const struct share_body *body, struct buf *to);

/* Returns the number of the newest table: the highest that a group can have come to from the one before it, or from
 * `known`, the highest that was followed (0: none). What is above was written by hand, or by a broken program; if it
 * counted, no table could come after it. Sorts the numbers. 0: there is none. */
int64_t share_newest(int64_t *numbers, size_t count, int64_t known);

/* A forwarder, as it counts for the next table. inputs: sorted; borrowed. */
struct share_candidate {
    const char *name;
    const char *const *inputs;
    size_t input_count;
    bool well;                /* false: it gets one customer at most, the probe, if others are well */
    bool drains;              /* it gets none that another one can have */
    bool newcomer;            /* it is not settled yet, or died too often: keeps what it has, gets nothing more */
    bool takes_all;           /* it wishes all of its inputs ... */
    const char *const *takes; /* ... or these; sorted; borrowed */
    size_t take_count;
};

/* Plans the next table (id, number) after `old`: every owner that is live and has the input keeps it; orphans go to
 * whoever has least; wishes are granted; then inputs move from the fullest to the emptiest until they differ by one. Only
 * moved inputs get a new since. An input that no candidate has is left out. The same arguments give the same result on
 * every forwarder. `candidates` are sorted by name. */
void share_plan(const struct share_body *old, const struct share_candidate *candidates, size_t count, const char *id,
                int64_t number, struct share_body *ret);
/* Returns true if who reads what is the same in both. */
bool share_body_same(const struct share_body *a, const struct share_body *b);
