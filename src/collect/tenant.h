/* collect/tenant.h - one input at work: its place, what it has written, its two lanes, how it stands.
 *
 * A tenant goes through phases once: it waits for the lock on its checkpoint, reads the checkpoint, gets its secrets,
 * and then collects until the process ends. Trouble of one tenant costs the others nothing: every wait is a timer of
 * its own. */
#pragma once

#include "auth/principal.h"
#include "auth/secret_intake.h"
#include "pacing/rate.h"
#include "state/checkpoint.h"
#include "pacing/limiter.h"
#include "state/dedup.h"
#include "state/cursor.h"
#include "state/acks.h"
#include "microsoft/api.h"
#include "splunk/events.h"
#include "splunk/input.h"

struct collector;
struct tenant;

/* What happened since the process started. */
struct tally {
    uint64_t new_events, repeats, bad_records;
    uint64_t whole;                                         /* answers with records that came whole */
    uint64_t requests, ok, throttled, refused, failed;     /* requests by outcome */
    uint64_t bytes;                                         /* received, compressed */
    int64_t  throttled_ms;
};

/* One of the two lanes: at most one request under way, then a result, then the next step. */
struct worker {
    struct tenant *tenant;
    enum worker_kind kind;
    struct timer   timer;
    struct slot  slot;

    /* the request under way */
    struct http_request *request;
    struct page   *page;
    struct page_handler handler;
    struct window    window;
    size_t         top;             /* asked for */
    ticks          sent_at;         /* the service's clock */
    uint64_t       token;           /* which one it carries */
    struct harvest page_harvest;    /* of this answer */
    size_t         fresh;           /* events written from this answer, or from this pass of a chain */
    size_t         malformed, replaced;   /* records without id or time; with characters replaced */
    size_t         outside;         /* records well outside of the span */
    bool           unfiltered;      /* the service ignores the filter: the chain brings everything */
    bool           probed;          /* the checkpoint's folder was tried before the first event */
    bool           held_back;       /* ... and cannot be written: events are held back */
    char           held_why[256];

    /* a chain of pages, where a span cannot be split further */
    bool           chain;
    char          *link;            /* next page; NULL: the first */
    size_t         skip;
    size_t         pages, passes;
    size_t         quiet;           /* passes in a row that were like the one before and brought nothing new */
    size_t         kept, kept_before;   /* records of this pass, and of the one before */
    struct dedup  *seen;            /* the different ones of all passes */
    uint64_t       sum, sum_before; /* of this page's records, and of the page before */
    int            alike;           /* pages in a row with the same records, or with none */
    struct harvest harvest;         /* of the pass */

    /* how it has been going */
    size_t         page_size;       /* 0: the API's; smaller after failures */
    size_t         too_large;       /* a page size that failed where a smaller one had worked; 0: none */
    int            successes;          /* pages read in a row */
    size_t         page_cap;           /* so many records an answer was seen to hold at most; 0: what was asked for */
    int            variant;
    int            failures;        /* in a row, what passes by itself */
    int            refusals;        /* in a row, what a person must mend */
    size_t         bad;             /* records of this answer that are no JSON */
    size_t         bad_accepted;    /* ... of the last answer that was taken with them */
    int            bad_tries;       /* answers asked for again because of them */
    int            broken_tries;    /* answers that broke inside the records, since the lane last caught up */
    int            grain_tries;     /* ... of the span that cannot be made smaller */
    ticks          bisection_width;      /* of the spans when the hunt for a broken record began */
    uint64_t       whole_before;    /* the tenant's whole answers when the first broke */
    bool           rejected;        /* the last answer was a 401 */
    int64_t        due_ms;          /* next poll or next try */
};

enum tenant_phase { PHASE_LOCK, PHASE_SECRETS, PHASE_RUN };
enum tenant_state { STATE_WAITING, STATE_OK, STATE_THROTTLED, STATE_FAILING, STATE_REFUSED };

struct tenant {
    /* For the collector's rounds; collect/collector.h. */
    struct tenant    *stirred_next;
    bool              stirred;
    bool              watched;          /* its state may change by itself, or has not been looked at since an event */
    bool              unsaved;          /* the last saved file may lack something */

