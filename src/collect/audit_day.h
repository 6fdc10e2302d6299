/* collect/audit_day.h - compares one day of an input with what the service lists, and writes what is missing.
 *
 *   LIST      the IDs and update times of all records of the day, under the rules that hold for every window: a window
 *             counts as read when one response held all of it, or when it is proven that several did
 *   AGAIN     the same once more, if the service's count of the day does not agree with what it listed
 *   CONTROL   whether the service has anything later, if it lists nothing although the ledger has versions: they may
 *             all have been updated since, or the service answers with an empty list by mistake
 *   REPAIR    each time of a missing version is asked for in full, and what the ledger lacks becomes an event
 *
 * What it reads does not move the input's cursor (collect/audit_reader.h), and the input's workers go on. What they write
 * meanwhile is noted in the listing, so that nothing is written twice.
 *
 * The input's feed must stay as it is until audit_day_free(). */
#pragma once

#include "collect/feed.h"
#include "collect/reading.h"

enum audit_verdict {
    AUDIT_NONE,
    AUDIT_EQUAL,    /* every version that is listed was written */
    AUDIT_REPAIRED, /* some were missing, and have been written now */
    AUDIT_MISSING,  /* some are missing still */
    AUDIT_PARTIAL,  /* the list is not known to be whole */
    AUDIT_BEHIND,   /* polls or backfill have not passed the day yet */
    AUDIT_UNKNOWN,  /* it cannot be compared: no ledger, or the service does not answer */
    AUDIT_VERDICTS
};

/* Returns the word of the log. */
const char *audit_verdict_word(enum audit_verdict verdict);

struct audit_result {
    enum audit_verdict verdict;
    char why[256]; /* "" for the first two */
    struct listing_counts counts;
    int64_t counted; /* records of the day, as the service said last; -1: it did not */
    uint64_t requests, bytes;
    enum list_form form;
    bool ignored; /* $select was */
    bool refused; /* the service refuses the input, whatever is asked for */
    int64_t took_ms;
};

/* Returns "yes", "no" or "ignored": whether only ID and update time were sent. */
const char *audit_select_word(const struct audit_result *result);

struct worker_port;

struct audit_day_spec {
    struct feed *feed;
    struct window window; /* of update times */
    uint64_t *keys;       /* of the ledger; taken over */
    size_t key_count;
    bool repairs;
    size_t ids_most;                /* of missing versions whose IDs are kept */
    enum list_form form;            /* to begin with */
    const struct worker_port *port; /* of its workers; NULL: worker_spare_port */
    void (*done)(void *ctx);        /* from the loop, once */
    void *ctx;
};

struct audit_day;

/* Starts. Never returns NULL. */
struct audit_day *audit_day_new(const struct audit_day_spec *spec);
/* Ends what is in flight. NULL is allowed. Not from inside of done(), but from a timer after it. */
void audit_day_free(struct audit_day *day);
/* The token source has changed. */
void audit_day_wake(struct audit_day *day);
/* Returns true once it has ended. */
bool audit_day_is_done(const struct audit_day *day);
/* Returns the result; the counts are up to date, so that they may change until then. */
const struct audit_result *audit_day_result(struct audit_day *day);
/* Returns the versions; owned by the day. */
const struct listing *audit_day_listing(const struct audit_day *day);
