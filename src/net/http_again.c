#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/http_private.h"

#define LOOK_EVERY_MS   5000
#define KEEPALIVE_S     30L
#define PROBE_EVERY_S   10L
#define UNACKED_MOST_MS 20000u /* above the time to connect, which it limits as well */

static void look_again(struct http *http)
{
    if (http->in_flight && !timer_is_set(&http->look_timer))
        timer_set(http->loop, &http->look_timer, clock_next(loop_now(http->loop), LOOK_EVERY_MS));
}

/* Drops packets that nobody acknowledges: a NAT entry that expired, a host that is gone. */
static int set_socket(void *ctx UNUSED, curl_socket_t fd, curlsocktype purpose UNUSED)
{
    unsigned most_ms = UNACKED_MOST_MS;

    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &most_ms, sizeof(most_ms));
    return CURL_SOCKOPT_OK;
}

void http_watch_sockets(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, set_socket);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, PROBE_EVERY_S);
}

void http_send(struct http_request *req)
{
    struct http *http = req->http;

    req->attempt.sent_ms = loop_now(http->loop);
    req->attempt.generation = pool_use(req->attempt.pool, req->attempt.sent_ms);
    http_set_generation(req);
    curl_multi_add_handle(http->multi, req->easy);
    look_again(http);
}

/* Asks the request's owner, who counts what is sent. Asked last, right before it is sent. */
static bool may_repeat(const struct http_request *req)
{
    return !req->may_repeat || req->may_repeat(req->ctx);
}

/* Sends a request that got no byte of its response once more, over another connection. */
static void send_again(struct http_request *req)
{
    req->attempt.resent = true;
    req->failure.fault = HTTP_DONE;
    req->failure.curl_error[0] = '\0';
    pool_retire(req->attempt.pool, req->attempt.generation);
    curl_easy_setopt(req->easy, CURLOPT_FRESH_CONNECT, req->is_tls ? 0L : 1L); /* TLS: the generation sees to it */
    http_send(req);
}

/* Returns true if the connection broke before any byte of the response: a GOAWAY, a reset, an end. Only a connection
 * that was open before is to blame for that, but over HTTP/2 the one who opened it shares the fate of the others. */
static bool lost_unanswered(struct http_request *req, CURLcode code)
{
    long connects = 0;

    if (req->attempt.heard || code == CURLE_OK || http_fault_of(req, code) != HTTP_CUT)
        return false;
    curl_easy_getinfo(req->easy, CURLINFO_NUM_CONNECTS, &connects);
    return !connects || code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM;
}

bool http_send_again(struct http_request *req, CURLcode code)
{
    if (req->attempt.resent || req->failure.fault != HTTP_DONE || !lost_unanswered(req, code) || !may_repeat(req))
        return false;
    send_again(req);
    return true;
}

void http_blame(struct http_request *req)
{
    if (http_was_sent(req->easy) && pool_is_doubtful(req->attempt.pool, req->attempt.generation, req->attempt.sent_ms))
        pool_retire(req->attempt.pool, req->attempt.generation);
}

/* Looks for connections that died without a word. While splunkd does not read, silence is our own doing. */
void http_look(void *ctx, int64_t now_ms)
{
    struct http *http = ctx;
    struct http_request *req;

    for (req = http->in_flight; req && !http->held; req = req->next) {
        if (req->attempt.resent || req->attempt.heard ||
            (http->resumed_ms && now_ms - http->resumed_ms < POOL_SILENT_MS) ||
            !pool_is_silent(req->attempt.pool, req->attempt.generation, req->attempt.sent_ms, now_ms) ||
            !may_repeat(req))
            continue;
        curl_multi_remove_handle(http->multi, req->easy);
        send_again(req);
    }
    look_again(http);
}
