#include "collect/status.h"

#include <stdio.h>

#include "messages/diagnosis.h"
#include "messages/log_events.h"
#include "messages/notes.h"

#define EVERY_MS   (5 * 60 * 1000)
#define FIRST_MS   60000
#define LINE_MAX   1950
#define ADVICE_MAX 400
#define NOTE_MAX   400
#define NEXT_MAX   (CLOCK_AGAIN_MAX + 64)

int64_t status_next_ms(size_t number, int64_t started_ms, int64_t now_ms)
{
    int64_t first_ms = started_ms + FIRST_MS;

    return clock_next_turn(now_ms > first_ms ? now_ms : first_ms, EVERY_MS, number, EVERY_MS / CLOCK_IDLE_MS);
}

/* Adds the counts since the process started: alerts, and requests by result. */
static void add_tally(struct fields *fields, const struct tally *tally)
{
    fields_number(fields, "new", (int64_t)tally->new_events);
    fields_number(fields, "repeats", (int64_t)tally->repeats);
    fields_number(fields, "bad", (int64_t)tally->bad_records);
    fields_number(fields, "requests", (int64_t)tally->requests);
    fields_number(fields, "ok", (int64_t)tally->ok);
    fields_number(fields, "throttled", (int64_t)tally->throttled);
    fields_number(fields, "refused", (int64_t)tally->refused);
    fields_number(fields, "failed", (int64_t)tally->failed);
    fields_number(fields, "throttled_s", tally->throttled_ms / 1000);
    fields_number(fields, "bytes", (int64_t)tally->bytes);
    fields_number(fields, "event_bytes", (int64_t)tally->event_bytes);
    fields_number(fields, "alerts", (int64_t)sketch_count(&tally->alerts));
}

ticks status_newest_alert(const struct status *status)
{
    const struct feed *feed = status->feed;
    const struct cursor *cursor = &feed->progress.cursor;

    if (!feed->newest_alert && feed->progress.begun && cursor->watermark > cursor->begin)
        return cursor->watermark;
    return feed->newest_alert;
}

/* Returns how long ago the newest alert that was seen had been updated; 0 also if it is dated in the future; -1: none
 * yet. */
static int64_t alert_age_s(const struct status *status)
{
    ticks newest = status_newest_alert(status), now = feed_service_now(status->feed);

    return !newest ? -1 : newest < now ? (now - newest) / TICKS_PER_SECOND : 0;
}

/* Returns the seconds since the last complete poll; -1: none since the process started. */
static int64_t read_age_s(const struct feed *feed, int64_t now_ms)
{
    return feed->read_ms ? (now_ms - feed->read_ms) / 1000 : -1;
}

static int64_t up_s(const struct feed *feed, int64_t now_ms)
{
    return (now_ms - feed->since_ms) / 1000;
}

static void add_times(struct fields *fields, const struct status *status, int64_t now_ms)
{
    const struct feed *feed = status->feed;

    fields_number(fields, "lag_s", alert_age_s(status));
    fields_number(fields, "next_s", status->next_s);
    fields_number(fields, "read_age_s", read_age_s(feed, now_ms));
    fields_number(fields, "up_s", up_s(feed, now_ms));
    fields_number(fields, "poll_s", feed->input->poll_interval);
    fields_number(fields, "limit_per_min", feed->api->per_minute);
    fields_number(fields, "limit_per_hour", feed->api->per_hour);
    fields_number(fields, "known", (int64_t)dedup_count(feed->progress.dedup));
    fields_number(fields, "quarantined", (int64_t)quarantine_waiting(&feed->progress.quarantine));
}

static void add_audit(struct fields *fields, const struct feed *feed)
{
    char day[LEDGER_DAY_TEXT];

    if (feed->ledger && !feed->input->audit)
        fields_word(fields, "audit", "off");
    if (!feed->input->audit || feed->audited.day == LEDGER_NO_DAY)
        return;
    fields_word(fields, "audit_day", ledger_day_text(feed->audited.day, day));
    fields_word(fields, "audit", feed->audited.result);
}

