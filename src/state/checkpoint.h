/* state/checkpoint.h - an input's place and written versions, on disk.
 *
 * <checkpoint_dir>/<input name, percent-encoded>.json, mode 0600, replaced as a whole, JSON that a person can read.
 * A file that cannot be understood is put aside as .bad and the input begins anew. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "state/dedup.h"
#include "state/cursor.h"

#define CHECKPOINT_VERSION 1
#define CHECKPOINT_MAX     (256u * 1024 * 1024)
#define IMPORTED_MAX          4

/* That a secret was taken over from inputs.conf, so that it replaces a stored one only once: a salted hash. */
struct imported {
    char param[32];
    char hash[65];
};

struct checkpoint {
    char        *tenant_id;
    char        *api;           /* the parameter's word */
    struct cursor cursor;
    char         salt[33];      /* for the hashes of taken secrets */
    struct imported imported[IMPORTED_MAX];
    size_t       imported_count;
};

void checkpoint_release(struct checkpoint *cp);

/* Path of an input's file. Caller frees. */
char *checkpoint_path(const char *dir, const char *input_name);

enum checkpoint_found {
    CHECKPOINT_NONE,        /* no file: a new input */
    CHECKPOINT_READ,
    CHECKPOINT_BAD,         /* not understood: err says why; now at path.bad */
    CHECKPOINT_UNREADABLE   /* the disk fails: err says why; to be tried again, since beginning anew would repeat */
};
/* Fills cp and adds the written versions to known, on CHECKPOINT_READ only. */
enum checkpoint_found checkpoint_load(const char *path, struct checkpoint *cp, struct dedup *dedup, struct err *err);

/* The reader behind checkpoint_load(), for tests and the fuzzer: false with ERR_INPUT when the text is no
 * checkpoint. */
bool checkpoint_parse(const char *text, size_t len, struct checkpoint *cp, struct dedup *dedup, struct err *err);

/* The file's text: place instead of cp->cursor, with the versions of known that it needs and whose events end at or
 * before pos. */
void checkpoint_format(const struct checkpoint *cp, const struct cursor *cursor, const struct dedup *dedup, uint64_t pos,
                       int64_t overlap_s, struct buf *ret);

/* Has this value of the parameter been taken over before? */
bool checkpoint_has_imported(const struct checkpoint *cp, const char *param, const char *value);
void checkpoint_add_imported(struct checkpoint *cp, const char *param, const char *value);
