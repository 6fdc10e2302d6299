/* microsoft/page_private.h - shared by the files of the page reader (page*.c).
 *
 * A state machine that can stop after any byte. page.c moves between tokens, page_text.c reads strings, page_plain.c
 * decodes them, page_word.c reads numbers and words, page_record.c begins and ends records, page_bad.c skips and keeps
 * those that are not JSON, page_run.c is the fast path through the usual tokens. Each function below is called in the
 * state that its name says, takes at least one byte or changes the state, and stops at p->end at the latest. */
#pragma once

#include <stdio.h>

#include "microsoft/page.h"
#include "microsoft/scan.h"

#define PAGE_NO_ROOM  "the record does not fit into the output"
#define PAGE_STEP     16384          /* bytes of a record that are copied at a time */
#define PAGE_SLACK    (1024u * 1024) /* what a slice may add to a record before its length is looked at */
#define PAGE_ID_MAX   65536          /* the escapes of a longer id are not decoded */
#define PAGE_TIME_MAX 256            /* no time with escapes is longer */

/* What comes next. */
enum state {
    ST_VALUE,      /* a value */
    ST_FIRST_ITEM, /* a value or ']' */
    ST_FIRST_KEY,  /* a key or '}' */
    ST_KEY,
    ST_COLON,
    ST_AFTER,  /* ',' or the end of the container */
    ST_STRING, /* inside a string */
    ST_ESCAPE, /* after its backslash */
    ST_HEX,    /* inside \uXXXX, with hex_left digits to come */
    ST_UTF8,   /* inside a multi-byte character that the last slice cut */
    ST_NUMBER,
    ST_LITERAL, /* inside true, false, null */
    ST_SKIP,    /* inside a bad record: looking for its end */
    ST_DONE,    /* the value is complete: only white space */
    ST_BROKEN
};

/* The part of a number that was read last. NUM_BAD: the next byte does not fit. */
enum number { NUM_BAD, NUM_MINUS, NUM_ZERO, NUM_INT, NUM_POINT, NUM_FRACTION, NUM_E, NUM_E_SIGN, NUM_EXPONENT };

/* The record that is being skipped. Its text grows in partial, after the headroom. */
struct damage {
    bool open;    /* there is one */
    bool cut;     /* the text was too long: only its beginning is kept */
    bool has_id;  /* the id is in id_plain */
    uint64_t end; /* in the answer, after its last byte that is not white space */
    char why[64];
    bool in_string, after_escape;
};

/* The string, number or word that is being read. */
struct page_token {
    bool key;     /* the string is a member's name */
    size_t start; /* in out or scalar, of a string or number */
    enum number number;
    const char *literal; /* the rest of true, false, null */
    int hex_left;
    unsigned char utf8[4];
    size_t utf8_len;
};

/* What the next value is, by the name of its member. */
struct page_next {
    bool id, time; /* the record's */
    bool link;     /* to the next page */
    bool count;    /* of all that match */
    bool records;  /* the array of records */
    bool error;    /* the envelope's error, or a part of it */
};

/* The record that is being read. */
struct open_record {
    bool open;
    size_t start;                /* in out */
    uint64_t offset;             /* in the answer */
    size_t id_start, id_len;     /* relative to start */
    size_t time_start, time_len; /* the same */
    struct buf id_plain;         /* the id if it has escapes */
    struct buf time_plain;       /* the time if it has escapes */
    bool has_id, has_time;
    ticks time;
    bool replaced;
};

/* What has been found so far. */
struct page_found {
    size_t count; /* of records */
    char *link;
    int64_t counted; /* of all that match; -1: not known */
    bool has_error;
    struct buf error; /* the first texts of the envelope's error */
};

struct page {
    const struct page_shape *shape;
    const struct page_handler *handler;
    struct buf *sink;              /* the caller's buffer, during page_feed() */
    struct buf *out;               /* where the record grows: the sink, or partial if a slice cut it */
    struct buf partial;            /* a cut record with its headroom */
    struct holding holding;        /* its share of the budget */
    bool gave_up;                  /* ... was taken away: the page is broken */
    struct buf scalar;             /* a key or string of the envelope */
    bool scalar_long;              /* its beginning did not fit, so it equals no name that matters */
    const unsigned char *at, *end; /* the slice */
    const unsigned char *slice;
    uint64_t offset; /* of the slice in the answer */

    uint64_t blanks_end; /* in the answer, after the last white space between tokens */

