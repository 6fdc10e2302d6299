/* command/share_moves.h - prints which inputs move, table by table, while a command waits. */
#pragma once

#include "command/share_view.h"

/* All zeros: no table was seen yet. */
struct share_moves {
    struct share_body before; /* as of the table that was seen last */
    char seen[SHARE_ID_MAX];
};

/* Prints how the newest table differs from the one before; of the first one nothing. */
void share_moves_tell(struct share_moves *moves, const struct share_view *view);
void share_moves_free(struct share_moves *moves); /* the members */
