/* What a page reader made of an answer, as lines of text, so that two readings can be compared as a whole:
 *   record <id or -> <time or -> <bytes>[ replaced]
 *   bad <ordinal> <offset> <why>
 *   end <count> <next link or ->            or          error <why>
 * Shared by the unit tests and the fuzzers. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "microsoft/page.h"

#define TRANSCRIPT_HEADROOM 7

struct transcript {
    struct buf   text;
    struct buf   bad;           /* of each bad record: <id or -> <time or -> <length>[ cut][ open or odd] <bytes> */
    struct buf   out;
    size_t       records, bads;
    const char  *fault;         /* the reader broke a promise of its header */
    void       (*look)(const char *data, size_t len);       /* at each record; may be NULL */
};

static inline void transcript_record(void *ctx, struct buf *out, const struct page_record *record)
{
    struct transcript *t = ctx;
    char time[TICKS_TEXT_MAX] = "-";

    if (out != &t->out || record->start + record->len != out->len || record->start < TRANSCRIPT_HEADROOM)
        t->fault = "a record is not the last thing in out";
    if (record->start - TRANSCRIPT_HEADROOM && out->data[record->start - TRANSCRIPT_HEADROOM - 1] != '\n')
        t->fault = "a record's headroom overlaps what is before it";
    memset(out->data + record->start - TRANSCRIPT_HEADROOM, '#', TRANSCRIPT_HEADROOM);
    if (record->has_time)
        ticks_text(record->time, time);
    buf_add_text(&t->text, "record ");
    buf_add(&t->text, record->id ? record->id : "-", record->id ? record->id_len : 1);
    buf_add_format(&t->text, " %s ", time);
    buf_add(&t->text, out->data + record->start, record->len);
    buf_add_text(&t->text, record->replaced ? " replaced\n" : "\n");
    if (t->look)
        t->look(out->data + record->start, record->len);
    t->records++;
    if (t->records % 3 == 2)        /* dropped, as known alerts are */
        out->len = record->start - TRANSCRIPT_HEADROOM;
    else
        buf_add_text(out, "\n");
}

static inline void transcript_bad(void *ctx, struct buf *out, const struct page_bad_record *bad)
{
    struct transcript *t = ctx;
    char time[TICKS_TEXT_MAX] = "-";

    if (bad->ordinal != t->records + t->bads++)
        t->fault = "records are not counted one by one";
    if (bad->whole && out != &t->out)
        t->fault = "a whole bad record comes without the output";
    buf_add_format(&t->text, "bad %zu %llu %s\n", bad->ordinal, (unsigned long long)bad->offset, bad->why);
    if (bad->has_time)
        ticks_text(bad->time, time);
    buf_add(&t->bad, bad->id ? bad->id : "-", bad->id ? bad->id_len : 1);
    buf_add_format(&t->bad, " %s %llu%s%s ", time, (unsigned long long)bad->bytes, bad->cut ? " cut" : "",
                   !bad->whole ? " open" : bad->balanced ? "" : " odd");
    buf_add(&t->bad, bad->text, bad->len);
    buf_add_text(&t->bad, "\n");
}

static inline void transcript_feed(struct transcript *t, struct page *page, const char *bytes, size_t len)
{
    page_feed(page, bytes, len, &t->out);
    if (t->out.len && t->out.data[t->out.len - 1] != '\n')
        t->fault = "something unfinished is left in out";
}

static inline void transcript_end(struct transcript *t, struct page *page)
{
    const char *link = page_next_link(page);
    struct err err;
    bool ok = page_end(page, &err);

    if (page_count(page) != t->records + t->bads)
        t->fault = "page_count() differs from what was handed out";
    if (ok)
        buf_add_format(&t->text, "end %zu %s\n", page_count(page), link ? link : "-");
    else
        buf_add_format(&t->text, "error %s\n", err.text);
}

static inline void transcript_free(struct transcript *t)
{
    buf_free(&t->text);
    buf_free(&t->bad);
    buf_free(&t->out);
}

/* Reads bytes cut behind `one` and behind `two`; each slice is a block of its own, so that sanitizers see an access
 * outside of it. step > 0: cut every step bytes instead. */
static inline struct transcript transcript_of(const struct page_shape *shape, const char *bytes, size_t len, size_t one,
                                              size_t two, size_t step, void (*look)(const char *, size_t))
{
    struct transcript t = { .text = BUF_INIT((size_t)1 << 30), .bad = BUF_INIT((size_t)1 << 30),
                            .out = BUF_INIT((size_t)1 << 30), .look = look };
    struct page_handler handler = { transcript_record, transcript_bad, &t, TRANSCRIPT_HEADROOM, NULL };
    struct page *page = page_new(shape, &handler);
    size_t at = 0, next;

    while (at < len) {
        char *slice;

        next = step ? at + step : at < one ? one : at < two ? two : len;
        if (next > len)
            next = len;
        slice = malloc(next - at);
        if (!slice)
            abort();
        memcpy(slice, bytes + at, next - at);
        transcript_feed(&t, page, slice, next - at);
        free(slice);
        at = next;
    }
    transcript_end(&t, page);
    page_free(page);
    return t;
}
