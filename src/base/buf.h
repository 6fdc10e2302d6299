/* base/buf.h - bytes that grow up to a limit.
 *
 * Every buffer is made with a limit, so no peer can make the process grow without end. Adding past the limit adds
 * nothing and marks the buffer full; the caller looks once, at the end, at `full`. A zero always stands behind
 * the bytes, so data is also a C string when the content has none. */
#pragma once

#include "base/compiler.h"

struct buf {
    char  *data;        /* NULL until the first byte */
    size_t len;
    size_t cap;
    size_t limit;       /* most bytes it may hold */
    bool   full;        /* something did not fit */
};

#define BUF_INIT(limit_bytes) ((struct buf){ .limit = (limit_bytes) })

void buf_free(struct buf *buf);         /* back to empty, memory released; usable again */
void buf_free_secret(struct buf *buf);  /* the same, overwritten first */
void buf_clear(struct buf *buf);        /* empty and not full; memory kept */

/* Makes room for len more bytes and returns where they go; NULL (and full) if the limit forbids it. The caller
 * writes there and then adds to buf->len. */
char *buf_room(struct buf *buf, size_t len);

bool buf_add(struct buf *buf, const void *bytes, size_t len);
/* One byte, without a call where there is room; no zero is kept behind it. For hot loops that add the next bytes with
 * buf_add() or set the zero themselves. */
static inline void buf_put(struct buf *buf, char c)
{
    char *to = LIKELY(buf->len + 1 < buf->cap) ? buf->data + buf->len : buf_room(buf, 1);

    if (!to)
        return;
    *to = c;
    buf->len++;
}
bool buf_add_text(struct buf *buf, const char *text);
bool buf_add_char(struct buf *buf, char c);
bool buf_add_format(struct buf *buf, const char *fmt, ...) PRINTF(2, 3);
void buf_cut_front(struct buf *buf, size_t len);    /* drops the first len bytes */

/* The content as text ("" when empty). Owned by buf, good until it changes. */
const char *buf_text(const struct buf *buf);
/* The content as text of its own, the buffer left empty. */
char *buf_take(struct buf *buf);
