#include "collect/feed.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"

/* Returns the length of the facts, "key=value ", at the start of a sentence of ours. */
static int facts_length(const char *sentence)
{
    const char *at = sentence;
    size_t len;

    while (at[len = strcspn(at, " ")] && memchr(at, '=', len))
        at += len + 1;
    return (int)(at - sentence);
}

void feed_log(const struct feed *feed, enum event event, const char *why, const char *fmt, ...)
{
    char sentence[LOG_LINE_MAX], text[LOG_LINE_MAX];
    va_list args;
    int facts;

    va_start(args, fmt);
    vsnprintf(sentence, sizeof(sentence), fmt, args);
    va_end(args);
    facts = why ? facts_length(sentence) : 0;
    snprintf(text, sizeof(text), "%.*s%s%s%s%s", facts, sentence, why ? "why=" : "", why ? QUOTED(why) : "",
             why ? " " : "", sentence + facts);
    if (feed->cap && event_table[event].flags & EVENT_CAPPED && !log_cap_take(feed->cap, event, text, clock_ms()))
        return;
    log_event(event, "input=%s tenant=%s api=%s %s", feed->label, feed->input->tenant_id, feed->api->name, text);
}

void feed_log_counts(const struct feed *feed, bool at_end, int64_t now_ms)
{
    struct log_left_out left_out;

    while (log_cap_due(feed->cap, at_end, now_ms, &left_out))
        log_event(left_out.event, "input=%s tenant=%s api=%s more=%llu like it in the last %lld s; the latest: %s",
                  feed->label, feed->input->tenant_id, feed->api->name, (unsigned long long)left_out.count,
                  (long long)left_out.for_s, left_out.text);
}

void feed_name_rate(struct feed *feed, const char *tid)
{
    if (!text_empty(tid) && text_is_guid(tid))
        rate_pool_name(feed->env->rates, feed->rate, tid, feed->input->client_id, feed->api->family, clock_ms());
}

/* Other alerts are expected of another API or filter. */
struct ledger *feed_ledger_new(const struct input *input, const struct api *api)
{
    CLEANUP(mem_freep) char *of = NULL;
    unsigned char digest[SHA256_BYTES];
    char hex[17] = "all";

    if (!api->shape.id)
        return NULL;
    if (!text_empty(input->filter)) {
        sha256_of(input->filter, strlen(input->filter), digest);
        hex_text(digest, 8, hex);
    }
    of = mem_format("%s/%s", api->name, hex);
    return ledger_new(of);
}

bool feed_take_date(struct feed *feed, int64_t date_ms, int64_t took_ms)
{
    struct clock_facts facts = { clock_wall_ms(), clock_ms(), took_ms };
    int64_t known_ms = service_clock_now(&feed->clock, facts.wall_ms, facts.now_ms);
    char said[TICKS_TEXT_MAX], known[TICKS_TEXT_MAX];

    if (service_clock_take(&feed->clock, date_ms, &facts))
        return true;
    if (service_clock_tell(&feed->clock, facts.now_ms)) {
        ticks_text(ticks_from_ms(date_ms), said);
        ticks_text(ticks_from_ms(known_ms), known);
        feed_log(feed, EVENT_CLOCK, NULL,
                 "a response is dated %s, but it is %s by what is known; the date is ignored unless the next responses "
                 "say the same",
                 said, known);
    }
    return false;
}

enum token_state feed_peek_token(const struct feed *feed, int64_t now_ms, struct token_view *ret)
{
    if (feed->source)
        return token_source_peek(feed->source, now_ms, ret);
    *ret = (struct token_view){ .err = NULL };
    return TOKEN_BUSY;
}

void feed_refused(struct feed *feed, const struct err *err, const char *what, const char *again)
{
    if (!loss_explains(&feed->loss, err))
        feed_log(feed, EVENT_REFUSED, err->text, "%s, %s", what, again);
    else if (loss_say(&feed->loss, ticks_from_ms(clock_wall_ms()), clock_ms()))
        feed_log(feed, EVENT_LOST, err->text, "the customer worked before and is lost: %s, %s", what, again);
}

void feed_sign_in_failed(struct feed *feed, const struct err *err, int64_t wait_ms)
{
    bool refused = err->kind == ERR_AUTH;
    char again[CLOCK_AGAIN_MAX] = "again at once when the secret is entered";

    feed->problem = *err;
    if (text_same(feed->sign_in_error, err->text))
        return;
    if (wait_ms >= 0)
        clock_again(wait_ms, again);
    if (refused)
        feed_refused(feed, err, "the sign-in is refused", again);
    else
        feed_log(feed, EVENT_TROUBLE, err->text, "the sign-in fails, %s", again);
    mem_freep(&feed->sign_in_error);
    feed->sign_in_error = mem_text(err->text);
}

void feed_count_sign_ins(struct feed *feed, const struct token_view *view)
{
    uint64_t more = view->failed - feed->sign_ins_failed;
    struct tally *tally = &feed->tally;

    if (!more)
        return;
    feed->sign_ins_failed = view->failed;
    tally->requests += more;
    if (view->err->kind == ERR_AUTH)
        tally->refused += more;
    else if (view->err->wait_ms)
        tally->throttled += more;
    else
        tally->failed += more;
}
