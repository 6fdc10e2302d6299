/* collect/state_prune.h - removes the records of inputs that are gone from the KV store.
 *
 * A stored record without an input in this process is of an input that was removed, or of one that is disabled or runs
 * elsewhere. splunkd is asked about each: only a record whose input splunkd does not know is removed, and that of a
 * disabled one is marked as off. Records that another Splunk instance wrote are left to it, unless they are old. Nothing is
 * tried twice: the next process does the rest. */
#pragma once

#include "base/json.h"
#include "splunk/data_inputs.h"
#include "splunk/kvstore.h"

struct state_prune;

/* Borrows its arguments. Never returns NULL. */
struct state_prune *state_prune_new(struct kvstore *kvstore, struct data_inputs *data_inputs, const char *forwarder);
void state_prune_free(struct state_prune *prune); /* NULL is allowed */

/* Takes a stored record that is no input's of this process. */
void state_prune_take(struct state_prune *prune, const cJSON *stored, int64_t wall_s);
/* Begins with what was taken. Does nothing if it is at work, or there is nothing. */
void state_prune_start(struct state_prune *prune);