    struct collector *col;
    size_t            number;           /* among all: spreads what comes regularly */
    struct input      input;
    char             *label;            /* the input's name for log lines: in quotes when it has blanks */
    const struct api *api;
    char             *login_url, *base_url, *resource;
    char             *proxy;            /* with its password; secret; NULL: the environment's */
    struct http_route route;
    struct event_frame *frame;

    enum tenant_phase phase;
    struct timer      phase_timer;
    enum tenant_state state;
    struct timer      status_timer;     /* for the next line */
    struct checkpoint cp;
    char             *cp_path;
    struct dedup     *dedup;
    struct cursor      cursor;
    struct window_plan      plans[WORKER_COUNT];
    struct quarantine      quarantine;
    struct acks      acks;
    bool              has_begin;        /* the place is set: from the checkpoint, or by start_time */
    struct cursor      saved_cursor;
    uint64_t          saved_pos, event_pos;     /* stream positions: in the last saved file; of the last event */
    struct timer      save_timer;       /* while it waits, there is no look for news to save */
    bool              cp_changed;       /* a secret was taken over */
    bool              save_fails;
    int64_t           clock_offset_ms;  /* the service's clock minus ours */

    struct principal   *principal;
    struct token_source    *source;
    char             *sign_in_error;   /* what was said about the sign-in last */
    struct token_listener listener;
    struct rate    *rate;
    struct worker       workers[WORKER_COUNT];

    struct secret_intake *secrets;

    struct tally      tally;
    struct err        problem;          /* why it is not ok */
    int64_t           read_ms;          /* monotonic time of the last poll that was complete; 0: none */
    ticks             newest_alert;     /* update time of the newest alert seen in this run; 0: none */
    ticks             fill_from;        /* where the back-fill began, for its progress */
};

/* Takes the input over (the struct's content). */
struct tenant *tenant_new(struct collector *col, struct input *input);
void tenant_free(struct tenant *t);

/* Tries for the lock and goes on from there; called once, and by its own timers. */
void tenant_start(struct tenant *t);
/* The password store was read: starts with the secrets, if the tenant waits for that. */
void tenant_store_loaded(struct tenant *t);

/* The service's clock now, as far as known. */
ticks tenant_service_now(const struct tenant *t);

bool tenant_certificate_days(const struct tenant *t, int64_t *ret);

/* Takes the service's clock over, and on the first call without a checkpoint the beginning from start_time. */
void tenant_begin(struct tenant *t, const struct token_view *view);

/* collect/tenant_save.c */
/* Something has happened to it: its state and its checkpoint want a look. */
void tenant_stir(struct tenant *t);
/* Takes that look at once; the collector's rounds look only at what does not come to rest by it. */
void tenant_look(struct tenant *t);
/* Saves what is behind pos in the output stream, if that is news. sync: through to the disk. */
bool tenant_save(struct tenant *t, uint64_t pos, bool sync, struct err *err);
/* Is there anything behind pos that the last saved file does not hold? */
bool tenant_has_news(struct tenant *t, uint64_t pos);
/* For an unsaved one: saves what is behind `settled` in the output stream when it is time. True when it tried, which
 * waits for the disk. */
bool tenant_save_due(struct tenant *t, uint64_t settled);
void tenant_save_fire(void *tenant, int64_t now_ms);    /* for save_timer */
/* Can a checkpoint be written now? Tried before events are written that it would have to hold. */
bool tenant_can_save(struct tenant *t, struct err *err);

/* collect/worker.c */
#define WORKER_BAD_TRIES 2        /* an answer with records that are no JSON is asked for again so often */
void worker_answered(void *worker, const struct http_result *result);
void worker_start(struct worker *worker, struct tenant *t, enum worker_kind kind);
void worker_release(struct worker *worker);
void worker_step(struct worker *worker, int64_t now_ms);      /* does what is due; fine at any time */
void worker_wake(struct worker *worker, int64_t due_ms);      /* a step at that time, unless one is due sooner */

/* collect/status.c */
void status_start(struct tenant *t, int64_t now_ms);     /* the regular lines begin */
void status_update(struct tenant *t);                   /* says so when the state has changed */
void status_line(struct tenant *t, int64_t now_ms);      /* and when the next one is due */
void status_fire(void *tenant, int64_t now_ms);         /* for status_timer */
const char *status_word(enum tenant_state state);