    bool unbalanced; /* a skipped record had words outside of strings */
    size_t bom;      /* bytes of a byte order mark that were skipped */
    enum state state;
    struct page_token token;
    struct page_next next;

    int depth;        /* open containers */
    int record_depth; /* depth of the array of records while it is open; 0: it is not */
    bool seen_array;
    uint64_t objects[PAGE_DEPTH_MAX / 64]; /* bit n: container at depth n + 1 is an object */

    struct open_record record;
    struct damage damage;

    struct page_found found;
    char why[160]; /* the page is broken */
};

/* Returns true if the innermost container is an object. */
static inline bool in_object(const struct page *p)
{
    unsigned at = (unsigned)(p->depth - 1);

    return p->depth && (p->objects[at / 64] >> (at % 64) & 1);
}

/* Returns the offset of the next byte in the response. */
static inline uint64_t page_position(const struct page *p)
{
    return p->offset + (uint64_t)(p->at - p->slice);
}

/* Returns true for white space between tokens. */
static inline bool page_blank(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Returns true while a record is unfinished, good or bad. */
static inline bool page_holds_record(const struct page *p)
{
    return p->record.open || p->damage.open;
}

/* Returns where the bytes go: those of a record to out, keys and strings of the envelope to scalar. */
static inline struct buf *copy_to(struct page *p)
{
    return p->record.open ? p->out : &p->scalar;
}

/* Appends a byte to the record; outside of records it is dropped. */
static inline void page_put(struct page *p, unsigned char c)
{
    if (p->record.open)
        buf_put(p->out, (char)c);
}

/* Opens a container. */
static inline void set_object(struct page *p, bool object)
{
    unsigned at = (unsigned)p->depth++;
    uint64_t bit = UINT64_C(1) << (at % 64);

    p->objects[at / 64] = object ? p->objects[at / 64] | bit : p->objects[at / 64] & ~bit;
}

/* page_record.c */

void page_record_begin(struct page *p); /* on return !p->record.open: there was no room */
void page_record_end(struct page *p);
/* Moves the unfinished record from the caller's buffer to one of its own. */
void page_move_record(struct page *p);
/* Empties the buffer of a cut or bad record, and gives its memory back if that is large. */
void page_forget_partial(struct page *p);
/* Makes room for the next slice of a cut record that is large already. Returns false if the budget forbids it: the page
 * is broken then. */
bool page_reserve(struct page *p, size_t len);
/* Frees the memory of a cut record; what belongs to the record is broken then. ctx is the page. */
void page_give_up(void *ctx);
/* Moves an unfinished record out of the caller's buffer at the end of a slice. */
void page_keep_partial(struct page *p);

/* page_bad.c */

#define PAGE_TOO_LARGE "the record is larger than 16 MiB"

/* Reports malformed JSON. Inside a record the rest of it is skipped; outside, the page is broken. */
void page_bad(struct page *p, const char *why);
/* ST_SKIP: skips the rest of a bad record. */
void page_skip(struct page *p);
/* Hands over the bad record, which has been read to its end or as far as the answer goes. Does nothing without one. */
void page_bad_end(struct page *p, bool whole);
/* The record was read to its end, but is too long or does not fit: hands it over as a bad one. */
void page_bad_whole(struct page *p, const char *why);

/* page_text.c: ST_STRING, ST_ESCAPE, ST_HEX, ST_UTF8. */

void page_text_begin(struct page *p, bool key);
void page_text_goes_on(struct page *p);
void page_text_escape(struct page *p);
void page_text_hex(struct page *p);
void page_text_cut_character(struct page *p);
/* Takes a complete string or number that is the id, the time or the next link. */
void page_scalar_end(struct page *p);

/* page_plain.c */

/* Appends the text of a JSON string without its escapes. text is well-formed. xml: escaped and replaced as in a record,
 * where text already is. Half of a surrogate pair and U+0000 are kept. */
void page_plain(const char *text, size_t len, bool xml, struct buf *ret);

/* page_word.c: ST_NUMBER and ST_LITERAL. */

void page_number_begin(struct page *p);
void page_number_goes_on(struct page *p);
bool page_number_complete(const struct page *p);
void page_word_begin(struct page *p, const char *word);
void page_word_goes_on(struct page *p);

/* page_run.c: the fast path; changes nothing where it cannot help. */

void page_run(struct page *p);

/* Goes on after a complete value, by the depth. */
static inline void value_end(struct page *p)
{
    if (p->record.open && p->depth == p->record_depth)
        page_record_end(p);
    p->state = p->depth ? ST_AFTER : ST_DONE;
}