static void add_backfill(struct fields *fields, const struct cursor *cursor)
{
    ticks from = cursor->begin, at = cursor->backfill.next, end = cursor->backfill.end;
    double part = end > from ? (double)(at - from) / (double)(end - from) : 1;
    char text[TICKS_TEXT_MAX];

    if (!cursor->backfill.active)
        return;
    ticks_text_digits(at, 0, text);
    fields_word(fields, "backfill_at", text);
    fields_number(fields, "backfill_percent", (int64_t)(100 * part));
}

static void add_expiry(struct fields *fields, const struct status *status)
{
    int64_t days;

    if (status->credential)
        fields_word(fields, "credential", status->credential);
    if (status->has_token)
        fields_number(fields, "token_s", status->token_s);
    if (status->has_certificate)
        fields_number(fields, "certificate_days", status->certificate_days);
    if (status->has_secret)
        fields_number(fields, "secret_days", status->secret_days);
    if (api_days_left(status->feed->api, feed_service_now(status->feed), &days))
        fields_number(fields, "api_days", days);
}

/* Returns true if the customer is lost. While a process that was started again has not tried it yet, it is waiting. */
static bool is_lost(const struct status *status)
{
    return status->feed->loss.lost && status->state == HEALTH_REFUSED;
}

/* Returns the remedy where the problem names none: that of the state. */
static struct remedy remedy_of_state(enum health_state state)
{
    switch (state) {
    case HEALTH_REFUSED: return event_table[EVENT_REFUSED].remedy;
    case HEALTH_FAILING: return event_table[EVENT_TROUBLE].remedy;
    case HEALTH_THROTTLED: return diagnosis_table[DIAGNOSIS_HTTP_429].remedy;
    default: return (struct remedy){ ACT_NOBODY, "nothing: it starts" };
    }
}

/* Returns who has to act and what to do, from the tables of messages/. */
static struct remedy remedy_of(const struct status *status)
{
    const struct err *problem = status->problem;

    if (is_lost(status))
        return event_table[EVENT_LOST].remedy;
    if (*problem->text && problem->advice)
        return (struct remedy){ (enum responsible)problem->responsible, problem->advice };
    return remedy_of_state(status->state);
}

static void add_remedy(struct fields *fields, const struct status *status)
{
    const struct err *problem = status->problem;
    struct remedy remedy = remedy_of(status);
    CLEANUP(buf_free) struct buf advice = BUF_INIT(ADVICE_MAX);

    diagnosis_fill(&advice, remedy.advice, NULL);
    fields_word(fields, "cause", *problem->text && *problem->cause ? problem->cause : health_word(status->state));
    fields_text(fields, "who", responsible_text(remedy.responsible));
    fields_text(fields, "remedy", buf_text(&advice));
}

/* Writes when the input goes on; "": not known. */
static void write_next(const struct status *status, char ret[NEXT_MAX])
{
    char text[CLOCK_AGAIN_MAX];

    *ret = '\0';
    if (status->next_s <= 0)
        return;
    if (status->state == HEALTH_THROTTLED)
        snprintf(ret, NEXT_MAX, "waits until %s%s", clock_text_after(status->next_s * 1000, text),
                 status->problem->wait_ms ? " as Microsoft asked" : "");
    else
        snprintf(ret, NEXT_MAX, "%s", clock_again(status->next_s * 1000, text));
}

static void add_why(struct fields *fields, const struct status *status)
{
    const char *problem = status->problem->text;
    char why[401], next[NEXT_MAX];

    if (status->state == HEALTH_OK)
        return;
    if (is_lost(status))
        fields_word(fields, "lost", "yes");
    add_remedy(fields, status);
    write_next(status, next);
    if (*next)
        fields_text(fields, "next", next);
    snprintf(why, sizeof(why), "%s%s", is_lost(status) ? "the customer is lost, it worked before: " : "",
             *problem ? problem : status->waits_for);
    fields_text(fields, "why", why);
}

