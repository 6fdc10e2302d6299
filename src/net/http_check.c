#include <stdio.h>
#include <string.h>

#include "net/http.h"
#include "net/retry_after.h"

static bool looks_like_html(const struct http_result *result)
{
    const char *at = result->body + strspn(result->body, " \t\r\n\xEF\xBB\xBF");

    return strcasestr(result->content_type, "html") || *at == '<';
}

/* Returns the row of messages/diagnosis.c for a status other than 2xx. */
static enum diagnosis diagnosis_of_status(const struct http_result *result)
{
    if (looks_like_html(result))
        return DIAGNOSIS_WEB_PAGE;
    if (result->status == 407)
        return DIAGNOSIS_NO_PROXY;
    if (result->status == 429)
        return DIAGNOSIS_HTTP_429;
    return result->status >= 400 && result->status < 500 ? DIAGNOSIS_HTTP_4XX : DIAGNOSIS_HTTP_5XX;
}

/* Fills *err with the text of a status, its request id and the advice. */
static void say_status(const struct http_result *result, struct err *err, enum err_kind kind)
{
    enum diagnosis diagnosis = diagnosis_of_status(result);
    bool status_apart = diagnosis == DIAGNOSIS_WEB_PAGE || diagnosis == DIAGNOSIS_NO_PROXY; /* not in its text */
    struct buf detail = BUF_INIT(256);
    char status[16];

    snprintf(status, sizeof(status), "%d", result->status);
    if (status_apart)
        buf_add_format(&detail, " (HTTP %s)", status);
    if (*result->request_id)
        buf_add_format(&detail, " (request-id %s)", result->request_id);
    diagnosis_set(err, kind, diagnosis,
                  &(struct diagnosis_facts){ .text = status_apart ? NULL : status, .detail = buf_text(&detail) });
    buf_free(&detail);
}

static bool fault_check(const struct http_result *result, struct err *err)
{
    struct buf text = BUF_INIT(sizeof(err->text));

    buf_add_text(&text, result->reason);
    diagnosis_add_advice(&text, result->diagnosis, NULL);
    err_set(err, ERR_RETRY, "%s", buf_text(&text));
    buf_free(&text);
    return diagnosis_blame(err, result->diagnosis);
}

bool http_status_counts(const struct http_result *result)
{
    bool body_broke = result->fault == HTTP_CUT || result->fault == HTTP_GARBLED || result->fault == HTTP_TIMEOUT;

    return result->fault == HTTP_DONE || (body_broke && result->status >= 300 && result->status <= 599);
}

bool http_was_not_sent(const struct http_result *result)
{
    switch (result->fault) {
    case HTTP_NO_NAME:
    case HTTP_NO_CONNECTION:
    case HTTP_NO_PROXY:
    case HTTP_NO_TLS:
    case HTTP_BAD_REQUEST: return true;
    default: return false;
    }
}

bool http_check(const struct http_result *result, struct err *err)
{
    int64_t wait_ms = result->retry_after_ms;
    int status = result->status;

    if (!http_status_counts(result))
        return fault_check(result, err);
    if (status >= 200 && status < 300)
        return true;
    if (status == 429 || status == 408 || status >= 500 || status < 200 || (status >= 300 && status < 400)) {
        say_status(result, err, ERR_RETRY);
        if (wait_ms < 0)
            wait_ms = retry_after_in_body_ms(result->body, result->body_len);
        err->wait_ms = wait_ms > 0 ? wait_ms : 0;
        return false;
    }
    if (status == 407 || looks_like_html(result))
        say_status(result, err, ERR_RETRY);
    else
        say_status(result, err, ERR_INPUT);
    return false;
}
