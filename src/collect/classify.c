#include "collect/classify.h"

#include <string.h>

#include "microsoft/refusal.h"

#define GAVE_UP_WAIT_MS 15000 /* the others should have come to their end by then */

static struct classified refused(const struct http_result *result, enum diagnosis diagnosis, const char *permission)
{
    struct classified ret = { .class = ANSWER_REFUSED };

    refusal_set(result, diagnosis, permission, &ret.err);
    return ret;
}

/* Reads a 400: the query may be more than the service takes. After the simplest one a person has to act. */
static struct classified bad_request(const struct http_result *result, const struct classify_facts *facts)
{
    struct classified ret = { .class = ANSWER_BAD_REQUEST };
    char words[REFUSAL_WORDS_MAX];

    if (!facts->can_simplify) {
        refusal_set(result, facts->has_filter ? DIAGNOSIS_HTTP_400_FILTER : DIAGNOSIS_HTTP_400, NULL, &ret.err);
        return ret;
    }
    refusal_words(result, words);
    err_set(&ret.err, ERR_INPUT, "HTTP 400%s", words);
    diagnosis_blame(&ret.err, facts->has_filter ? DIAGNOSIS_HTTP_400_FILTER : DIAGNOSIS_HTTP_400);
    return ret;
}

static struct classified unauthorized(const struct http_result *result, const struct classify_facts *facts)
{
    return facts->rejected ? refused(result, DIAGNOSIS_HTTP_401, NULL)
                           : (struct classified){ .class = ANSWER_NEW_TOKEN };
}

static struct classified forbidden(const struct http_result *result, const struct classify_facts *facts)
{
    if (strstr(result->authenticate, "insufficient_claims"))
        return refused(result, DIAGNOSIS_POLICY, NULL);
    return refused(result, DIAGNOSIS_HTTP_403, facts->permission);
}

/* Reads a 200 whose body ended, or broke. */
static struct classified ok_response(const struct http_result *result, const struct classify_facts *facts)
{
    struct classified ret = { .class = ANSWER_READ };

    if (page_end(facts->page, &ret.err))
        return ret;
    diagnosis_blame(&ret.err, DIAGNOSIS_BAD_ANSWER);
    if (page_gave_up(facts->page)) { /* for lack of memory here: nothing is known about the window */
        ret.class = ANSWER_FAILED;
        ret.err.wait_ms = GAVE_UP_WAIT_MS;
        return ret;
    }
    ret.class = page_in_records(facts->page) || facts->bad_records ? ANSWER_BROKEN : ANSWER_FAILED;
    ret.may_be_window = ret.class == ANSWER_FAILED;
    if (page_has_error(facts->page)) { /* the service itself says so; it may be able to finish a smaller answer */
        ret.class = ANSWER_FAILED;
        ret.may_be_size = ret.may_be_window = true;
    }
    ret.err.kind = ERR_RETRY;
    if (strcasestr(result->content_type, "html")) {
        ret.class = ANSWER_FAILED;
        diagnosis_set(&ret.err, ERR_RETRY, DIAGNOSIS_WEB_PAGE, &(struct diagnosis_facts){ .detail = " (HTTP 200)" });
    }
    return ret;
}

/* Reads a failure that passes; err is what http_check() said. */
static struct classified transient(const struct http_result *result, const struct err *err)
{
    bool done = http_status_counts(result);
    bool busy = done && (result->status == 429 || result->status == 503 || result->status == 509);
    bool body_broke = !done &&
                      (result->fault == HTTP_CUT || result->fault == HTTP_TIMEOUT || result->fault == HTTP_GARBLED);
    struct classified ret = { .class = ANSWER_FAILED, .err = *err };
    char words[REFUSAL_WORDS_MAX];

    if (busy && (result->status == 429 || err->wait_ms)) {
        ret.class = ANSWER_THROTTLED;
        return ret;
    }
    ret.may_be_size = body_broke || (done && result->status >= 500);
    ret.may_be_window = body_broke || done;
    refusal_words(result, words);
    if (*words) {
        err_set(&ret.err, ERR_RETRY, "HTTP %d%s", result->status, words);
        ret.err.wait_ms = err->wait_ms;
        err_blame(&ret.err, err);
    }
    return ret;
}

struct classified classify(const struct http_result *result, const struct classify_facts *facts)
{
    bool done = http_status_counts(result);
    struct err err;

    if (result->fault == HTTP_STOPPED || (done && result->status == 200))
        return ok_response(result, facts);
    if (done && result->status == 400)
        return bad_request(result, facts);
    if (done && result->status == 401)
        return unauthorized(result, facts);
    if (http_check(result, &err)) { /* 201 to 299: not all of the answer */
        err_set(&err, ERR_RETRY, "HTTP %d, a partial answer", result->status);
        diagnosis_blame(&err, DIAGNOSIS_BAD_ANSWER);
        return (struct classified){ .class = ANSWER_FAILED, .may_be_window = true, .err = err };
    }
    if (err.kind == ERR_RETRY)
        return transient(result, &err);
    return result->status == 403 ? forbidden(result, facts) : refused(result, DIAGNOSIS_HTTP_4XX, NULL);
}
