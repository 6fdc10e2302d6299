/* One request to splunkd and what its answers mean. */
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "splunk/splunkd_private.h"

enum {
    TRY_FOR_MS = 60 * 1000,         /* splunkd's REST port opens well within a minute of its start */
    PAUSE_MOST_MS = 4 * 1000,
    REQUEST_TIMEOUT_S = 20,
    CONNECT_TIMEOUT_S = 5,
    ANSWER_TEXT_MOST = 200          /* bytes of splunkd's own words in a message */
};

static void send_request(struct call *call);

cJSON *secret_json(const char *bytes, size_t len)
{
    return json_parse(bytes, len);
}

static void overwrite(cJSON *item)
{
    for (; item; item = item->next) {
        if (item->valuestring)
            explicit_bzero(item->valuestring, strlen(item->valuestring));
        overwrite(item->child);
    }
}

void secret_json_freep(cJSON **tree)
{
    overwrite(*tree);
    json_freep(tree);
}

/* Does the text repeat the secret that the form carries at its end? */
static bool repeats_secret(const struct call *call, const char *text)
{
    static const char field[] = "password=";
    const char *at = call->form ? strstr(call->form, field) : NULL;
    CLEANUP(mem_free_secretp) char *secret = NULL;

    return at && text_url_decode(at + strlen(field), strlen(at) - strlen(field), true, &secret) && *secret &&
           strstr(text, secret);
}

/* ": " and splunkd's first message; "" when there is none fit to be repeated. Caller frees. */
static char *answer_text(const struct call *call, const struct http_result *result)
{
    CLEANUP(secret_json_freep) cJSON *tree = secret_json(result->body, result->body_len);
    const cJSON *messages = json_member(tree, "messages");
    const char *text = json_text(cJSON_GetArrayItem(messages, 0), "text");
    struct buf said = BUF_INIT(ANSWER_TEXT_MOST + 8);

    if (text_empty(text) || repeats_secret(call, text))
        return mem_text("");
    buf_add_text(&said, ": ");
    buf_add_foreign(&said, text, ANSWER_TEXT_MOST);
    return buf_take(&said);
}

/* Fills err for an answer that is no success. */
static void explain(const struct call *call, const struct http_result *result, struct err *err)
{
    CLEANUP(mem_freep) char *said = NULL;

    http_check(result, err);
    if (result->fault == HTTP_NO_TLS) {
        said = mem_format(": %s", result->reason);
        diagnosis_set(err, ERR_INPUT, DIAGNOSIS_SPLUNKD_TLS, &(struct diagnosis_facts){ .detail = said });
        return;
    }
    if (result->fault != HTTP_DONE) {
        err_set(err, result->fault == HTTP_BAD_REQUEST || result->fault == HTTP_STOPPED ? ERR_INPUT : ERR_RETRY,
                "splunkd at %s: %s", call->splunkd->server_uri, result->reason);
        return;
    }
    said = answer_text(call, result);
    if (result->status == 401)
        diagnosis_set(err, ERR_AUTH, DIAGNOSIS_SPLUNKD_KEY, &(struct diagnosis_facts){ .detail = said });
    else if (result->status == 403)
        diagnosis_set(err, ERR_INPUT, DIAGNOSIS_SPLUNKD_RIGHTS, &(struct diagnosis_facts){ .detail = said });
    else
        err_set(err, err->kind, "splunkd answered with HTTP %d%s", result->status, said);
}

static void finish(struct call *call, const struct http_result *result, bool ok, const struct err *err)
{
    call_stop(call);
    call->done(call->ctx, result, ok, err);
}

static void on_timer(void *ctx, int64_t now_ms UNUSED)
{
    send_request(ctx);
}

static void on_done(void *ctx, const struct http_result *result)
{
    struct call *call = ctx;
    int64_t now_ms = clock_ms(), wait_ms;
    struct err err = { 0 };

    call->request = NULL;
    if (http_check(result, &err)) {
        finish(call, result, true, &err);
        return;
    }
    explain(call, result, &err);
    if (err.kind != ERR_RETRY || now_ms >= call->give_up_ms) {
        finish(call, result, false, &err);
        return;
    }
    wait_ms = backoff_wait_ms(++call->failures, err.wait_ms, random_below(UINT32_MAX));
    if (wait_ms > PAUSE_MOST_MS)
        wait_ms = PAUSE_MOST_MS;
    if (wait_ms > call->give_up_ms - now_ms)
        wait_ms = call->give_up_ms - now_ms;    /* a last try at the very end */
    timer_set(call->splunkd->loop, &call->timer, now_ms + wait_ms);
}

static bool sink_ready(void *ctx UNUSED)
{
    return true;
}

static bool sink_data(void *ctx, const char *bytes, size_t len)
{
    struct call *call = ctx;

    return buf_add(call->body, bytes, len);
}

static void send_request(struct call *call)
{
    static const struct http_sink sink = { .ready = sink_ready, .data = sink_data };
    struct http_spec spec = {
        .url = call->url, .form = call->form, .method = call->method, .authorization = call->splunkd->authorization,
        .route = &call->splunkd->route, .sink = call->body ? &sink : NULL, .done = on_done, .ctx = call,
        .timeout_s = REQUEST_TIMEOUT_S, .connect_timeout_s = CONNECT_TIMEOUT_S
    };

    if (call->body)
        buf_clear(call->body);
    call->request = http_start(call->splunkd->http, &spec);
}

void call_start(struct call *call, const char *method, char *url, char *form)
{
    call->method = method;
    call->url = url;
    call->form = form;
    call->failures = 0;
    call->give_up_ms = clock_ms() + TRY_FOR_MS;
    call->timer.fire = on_timer;
    call->timer.ctx = call;
    send_request(call);
}

void call_stop(struct call *call)
{
    if (call->request)
        http_cancel(call->request);
    call->request = NULL;
    if (call->splunkd)
        timer_cancel(call->splunkd->loop, &call->timer);
    free(call->url);
    mem_free_secret(call->form);
    call->url = call->form = NULL;
}
