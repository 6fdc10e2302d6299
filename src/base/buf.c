#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FIRST_CAPACITY 64

void buf_free(struct buf *buf)
{
    free(buf->data);
    *buf = BUF_INIT(buf->limit);
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

/* Moves the bytes to more memory. The old copy is overwritten: it may be part of a secret. */
static void move_to(struct buf *buf, size_t cap)
{
    char *fresh = mem_grow(NULL, cap, 1);

    if (buf->data) {
        memcpy(fresh, buf->data, buf->len);
        explicit_bzero(buf->data, buf->cap);
        free(buf->data);
    }
    fresh[buf->len] = '\0';
    buf->data = fresh;
    buf->cap = cap;
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
        cap = buf->cap ? buf->cap : FIRST_CAPACITY;
        while (cap < need)
            cap += cap / 2 + FIRST_CAPACITY;
        if (cap > buf->limit + 1)
            cap = buf->limit + 1;
        move_to(buf, cap);
    }
    return buf->data + buf->len;
}

bool buf_add(struct buf *buf, const void *bytes, size_t len)
{
    char *to = buf_room(buf, len);

    if (!to)
        return false;
    if (len)
        memcpy(to, bytes, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
    return true;
}

bool buf_add_text(struct buf *buf, const char *text)
{
    return buf_add(buf, text, strlen(text));
}

bool buf_add_char(struct buf *buf, char c)
{
    return buf_add(buf, &c, 1);
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

    *buf = BUF_INIT(buf->limit);
    return text;
}
