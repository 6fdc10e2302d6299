/* microsoft/page.h - parses a response of an alert API while it arrives.
 *
 * Splits value[] of the envelope (or the bare array of the SIEM exporter) into records without building a tree. Should
 * value come more than once, all of them are read. Each
 * byte is checked against RFC 8259 and copied once, from the decoder's slice to the buffer that is written to stdout.
 * The copy of a record has no white space between tokens, is escaped for XML (& < >), and has U+FFFD for malformed
 * UTF-8 and for characters that XML 1.0 does not allow.
 *
 * A record that is not JSON, or is too long, is skipped by its brackets and handed over as it came; the records after
 * it are still read. An error outside of the records, or one after which no next record can be found, breaks the page:
 * page_feed() returns false.
 * Records that were handed out before stay good. */
#pragma once

#include "base/budget.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/ticks.h"

/* The members that matter. */
struct page_shape {
    const char *array; /* member of the envelope with the records; NULL: the response is the array itself */
    const char *id;    /* member of a record; NULL: records have no id */
    const char *time;  /* update time, a member of a record */
};

#define PAGE_RECORD_MAX (16u * 1024 * 1024) /* a longer record is reported as bad */
#define PAGE_DEPTH_MAX  512                 /* deeper nesting makes a record bad */
#define PAGE_BAD_KEPT   (64u * 1024)        /* bytes that are kept of a bad record that is too long */

struct page_record {
    size_t start, len; /* its bytes in the out buffer; before start there are headroom unset bytes */
    const char *id;    /* without quotes and JSON escapes, escaped for XML, not zero-terminated; NULL: none */
    size_t id_len;     /* ... so that one ID has one text, however the service writes it */
    bool has_time;
    ticks time;
    const char *time_text; /* as `id`, as the service wrote it; valid if has_time */
    size_t time_len;
    bool replaced; /* something became U+FFFD */
};

/* A record that is not JSON, or is too long. */
struct page_bad_record {
    size_t ordinal;  /* from 0 */
    uint64_t offset; /* of its first byte in the decoded response */
    uint64_t bytes;  /* its length there */
    const char *why;
    const char *text; /* up to the damage as in a good record, from there on byte by byte, but & < > escaped for XML */
    size_t len;       /* not zero-terminated: it may hold any bytes, zeros too */
    bool cut;         /* text is only its beginning */
    bool whole;       /* its end was found; else it is the last of the response */
    bool balanced;    /* ... and its quotes seem to match; else good records may have gone with it */
    const char *id;   /* as in struct page_record, if it was read before the damage; NULL: none */
    size_t id_len;
    bool has_time;
    ticks time;
};

struct page_handler {
    /* Takes a complete record at the end of out. The handler keeps it (and may write into the headroom, and append) or
     * drops it by setting out->len = record->start - headroom. */
    void (*record)(void *ctx, struct buf *out, const struct page_record *record);
    /* Takes a bad record. The handler may append to out. If the record is not whole, out may be NULL. */
    void (*bad)(void *ctx, struct buf *out, const struct page_bad_record *bad);
    void *ctx;
    size_t headroom;       /* bytes to leave free before each record */
    struct budget *budget; /* of unfinished records; NULL: none */
};

struct page;

/* shape and handler must outlive the page. Never returns NULL. */
struct page *page_new(const struct page_shape *shape, const struct page_handler *handler);
void page_free(struct page *page); /* NULL is allowed */

/* Parses the next bytes. Between two calls out has only complete records. Returns false once the page is broken;
 * page_end() then says why. */
bool page_feed(struct page *page, const char *bytes, size_t len, struct buf *out);

/* Returns true for a whole page. Otherwise err (ERR_INPUT) says what is wrong at which byte. A page with an error next
 * to its records is not whole, although its records are good. */
bool page_end(struct page *page, struct err *err);

/* Returns true if the response was given up because its unfinished record was the largest of all in the budget. It is to
 * be requested again later; the page itself may be good. */
bool page_gave_up(const struct page *page);
/* Returns true if the envelope has a member "error" other than null: the service did not finish. */
bool page_has_error(const struct page *page);
/* Returns true while the parser is inside the array of records: a broken record, not a broken response. */
bool page_in_records(const struct page *page);
/* Returns true if a skipped record seems to have unbalanced quotes. Then more than one may have been skipped. */
bool page_unbalanced(const struct page *page);
size_t page_count(const struct page *page);          /* records so far, bad ones included */
const char *page_next_link(const struct page *page); /* "@odata.nextLink", decoded; NULL: none */
int64_t page_counted(const struct page *page);       /* "@odata.count": all that match the query; -1: none */
