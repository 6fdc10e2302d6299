/* command/share_reader.h - reads the records of a group, again and again, into a view. Writes nothing.
 *
 * A reading is one query, and a second call when there is a new table. The first one reads the forwarders' inputs, too. */
#pragma once

#include "command/share_view.h"
#include "share/link.h"

enum {
    SHARE_PAUSE_MS = 500,                  /* between readings */
    SHARE_WATCH_MS = SHARE_ROUND_MS + 2000 /* within which a forwarder that is alive is heard */
};

struct share_reader;

struct share_reader_owner {
    /* After each reading. Returns when the next one is to begin, in ms from now; -1: none. */
    int64_t (*read)(void *ctx, const struct share_view *view);
    /* A reading failed, and there will be no other. */
    void (*failed)(void *ctx, const struct kvstore_answer *answer);
    void *ctx;
};

/* Copies *owner and the group, and begins with the first reading. Never returns NULL. */
struct share_reader *share_reader_new(struct loop *loop, struct share_link *link, const char *group,
                                      const struct share_reader_owner *owner);
void share_reader_free(struct share_reader *reader); /* before the link; NULL is allowed */
const struct share_view *share_reader_view(const struct share_reader *reader);
/* Begins a reading now, unless one is on its way. */
void share_reader_again(struct share_reader *reader);
