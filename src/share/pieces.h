/* share/pieces.h - which written versions of a large checkpoint are in which piece of it.
 *
 * A piece holds the versions of a range of update times, PIECE_MOST at most. Ranges stay as they are: new versions are
 * mostly newer than all others and go into the last piece, and those that are no longer needed leave the first one, so
 * that from one save to the next about two pieces change. Pure. */
#pragma once

#include "share/versions.h"

enum { PIECE_MOST = 4000, PIECES_MOST = 250 };

struct piece {
    int n;               /* its number; one that has become empty may be used again */
    struct version from; /* the lowest that belongs to it; the first piece takes lower ones too */
    size_t count;
    struct hash128 sum; /* of its versions, whatever their order */
};

/* All zeros: nothing was saved yet. */
struct pieces {
    struct piece *list;
    size_t count;
};

/* Forgets what was saved. */
void pieces_free(struct pieces *pieces);
/* Divides the versions, which are sorted, and calls changed() for each piece that is not as it was before. Returns false,
 * and does nothing, if they would be more than PIECES_MOST. */
bool pieces_update(struct pieces *pieces, const struct versions *versions,
                   void (*changed)(void *ctx, int n, const struct version *list, size_t count), void *ctx);
