/* share/own_record.h - share.own.json: what this forwarder was reading, so that a restart goes on without a wait.
 *
 *   {"version": 1, "group": "default", "forwarder": "hf1",
 *    "inputs": {"contoso": ["0123456789abcdef", 17], ...}}
 *
 * Each input has the since under which it is read, and the number of that table. The file lies beside the checkpoints, has
 * mode 0600 and is replaced in one step, without a sync: what it says is only believed once a good round confirms it, or
 * while no address of the store answers. It is this group's and this forwarder's: a copy on a cloned host is not used. No input's checkpoint
 * has its name, since those have no second dot. */
#pragma once

#include "base/err.h"
#include "share/record.h"

#define SHARE_OWN_FILE "share.own.json"

struct share_own_entry {
    char *input;
    char since[SHARE_ID_MAX];
    int64_t number;
};

/* Owns its texts. All zeros is an empty one. */
struct share_own_record {
    struct share_own_entry *entries;
    size_t count;
};

void share_own_record_free(struct share_own_record *own); /* the members */
/* Adds an entry, or replaces that of the same input. */
void share_own_record_set(struct share_own_record *own, const char *input, const char *since, int64_t number);
/* Removes the input's entry. Returns false if there is none. */
bool share_own_record_remove(struct share_own_record *own, const char *input);
const struct share_own_entry *share_own_record_find(const struct share_own_record *own, const char *input);

/* Reads <folder>/share.own.json. No file: true, and *ret is empty. Returns false with err if it cannot be used: it is no such
 * record, or of another group or forwarder; *ret is empty then too, and the caller goes on without it. */
bool share_own_record_load(const char *folder, const char *group, const char *forwarder, struct share_own_record *ret,
                           struct err *err);
/* Writes <folder>/share.own.json. On failure the old file stays. */
bool share_own_record_save(const char *folder, const char *group, const char *forwarder,
                           const struct share_own_record *own, struct err *err);
