#include "collect/verdict.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "collect/tenant.h"

#define CODE_MAX  60
#define QUOTE_MAX 200       /* bytes of the service's own words in a message */

void verdict_own_words(const struct http_result *result, char ret[VERDICT_WORDS_MAX])
{
    CLEANUP(json_freep) cJSON *root = json_parse(result->body, result->body_len);
    const cJSON *error = json_member(root, "error");
    const char *code = json_text(error, "code"), *message = json_text(error, "message");
    struct buf words = BUF_INIT(VERDICT_WORDS_MAX - 1);

    ret[0] = '\0';
    if (cJSON_IsString(error))
        message = error->valuestring;
    if (!code && !message)
        return;
    buf_add_text(&words, ": ");
    buf_add_foreign(&words, code ? code : "", CODE_MAX);
    buf_add_text(&words, code && *code ? " '" : "'");
    buf_add_foreign(&words, message ? message : "", QUOTE_MAX);
    buf_add_char(&words, '\'');
    snprintf(ret, VERDICT_WORDS_MAX, "%s", buf_text(&words));
    buf_free(&words);
}

void verdict_refuse(const struct http_result *result, enum diagnosis diagnosis, const char *permission, struct err *err)
{
    char words[VERDICT_WORDS_MAX], status[16], detail[VERDICT_WORDS_MAX + 160];

    verdict_own_words(result, words);
    snprintf(status, sizeof(status), "%d", result->status);
    snprintf(detail, sizeof(detail), "%s%s%s%s", words, *result->request_id ? " (request-id " : "", result->request_id,
             *result->request_id ? ")" : "");
    diagnosis_set(err, ERR_AUTH, diagnosis, &(struct diagnosis_facts){
        .text = diagnosis == DIAGNOSIS_HTTP_4XX ? status : permission, .detail = detail, .advice = permission });
}

static void refuse(struct verdict *ret, const struct http_result *result, enum diagnosis diagnosis, const char *permission)
{
    ret->kind = VERDICT_REFUSED;
    verdict_refuse(result, diagnosis, permission, &ret->err);
}

static void forbidden(struct worker *worker, const struct http_result *result, struct verdict *ret)
{
    if (strstr(result->authenticate, "insufficient_claims"))
        refuse(ret, result, DIAGNOSIS_POLICY, NULL);
    else
        refuse(ret, result, DIAGNOSIS_HTTP_403, worker->tenant->api->permission);
}

static void unauthorized(struct worker *worker, const struct http_result *result, struct verdict *ret)
{
    if (worker->rejected)
        refuse(ret, result, DIAGNOSIS_HTTP_401, NULL);
    else
        ret->kind = VERDICT_TOKEN;
}

static void bad_request(struct worker *worker, const struct http_result *result, struct verdict *ret)
{
    char words[VERDICT_WORDS_MAX];

    if (worker->variant + 1 >= worker->tenant->api->variants) {
        refuse(ret, result, text_empty(worker->tenant->input.filter) ? DIAGNOSIS_HTTP_400 : DIAGNOSIS_HTTP_400_FILTER, NULL);
        return;
    }
    verdict_own_words(result, words);
    ret->kind = VERDICT_VARIANT;
    err_set(&ret->err, ERR_INPUT, "HTTP 400%s", words);
}

/* An answer to which http_check() said ERR_RETRY. */
static void retry(const struct http_result *result, struct verdict *ret)
{
    bool busy = result->fault == HTTP_DONE && (result->status == 429 || result->status == 503 || result->status == 509);
    bool body_broke = result->fault == HTTP_CUT || result->fault == HTTP_TIMEOUT || result->fault == HTTP_GARBLED;
    char words[VERDICT_WORDS_MAX];

    verdict_own_words(result, words);
    if (busy && (result->status == 429 || ret->err.wait_ms)) {
        ret->kind = VERDICT_THROTTLED;
        return;
    }
    ret->kind = VERDICT_FAILED;
    ret->may_be_size = body_broke || (result->fault == HTTP_DONE && result->status >= 500);
    if (*words) {
        int64_t wait_ms = ret->err.wait_ms;

        err_set(&ret->err, ERR_RETRY, "HTTP %d%s", result->status, words);
        ret->err.wait_ms = wait_ms;
    }
}

static void page_broke(const struct worker *worker, const struct http_result *result, struct verdict *ret)
{
    ret->kind = page_in_records(worker->page) || worker->bad ? VERDICT_BROKEN : VERDICT_FAILED;
    ret->err.kind = ERR_RETRY;
    if (strcasestr(result->content_type, "html")) {
        ret->kind = VERDICT_FAILED;
        diagnosis_set(&ret->err, ERR_RETRY, DIAGNOSIS_WEB_PAGE, &(struct diagnosis_facts){ .detail = " (HTTP 200)" });
    }
}

void verdict_of(struct worker *worker, const struct http_result *result, struct verdict *ret)
{
    *ret = (struct verdict){ .kind = VERDICT_READ };
    if (result->fault == HTTP_STOPPED || (result->fault == HTTP_DONE && result->status == 200)) {
        if (!page_end(worker->page, &ret->err))
            page_broke(worker, result, ret);
        return;
    }
    if (result->fault == HTTP_DONE && result->status == 400) {
        bad_request(worker, result, ret);
        return;
    }
    if (result->fault == HTTP_DONE && result->status == 401) {
        unauthorized(worker, result, ret);
        return;
    }
    if (http_check(result, &ret->err)) {        /* 201 .. 299: not the whole answer */
        ret->kind = VERDICT_FAILED;
        err_set(&ret->err, ERR_RETRY, "HTTP %d, a partial answer", result->status);
        return;
    }
    if (ret->err.kind == ERR_RETRY)
        retry(result, ret);
    else if (result->status == 403)
        forbidden(worker, result, ret);
    else
        refuse(ret, result, DIAGNOSIS_HTTP_4XX, NULL);
}
