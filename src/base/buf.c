#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FIRST_CAPACITY 64
#define MAP_FROM       (256 * 1024) /* capacity from which a buffer is mapped */

static bool is_mapped(const struct buf *buf)
{
    return buf->maps && buf->cap >= MAP_FROM;
}

void buf_free(struct buf *buf)
{
    if (is_mapped(buf))
        mem_unmap(buf->data, buf->cap);
    else
        free(buf->data);
    *buf = (struct buf){ .limit = buf->limit, .maps = buf->maps };
}

/* Moves the bytes from the memory that the buffer had. */
static void leave(struct buf *buf, char *old)
{
    if (!old) {
        buf->data[0] = '\0';
        return;
    }
    memcpy(buf->data, old, buf->len + 1);
    explicit_bzero(old, buf->cap);
    free(old);
}

/* Changes the capacity. A copy that is left is overwritten: it may be part of a secret. */
static void resize(struct buf *buf, size_t cap)
{
    char *old = buf->data;

    if (is_mapped(buf)) {
        buf->data = mem_map(old, buf->cap, cap);
    } else if (buf->maps && cap >= MAP_FROM) {
        buf->data = mem_map(NULL, 0, cap);
        leave(buf, old);
    } else {
        buf->data = mem_grow(NULL, cap, 1);
        leave(buf, old);
    }
    buf->cap = cap;
}

void buf_free_secret(struct buf *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->cap);
    buf_free(buf);
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->full = false;
    if (buf->data)
        buf->data[0] = '\0';
}

char *buf_room(struct buf *buf, size_t len)
{
    size_t need, cap;

    if (len > buf->limit || buf->len > buf->limit - len) {
        buf->full = true;
        return NULL;
    }
    need = buf->len + len + 1;
    if (need > buf->cap) {
        cap = buf->cap;
        if (buf->limit - cap < cap / 2 + FIRST_CAPACITY) /* no sum below overflows, whatever the limit */
            cap = buf->limit + 1;
        else
            cap += cap / 2 + FIRST_CAPACITY;
        if (cap < need)
            cap = need;
        resize(buf, cap);
    }
    return buf->data + buf->len;
}

char *number_write_digits(char *to, int64_t number)
{
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number, rest;
    int digits = 1, i;

    if (number < 0)
        *to++ = '-';
    for (rest = left; rest >= 10; rest /= 10)
        digits++;
    for (i = digits; i--; left /= 10)
        to[i] = (char)('0' + left % 10);
    return to + digits;
}

bool buf_add_number(struct buf *buf, int64_t number)
{
    char text[NUMBER_TEXT_MAX];

    return buf_add(buf, text, (size_t)(number_write(text, number) - text));
}

bool buf_add_format(struct buf *buf, const char *fmt, ...)
{
    size_t room = buf->cap - buf->len; /* usually enough, so that the text is formatted once */
    va_list args, again;
    char *to;
    int len;

    va_start(args, fmt);
    va_copy(again, args);
    len = vsnprintf(buf->data ? buf->data + buf->len : NULL, room, fmt, args);
    to = len < 0 ? NULL : buf_room(buf, (size_t)len);
    if (to && (size_t)len >= room)
        vsnprintf(to, (size_t)len + 1, fmt, again);
    if (to)
        buf->len += (size_t)len;
    else if (buf->data)
        buf->data[buf->len] = '\0';
    va_end(again);
    va_end(args);
    return to;
}

void buf_cut_front(struct buf *buf, size_t len)
{
    if (!len)
        return;
    memmove(buf->data, buf->data + len, buf->len - len + 1);
    buf->len -= len;
}

const char *buf_text(const struct buf *buf)
{
    return buf->data ? buf->data : "";
}

char *buf_take(struct buf *buf)
{
    char *text = buf->data ? buf->data : mem_text("");

    assert(!buf->maps);
    *buf = BUF_INIT(buf->limit);
    return text;
}
