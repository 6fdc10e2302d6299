#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/die.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http_private.h"
#include "net/retry_after.h"

#define CONNECTIONS_KEPT 8 /* idle ones; over HTTP/2 one connection to a host carries everything */

#define WAITED_MS 1000 /* a request that began later gets a try of its own */

static void unsent_fire(void *ctx, int64_t now_ms);
static void transfer_ended(struct transfer *transfer, CURL *easy, CURLcode code);

struct http *http_new(struct loop *loop)
{
    struct http *http = mem_alloc(sizeof(*http));

    http->loop = loop;
    http->multi = loop_multi(loop);
    http->budget.limit = UNFINISHED_MOST;
    http->share = curl_share_init();
    if (!http->share)
        die("libcurl cannot be initialized");
    curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    http->unsent_timer = (struct timer){ .fire = unsent_fire, .ctx = http };
    http->look_timer = (struct timer){ .fire = http_look, .ctx = http };
    http->turn_timer = (struct timer){ .fire = http_turn_fire, .ctx = http };
    return http;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    while (http->in_flight)
        http_cancel(http->in_flight);
    while (http->unsent)
        http_cancel(http->unsent);
    timer_cancel(http->loop, &http->unsent_timer);
    timer_cancel(http->loop, &http->look_timer);
    timer_cancel(http->loop, &http->turn_timer);
    while (http->inflaters_kept)
        inflater_free(http->inflaters[--http->inflaters_kept]);
    pools_free(&http->pools);
    curl_share_cleanup(http->share);
    free(http);
}

struct budget *http_budget(struct http *http)
{
    return http ? &http->budget : NULL;
}

/* Puts the request at the front of one of the two lists. */
static void list_add(struct http_request **list, struct http_request *req)
{
    req->next = *list;
    req->link = list;
    if (req->next)
        req->next->link = &req->next;
    *list = req;
}

static void list_remove(struct http_request *req)
{
    *req->link = req->next;
    if (req->next)
        req->next->link = req->link;
}

static void request_free(struct http_request *req)
{
    list_remove(req);
    if (req->easy)
        curl_easy_cleanup(req->easy);
    http_answer_free(req);
    for (struct curl_slist *line = req->headers; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data)); /* one of them is Authorization */
    curl_slist_free_all(req->headers);
    mem_free_secret(req->form);
    free(req->url);
    free(req);
}

void http_cancel(struct http_request *req)
{
    if (req->easy)
        curl_multi_remove_handle(req->http->multi, req->easy);
    request_free(req);
}

static struct http_request *request_new(struct http *http, const struct http_spec *spec)
{
    struct http_request *req = mem_alloc(sizeof(*req));

    req->transfer.ended = transfer_ended;
    req->http = http;
    req->url = mem_text(spec->url);
    req->form = mem_text(spec->form);
    req->route = spec->route;
    req->done = spec->done;
    req->may_repeat = spec->may_repeat;
    req->ctx = spec->ctx;
    req->body.text = BUF_MAPPED(HTTP_BODY_MAX);
    req->body.holding = (struct holding){ .give_up = http_give_up, .ctx = req };
    req->started_ms = clock_ms();
    req->traced = spec->traced;
    req->attempt.resent = spec->traced || spec->once; /* they have a connection of their own */
    req->metadata = spec->metadata;
    req->is_tls = text_starts(spec->url, "https:");
    req->failure.unsendable = DIAGNOSIS_NO_CONNECTION;
    req->unverified = spec->traced && spec->unverified;
    assert(!req->unverified || (!spec->form && !spec->authorization));
    if (spec->sink) {
        req->sink = *spec->sink;
        req->has_sink = true;
    }
    return req;
}

struct http_request *http_start(struct http *http, const struct http_spec *spec)
{
    struct http_request *req = request_new(http, spec);

