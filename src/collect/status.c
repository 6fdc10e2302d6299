#include "collect/status.h"

#include <stdio.h>

#include "messages/diagnosis.h"
#include "messages/log_events.h"
#include "messages/notes.h"

#define EVERY_MS   (5 * 60 * 1000)
#define FIRST_MS   60000
#define LINE_MAX   1950
#define ADVICE_MAX 400

int64_t status_next_ms(size_t number, int64_t started_ms, int64_t now_ms)
{
    int64_t first_ms = started_ms + FIRST_MS;

    return clock_next_turn(now_ms > first_ms ? now_ms : first_ms, EVERY_MS, number, EVERY_MS / CLOCK_IDLE_MS);
}

/* Adds the counts since the process started: alerts, and requests by result. */
static void add_tally(struct buf *line, const struct tally *tally)
{
    buf_add_format(line, " new=%llu repeats=%llu bad=%llu", (unsigned long long)tally->new_events,
                   (unsigned long long)tally->repeats, (unsigned long long)tally->bad_records);
    buf_add_format(line, " requests=%llu ok=%llu throttled=%llu refused=%llu failed=%llu throttled_s=%lld bytes=%llu",
                   (unsigned long long)tally->requests, (unsigned long long)tally->ok,
                   (unsigned long long)tally->throttled, (unsigned long long)tally->refused,
                   (unsigned long long)tally->failed, (long long)tally->throttled_ms / 1000,
                   (unsigned long long)tally->bytes);
}

/* Returns how long ago the newest alert that was seen had been updated; -1: none yet. */
static int64_t alert_age_s(const struct feed *feed)
{
    const struct cursor *cursor = &feed->progress.cursor;
    ticks newest = feed->newest_alert;

    if (!newest && feed->progress.begun && cursor->watermark > cursor->begin)
        newest = cursor->watermark;
    return newest ? (feed_service_now(feed) - newest) / TICKS_PER_SECOND : -1;
}

/* Adds the ages. read_age_s: since the last complete poll; -1: none since the process started, up_s ago. */
static void add_times(struct buf *line, const struct status *status, int64_t now_ms)
{
    const struct feed *feed = status->feed;
    int64_t read_age_s = feed->read_ms ? (now_ms - feed->read_ms) / 1000 : -1;

    buf_add_format(line, " lag_s=%lld next_s=%lld read_age_s=%lld up_s=%lld", (long long)alert_age_s(feed),
                   (long long)status->next_s, (long long)read_age_s,
                   (long long)(now_ms - feed->env->started_ms) / 1000);
    buf_add_format(line, " poll_s=%lld limit_per_min=%d limit_per_hour=%d known=%zu quarantined=%zu",
                   (long long)feed->input->poll_interval, feed->api->per_minute, feed->api->per_hour,
                   dedup_count(feed->progress.dedup), quarantine_waiting(&feed->progress.quarantine));
}

static void add_audit(struct buf *line, const struct feed *feed)
{
    char day[LEDGER_DAY_TEXT];

    if (feed->ledger && !feed->input->audit)
        buf_add_text(line, " audit=off");
    else if (feed->audited.day != LEDGER_NO_DAY)
        buf_add_format(line, " audit_day=%s audit=%s", ledger_day_text(feed->audited.day, day), feed->audited.result);
}

static void add_backfill(struct buf *line, const struct cursor *cursor)
{
    ticks from = cursor->begin, at = cursor->backfill.next, end = cursor->backfill.end;
    double part = end > from ? (double)(at - from) / (double)(end - from) : 1;
    char text[TICKS_TEXT_MAX];

    if (!cursor->backfill.active)
        return;
    ticks_text_digits(at, 0, text);
    buf_add_format(line, " backfill_at=%s backfill_percent=%d", text, (int)(100 * part));
}

