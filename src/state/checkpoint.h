/* state/checkpoint.h - the progress of an input as text: JSON that a person can read.
 *
 * One object: version, tenant_id, api, the cursor, which secrets were imported from inputs.conf, and the versions in the
 * dedup set that a later process still needs, each as "time hash". */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "state/cursor.h"
#include "state/dedup.h"

#define CHECKPOINT_VERSION 1
#define IMPORTED_MAX       4

/* The salted hash of a secret that was imported from inputs.conf. A plaintext secret replaces a stored one only once. */
struct imported {
    char param[32];
    char hash[65];
};

struct checkpoint {
    char           *tenant_id;
    char           *tid;                /* the tenant's GUID if tenant_id is a domain; NULL: not known */
    char           *api;                /* the parameter's word */
    struct cursor   cursor;
    ticks           saved;              /* by the host's clock of then; 0: not known */
    char            salt[33];           /* of the imported secrets' hashes */
    struct imported imported[IMPORTED_MAX];
    size_t          imported_count;
};

void checkpoint_release(struct checkpoint *checkpoint);

/* Makes the checkpoint one of this tenant and API. */
void checkpoint_assign(struct checkpoint *checkpoint, const char *tenant_id, const char *api);
/* Spells the tenant differently, or adds its GUID (NULL: leaves it as it is). */
void checkpoint_name_tenant(struct checkpoint *checkpoint, const char *tenant_id, const char *tid);

/* Parses text. On success fills *checkpoint and adds the written versions to dedup. On failure (ERR_INPUT) neither
 * changes. */
bool checkpoint_parse(const char *text, size_t len, struct checkpoint *checkpoint, struct dedup *dedup,
                      struct err *err);

/* Appends the text, with `cursor` in place of checkpoint->cursor and those versions of dedup that this cursor needs and
 * whose events end at or before pos. */
void checkpoint_format(const struct checkpoint *checkpoint, const struct cursor *cursor, const struct dedup *dedup,
                       uint64_t pos, int64_t overlap_s, struct buf *ret);

/* Returns true if this value of the parameter was imported before. */
bool checkpoint_has_imported(const struct checkpoint *checkpoint, const char *param, const char *value);
void checkpoint_add_imported(struct checkpoint *checkpoint, const char *param, const char *value);