    if (!http_may_be_sent(req)) {
        req->failure.fault = HTTP_BAD_REQUEST;
        list_add(&http->unsent, req);
        timer_set(http->loop, &http->unsent_timer, req->started_ms);
        return req;
    }
    req->easy = curl_easy_init();
    if (!req->easy)
        die("out of memory: libcurl cannot create another transfer");
    req->attempt.pool = pool_find(&http->pools, req->url, req->route->proxy, http_ca_file(req));
    http_set_options(req, spec);
    list_add(&http->in_flight, req);
    http_send(req);
    return req;
}

/* Calls done() with the result, and frees the request. */
static void give_result(struct http_request *req, CURLcode code)
{
    struct http_trace trace = { .name_ms = -1, .connect_ms = -1, .tls_ms = -1 };
    struct http_result result = { .content_type = req->head.content_type,
                                  .request_id = req->head.request_id,
                                  .authenticate = req->head.authenticate,
                                  .wire_bytes = req->wire_bytes,
                                  .retry_after_ms = -1 };
    long status = 0, connects = 0;

    if (req->easy) {
        if (req->failure.fault == HTTP_DONE)
            req->failure.fault = http_fault_of(req, code);
        curl_easy_getinfo(req->easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(req->easy, CURLINFO_NUM_CONNECTS, &connects);
        result.reused = connects == 0;
        if (req->traced)
            http_trace_read(req->easy, &trace);
    }
    result.fault = req->failure.fault;
    result.body = buf_text(&req->body.text);
    result.body_len = req->body.text.len;
    result.trace = req->traced ? &trace : NULL;
    result.status = (int)status;
    http_fault_describe(req, code, &result);
    if (!http_date_ms(req->head.date, &result.date_ms))
        result.date_ms = 0;
    if (req->head.retry_after[0])
        result.retry_after_ms = retry_after_ms(req->head.retry_after,
                                               result.date_ms ? result.date_ms : clock_wall_ms());
    result.duration_ms = (int)(clock_ms() - req->started_ms);
    req->done(req->ctx, &result);
    request_free(req);
}

/* Returns a request that has waited for the connection of this attempt. NULL: none. */
static struct http_request *waits_with(struct http *http, const struct attempt *attempt, int64_t since_ms)
{
    struct http_request *req;
    long connects;

    for (req = http->in_flight; req; req = req->next) {
        connects = 1;
        if (req->attempt.pool == attempt->pool && req->attempt.generation == attempt->generation &&
            req->attempt.sent_ms <= since_ms && !http_was_sent(req->easy) &&
            !curl_easy_getinfo(req->easy, CURLINFO_NUM_CONNECTS, &connects) && !connects)
            return req;
    }
    return NULL;
}

/* Gives its result to a request whose connection was not made, and to those that waited for the same one. libcurl opens
 * one for all of them (CURLOPT_PIPEWAIT), and the next would try for as long, one after another. */
static void give_results(struct http_request *req, CURLcode code)
{
    struct http *http = req->http;
    struct attempt attempt = req->attempt;
    int64_t since_ms = loop_now(http->loop) - WAITED_MS;
    char text[CURL_ERROR_SIZE];

    snprintf(text, sizeof(text), "%s", req->failure.curl_error);
    give_result(req, code);
    while ((req = waits_with(http, &attempt, since_ms))) {
        snprintf(req->failure.curl_error, sizeof(req->failure.curl_error), "%s", text);
        curl_multi_remove_handle(http->multi, req->easy);
        give_result(req, code);
    }
}

static void transfer_ended(struct transfer *transfer, CURL *easy, CURLcode code)
{
    struct http_request *req = (struct http_request *)transfer; /* its first member */
    bool unconnected = code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT;

    unconnected = unconnected && req->is_tls && !http_was_sent(easy);
    curl_multi_remove_handle(req->http->multi, easy);
    if (http_send_again(req, code))
        return;
    if (code == CURLE_OPERATION_TIMEDOUT)
        http_blame(req);
    if (unconnected)
        give_results(req, code);
    else
        give_result(req, code);
}

static void unsent_fire(void *ctx, int64_t now_ms UNUSED)
{
    struct http *http = ctx;

    while (http->unsent)
        give_result(http->unsent, CURLE_OK); /* NOLINT(clang-analyzer-unix.Malloc): it leaves the list first */
}
