#include "collect/unreadable.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "splunk/app.h"

#define ESCAPE_LONGEST 12  /* \udb40\udc41 */
#define ID_MOST        512 /* bytes of an ID that are repeated */

/* Returns the length of the next character, and puts its escape into ret ("": it needs none). */
static size_t escape_of(const unsigned char *at, size_t left, char ret[ESCAPE_LONGEST + 1])
{
    size_t size = utf8_length(at, left);
    uint32_t point;

    ret[0] = '\0';
    if (!size) {
        snprintf(ret, ESCAPE_LONGEST + 1, "\\udc%02x", *at);
        return 1;
    }
    if (*at == '"' || *at == '\\') {
        snprintf(ret, ESCAPE_LONGEST + 1, "\\%c", *at);
    } else if (size == 3 && at[0] == 0xEF && at[1] == 0xBF && at[2] >= 0xBE) { /* XML forbids these two */
        snprintf(ret, ESCAPE_LONGEST + 1, "\\uff%s", at[2] == 0xBE ? "fe" : "ff");
    } else if (utf8_hidden(at, left, &point)) {
        if (point > 0xFFFF)
            snprintf(ret, ESCAPE_LONGEST + 1, "\\u%04x\\u%04x", (unsigned)(0xD800 + ((point - 0x10000) >> 10)),
                     (unsigned)(0xDC00 + (point & 0x3FF)));
        else
            snprintf(ret, ESCAPE_LONGEST + 1, "\\u%04x", (unsigned)point);
    }
    return size;
}

/* Appends a text, which is escaped for XML already, as it is inside of a JSON string. Returns false if that takes more
 * than `most` bytes; then the beginning is in out. */
static bool add_escaped(struct buf *out, const char *text, size_t len, size_t most)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + len, *from = at;
    size_t begin = out->len, size;
    char escape[ESCAPE_LONGEST + 1];

    for (; at < end; at += size) {
        if (*at >= 0x20 && *at < 0x7F && *at != '"' && *at != '\\') {
            size = 1;
            if (at - from < PAGE_BAD_KEPT)
                continue;
            escape[0] = '\0';
        } else {
            size = escape_of(at, (size_t)(end - at), escape);
            if (!escape[0])
                continue;
        }
        buf_add(out, from, (size_t)(at - from));
        if (escape[0])
            buf_add_text(out, escape);
        from = escape[0] ? at + size : at;
        if (out->len - begin > most)
            return false;
    }
    return buf_add(out, from, (size_t)(at - from)) && out->len - begin <= most;
}

/* Returns a length of at most PAGE_BAD_KEPT at which the text may be cut: no entity is longer than five bytes, and no
 * character than four. */
static size_t cut_length(const char *text, size_t len)
{
    size_t back;

    if (len <= PAGE_BAD_KEPT)
        return len;
    len = PAGE_BAD_KEPT;
    for (back = 1; back <= 4; back++)
        if (text[len - back] == '&' || (unsigned char)text[len - back] >= 0xC0)
            return len - back;
    return len;
}

/* Appends the member raw, and a note if it does not hold all of the record. */
static void add_raw(struct buf *out, const struct page_bad_record *bad)
{
    size_t begin = out->len;
    bool cut = bad->cut;

    buf_add_text(out, "\"raw\":\"");
    if (!add_escaped(out, bad->text, bad->len, PAGE_RECORD_MAX)) { /* escapes took too much */
        out->len = begin + strlen("\"raw\":\"");
        cut = true;
        add_escaped(out, bad->text, cut_length(bad->text, bad->len), PAGE_RECORD_MAX);
    }
    buf_add_text(out, cut ? "\",\"cut\":true}" : "\"}");
}

static void add_data(const struct reading *reading, const struct page_bad_record *bad, struct buf *out)
{
    char lo[TICKS_TEXT_MAX], hi[TICKS_TEXT_MAX], time[TICKS_TEXT_MAX];

    ticks_text(reading->window.lo, lo);
    ticks_text(reading_window_end(reading), hi);
    buf_add_text(out, "{\"reason\":\"");
    add_escaped(out, bad->why, strlen(bad->why), PAGE_BAD_KEPT);
    buf_add_format(out, "\",\"api\":\"%s\",\"record\":%zu,\"offset\":%llu,\"bytes\":%llu,", reading->feed->api->name,
                   bad->ordinal, (unsigned long long)bad->offset, (unsigned long long)bad->bytes);
    buf_add_format(out, "\"from\":\"%s\",\"to\":\"%s\",", lo, hi);
    if (bad->id && bad->id_len && bad->id_len <= ID_MOST) {
        buf_add_text(out, "\"id\":\"");
        add_escaped(out, bad->id, bad->id_len, PAGE_BAD_KEPT);
        buf_add_text(out, "\",");
    }
    if (bad->has_time) {
        ticks_text(bad->time, time);
        buf_add_format(out, "\"time\":\"%s\",", time);
    }
    add_raw(out, bad);
}

void unreadable_event(const struct reading *reading, const struct page_bad_record *bad, struct buf *out)
{
    CLEANUP(mem_freep) char *stanza = mem_format("%s://%s", SCHEME_NAME, reading->feed->input->name);
    struct event_frame *frame = event_frame_new(stanza, UNREADABLE_SOURCETYPE);
    size_t headroom = event_frame_headroom(frame), start = out->len + headroom;

    if (buf_room(out, headroom)) {
        out->len = start;
        add_data(reading, bad, out);
        event_finish(frame, out, start, bad->has_time, bad->time);
    }
    event_frame_free(frame);
}
