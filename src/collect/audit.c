#include "collect/audit.h"

#include <stdio.h>
#include <string.h>

#include "collect/audit_night.h"
#include "collect/settled.h"
#include "state/ledger_again.h"

#define START_MS     (10 * 60 * 1000)
#define START_TURNS  500  /* moments for inputs to begin after that ... */
#define START_SPREAD 5000 /* ... this far apart */
#define SOON_MS      5000
#define AGAIN_MS     (60 * 1000)
#define HOURLY_MS    (60 * 60 * 1000)
#define TRIES_MOST   2 /* the wait doubles this often */
#define CONFIRM_MS   (10 * 60 * 1000)
#define INPUTS_MOST  8 /* that are audited at a time */

static void look_at(struct audit *audit, int64_t due_ms)
{
    timer_set(audit->feed->env->loop, &audit->timer, due_ms);
}

/* The gate. */

static bool enter_gate(struct audit *audit)
{
    size_t *audits = audit->feed->env->audits;

    if (*audits >= INPUTS_MOST)
        return false;
    ++*audits;
    return audit->in_gate = true;
}

static void leave_gate(struct audit *audit)
{
    if (audit->in_gate)
        --*audit->feed->env->audits;
    audit->in_gate = false;
}

/* Nights. */

static void begin_night(struct audit *audit, ticks now)
{
    uint32_t night = audit_night_at(audit->feed, now);

    if (night == audit->night)
        return;
    audit->night = night;
    audit->done = audit_night_is_noted(audit->feed, night) ? UINT64_MAX : 0;
    audit->tried = 0;
    audit->tries = 0;
    audit->form = LIST_SELECT;
    memset(audit->told, 0, sizeof(audit->told)); /* AUDIT_NONE */
}

/* Results. */

/* Takes the result of a day. */
static void take_result(struct audit *audit, uint32_t day, const struct audit_result *result,
                        const struct listing *listing)
{
    struct feed *feed = audit->feed;
    uint32_t before = audit->night - day;
    bool is_final = result->verdict == AUDIT_EQUAL || result->verdict == AUDIT_REPAIRED;

    audit_log(feed, day, result, listing, &audit->told[before]);
    if (day >= feed->audited.day) {
        feed->audited.day = day;
        feed->audited.result = audit_verdict_word(result->verdict);
    }
    audit->tried |= UINT64_C(1) << before;
    if (is_final) {
        audit->done |= UINT64_C(1) << before;
        if (ledger_is_again(feed->ledger, day))
            audit_note(feed, day, result->verdict);
    }
    audit->owner->ended(audit->ctx);
}

/* A day that was not read. */
static void say(struct audit *audit, uint32_t day, enum audit_verdict verdict, const char *why)
{
    struct audit_result result = { .verdict = verdict, .counted = -1 };

    snprintf(result.why, sizeof(result.why), "%s", why);
    take_result(audit, day, &result, NULL);
}

/* One day. */

static void day_done(void *ctx)
{
    struct audit *audit = ctx;

    look_at(audit, loop_now(audit->feed->env->loop));
}

static bool begin_day(struct audit *audit, uint32_t day)
{
    struct feed *feed = audit->feed;
    struct window window = { ticks_max(ledger_day_begin(day), feed->progress.cursor.begin), ledger_day_begin(day + 1) };
    uint64_t *keys;
    size_t count;
    struct err err;

    if (!ledger_keys(feed->ledger, day, &keys, &count, &err)) {
        say(audit, day, AUDIT_UNKNOWN, err.text);
        leave_gate(audit);
        return false;
    }
    audit->of = day;
    audit->confirm_until_ms = 0;
    audit->day = audit_day_new(&(struct audit_day_spec){ .feed = feed,
                                                         .window = window,
                                                         .keys = keys,
                                                         .key_count = count,
                                                         .repairs = true,
                                                         .ids_most = AUDIT_NAMED_MOST,
                                                         .form = audit->form,
                                                         .port = audit->port,
                                                         .done = day_done,
                                                         .ctx = audit });
    return true;
}

/* Returns true once what was written, by the audit or by polls meanwhile, is in the ledger, or it took too long. */
static bool is_confirmed(struct audit *audit, struct audit_result *result, int64_t now_ms)
{
    const struct feed *feed = audit->feed;

    if (!result->counts.fresh)
        return true;
    if (!audit->confirm_until_ms)
        audit->confirm_until_ms = now_ms + CONFIRM_MS;
    if (ledger_waits(feed->ledger, audit->of) && now_ms < audit->confirm_until_ms)
        return false;
    if (ledger_waits(feed->ledger, audit->of)) {
        result->verdict = AUDIT_MISSING;
        snprintf(result->why, sizeof(result->why), "what was missing is written, but Splunk has not taken it yet");
    } else if (!feed_has_day(feed, audit->of)) {
        result->verdict = AUDIT_UNKNOWN;
        snprintf(result->why, sizeof(result->why), "no_ledger");
    }
    return true;
}

/* Returns true if the day that was read is said. */
static bool end_day(struct audit *audit, int64_t now_ms)
{
    struct audit_result result = *audit_day_result(audit->day);

    leave_gate(audit);
    if (!is_confirmed(audit, &result, now_ms)) {
        look_at(audit, now_ms + SOON_MS);
        return false;
    }
    audit->form = result.ignored && result.form == LIST_SELECT ? LIST_COUNT : result.form;
    take_result(audit, audit->of, &result, audit_day_listing(audit->day));
    audit_day_free(audit->day);
    audit->day = NULL;
    return true;
}

/* What comes next. */

