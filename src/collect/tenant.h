/* collect/tenant.h - one input: it opens, runs its workers, saves, and reports its health.
 *
 * Trouble of one tenant costs the others nothing: each of its waits is a timer of its own. */
#pragma once

#include "collect/env.h"
#include "splunk/stanza.h"

struct tenant;
struct feed;
struct tally;

/* Takes the content of *input. number is the input's among all. Never returns NULL; free with tenant_free(). */
struct tenant *tenant_new(const struct env *env, size_t number, struct input *input);
void tenant_free(struct tenant *tenant);

/* Claims the input's name in the store and continues from there. To be called once. */
void tenant_start(struct tenant *tenant);

/* The password store has been read for the first time. */
void tenant_secrets_loaded(struct tenant *tenant);
/* The password store was read again. */
void tenant_secrets_reloaded(struct tenant *tenant);

/* The password store does not do what it is asked to (passwords_trouble()). */
void tenant_store_troubled(struct tenant *tenant);

/* Returns true while the input is refused: a person has to act. */
bool tenant_is_refused(const struct tenant *tenant);

/* The regular look, if it is due. settled: position in the output stream that splunkd has had for a minute. Returns when
 * the next one is due; it is earlier if something happens (env.changed). */
int64_t tenant_tick(struct tenant *tenant, uint64_t settled, int64_t now_ms);

/* The process is about to end: nothing more is asked of the store but the last save. A save that waits or is in
 * flight is given up. */
void tenant_ends(struct tenant *tenant);
/* Saves up to what the reader has taken, if that is news. The store has nothing else to do then. */
void tenant_save_last(struct tenant *tenant, uint64_t taken, enum store_durability durability);

/* Returns what the input reads with: its name, its API, its clock. */
const struct feed *tenant_feed(const struct tenant *tenant);
/* Returns the counts since the process started. */
const struct tally *tenant_tally(const struct tenant *tenant);
