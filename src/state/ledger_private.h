/* state/ledger_private.h - the state of a ledger, for ledger.c (what is written) and ledger_days.c (what is known of its
 * days). */
#pragma once

#include "state/ledger.h"
#include "state/ledger_waiting.h"

#define LEDGER_DAYS (LEDGER_KEPT_DAYS + 3) /* in the table: today, and clocks that differ */

/* What is known of a day. */
struct ledger_day {
    uint32_t day;
    uint32_t keys;    /* in the file; repeated ones count */
    uint32_t said;    /* keys when the manifest was said last */
    uint32_t audited; /* number of the last audit's mark; 0: none */
    bool was_said : 1;
    bool lost : 1;      /* keys could not be written */
    bool unwritten : 1; /* the file does not say one of the three yet, or that the day begins again */
    bool begins : 1;    /* the day begins again once the file says so */
    bool again : 1;     /* ... and has not been audited since */
};

struct ledger {
    char *path;
    bool begun;  /* since is set */
    bool exists; /* the file is there, and is this ledger's */
    bool compacts;
    bool busy; /* a job is on its way */
    bool cuts; /* the file may be longer than `size` */
    bool got_more;
    struct ledger_line line; /* its length is known once the file exists */
    ticks newest;            /* update time of the newest version that was added; 0: none */
    uint64_t size;           /* of the file, as far as it counts */
    uint64_t dropped;        /* bytes of slots that are not in it any more */
    uint32_t day;            /* of the last key in it; LEDGER_NO_DAY: not known */
    struct waiting_list waiting; /* for their events to be taken */
    struct buf batch;
    uint32_t batch_day; /* of the last key in it */
    bool looked;        /* the days have the counts of the file */
    struct ledger_day days[LEDGER_DAYS];
    uint32_t today;
    bool in_trouble; /* the last job failed, or the file was not what it should be */
    char *news;      /* ... why, until somebody asks */
};

/* Returns the entry of the day. create: makes one; NULL if the day is out of range. */
struct ledger_day *ledger_find_day(struct ledger *ledger, uint32_t day, bool create);
/* Counts the keys and notes the marks of a batch that is in the file now. */
void ledger_count_batch(struct ledger *ledger);
/* Notes that the keys of a batch are lost. */
void ledger_lose_batch(struct ledger *ledger);
/* Forgets what is known of the days. */
void ledger_forget_days(struct ledger *ledger);
