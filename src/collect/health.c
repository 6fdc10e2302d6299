#include "collect/health.h"

#include "base/backoff.h"

/* A throttled input asks again when its wait is over, and may be told to wait once more. Until the response has come it
 * still counts as throttled; otherwise each wait would log two lines. */
#define RESPONSE_MS 30000

const char *health_word(enum health_state state)
{
    static const char *const words[] = { "waiting", "ok", "throttled", "failing", "refused" };

    return words[state];
}

static enum health_state sign_in_state(const struct err *err)
{
    if (err->kind == ERR_AUTH)
        return HEALTH_REFUSED;
    return err->wait_ms ? HEALTH_THROTTLED : HEALTH_FAILING;
}

static enum health_state reading_state(const struct health_facts *facts, int64_t now_ms)
{
    int64_t response_ms = facts->before == HEALTH_THROTTLED ? RESPONSE_MS : 0;

    if (facts->refusals > BACKOFF_QUICK_TRIES)
        return HEALTH_REFUSED;
    if (facts->refusals) /* it may pass within seconds */
        return HEALTH_FAILING;
    if (facts->failures)
        return now_ms < facts->hold_until_ms + response_ms ? HEALTH_THROTTLED : HEALTH_FAILING;
    return facts->polled ? HEALTH_OK : HEALTH_WAITING;
}

struct health health_of(const struct health_facts *facts, int64_t now_ms)
{
    if (facts->held)
        return (struct health){ .state = HEALTH_REFUSED, .sign_in = facts->held };
    if (!facts->reading)
        return (struct health){ .state = HEALTH_WAITING };
    if (facts->token == TOKEN_FAILED)
        return (struct health){ .state = sign_in_state(facts->view->err), .sign_in = facts->view->err };
    if (facts->token == TOKEN_BUSY && facts->store_fails)
        return (struct health){ .state = HEALTH_FAILING };
    if (facts->token == TOKEN_BUSY && facts->view->fails) /* another try is under way: its result will tell */
        return (struct health){ .state = facts->before };
    return (struct health){ .state = reading_state(facts, now_ms),
                            .by_clock = facts->failures || (facts->token == TOKEN_READY && facts->view->fails) };
}
