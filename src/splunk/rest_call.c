#include "splunk/rest_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "splunk/rest_private.h"

enum {
    PAUSE_MOST_MS = 4 * 1000,
    ANSWER_TEXT_MOST = 200 /* bytes of splunkd's message that ours repeats */
};

#define URL_MAX 8192

static void call_send(struct rest_call *call);

char *rest_url(const struct rest *rest, const char *app, const char *endpoint, const char *name, const char *query)
{
    struct buf url = BUF_INIT(URL_MAX);

    buf_add_format(&url, "%s/%s", rest->server_uri, app ? "servicesNS/nobody/" : "services");
    if (app)
        buf_add_url(&url, app);
    buf_add_format(&url, "/%s", endpoint);
    if (name) {
        buf_add_char(&url, '/');
        buf_add_url(&url, name);
    }
    buf_add_text(&url, "?output_mode=json");
    if (query)
        buf_add_format(&url, "&%s", query);
    return buf_take(&url);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree, and cJSON parses 1,000 levels at most. */
static void overwrite_texts(cJSON *item)
{
    for (; item; item = item->next) {
        if (item->valuestring)
            explicit_bzero(item->valuestring, strlen(item->valuestring));
        overwrite_texts(item->child);
    }
}

void rest_json_freep(cJSON **tree)
{
    overwrite_texts(*tree);
    json_freep(tree);
}

/* Returns true if the text repeats the secret at the end of the form. */
static bool repeats_secret(const struct rest_call *call, const char *text)
{
    static const char field[] = "password=";
    const char *at = call->form ? strstr(call->form, field) : NULL;
    CLEANUP(mem_free_secretp) char *secret = NULL;

    return at && text_url_decode(at + strlen(field), strlen(at) - strlen(field), true, &secret) && *secret &&
           strstr(text, secret);
}

/* Returns ": " and splunkd's first message, or "" if there is none or it repeats a secret. Caller frees. */
static char *answer_text(const struct rest_call *call, const struct http_result *result)
{
    CLEANUP(rest_json_freep) cJSON *tree = json_parse(result->body, result->body_len);
    const cJSON *messages = json_member(tree, "messages");
    const char *text = json_text(cJSON_GetArrayItem(messages, 0), "text");
    struct buf said = BUF_INIT(ANSWER_TEXT_MOST + 8);

    if (text_empty(text) || repeats_secret(call, text))
        return mem_text("");
    buf_add_text(&said, ": ");
    buf_add_foreign(&said, text, ANSWER_TEXT_MOST);
    if (said.data[said.len - 1] == '.') /* ours goes on */
        said.data[--said.len] = '\0';
    return buf_take(&said);
}

/* The diagnoses of the own splunkd, and of another one. */
static const struct diagnoses {
    enum diagnosis busy, tls, ca, key, rights;
} diagnoses[] = { { DIAGNOSIS_SPLUNKD_BUSY, DIAGNOSIS_SPLUNKD_TLS, DIAGNOSIS_SPLUNKD_TLS, DIAGNOSIS_SPLUNKD_KEY,
                    DIAGNOSIS_SPLUNKD_RIGHTS },
                  { DIAGNOSIS_STORE_AWAY, DIAGNOSIS_STORE_TLS, DIAGNOSIS_STORE_CA, DIAGNOSIS_STORE_TOKEN,
                    DIAGNOSIS_STORE_RIGHTS } };

static const struct diagnoses *diagnoses_of(const struct rest_call *call)
{
    return &diagnoses[call->rest->is_remote];
}

static void say_status(const struct rest_call *call, const struct http_result *result, const char *said,
                       struct err *err)
{
    bool remote = call->rest->is_remote;

    err_set(err, err->kind, "splunkd%s%s answered with HTTP %d%s", remote ? " at " : "",
            remote ? call->rest->server_uri : "", result->status, said);
    if (err->kind == ERR_RETRY)
        diagnosis_blame(err, diagnoses_of(call)->busy);
}

/* Fills err for an answer other than 2xx. */
static void explain_failure(const struct rest_call *call, const struct http_result *result, struct err *err)
{
    const struct diagnoses *of = diagnoses_of(call);
    const char *address = call->rest->server_uri;
    CLEANUP(mem_freep) char *said = NULL;

    http_check(result, err);
    if (call->rest->is_remote ? result->diagnosis == DIAGNOSIS_NO_TLS || result->diagnosis == DIAGNOSIS_CA_FILE
                              : result->fault == HTTP_NO_TLS) {
        said = mem_format(": %s", result->reason);
        diagnosis_set(err, ERR_INPUT, result->diagnosis == DIAGNOSIS_CA_FILE ? of->ca : of->tls, &(struct diagnosis_facts){ .text = address, .detail = said });
        return;
    }
    if (!http_status_counts(result)) {
        err_set(err, result->fault == HTTP_BAD_REQUEST || result->fault == HTTP_STOPPED ? ERR_INPUT : ERR_RETRY,
                "splunkd at %s: %s", address, result->reason);
        diagnosis_blame(err, of->busy);
        return;
    }
    said = answer_text(call, result);
    if (result->status == 401)
        diagnosis_set(err, ERR_AUTH, call->rest->key_is_entered ? DIAGNOSIS_SPLUNKD_KEY_ENTERED : of->key,
                      &(struct diagnosis_facts){ .text = address, .detail = said });
    else if (result->status == 403)
        diagnosis_set(err, ERR_INPUT, of->rights,
                      &(struct diagnosis_facts){ .text = address, .detail = said, .advice = call->rights });
    else
        say_status(call, result, said, err);
}

/* Repeats the failure of a call that lasts, or says that there is no answer at all. */
static void report(struct rest_call *call)
{
    if (!call->failures) {
        err_set(&call->failed, ERR_RETRY, "splunkd at %s has not answered within %d s", call->rest->server_uri,
                REST_SLOW_MS / 1000);
        diagnosis_blame(&call->failed, DIAGNOSIS_SPLUNKD_BUSY);
    }
    call->trying(call->ctx, &call->failed);
}

static void slow_fired(void *ctx, int64_t now_ms UNUSED)
{
    report(ctx);
}

static void call_end(struct rest_call *call, const struct http_result *result, bool ok, const struct err *err)
{
    rest_call_stop(call);
    call->done(call->ctx, result, ok, err);
}

static void call_timer_fired(void *ctx, int64_t now_ms UNUSED)
{
    call_send(ctx);
}

/* Returns true if the same call may be made once more. */
static bool may_try_again(const struct rest_call *call, const struct http_result *result, const struct err *err,
                          int64_t now_ms)
{
    bool turned_away = http_status_counts(result) && (result->status == 503 || result->status == 429);

    if (err->kind != ERR_RETRY || now_ms >= call->give_up_ms)
        return false;
    return !call->once || turned_away || http_was_not_sent(result);
}

static void call_answered(void *ctx, const struct http_result *result)
{
    struct rest_call *call = ctx;
    int64_t now_ms = clock_ms(), wait_ms;
    struct err err = { 0 };

    call->request = NULL;
    if (http_check(result, &err)) {
        call_end(call, result, true, &err);
        return;
    }
    explain_failure(call, result, &err);
    if (result->status == 401 && call->rest->refused)
        call->rest->refused(call->rest->refused_ctx);
    if (!may_try_again(call, result, &err, now_ms)) {
        call_end(call, result, false, &err);
        return;
    }
    call->failed = err;
    wait_ms = backoff_wait_ms(++call->failures, err.wait_ms, random_below(UINT32_MAX));
    if (wait_ms > PAUSE_MOST_MS)
        wait_ms = PAUSE_MOST_MS;
    if (wait_ms > call->give_up_ms - now_ms)
        wait_ms = call->give_up_ms - now_ms; /* the last try comes exactly at the end */
    timer_set(call->rest->loop, &call->timer, now_ms + wait_ms);
    if (call->trying && !timer_is_set(&call->slow))
        report(call);
}

static bool body_ready(void *ctx UNUSED)
{
    return true;
}

static bool body_data(void *ctx, const char *bytes, size_t len)
{
    struct rest_call *call = ctx;

    return buf_add(call->body, bytes, len);
}

static void call_send(struct rest_call *call)
{
    static const struct http_sink sink = { .ready = body_ready, .data = body_data };
    struct http_spec spec = { .url = call->url,
                              .form = call->form,
                              .method = call->method,
                              .json = call->json,
                              .authorization = call->rest->authorization,
                              .route = &call->rest->route,
                              .sink = call->body ? &sink : NULL,
                              .done = call_answered,
                              .ctx = call,
                              .once = call->once,
                              .timeout_s = call->rest->timeout_s,
                              .connect_timeout_s = call->rest->connect_timeout_s };

    if (call->body)
        buf_clear(call->body);
    call->request = http_start(call->rest->http, &spec);
}

void rest_call_start(struct rest_call *call, const char *method, char *url, char *form)
{
    call->method = method;
    call->url = url;
    call->form = form;
    call->failures = 0;
    call->give_up_ms = clock_ms() + call->rest->try_for_ms;
    call->timer.fire = call_timer_fired;
    call->timer.ctx = call;
    call->slow.fire = slow_fired;
    call->slow.ctx = call;
    if (call->trying)
        timer_set(call->rest->loop, &call->slow, clock_ms() + REST_SLOW_MS);
    call_send(call);
}

void rest_call_stop(struct rest_call *call)
{
    if (call->request)
        http_cancel(call->request);
    call->request = NULL;
    if (call->rest) {
        timer_cancel(call->rest->loop, &call->timer);
        timer_cancel(call->rest->loop, &call->slow);
    }
    free(call->url);
    mem_free_secret(call->form);
    call->url = call->form = NULL;
}