static bool begins_later(const struct status *status)
{
    return status->feed->progress.cursor.begin > feed_service_now(status->feed);
}

/* Returns true if a person would wonder about the input although it is well: it has nothing to read, or never had. */
static bool has_note(const struct status *status)
{
    return status->state == HEALTH_OK && status->feed->progress.begun &&
           (begins_later(status) || alert_age_s(status) < 0);
}

static void write_note(const struct status *status, struct buf *to)
{
    const struct cursor *cursor = &status->feed->progress.cursor;
    char from[TICKS_TEXT_MAX];

    if (!has_note(status))
        return;
    if (begins_later(status)) {
        note_future_start(to, cursor->begin);
    } else {
        ticks_text_digits(cursor->begin, 0, from);
        buf_add_format(to, "no alert since %s, where the input began%s", from,
                       status->feed->input->filter ? ", with its filter" : "");
    }
}

void status_add(const struct status *status, struct fields *fields, int64_t now_ms)
{
    const struct feed *feed = status->feed;
    CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);

    fields_word(fields, "tenant", feed->input->tenant_id);
    fields_word(fields, "client", feed->input->client_id);
    fields_word(fields, "api", feed->api->name);
    fields_word(fields, "state", health_word(status->state));
    if (status->share)
        fields_word(fields, "share", status->share);
    add_tally(fields, &feed->tally);
    add_times(fields, status, now_ms);
    add_audit(fields, feed);
    add_backfill(fields, &feed->progress.cursor);
    add_expiry(fields, status);
    write_note(status, &note);
    if (note.len)
        fields_text(fields, "note", buf_text(&note));
    add_why(fields, status);
}

void status_log(const struct status *status, int64_t now_ms)
{
    CLEANUP(buf_free) struct buf line = BUF_INIT(LINE_MAX);
    struct fields fields = { .to = &line };

    buf_room(&line, LINE_MAX); /* one allocation for all fields */
    fields_word(&fields, "input", status->feed->label);
    status_add(status, &fields, now_ms);
    log_event(EVENT_STATUS, "%s", buf_text(&line));
}

void status_facts(const struct status *status, int64_t now_ms, struct condition_facts *ret)
{
    const struct feed *feed = status->feed;

    *ret = (struct condition_facts){ .state = status->state,
                                     .lost = is_lost(status),
                                     .elsewhere = status->reader != NULL,
                                     .needs_somebody = remedy_of(status).responsible != ACT_NOBODY,
                                     .read_age_s = read_age_s(feed, now_ms),
                                     .up_s = up_s(feed, now_ms),
                                     .poll_s = feed->input->poll_interval,
                                     .lag_s = alert_age_s(status),
                                     .bad_records = feed->tally.bad_records,
                                     .back_filling = feed->progress.cursor.backfill.active,
                                     .has_note = has_note(status) };
}

static void write_advice(const struct status *status, struct buf *to)
{
    struct remedy remedy = remedy_of(status);

    if (remedy.responsible != ACT_NOBODY)
        buf_add_format(to, "%s: ", responsible_text(remedy.responsible));
    diagnosis_fill(to, remedy.advice, NULL);
}

void status_add_todo(const struct status *status, enum condition condition, const struct condition_facts *facts,
                     struct buf *to)
{
    char next[NEXT_MAX];

    switch (condition_todo(condition, facts)) {
    case TODO_ADVICE: write_advice(status, to); break;
    case TODO_NEXT:
        write_next(status, next);
        buf_add_text(to, next);
        break;
    case TODO_NOTE: write_note(status, to); break;
    case TODO_OF_TABLE: break;
    }
    if (!to->len)
        buf_add_text(to, condition_todo_of_table(condition, facts));
}
