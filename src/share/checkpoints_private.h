/* share/checkpoints_private.h - shared by checkpoints.c (saves), checkpoints_keys.c (which are there),
 * checkpoints_load.c and checkpoints_found.c (loads), and checkpoints_text.c (pure). */
#pragma once

#include "share/checkpoints.h"
#include "share/pieces.h"

enum {
    LOAD_MOST = 100,         /* inputs in a query */
    PLACES_READ = 8,         /* checkpoints of an input that are read, the newest ones */
    PIECES_READ = 10,        /* in a query: 2.5 MB */
    VERSIONS_READ = 1000000, /* of an input, at most: 24 MB */
    STAMP_MAX = 17
};
#define CHECKPOINT_MAX (64 * 1024 * 1024) /* bytes of a text: a million versions */

/* Text. */

/* A checkpoint as it goes into the store, in parts. */
struct checkpoint_parts {
    struct buf head; /* a JSON object without its "}", and without "written" and "pieces" */
    struct versions written;
    int *pieces; /* numbers of those that it lists */
    size_t piece_count;
    char stamp[STAMP_MAX];  /* of tenant and API: pieces of others are not its own */
    ticks begin, watermark; /* where it began, how far it has read; set by checkpoint_parts_check() */
};
void checkpoint_parts_free(struct checkpoint_parts *parts);
/* Reads a text. strips: leaves out what is one host's own. On failure *ret is empty. */
bool checkpoint_parts_read(const char *text, size_t len, bool strips, struct checkpoint_parts *ret, struct err *err);
/* Returns true if a process can continue from it: its versions were checked when it was read. */
bool checkpoint_parts_check(struct checkpoint_parts *parts, struct err *err);
/* Appends a checkpoint's text, with these versions. */
void checkpoint_parts_format(const struct checkpoint_parts *parts, const struct versions *written, struct buf *to);
/* The same with the pieces that hold its versions. */
void checkpoint_parts_format_pieces(const struct checkpoint_parts *parts, const struct pieces *pieces, struct buf *to);
/* Appends the text of a piece, and reads one. Returns false if it is none, or of another tenant or API. */
void piece_format(const char *stamp, const struct version *list, size_t count, struct buf *to);
bool piece_read(const char *text, const char *stamp, struct versions *to);
/* Returns true if both are of the same tenant, as far as they tell, and of the same API. */
bool checkpoint_same_feed(const struct checkpoint_parts *a, const struct checkpoint_parts *b);

/* Keys. */

struct place_keys;

struct place_keys *place_keys_new(const struct share_checkpoints_spec *spec);
void place_keys_free(struct place_keys *places);
void place_keys_ask(struct place_keys *places, share_listed_fn *listed, void *ctx);
bool place_keys_has(const struct share_keys *keys, const char *key);

/* Loads. */

/* A checkpoint in the store. */
struct found {
    char since[SHARE_ID_MAX];
    int64_t number;
    struct checkpoint_parts parts;
};
/* Reads a record, which must be this input's. Returns false with err, and *ret holds nothing, if it cannot be used. */
bool checkpoint_found_read(const char *group, const char *input, const cJSON *row, struct found *ret, struct err *err);

/* What was found of an input, the newest first. All zeros: nothing. */
struct finds {
    struct found list[PLACES_READ];
    size_t count;
};
void finds_free(struct finds *finds); /* the members */
/* Takes what was found over. Of more than PLACES_READ the oldest are left out. */
void finds_add(struct finds *finds, struct found *found);
size_t finds_versions(const struct finds *finds);
/* Appends the best one, with the versions of the others of its feed. Returns false if there is none, or it is too large.
 * To be called once. */
bool finds_join(struct finds *finds, struct buf *text);

struct loads;

struct loads *loads_new(const struct share_checkpoints_spec *spec);
void loads_free(struct loads *loads);
void loads_add(struct loads *loads, const char *input, share_loaded_fn *loaded, void *ctx);
void loads_stop(struct loads *loads, const char *input);

/* Returns the key of a checkpoint, or with n >= 0 that of one of its pieces. The caller frees it. */
char *checkpoint_key(const char *group, const char *since, const char *input, int n);
