/* collect/feed.h - what the workers of an input share: where it reads, its progress, and what it counted.
 *
 * Owned by the tenant. Workers report to it through the callbacks and never reach for it. */
#pragma once

#include "base/clock.h"
#include "base/sketch.h"
#include "collect/env.h"
#include "collect/loss.h"
#include "collect/reliance.h"
#include "collect/service_clock.h"
#include "collect/variant.h"
#include "messages/log_cap.h"
#include "microsoft/api.h"
#include "splunk/input.h"
#include "state/ledger.h"
#include "state/listing.h"
#include "state/progress.h"

/* Counts since the process started. */
struct tally {
    uint64_t new_events, repeats, bad_records;
    uint64_t requests, ok, throttled, refused, failed; /* requests by result */
    uint64_t bytes;                                    /* received, before decoding */
    uint64_t event_bytes;                              /* of new_events as Splunk has them (_raw) */
    struct sketch alerts;                              /* that new_events are versions of */
    int64_t throttled_ms;
};

/* What tells whether the service fails, or a window alone: responses that were complete. */
struct evidence {
    int64_t answered_ms; /* monotonic time of the last one; 0: none */
    int unproven;        /* windows cut since one with records came */
    ticks proven;        /* update time of a record of the last such one; 0: none in this run */
    bool stalled;        /* windows wait for such a one: nothing proves that they get through */
};

#define FEED_UNPROVEN_MOST 16 /* windows cut without a complete response with records; no more until one comes */

struct feed_owner {
    bool (*writable)(void *ctx, struct err *err); /* whether a checkpoint could be saved now */
    void (*changed)(void *ctx);                   /* the input's health may have changed */
    void (*wake_others)(void *ctx);               /* the backfill or the quarantine may have something to read */
    /* Whether it may be asked for and written now. NULL: always, it is this forwarder's alone. After a false the owner
     * stops the workers, and wakes them when they may go on. */
    bool (*may_read)(void *ctx);
};

struct feed {
    const struct env *env;
    const struct input *input;
    const char *label;   /* the input's name for log lines: in quotes if it has blanks */
    struct log_cap *cap; /* of its lines; NULL: none */
    size_t number;       /* of the input; spreads what comes regularly */
    const struct api *api;
    const char *base_url;
    struct http_route route;
    struct event_frame *frame;
    struct token_source *source; /* NULL until the input is open */
    struct rate *rate;
    struct variant variants[WORKER_COUNT]; /* of the query, for each worker */

    struct progress progress;
    struct ledger *ledger;      /* NULL: the API's records have no identity */
    ticks own_since, own_until; /* as in struct checkpoint */
    struct feed *home; /* this is an audit's own feed, and its events belong to that one; NULL: it is an input's */
    struct listing *listing; /* of the day that is being audited: told of what is written; NULL: none */
    struct {
        uint32_t day; /* that was audited last; LEDGER_NO_DAY: none */
        const char *result;
    } audited;
    bool open;        /* the workers may read */
    int64_t since_ms; /* monotonic: when it came to this process */
    struct service_clock clock;
    uint64_t event_pos; /* stream position after the last event */
    ticks newest_alert; /* update time of the newest alert written in this run; 0: none */
    int64_t read_ms;    /* monotonic time of the last complete poll; 0: none */
    struct evidence evidence;
    struct reliance reliance;
    struct tally tally;
    uint64_t sign_ins_failed; /* those that the tally has */
    struct err problem;       /* why the input is not ok */
    char *sign_in_error;      /* logged last; forgotten when a request succeeds */
    struct loss loss;

    const struct feed_owner *owner;
    void *ctx;
};

/* Returns true if the ledger has every version of that day that any forwarder wrote: a day like that can be audited. */
static inline bool feed_has_day(const struct feed *feed, uint32_t day)
{
    return ledger_covers(feed->ledger, day) && feed->own_since <= ledger_day_begin(day) &&
           (!feed->own_until || ledger_day_begin(day + 1) <= feed->own_until);
}

static inline bool feed_may_read(const struct feed *feed)
{
    return !feed->owner->may_read || feed->owner->may_read(feed->ctx);
}

/* Returns true if it is not known whether any response with records gets through: all may be truncated on the way. */
static inline bool feed_is_unproven(const struct feed *feed)
{
    return feed->evidence.unproven >= FEED_UNPROVEN_MOST;
}

/* Returns the ledger of an input: one API and one filter. NULL: the API's records have no identity. The caller frees it
 * with ledger_free(). */
struct ledger *feed_ledger_new(const struct input *input, const struct api *api);

/* Notes which GUID the tenant has, if tid is one: inputs that name it, or another domain of it, share the limits. */
void feed_name_rate(struct feed *feed, const char *tid);

/* Takes the Date of a response that took that long, and reports a doubt. Returns true if it is believed. */
bool feed_take_date(struct feed *feed, int64_t date_ms, int64_t took_ms);

/* Returns the state of the token, without asking for one; TOKEN_BUSY and an empty view before the input is open. */
enum token_state feed_peek_token(const struct feed *feed, int64_t now_ms, struct token_view *ret);

/* Notes that the sign-in fails, and logs it once per reason. wait_ms: to the next try; -1: when a person has acted. */
void feed_sign_in_failed(struct feed *feed, const struct err *err, int64_t wait_ms);
/* Counts the requests for a token that failed since the last call, as the view has them. */
void feed_count_sign_ins(struct feed *feed, const struct token_view *view);

/* Logs a refusal, or once a day that the customer is lost. what: "the sign-in is refused"; again: when the next try is. */
void feed_refused(struct feed *feed, const struct err *err, const char *what, const char *again);

/* Writes a line of this input if its cap allows it: the word of the event, input=, tenant=, api=, the facts (key=value)
 * at the start of the text, why= in quotes, the rest of the text. why: text that may come from elsewhere, such as that of
 * an err; NULL: none. */
void feed_log(const struct feed *feed, enum event event, const char *why, const char *fmt, ...) PRINTF(4, 5);
/* Writes the counts of lines that were left out, once a minute. at_end: the rest of them. */
void feed_log_counts(const struct feed *feed, bool at_end, int64_t now_ms);

/* Returns the service's present time, as far as it is known: a host's clock that jumps does not change it. */
static inline ticks feed_service_now(const struct feed *feed)
{
    return ticks_from_ms(service_clock_now(&feed->clock, clock_wall_ms(), clock_ms()));
}