static void add_expiry(struct buf *line, const struct status *status)
{
    int64_t days;

    if (status->credential)
        buf_add_format(line, " credential=%s", status->credential);
    if (status->has_token)
        buf_add_format(line, " token_s=%lld", (long long)status->token_s);
    if (status->has_certificate)
        buf_add_format(line, " certificate_days=%lld", (long long)status->certificate_days);
    if (status->has_secret)
        buf_add_format(line, " secret_days=%lld", (long long)status->secret_days);
    if (api_days_left(status->feed->api, feed_service_now(status->feed), &days))
        buf_add_format(line, " api_days=%lld", (long long)days);
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

/* Adds the cause, who has to act and what to do, from the tables of messages/. */
static void add_remedy(struct buf *line, const struct status *status)
{
    const struct err *problem = status->problem;
    struct remedy remedy = remedy_of_state(status->state);
    CLEANUP(buf_free) struct buf advice = BUF_INIT(ADVICE_MAX);

    if (is_lost(status))
        remedy = event_table[EVENT_LOST].remedy;
    else if (*problem->text && problem->advice)
        remedy = (struct remedy){ (enum responsible)problem->responsible, problem->advice };
    diagnosis_fill(&advice, remedy.advice, NULL);
    buf_add_format(line, " cause=%s who=%s remedy=%s",
                   *problem->text && *problem->cause ? problem->cause : health_word(status->state),
                   QUOTED(responsible_text(remedy.responsible)), QUOTED(buf_text(&advice)));
}

/* Adds when the input goes on. */
static void add_next(struct buf *line, const struct status *status)
{
    char text[CLOCK_AGAIN_MAX];

    if (status->next_s <= 0)
        return;
    if (status->state == HEALTH_THROTTLED)
        buf_add_format(line, " next=\"waits until %s%s\"", clock_text_after(status->next_s * 1000, text),
                       status->problem->wait_ms ? " as Microsoft asked" : "");
    else
        buf_add_format(line, " next=\"%s\"", clock_again(status->next_s * 1000, text));
}

static void add_why(struct buf *line, const struct status *status)
{
    const char *problem = status->problem->text;
    char why[401];

    if (status->state == HEALTH_OK)
        return;
    if (is_lost(status))
        buf_add_text(line, " lost=yes");
    add_remedy(line, status);
    add_next(line, status);
    snprintf(why, sizeof(why), "%s%s", is_lost(status) ? "the customer is lost, it worked before: " : "",
             *problem ? problem : status->waits_for);
    buf_add_format(line, " why=%s", QUOTED(why));
}

/* Adds what a person would wonder about although the input is well: that it has nothing to read, or never had. */
static void add_note(struct buf *line, const struct status *status)
{
    const struct cursor *cursor = &status->feed->progress.cursor;
    char from[TICKS_TEXT_MAX];

    if (status->state != HEALTH_OK || !status->feed->progress.begun)
        return;
    if (cursor->begin > feed_service_now(status->feed)) {
        buf_add_text(line, " note=\"");
        note_future_start(line, cursor->begin);
        buf_add_char(line, '"');
    } else if (alert_age_s(status->feed) < 0) {
        ticks_text_digits(cursor->begin, 0, from);
        buf_add_format(line, " note=\"no alert since %s, where the input began%s\"", from,
                       status->feed->input->filter ? ", with its filter" : "");
    }
}

void status_log(const struct status *status, int64_t now_ms)
{
    const struct feed *feed = status->feed;
    struct buf line = BUF_INIT(LINE_MAX);

    buf_add_format(&line, "input=%s tenant=%s client=%s api=%s state=%s", feed->label, feed->input->tenant_id,
                   feed->input->client_id, feed->api->name, health_word(status->state));
    add_tally(&line, &feed->tally);
    add_times(&line, status, now_ms);
    add_audit(&line, feed);
    add_backfill(&line, &feed->progress.cursor);
    add_expiry(&line, status);
    add_note(&line, status);
    add_why(&line, status);
    log_event(EVENT_STATUS, "%s", buf_text(&line));
    buf_free(&line);
}
