/* state/checkpoint.h - the progress of an input as text: JSON that a person can read.
 *
 * One object: version, tenant_id, api, the cursor, which secrets were imported from inputs.conf, and the versions in
 * the dedup set that a later process still needs, each as "time hash". Members that are only there at times:
 * "backfill", "partial" (versions written without all of their content, and the update time from which on they are
 * to be read again), "worked" (what the input signs in as, once a poll was complete), "lost", "again" (when the service
 * is asked again for what it did not keep), "own_since" and "own_until" (what this forwarder alone has written, of an input
 * that others have, too), "rate" (what a process that ended left of the hourly limit) and "ledger" (how
 * much the input's ledger holds, state/ledger.h). */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "state/cursor.h"
#include "state/dedup.h"
#include "state/quarantine.h"

#define CHECKPOINT_VERSION 1
#define IMPORTED_MAX       4

/* The salted hash of a secret that was imported from inputs.conf. A plaintext secret replaces a stored one only
 * once. */
struct imported {
    char param[32];
    char hash[65];
};

struct checkpoint {
    char *tenant_id;
    char *tid; /* the tenant's GUID if tenant_id is a domain; NULL: not known */
    char *api; /* the parameter's word */
    struct cursor cursor;
    char *worked;    /* what the input signed in as when a poll was complete last; NULL: none was, or it is not known */
    ticks lost;      /* when it was last said that the customer is lost; 0: it is not */
    ticks own_since; /* versions from before may have been written by another forwarder; 0: none was */
    ticks own_until; /* the same of versions from after; 0: none was */
    bool has_ledger;
    int64_t ledger;               /* ledger_end(); valid if has_ledger */
    uint64_t ledger_id;           /* ledger_id(), in the file "ledger_id" */
    struct quarantine quarantine; /* only as parsed */
    char salt[33];                /* of the imported secrets' hashes */
    struct imported imported[IMPORTED_MAX];
    size_t imported_count;
    struct {
        bool known;  /* false: the process did not end in peace, or there is no such limit */
        double hour; /* requests left of the hour */
        ticks at;    /* when; by this host's clock */
    } rate;
    struct {
        ticks order, count, hint; /* by this host's clock; 0: at once */
    } again;                      /* when the service is relied on again (collect/reliance.h) */
};

void checkpoint_release(struct checkpoint *checkpoint);

/* Makes the checkpoint one of this tenant and API. */
void checkpoint_assign(struct checkpoint *checkpoint, const char *tenant_id, const char *api);
/* Sets `worked` and `lost`. Returns true if that is a change. */
bool checkpoint_note_loss(struct checkpoint *checkpoint, const char *worked, ticks lost);
/* Spells the tenant differently, or adds its GUID (NULL: leaves it as it is). */
void checkpoint_name_tenant(struct checkpoint *checkpoint, const char *tenant_id, const char *tid);

/* Parses text. On success fills *checkpoint and adds the written versions to dedup. On failure (ERR_INPUT) neither
 * changes. */
bool checkpoint_parse(const char *text, size_t len, struct checkpoint *checkpoint, struct dedup *dedup,
                      struct err *err);

/* Appends the text, with `cursor` and `quarantine` in place of the checkpoint's own. It holds those versions of
 * dedup that the two need and whose events end at or before pos, and the windows whose events do not. */
void checkpoint_format(const struct checkpoint *checkpoint, const struct cursor *cursor,
                       const struct quarantine *quarantine, struct dedup *dedup, uint64_t pos, int64_t overlap_s,
                       struct buf *ret);

/* Returns true if this value of the parameter was imported before. */
bool checkpoint_has_imported(const struct checkpoint *checkpoint, const char *param, const char *value);
void checkpoint_add_imported(struct checkpoint *checkpoint, const char *param, const char *value);
