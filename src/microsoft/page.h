/* microsoft/page.h - one answer of an alert API, read while it arrives.
 *
 * Splits value[] of the envelope (or the bare array of the SIEM exporter) into records without building a tree: each
 * byte is looked at once, checked against RFC 8259, and copied once, from the decoder's slice to the buffer that is
 * written to stdout. The copy of a record is its own bytes less the white space between tokens, escaped for XML
 * (& < >), with U+FFFD for broken UTF-8 and for what XML 1.0 cannot carry.
 *
 * A record that is not JSON is skipped by its brackets and reported; what is behind it is still read. An error outside
 * of the records, or one behind which no next record can be found, breaks the page: page_feed() says false. Records
 * that were handed out before stay good. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/ticks.h"

/* Which members matter. */
struct page_shape {
    const char *array;      /* member of the envelope with the records; NULL: the answer is the array itself */
    const char *id;         /* member of a record; NULL: records have none that tells them apart */
    const char *time;       /* update time, a member of a record */
};

#define PAGE_RECORD_MAX (64u * 1024 * 1024)     /* a longer record is reported as bad */
#define PAGE_DEPTH_MAX  512                     /* deeper nesting makes a record bad */

struct page_record {
    size_t      start, len;     /* where its bytes are in the out buffer; headroom unset bytes are before start */
    const char *id;             /* JSON text of the id without quotes, not zero-terminated; NULL: none */
    size_t      id_len;
    bool        has_time;
    ticks       time;
    bool        replaced;       /* something became U+FFFD */
};

struct page_handler {
    /* A whole record stands at the end of out. The handler keeps it (and may write into the headroom, and behind it)
     * or drops it by setting out->len = record->start - headroom. */
    void (*record)(void *ctx, struct buf *out, const struct page_record *record);
    /* The record number `ordinal` (from 0), whose bytes begin at `offset` of the decoded answer, is no JSON. */
    void (*bad)(void *ctx, size_t ordinal, uint64_t offset, const char *why);
    void  *ctx;
    size_t headroom;            /* bytes to leave free in front of each record */
};

struct page;

/* shape and handler must stay. Never NULL. */
struct page *page_new(const struct page_shape *shape, const struct page_handler *handler);
void page_free(struct page *page);      /* NULL is fine */

/* Reads the next bytes. Between two calls out holds nothing unfinished: a record that is not complete is kept inside.
 * False once the page is broken; page_end() then says why. */
bool page_feed(struct page *page, const char *bytes, size_t len, struct buf *out);

/* Was that a whole page? False with ERR_INPUT and what is wrong, with its place. */
bool page_end(struct page *page, struct err *err);

/* Has the reading come into the array of records and not out of it? Tells a broken record from a broken answer. */
bool page_in_records(const struct page *page);
/* Did a record that was skipped look as if its quotes were out of step? Then more than that one may have been
 * skipped. */
bool page_unbalanced(const struct page *page);
size_t page_count(const struct page *page);             /* records so far, bad ones too */
const char *page_next_link(const struct page *page);    /* "@odata.nextLink", decoded; NULL: none */
