/* collect/reading.h - what a worker reads at present, and how it has been going.
 *
 * Shared by the worker and its helpers. The helpers change it and return a decision (struct next); only worker.c
 * acts on the decision. */
#pragma once

#include "base/clock.h"
#include "collect/answer.h"
#include "collect/feed.h"
#include "collect/page_size.h"
#include "collect/pages.h"
#include "state/listing.h"

/* Failures since the last response that was as it should be. */
struct attempts {
    int failures;     /* in a row, of the kind that passes */
    int refusals;     /* in a row; the first BACKOFF_QUICK_TRIES are repeated at once: they may pass */
    bool rejected;    /* a 401 came, and a new token was fetched for it */
    bool fresh_token; /* the next try needs one: permissions may have been added to the app since */
};

/* A window that failed. Whether the service fails or only this window is decided by evidence: another window is
 * answered. Without any, a probe asks for the newest second. */
enum suspicion_state {
    SUSPICION_NONE,
    SUSPICION_OPEN, /* the window failed, and is requested once more */
    SUSPICION_PROBE /* the next request, or the one in flight, is the probe */
};

struct suspicion {
    enum suspicion_state state;
    bool broke;           /* the response was complete, but broke among its records */
    struct window window; /* the suspect; may be open */
    ticks sent_at;        /* the service's clock when it was requested */
    char why[256];
};

/* What a query asks for besides the records. */
enum ask {
    ASK_PLAIN, /* nothing */
    ASK_HINT,  /* ascending order */
    ASK_COUNT, /* how many match */
    ASK_ORDER  /* ascending order, and how many match */
};

/* What a listing asks for besides the records, from the best query to the simplest. */
enum list_form {
    LIST_SELECT, /* only ID and update time, and how many match */
    LIST_COUNT,  /* how many match */
    LIST_PLAIN   /* nothing */
};

/* A reading for an audit (collect/audit_day.h): the records are compared with a ledger. */
struct audit_reading {
    struct listing *listing; /* NULL: this reading is none; its records become events */
    bool repairs;            /* records are asked for in full, and those that the ledger lacks become events */
    bool counts_only;        /* they are counted, and not compared */
    enum list_form form;
    bool ignored; /* LIST_SELECT was sent, and records came with other members */
};

struct reading {
    struct feed *feed;
    enum worker_kind kind;
    struct window window;
    ticks sent_at; /* the service's clock when the first page of the pass was requested */
    bool timeless; /* neither the response's Date nor the host's clock is to be believed so far */
    int variant;   /* of the query that was sent; 0: the full one */
    enum ask ask;
    struct answer answer;
    struct pages pages;
    struct page_size page_size;
    struct attempts attempts;
    struct suspicion suspicion;
    int bad_tries; /* responses requested again because of new records that are not JSON */
    struct audit_reading audit;
};

#define READING_BAD_TRIES 2 /* a response with new records that are not JSON is requested again this often */

enum next_kind {
    NEXT_NOW,       /* send the next request at once */
    NEXT_POLL,      /* everything has been read: wait for the next poll, or end the backfill */
    NEXT_RETRY,     /* err passes, or may pass: try again after wait_ms */
    NEXT_THROTTLED, /* the service asks this app and tenant to wait for wait_ms */
    NEXT_REFUSED,   /* err is for a person to correct: try again after wait_ms */
    NEXT_NEW_TOKEN, /* the token was not accepted: the same request with a new one */
    NEXT_VARIANT    /* err says why the query is simplified */
};

/* What a helper decided. */
struct next {
    enum next_kind kind;
    int64_t wait_ms;
    int tries;        /* failures or refusals in a row: with this response, or ended by it */
    bool wake_others; /* the backfill or the quarantine may have something to read */
    bool backfill_done;
    bool full_again;  /* the full query works again */
    ticks again_from; /* what was read in part from this time on is read again; 0: nothing is */
    struct err err;
};

/* Returns true if ID and update time are all that is wanted of a record. */
static inline bool reading_lists(const struct reading *reading)
{
    return reading->audit.listing && !reading->audit.repairs;
}

/* Returns the feed that the events belong to. */
static inline struct feed *reading_home(const struct reading *reading)
{
    return reading->feed->home ? reading->feed->home : reading->feed;
}

/* Returns the API's page size for this worker; 0: the service's own choice. */
static inline size_t reading_page_most(const struct reading *reading)
{
    const struct api *api = reading->feed->api;

    return reading->kind == WORKER_LIVE ? api->top_first : api->top;
}

/* Makes the page smaller: the last one may have been too much for the service. */
static inline void reading_shrink_page(struct reading *reading)
{
    page_size_shrink(&reading->page_size, reading_page_most(reading));
}

/* Returns the state of this worker's query. */
static inline struct variant *reading_variant(const struct reading *reading)
{
    return &reading->feed->variants[reading->kind];
}

/* Returns that of the worker which learns from this one: LIVE and BACKFILL from each other, LIVE from QUARANTINE. */
static inline struct variant *reading_other_variant(const struct reading *reading)
{
    return &reading->feed->variants[reading->kind == WORKER_LIVE ? WORKER_BACKFILL : WORKER_LIVE];
}

/* Returns true if the query that was sent leaves out some of what an alert has. */
static inline bool reading_is_partial(const struct reading *reading)
{
    return api_is_partial(reading->feed->api, reading->variant);
}

/* Returns the present, up to which what an open window could not read is put off (to the backfill, into quarantine): by
 * the service's clock, which is sent_at, or by the host's if that is earlier. A service's clock that is ahead for a
 * while would put off what is still to come. The host's clock is not believed if it has not reached `past`, a time that
 * is over. */
static inline ticks reading_present(ticks sent_at, ticks past)
{
    ticks host = ticks_from_ms(clock_wall_ms());

    return host >= past ? ticks_min(sent_at, host) : sent_at;
}

/* Returns the time that the watermark may not pass: the service's clock. Nothing is certain while two clocks differ and
 * no third tells which one is wrong; a record dated in the future, or a backfill up to a false present, would then hide
 * what comes before it. So the watermark stays, also if this window begins after it: that may be in the future, too. */
static inline ticks reading_limit(const struct reading *reading)
{
    return reading->timeless ? ticks_min(reading->window.lo, reading->feed->progress.cursor.watermark) : reading->sent_at;
}

/* Returns the end of the window, or of an open one the time at which it was requested. */
static inline ticks reading_window_end(const struct reading *reading)
{
    return reading->window.hi == TICKS_OPEN ? reading->sent_at : reading->window.hi;
}
