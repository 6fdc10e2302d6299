#include "net/http_private.h"

#define RATION_BYTES (16 * 1024)
#define RATION_MS    60000 /* splunkd that was late is likely to be late again */

static bool is_rationed(const struct http *http)
{
    return http->resumed_ms && loop_now(http->loop) - http->resumed_ms < RATION_MS;
}

static bool had_its_ration(const struct http_request *req)
{
    return is_rationed(req->http) && req->ration.turn == req->http->turn && req->ration.bytes >= RATION_BYTES;
}

static void ask_for_turn(struct http *http)
{
    if (!timer_is_set(&http->turn_timer))
        timer_set(http->loop, &http->turn_timer, loop_now(http->loop));
}

bool http_may_deliver(struct http_request *req)
{
    if (!req->sink.ready(req->ctx)) {
        req->http->held = true;
        return false;
    }
    if (!had_its_ration(req))
        return true;
    ask_for_turn(req->http);
    return false;
}

void http_delivers(struct http_request *req, size_t len)
{
    if (req->ration.turn != req->http->turn) {
        req->ration.turn = req->http->turn;
        req->ration.bytes = 0;
    }
    req->ration.bytes += len;
    req->http->delivered = true;
}

static void resume(struct http *http)
{
    struct http_request *req, *next;

    for (req = http->in_flight; req; req = next) {
        next = req->next;
        if (!req->paused || had_its_ration(req))
            continue;
        req->paused = false;
        curl_easy_pause(req->easy, CURLPAUSE_CONT);
    }
}

/* Begins the next turn once no transfer has delivered anything for a round of the loop. */
void http_turn_fire(void *ctx, int64_t now_ms)
{
    struct http *http = ctx;

    if (http->held) /* http_resume_all() asks again */
        return;
    if (http->delivered) {
        http->delivered = false;
        timer_set(http->loop, &http->turn_timer, now_ms);
        return;
    }
    http->turn++;
    resume(http);
}

void http_resume_all(struct http *http)
{
    if (!http->held)
        return;
    http->held = false;
    http->resumed_ms = loop_now(http->loop);
    resume(http);
    ask_for_turn(http);
}
