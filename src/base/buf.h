/* base/buf.h - bytes that grow up to a limit.
 *
 * Every buffer has a limit, so no peer can make the process grow without end. Adding past the limit adds nothing and
 * sets `full`; the caller checks it once, at the end. A zero byte always follows the bytes, so data is also a C string
 * if the content has no zero byte. */
#pragma once

#include <string.h>

#include "base/compiler.h"

struct buf {
    char *data; /* NULL until the first byte */
    size_t len;
    size_t cap;
    size_t limit; /* most bytes it may hold */
    bool full;    /* something did not fit */
    bool maps;    /* uses mem_map() once it is large; must not be taken */
};

#define BUF_INIT(limit_bytes)   ((struct buf){ .limit = (limit_bytes) })
/* For a buffer that may be large for a moment. Its memory grows without a copy, and goes back to the system at once,
 * whatever the allocator keeps: 200 customers with unfinished records take 50 MB, with malloc() they took 82
 * (tests/e2e/test_hostile.py, test_many_customers_over_one_connection, with the release build). */
#define BUF_MAPPED(limit_bytes) ((struct buf){ .limit = (limit_bytes), .maps = true })

void buf_free(struct buf *buf);        /* releases the memory; the buffer is empty and can be used again */
void buf_free_secret(struct buf *buf); /* the same; overwrites the bytes first */
void buf_clear(struct buf *buf);       /* makes it empty and not full; keeps the memory */

/* Makes room for len more bytes and returns where they go. The caller writes there and then adds to buf->len. Returns
 * NULL and sets full if the limit forbids it. */
char *buf_room(struct buf *buf, size_t len); /* growth overwrites the bytes that it moves */

/* The same, without a call if there is room. */
static inline char *buf_space(struct buf *buf, size_t len)
{
    return LIKELY(len < buf->cap - buf->len) ? buf->data + buf->len : buf_room(buf, len);
}

/* The functions that add return false if it did not fit. The small ones are inline: a status line or a record consists
 * of hundreds of them. */
static inline bool buf_add(struct buf *buf, const void *bytes, size_t len)
{
    char *to = buf_space(buf, len);

    if (!to)
        return false;
    if (len)
        memcpy(to, bytes, len);
    to[len] = '\0';
    buf->len += len;
    return true;
}
static inline bool buf_add_text(struct buf *buf, const char *text)
{
    return buf_add(buf, text, strlen(text));
}
static inline bool buf_add_char(struct buf *buf, char c)
{
    return buf_add(buf, &c, 1);
}
/* Adds one byte, without a call if there is room. No zero byte follows: for hot loops that continue with buf_add() or
 * write the zero themselves. */
static inline void buf_put(struct buf *buf, char c)
{
    char *to = buf_space(buf, 1);

    if (!to)
        return;
    *to = c;
    buf->len++;
}
bool buf_add_number(struct buf *buf, int64_t number); /* in decimal */
bool buf_add_format(struct buf *buf, const char *fmt, ...) PRINTF(2, 3);
void buf_cut_front(struct buf *buf, size_t len); /* removes the first len bytes */

/* Writes a number in decimal, at most NUMBER_TEXT_MAX bytes and no zero byte. Returns its end. */
#define NUMBER_TEXT_MAX 20
char *number_write_digits(char *to, int64_t number);
/* The same, without a call for most counts: they are below ten. */
static inline char *number_write(char *to, int64_t number)
{
    if (number < 0 || number > 9)
        return number_write_digits(to, number);
    *to = (char)('0' + number);
    return to + 1;
}

/* Returns the content as text ("" if empty), owned by buf and valid until buf changes. */
const char *buf_text(const struct buf *buf);
/* Returns the content as text that the caller owns. The buffer is empty afterwards. */
char *buf_take(struct buf *buf);
