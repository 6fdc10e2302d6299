/* command/share_change.h - whether the wish of a forwarder is fulfilled, as far as a view shows. Pure. */
#pragma once

#include "command/share_view.h"

enum share_wish { SHARE_TAKE, SHARE_DRAIN, SHARE_UNDRAIN };

struct share_change {
    enum share_wish wish;
    const char *name;                 /* of the forwarder */
    const struct share_names *wanted; /* of SHARE_TAKE: empty: all that it can read */
    const char *id;                   /* of the newest table before the wish; "": none */
};

enum share_progress {
    SHARE_NOT_YET,
    SHARE_DONE,
    SHARE_NOBODY /* SHARE_DRAIN: no other forwarder has these inputs, so they stay */
};

/* is_watched: heartbeats were watched for long enough to tell who is alive. */
enum share_progress share_change_look(const struct share_change *change, const struct share_view *view,
                                      bool is_watched);

/* Adds the text of a wish's record. */
void share_change_text(const struct share_change *change, struct buf *to);
