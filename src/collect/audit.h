/* collect/audit.h - when the days of an input are audited, and what is said of them.
 *
 * Each night the last whole days, as many as the parameter `audit` says, are compared with what the service lists
 * (collect/audit_day.h). An input begins at its own moment, between a poll interval after the last day is settled
 * (collect/settled.h; 00:46 UTC by default) and four hours and ten minutes later. A process that was not running then
 * begins ten minutes to fifty after its start. Days that cannot be compared yet are tried again after one hour, then two
 * and four, until the next night.
 *
 * A day of which something was written is said when splunkd has taken the events and the ledger has them, so nothing is
 * called repaired or equal that might be lost. The ledger notes that a night is over, and a restart repeats nothing.
 *
 * A few inputs at a time are audited, since each needs the keys of a day in memory. Driven by one timer: an input at
 * rest costs nothing between two nights. */
#pragma once

#include "collect/audit_log.h"

struct audit_owner {
    void (*save)(void *ctx);  /* the ledger has something to save soon */
    void (*ended)(void *ctx); /* the audit of a day has ended */
};

struct audit {
    struct feed *feed;
    const struct audit_owner *owner;
    void *ctx;
    const struct worker_port *port; /* for audit_day_new() */
    struct timer timer;
    uint32_t night;                               /* the days before this one are audited; LEDGER_NO_DAY: none yet */
    uint64_t done;                                /* bit n: the n-th day before it needs no more looks */
    uint64_t tried;                               /* ... has had its look, and gets another one later */
    int tries;                                    /* such looks of this night */
    struct audit_told told[LEDGER_KEPT_DAYS + 1]; /* of the n-th day before */
    struct audit_day *day;                        /* NULL: none is read */
    uint32_t of;                                  /* ... the day */
    bool in_gate;                                 /* counts among the inputs that are audited at present */
    bool requested;                               /* a person's request is in the ledger's memory */
    int64_t confirm_until_ms;                     /* the events of the day are waited for until then; 0: not yet */
    enum list_form form;                          /* that the service takes */
};

/* Set feed, owner and ctx before. known: the input has a checkpoint from before this process. */
void audit_start(struct audit *audit, bool known, int64_t now_ms);
/* Ends what is in flight without a result, until audit_start(). Allowed in any state. */
void audit_stop(struct audit *audit);
/* The token source has changed. */
void audit_wake(struct audit *audit);
