#include "collect/feed.h"

#include "base/mem.h"
#include "base/text.h"
#include "messages/log_events.h"

bool feed_take_date(struct feed *feed, int64_t date_ms, int64_t took_ms, int64_t saved_ms)
{
    struct clock_facts facts = { clock_wall_ms(), clock_ms(), took_ms, saved_ms };
    int64_t known_ms = service_clock_now(&feed->clock, facts.wall_ms, facts.now_ms);
    char said[TICKS_TEXT_MAX], known[TICKS_TEXT_MAX];

    if (service_clock_take(&feed->clock, date_ms, &facts))
        return true;
    if (service_clock_tell(&feed->clock, facts.now_ms)) {
        ticks_text(ticks_from_ms(date_ms), said);
        ticks_text(ticks_from_ms(known_ms), known);
        log_event(EVENT_CLOCK,
                  "input=%s tenant=%s api=%s a response is dated %s, but it is %s by what is known; the "
                  "date is ignored unless the next response says the same",
                  feed->label, feed->input->tenant_id, feed->api->name, said, known);
    }
    return false;
}

enum token_state feed_peek_token(const struct feed *feed, int64_t now_ms, struct token_view *ret)
{
    *ret = (struct token_view){ .err = NULL };
    return feed->source ? token_source_peek(feed->source, now_ms, ret) : TOKEN_BUSY;
}

void feed_sign_in_failed(struct feed *feed, const struct err *err)
{
    bool refused = err->kind == ERR_AUTH;

    feed->problem = *err;
    if (text_same(feed->sign_in_error, err->text))
        return;
    log_event(refused ? EVENT_REFUSED : EVENT_TROUBLE, "input=%s tenant=%s api=%s %s%s", feed->label,
              feed->input->tenant_id, feed->api->name, err->text, refused ? "" : ", retrying");
    mem_freep(&feed->sign_in_error);
    feed->sign_in_error = mem_text(err->text);
}
