/* share/checkpoints.h - checkpoints in the KV store, for whoever reads the input next.
 *
 * A checkpoint says: all before the cursor, and these versions, are in Splunk. That stays true, so any of an input is safe
 * to begin from; the newest one saves repeats. It is saved under the since of its writer, so that a late save of a former
 * reader overwrites nobody's. Its record is the text of the file without what is one host's own: "salt", "taken",
 * "ledger", "ledger_id", "rate", "again", "own_since", "own_until". A checkpoint with more than 4,000 written versions
 * keeps them in records of their own (pieces), of which only changed ones are written again.
 *
 * Saves are collected and sent with share_checkpoints_flush() (each second round), in batches of at most 500 records and
 * 4 MB. A save that fails is sent again with the next flush, unless a newer one has replaced it. */
#pragma once

#include "share/link.h"

struct share_checkpoints;

struct share_checkpoints_spec {
    struct loop *loop;
    struct share_link *link;
    const char *group;
};

struct share_checkpoints *share_checkpoints_new(const struct share_checkpoints_spec *spec);
void share_checkpoints_free(struct share_checkpoints *checkpoints);

/* Replaces the checkpoint that is to be saved. text: as of the file; it is copied as far as needed. api and tenant are in
 * the text. */
void share_checkpoints_put(struct share_checkpoints *checkpoints, const char *input, const char *since, int64_t number,
                           const char *text, size_t len);
/* Sends what is due. Does nothing while a batch is on its way. */
void share_checkpoints_flush(struct share_checkpoints *checkpoints);
/* Returns true if the input's checkpoint is not in the store yet. input NULL: any. */
bool share_checkpoints_waits(const struct share_checkpoints *checkpoints, const char *input);
/* Returns why the last batch was not saved; NULL: it was. For a line of the log. */
const struct err *share_checkpoints_trouble(const struct share_checkpoints *checkpoints);
/* Forgets what is to be saved of this input, and which pieces were saved. */
void share_checkpoints_forget(struct share_checkpoints *checkpoints, const char *input);

/* Asks which checkpoints the store has: it may have lost some, as when a collection was emptied. listed() is not called
 * if that cannot be told; keys is valid during the call. */
struct share_keys;
typedef void share_listed_fn(void *ctx, const struct share_keys *keys);
void share_checkpoints_list(struct share_checkpoints *checkpoints, share_listed_fn *listed, void *ctx);
/* Returns true if the input's checkpoint under this since is among them, with all pieces that were saved. */
bool share_checkpoints_listed(const struct share_checkpoints *checkpoints, const struct share_keys *keys,
                              const char *input, const char *since);

/* Loads the input's checkpoint: of the highest number, with the written versions of the others added, as far as they are
 * of the same tenant and API. Asks for up to 100 inputs that wait in one query. text: as a file's; NULL with fault
 * KVSTORE_OK: there is none. With KVSTORE_OK, err->text is "" or says which records cannot be used and were ignored, for a
 * line of the log. All is valid during the call. Never called from inside of share_checkpoints_load(). */
typedef void share_loaded_fn(void *ctx, enum kvstore_fault fault, const struct err *err, const struct buf *text);
void share_checkpoints_load(struct share_checkpoints *checkpoints, const char *input, share_loaded_fn *loaded,
                            void *ctx);
/* Gives up the load of this input, if any. */
void share_checkpoints_load_stop(struct share_checkpoints *checkpoints, const char *input);

/* The same for two texts, without a store: the written versions of `other` are added to `text`, which keeps its cursor
 * and what is one host's own. The hashes of the secrets that were imported ("salt", "taken") come from `other` if `text`
 * has none. Pure. Returns false (and leaves text) if one of them is no checkpoint, or they are of different tenants or
 * APIs. */
bool share_checkpoint_merge(struct buf *text, const char *other, size_t other_len);
/* Removes what is one host's own. Pure. Returns false if the text is no checkpoint. */
bool share_checkpoint_strip(const char *text, size_t len, struct buf *ret);
