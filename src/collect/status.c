/* How an input stands: one line every five minutes, and whenever its state changes. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "collect/collector.h"
#include "collect/tenant.h"
#include "messages/log_events.h"

#define STATUS_EVERY_MS (5 * 60 * 1000)
#define STATUS_FIRST_MS 60000       /* not before, unless the state changes */
/* A throttled input asks again when its wait is over and may be told to wait once more: until the answer is there it
 * still counts as throttled, or each wait would bring two lines. */
#define ANSWER_MS       30000

const char *status_word(enum tenant_state state)
{
    static const char *const words[] = { "waiting", "ok", "throttled", "failing", "refused" };

    return words[state];
}

/* The sign-in failed. The tick or a lane hears of it first; whoever does, the cause is said before the state's line. */
static void sign_in_failed(struct tenant *t, const struct err *err)
{
    t->problem = *err;
    if (text_same(t->sign_in_error, err->text))
        return;
    log_event(err->kind == ERR_AUTH ? EVENT_REFUSED : EVENT_TROUBLE, "input=%s tenant=%s api=%s %s%s", t->label,
              t->input.tenant_id, t->api->name, err->text, err->kind == ERR_AUTH ? "" : ", trying again");
    mem_freep(&t->sign_in_error);
    t->sign_in_error = mem_text(err->text);
}

/* Also whether it is to be watched: a state stays until something happens to the input, unless a renewal fails or a
 * service asked to wait, which turn into something else by the clock. */
static enum tenant_state state_of(struct tenant *t, int64_t now_ms)
{
    const struct worker *worker;
    struct token_view view;
    enum token_state source;
    enum tenant_state worst = t->read_ms ? STATE_OK : STATE_WAITING;

    t->watched = false;
    if (t->phase != PHASE_RUN)
        return STATE_WAITING;
    source = token_source_peek(t->source, now_ms, &view);
    if (source == TOKEN_FAILED) {
        sign_in_failed(t, view.err);
        return view.err->kind == ERR_AUTH ? STATE_REFUSED : view.err->wait_ms ? STATE_THROTTLED : STATE_FAILING;
    }
    if (source == TOKEN_BUSY && view.fails)    /* the next try is under way: what it brings is told */
        return t->state;
    for (worker = t->workers; worker < t->workers + WORKER_COUNT; worker++) {
        if (worker->refusals)
            return STATE_REFUSED;
        if (worker->failures)
            worst = STATE_FAILING;
    }
    if (worst == STATE_FAILING && now_ms < t->rate->hold_until_ms + (t->state == STATE_THROTTLED ? ANSWER_MS : 0))
        worst = STATE_THROTTLED;
    t->watched = worst == STATE_THROTTLED || (source == TOKEN_READY && view.fails);
    return worst;
}

/* Seconds to the next request of the input. */
static int64_t next_s(const struct tenant *t, int64_t now_ms)
{
    int64_t due_ms = t->workers[WORKER_LIVE].due_ms;

    return due_ms > now_ms ? (due_ms - now_ms + 999) / 1000 : 0;
}

/* How long ago the newest alert that was seen had been updated; -1: none yet. */
static int64_t alert_age_s(const struct tenant *t)
{
    ticks newest = t->newest_alert ? t->newest_alert : t->has_begin && t->cursor.watermark > t->cursor.begin
                   ? t->cursor.watermark : 0;

    return newest ? (tenant_service_now(t) - newest) / TICKS_PER_SECOND : -1;
}

static void add_backfill(const struct tenant *t, struct buf *line)
{
    char at[TICKS_TEXT_MAX];
    const struct cursor *p = &t->cursor;
    double part;

    if (!p->backfill.active)
        return;
    ticks_text_digits(p->backfill.next, 0, at);
    part = p->backfill.end > p->begin ? (double)(p->backfill.next - p->begin) / (double)(p->backfill.end - p->begin) : 1;
    buf_add_format(line, " backfill_at=%s backfill_percent=%d", at, (int)(100 * part));
}

