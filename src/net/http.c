#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/http_private.h"
#include "net/retry.h"

#define CONNECTIONS_KEPT 8      /* idle ones; over HTTP/2 one a host carries everything */

static void results_fire(void *ctx, int64_t now_ms);

struct http *http_new(struct loop *loop)
{
    struct http *http = mem_alloc(sizeof(*http));

    http->loop = loop;
    http->multi = loop_multi(loop);
    http->share = curl_share_init();
    if (!http->share)
        log_die("libcurl cannot be initialised");
    curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    http->results_timer = (struct timer){ .fire = results_fire, .ctx = http };
    return http;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    while (http->first)
        http_cancel(http->first);
    while (http->unsent)
        http_cancel(http->unsent);
    while (http->parked)
        http_cancel(http->parked);
    timer_cancel(http->loop, &http->results_timer);
    while (http->inflaters_kept)
        inflater_free(http->inflaters[--http->inflaters_kept]);
    curl_share_cleanup(http->share);
    free(http->ca_good);
    free(http);
}

/* Linking a request into one of the three lists, and out of whichever it is in. */
static void list_put(struct http_request **list, struct http_request *req)
{
    req->next = *list;
    req->slot = list;
    if (req->next)
        req->next->slot = &req->next;
    *list = req;
}

static void list_take(struct http_request *req)
{
    *req->slot = req->next;
    if (req->next)
        req->next->slot = req->slot;
}

void http_hurry(struct http_request *req, bool hurried)
{
    struct http *http = req->http;

    http->hurried += (unsigned)hurried - (unsigned)req->hurried;
    req->hurried = hurried;
    loop_set_patient(http->loop, http->first && !http->hurried);
}

static void request_free(struct http_request *req)
{
    list_take(req);
    http_hurry(req, false);
    if (req->easy)
        curl_easy_cleanup(req->easy);
    http_answer_free(req);
    for (struct curl_slist *line = req->headers; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data));     /* one of them is the Authorization */
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

void http_resume_all(struct http *http)
{
    struct http_request *req, *next;

    for (req = http->first; req; req = next) {
        next = req->next;
        if (!req->held)
            continue;
        req->held = false;
        curl_easy_pause(req->easy, CURLPAUSE_CONT);
    }
    if (http->parked)
        timer_set(http->loop, &http->results_timer, loop_now(http->loop));
}

static struct http_request *request_new(struct http *http, const struct http_spec *spec)
{
    struct http_request *req = mem_alloc(sizeof(*req));

    req->http = http;
    req->url = mem_text(spec->url);
    req->form = mem_text(spec->form);
    req->route = spec->route;
    req->done = spec->done;
    req->ctx = spec->ctx;
    req->body = BUF_INIT(HTTP_BODY_MAX);
    req->collected = BUF_INIT(PATIENT_BYTES);
    req->collects = spec->patient && spec->sink;
    req->seen = spec->seen;
    req->started_ms = clock_ms();
    req->traced = spec->traced;
    req->unsendable = DIAGNOSIS_NO_CONNECTION;
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
        req->fault = HTTP_BAD_REQUEST;
        list_put(&http->unsent, req);
        timer_set(http->loop, &http->results_timer, req->started_ms);
        return req;
    }
    req->easy = curl_easy_init();
    if (!req->easy)
        log_die("out of memory: libcurl has no room for one more transfer");
    http_set_options(req, spec);
    list_put(&http->first, req);
    http_hurry(req, !spec->patient);
    curl_multi_add_handle(http->multi, req->easy);
    return req;
}

static void give_result(struct http_request *req, CURLcode code)
{
    struct http_trace trace = { .name_ms = -1, .connect_ms = -1, .tls_ms = -1 };
    struct http_result result = { .content_type = req->content_type, .request_id = req->request_id,
                                  .authenticate = req->authenticate, .wire_bytes = req->wire_bytes,
                                  .retry_after_ms = -1 };
    long status = 0, connects = 0;
    http_done_fn *done = req->done;
    void *ctx = req->ctx;

    if (req->easy) {
        if (req->fault == HTTP_DONE)
            req->fault = http_fault_of(req, code);
        curl_easy_getinfo(req->easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(req->easy, CURLINFO_NUM_CONNECTS, &connects);
        result.reused = connects == 0;
        if (req->traced)
            http_trace_read(req->easy, &trace);
    }
    result.fault = req->fault;
    result.body = buf_text(&req->body);
    result.body_len = req->body.len;
    if (result.fault == HTTP_DONE)
        result.print = req->print;
    result.unchanged = req->unchanged;
    result.trace = req->traced ? &trace : NULL;
    result.status = (int)status;
    http_fault_describe(req, code, &result);
    if (!http_date_ms(req->date, &result.date_ms))
        result.date_ms = 0;
    if (req->retry_after[0])
        result.retry_after_ms = retry_after_ms(req->retry_after, result.date_ms ? result.date_ms : clock_wall_ms());
    result.duration_ms = (int)(clock_ms() - req->started_ms);
    done(ctx, &result);
    request_free(req);
}

void http_transfer_ended(CURL *easy, CURLcode code)
{
    struct http_request *req = NULL;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&req);
    curl_multi_remove_handle(req->http->multi, easy);
    if (code == CURLE_OK && !http_answer_ends(req)) {
        list_take(req);
        list_put(&req->http->parked, req);
        return;
    }
    give_result(req, code);
}

static void results_fire(void *ctx, int64_t now_ms UNUSED)
{
    struct http *http = ctx;

    while (http->unsent)
        give_result(http->unsent, CURLE_OK);
    while (http->parked && http_answer_ends(http->parked))
        give_result(http->parked, CURLE_OK);
}
