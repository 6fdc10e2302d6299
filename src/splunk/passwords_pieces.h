/* splunk/passwords_pieces.h - a long secret as several entries of a password store that truncates.
 *
 * Old versions of Splunk keep the first 255 characters of a secret. A longer secret N is split there: its pieces are
 * the entries "N.part.<generation>.<number>", and the entry N holds a manifest:
 * "TA-defender-mssp parts <generation> <count> <length> <sha256>". */
#pragma once

#include "splunk/secret_list.h"

#define PIECE_INFIX       ".part."
#define STORE_KEEPS_BYTES 255 /* that any version of the store keeps of a secret */

struct manifest {
    char generation[17]; /* 16 hex digits, new with every write */
    unsigned count;      /* of pieces: 1 to 1000 */
    size_t length;       /* bytes of the whole secret */
    char sha256[65];     /* of the whole secret, in hex */
};

enum manifest_kind {
    MANIFEST_NONE, /* a plain secret */
    MANIFEST_GOOD,
    MANIFEST_DAMAGED /* begins like a manifest, but a part of it is missing or impossible */
};

/* Parses the value of an entry. *ret is set only for MANIFEST_GOOD. */
enum manifest_kind manifest_parse(const char *value, struct manifest *ret);
/* Returns the value of the main entry. Caller frees. */
char *manifest_text(const struct manifest *manifest);
/* Returns the manifest of a secret, with a new generation. */
struct manifest manifest_of(const char *value);

/* Returns the name of a piece's entry. Numbers start at 0. Caller frees. */
char *piece_name(const char *name, const struct manifest *manifest, unsigned number);
/* Returns a copy of a piece: at most 240 bytes, never half a character. number < manifest.count. A secret: caller frees
 * with mem_free_secret(). */
char *piece_text(const char *value, unsigned number);

/* Returns the secret `name` from the pieces in entries, or NULL if a piece is missing or the whole does not match the
 * manifest. A secret: caller frees with mem_free_secret(). */
char *pieces_join(const struct secret_list *entries, const char *name, const struct manifest *manifest);
