/* state/ledger_file.h - the file of a ledger: what is in it, how it is read, and how it changes. Private to
 * state/ledger.c, the store of files and their tests.
 *
 * One line of text, then slots of eight bytes, little-endian. A slot is a key, of the day that the last LEDGER_DAY mark
 * names. A mark is two slots: one with all bits set, which no key has (the odds are 2^-64), and one with the kind in its
 * upper byte, a day (since 1970, UTC) in the next three and a number in the lower four. A slot of zero says nothing, and
 * nor does a mark of an unknown kind. The first mark is LEDGER_DROPPED, whose number has seven bytes.
 *
 * The functions that write allocate no memory: they run in the thread that saves (state/file_writer.h). */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/ticks.h"

#define LEDGER_LINE_MAX  256 /* of the text, with its line end */
#define LEDGER_SLOT      8
#define LEDGER_MARK      16 /* bytes of a mark */
#define LEDGER_KEPT_DAYS 35
#define LEDGER_NO_DAY    0 /* 1970-01-01: no alert is that old */
#define LEDGER_DAY_MOST  65535

enum ledger_kind {
    LEDGER_NOTHING,
    LEDGER_DAY,     /* the keys after it are of this day */
    LEDGER_LOST,    /* keys of this day could not be written */
    LEDGER_SAID,    /* the manifest of this day was logged when it had that many keys */
    LEDGER_DROPPED, /* bytes of slots that were in front and are not any more */
    LEDGER_AUDITED, /* an audit of this day has ended; the number says how and when (collect/audit.h) */
    LEDGER_AGAIN,   /* keys of this day that come before do not count: it is to be written again */
    LEDGER_KEY      /* no mark, and none is of this kind or a later one */
};

struct ledger_item {
    enum ledger_kind kind;
    uint32_t day;
    uint64_t value; /* the key; the number of a mark */
};

/* What is known between two slots. Begins with zeros. */
struct ledger_reader {
    bool in_mark;
    uint32_t day;
};

/* Reads the next slot. The first half of a mark is LEDGER_NOTHING. */
struct ledger_item ledger_read_slot(struct ledger_reader *reader, uint64_t slot);
/* Returns the second slot of a mark. */
uint64_t ledger_mark_slot(const struct ledger_item *mark);
/* Appends a slot; a key or a mark. */
void ledger_put_slot(struct buf *ret, uint64_t slot);
void ledger_put_mark(struct buf *ret, enum ledger_kind kind, uint32_t day, uint64_t value);

struct ledger_line {
    char of[64]; /* what the ledger is of; no blanks */
    uint64_t id; /* random, so that no other file passes for this one; 0: an early file, which has none */
    ticks since; /* complete from this update time on */
    bool whole;  /* nothing older exists, so that the day of `since` is complete as well */
    size_t len;  /* of the line; set by ledger_parse_line() */
};

#define LEDGER_ID_LEN 16 /* of an ID as text, in hex digits */
/* Reads an ID. Returns false if the text is none. */
bool ledger_read_id(const char *text, size_t len, uint64_t *ret);
void ledger_format_line(const struct ledger_line *line, struct buf *ret);
/* Returns false if the bytes do not begin with a line that this program knows. */
bool ledger_parse_line(const char *bytes, size_t len, struct ledger_line *ret);

/* The beginning of a file. */
struct ledger_head {
    struct ledger_line line;
    uint64_t dropped;
    uint64_t size; /* of the file */
};
/* Returns true if the open file is that ledger, as far as its first line says. Allocates nothing. */
bool ledger_file_is(int fd, uint64_t id);
/* Returns true if the slot that ends at `end` was written. After a loss of power a file may have its length, but zeros
 * where bytes had not come to the disk yet, and no slot that is written is zero. */
bool ledger_has_slot(const char *path, uint64_t end);
/* errno is ENOENT if there is no file; err->kind is ERR_INPUT if it is no ledger. */
bool ledger_read_head(const char *path, struct ledger_head *ret, struct err *err);

/* Calls fn for each key and mark of the first `size` bytes, which begin with this line. Fails if the file is another
 * one. */
bool ledger_walk(const char *path, const struct ledger_line *line, uint64_t size,
                 void (*fn)(void *ctx, const struct ledger_item *item), void *ctx, struct err *err);

enum ledger_change {
    LEDGER_UNCHANGED,
    LEDGER_APPEND,
    LEDGER_CREATE, /* with new content, in the place of whatever is there */
    LEDGER_COMPACT /* a copy without the days before keep_from, and the bytes after it */
};

/* One change. It owns its memory. */
struct ledger_job {
    enum ledger_change change;
    char *path, *temp;
    struct buf bytes;   /* CREATE: with the line */
    size_t line_len;    /* COMPACT */
    uint64_t id;        /* of the ledger */
    uint64_t size;      /* APPEND, COMPACT: the file has this many bytes that count */
    bool cuts;          /* APPEND: what is there after them is cut */
    uint32_t keep_from; /* COMPACT */
    uint32_t last_day;  /* COMPACT: the day of the file's last key; the bytes may go on with it */
    /* The result: */
    bool written, committed; /* the functions below have done their part; it is not repeated */
    int error; /* 0: done; else an errno with err. ESTALE: the file has fewer bytes than it had, or is another one */
    struct err err;
    uint64_t new_size;
};

void ledger_job_release(struct ledger_job *job);
/* Appends, or writes the temporary file; durable if sync is set. A copy that is not possible, or would not be
 * synced, becomes an append: what it would replace is synced. Without bytes it only looks whether the file is there.
 * A file that cannot take all of them is cut to what it had. A job that was given up, and goes on after a later one has
 * written the same bytes and more, changes nothing. */
void ledger_job_write(struct ledger_job *job, bool sync);
/* Puts a temporary file in its place. */
void ledger_job_commit(struct ledger_job *job);