static void add_expiry(const struct tenant *t, struct buf *line, int64_t now_ms)
{
    struct token_view view;
    int64_t days;

    if (!t->source)
        return;
    if (token_source_peek(t->source, now_ms, &view) == TOKEN_READY)
        buf_add_format(line, " token_s=%lld", (long long)((view.expires_ms - now_ms) / 1000));
    if (tenant_certificate_days(t, &days))
        buf_add_format(line, " certificate_days=%lld", (long long)days);
}

/* What is not in trouble and has no news yet waits for something as well. */
static const char *waits_for(const struct tenant *t)
{
    if (t->phase == PHASE_LOCK)
        return "another process still works on this input";
    if (t->phase == PHASE_SECRETS)
        return "its secrets are read from Splunk's password store";
    return "no poll is complete yet";
}

/* The value stands in double quotes, so it may not hold any. */
static void add_why(const struct tenant *t, struct buf *line)
{
    char why[401];
    char *at;

    if (t->state == STATE_OK)
        return;
    snprintf(why, sizeof(why), "%s", t->problem.text[0] ? t->problem.text : waits_for(t));
    for (at = why; (at = strchr(at, '"')); )
        *at = '\'';
    buf_add_format(line, " why=\"%s\"", why);
}

/* Counts since the process started: alerts, and requests by outcome. */
static void add_tally(const struct tally *n, struct buf *line)
{
    buf_add_format(line, " new=%llu repeats=%llu bad=%llu", (unsigned long long)n->new_events,
                   (unsigned long long)n->repeats, (unsigned long long)n->bad_records);
    buf_add_format(line, " requests=%llu ok=%llu throttled=%llu refused=%llu failed=%llu throttled_s=%lld bytes=%llu",
                   (unsigned long long)n->requests, (unsigned long long)n->ok, (unsigned long long)n->throttled,
                   (unsigned long long)n->refused, (unsigned long long)n->failed, (long long)n->throttled_ms / 1000,
                   (unsigned long long)n->bytes);
}

/* Each input has its moment of the five minutes, whatever lines it wrote in between: hundreds at once would not fit the
 * pipe that the log goes to. */
static int64_t next_line_ms(const struct tenant *t, int64_t now_ms)
{
    return clock_next_turn(now_ms, STATUS_EVERY_MS, t->number, STATUS_EVERY_MS / CLOCK_IDLE_MS);
}

void status_start(struct tenant *t, int64_t now_ms)
{
    timer_set(t->col->loop, &t->status_timer, next_line_ms(t, now_ms + STATUS_FIRST_MS));
}

void status_fire(void *ctx, int64_t now_ms)
{
    status_line(ctx, now_ms);
}

void status_line(struct tenant *t, int64_t now_ms)
{
    struct buf line = BUF_INIT(1800);

    timer_set(t->col->loop, &t->status_timer, next_line_ms(t, now_ms));
    buf_add_format(&line, "input=%s tenant=%s client=%s api=%s state=%s", t->label, t->input.tenant_id,
                   t->input.client_id, t->api->name, status_word(t->state));
    add_tally(&t->tally, &line);
    /* read_age_s: since the last complete poll; -1: none since the process started, up_s ago. */
    buf_add_format(&line, " lag_s=%lld next_s=%lld read_age_s=%lld up_s=%lld", (long long)alert_age_s(t),
                   (long long)next_s(t, now_ms), (long long)(t->read_ms ? (now_ms - t->read_ms) / 1000 : -1),
                   (long long)(now_ms - t->col->started_ms) / 1000);
    buf_add_format(&line, " poll_s=%lld limit_per_min=%d limit_per_hour=%d known=%zu",
                   (long long)t->input.poll_interval, t->api->per_minute, t->api->per_hour, dedup_count(t->dedup));
    add_backfill(t, &line);
    add_expiry(t, &line, now_ms);
    add_why(t, &line);
    log_event(EVENT_STATUS, "%s", buf_text(&line));
    buf_free(&line);
}

void status_update(struct tenant *t)
{
    int64_t now_ms = clock_ms();
    enum tenant_state now = state_of(t, now_ms);

    if (now == t->state)
        return;
    t->state = now;
    if (now == STATE_OK)
        t->problem.text[0] = '\0';
    status_line(t, now_ms);
}