enum turn {
    TURN_NONE,  /* nothing is to be done for the day */
    TURN_LATER, /* it could not be compared, or not without a difference */
    TURN_SOON,  /* it can be compared within minutes */
    TURN_NOW
};

static uint64_t bit_of(const struct audit *audit, uint32_t day)
{
    return UINT64_C(1) << (audit->night - day);
}

/* The ledger does not have the whole day: no other look this night can tell more. */
static void day_is_unknown(struct audit *audit, uint32_t day)
{
    say(audit, day, AUDIT_UNKNOWN, "no_ledger");
    audit->done |= bit_of(audit, day);
    if (ledger_is_again(audit->feed->ledger, day))
        audit_note(audit->feed, day, AUDIT_UNKNOWN);
}

static void day_is_behind(struct audit *audit, uint32_t day)
{
    say(audit, day, AUDIT_BEHIND, audit->feed->progress.cursor.backfill.active ? "backfill" : "polls");
    audit->tried |= bit_of(audit, day);
}

static enum turn turn_of(struct audit *audit, uint32_t day)
{
    const struct feed *feed = audit->feed;
    bool again = ledger_is_again(feed->ledger, day);
    bool wanted = audit->night - day <= (uint32_t)feed->input->audit && !(audit->done & bit_of(audit, day));

    if ((!wanted && !again) || ledger_day_begin(day + 1) <= feed->progress.cursor.begin)
        return TURN_NONE;
    if (audit->tried & bit_of(audit, day))
        return TURN_LATER;
    if (!feed_has_day(feed, day)) {
        day_is_unknown(audit, day);
        return TURN_NONE;
    }
    if (!settled_is_read(feed, day)) {
        day_is_behind(audit, day);
        return TURN_LATER;
    }
    return ledger_waits(feed->ledger, day) ? TURN_SOON : TURN_NOW;
}

/* The days are done, or cannot be: sets when to look again. */
static void end_look(struct audit *audit, enum turn most, ticks now, int64_t now_ms)
{
    struct feed *feed = audit->feed;
    enum audit_verdict verdict = (enum audit_verdict)audit->told[1].verdict;

    if (most == TURN_SOON) {
        look_at(audit, now_ms + AGAIN_MS);
        return;
    }
    if (most == TURN_LATER) {
        look_at(audit, now_ms + (HOURLY_MS << (audit->tries < TRIES_MOST ? audit->tries : TRIES_MOST)));
        audit->tries++;
        audit->tried = 0;
        return;
    }
    if (verdict && !audit_night_is_noted(feed, audit->night))
        audit_note(feed, audit->night - 1, verdict);
    look_at(audit, audit_night_next_ms(audit->feed, audit->night, now, now_ms));
}

static void look_at_days(struct audit *audit, ticks now, int64_t now_ms)
{
    enum turn turn, most = TURN_NONE;
    uint32_t before, day;

    for (before = 1; before <= LEDGER_KEPT_DAYS && before < audit->night; before++) {
        day = audit->night - before;
        turn = turn_of(audit, day);
        if (turn == TURN_NOW && !enter_gate(audit)) {
            look_at(audit, now_ms + SOON_MS);
            return;
        }
        if (turn == TURN_NOW && begin_day(audit, day))
            return;
        if (turn != TURN_NOW && turn > most)
            most = turn;
    }
    end_look(audit, most, now, now_ms);
}

/* Takes a person's request to write days again. Returns true once the ledger says what was asked. */
static bool requests_are_taken(struct audit *audit)
{
    struct ledger *ledger = audit->feed->ledger;

    if (!audit->requested && ledger_again_take(ledger)) {
        audit->requested = true;
        audit->owner->save(audit->ctx);
    }
    if (!audit->requested)
        return true;
    if (ledger_begins_again(ledger))
        return false;
    ledger_again_done(ledger);
    audit->requested = false;
    return true;
}

static void timer_fired(void *ctx, int64_t now_ms)
{
    struct audit *audit = ctx;
    struct feed *feed = audit->feed;
    ticks now = feed_service_now(feed);
    struct err err;

    if (audit->day && (!audit_day_is_done(audit->day) || !end_day(audit, now_ms)))
        return;
    if (!feed->open || !ledger_look(feed->ledger, now, &err) || !requests_are_taken(audit)) {
        look_at(audit, now_ms + AGAIN_MS);
        return;
    }
    begin_night(audit, now);
    audit_recall(feed, audit->night);
    look_at_days(audit, now, now_ms);
}

/* From beginning to end. */

void audit_start(struct audit *audit, bool known, int64_t now_ms)
{
    struct feed *feed = audit->feed;
    ticks now = feed_service_now(feed);

    if (!feed->ledger || !feed->input->audit)
        return;
    audit->timer.fire = timer_fired;
    audit->timer.ctx = audit;
    audit->night = LEDGER_NO_DAY;
    audit->requested = false;
    if (known) {
        look_at(audit, now_ms + START_MS + (int64_t)(feed->number % START_TURNS) * START_SPREAD);
        return;
    }
    begin_night(audit, now); /* which has nothing for a new input */
    audit->done = UINT64_MAX;
    look_at(audit, audit_night_next_ms(audit->feed, audit->night, now, now_ms));
}

void audit_stop(struct audit *audit)
{
    if (!audit->timer.fire)
        return;
    timer_cancel(audit->feed->env->loop, &audit->timer);
    leave_gate(audit);
    audit_day_free(audit->day);
    audit->day = NULL;
}

void audit_wake(struct audit *audit)
{
    audit_day_wake(audit->day);
}
