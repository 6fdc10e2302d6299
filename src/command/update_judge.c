#include "command/update_judge.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "messages/diagnosis.h"
#include "microsoft/refusal.h"

#define TRIES_MOST 5

const char *update_result_word(enum update_result result)
{
    static const char *const words[] = { "done",    "again",     "again",  "bad_input",
                                         "refused", "throttled", "failed", "unknown" };

    return words[result];
}

/* Returns true for what Graph answers with: an object, or nothing. A page of a proxy may come with any status. */
static bool is_of_graph(const struct http_result *result)
{
    const char *at = text_empty(result->body) ? "" : result->body + strspn(result->body, " \t\r\n\xEF\xBB\xBF");

    return !*at || *at == '{';
}

/* Returns true if Microsoft takes no request for a while. A 503 without a wait may be that of a gateway that has passed
 * the request on. */
static bool asks_to_wait(const struct http_result *result)
{
    return result->status == 429 || (result->status == 503 && result->retry_after_ms >= 0 && is_of_graph(result));
}

/* Returns true if the answer, or the lack of one, proves that Microsoft did not do it. */
static bool was_not_done(const struct http_result *result)
{
    return asks_to_wait(result) || http_was_not_sent(result);
}

static void judge_failure(const struct http_result *result, const struct update_facts *facts,
                          struct update_verdict *ret)
{
    int64_t own_ms = INT64_C(1000) << (facts->tries < TRIES_MOST ? facts->tries : TRIES_MOST);

    if (facts->comment && !was_not_done(result)) {
        ret->result = UPDATE_UNKNOWN;
        err_prefix(&ret->err, "the comment may have been added or not, look before it is added again");
        return;
    }
    ret->wait_ms = ret->err.wait_ms ? ret->err.wait_ms : own_ms;
    if (!result->definite && facts->tries < TRIES_MOST && ret->wait_ms < facts->left_ms) {
        ret->result = UPDATE_AGAIN;
        return;
    }
    ret->result = asks_to_wait(result) ? UPDATE_THROTTLED : UPDATE_FAILED;
    if (asks_to_wait(result))
        err_prefix(&ret->err, "Microsoft allows no more requests for %lld s; run the action again after that",
                   (long long)(ret->wait_ms / 1000));
}

static void judge_refusal(const struct http_result *result, const struct update_facts *facts,
                          struct update_verdict *ret)
{
    const struct change *change = facts->change;
    char words[REFUSAL_WORDS_MAX];

    refusal_words(result, words);
    ret->result = UPDATE_REFUSED;
    switch (result->status) {
    case 400:
        ret->result = UPDATE_BAD_INPUT;
        err_set(&ret->err, ERR_INPUT, "Microsoft does not accept the change%s", words);
        break;
    case 401:
        if (!facts->new_token)
            ret->result = UPDATE_NEW_TOKEN;
        refusal_set(result, DIAGNOSIS_HTTP_401, NULL, &ret->err);
        break;
    case 403: refusal_set(result, DIAGNOSIS_HTTP_403, change_permission(change->kind), &ret->err); break;
    case 404:
        ret->result = UPDATE_BAD_INPUT;
        err_set(&ret->err, ERR_INPUT,
                "the customer's tenant has no %s with the ID '%s' (any more); the ID should be the member id of an "
                "event%s",
                change_kind_word(change->kind), change->id, words);
        break;
    default: refusal_set(result, DIAGNOSIS_HTTP_4XX, NULL, &ret->err); break;
    }
}

static void say_page(const struct http_result *result, struct err *err)
{
    char status[24];

    snprintf(status, sizeof(status), " (HTTP %d)", result->status);
    diagnosis_set(err, ERR_RETRY, DIAGNOSIS_WEB_PAGE, &(struct diagnosis_facts){ .detail = status });
}

void update_judge(const struct http_result *result, const struct update_facts *facts, struct update_verdict *ret)
{
    *ret = (struct update_verdict){ .result = UPDATE_DONE };
    if (http_check(result, &ret->err)) {
        if (is_of_graph(result))
            return;
        say_page(result, &ret->err);
    }
    if (ret->err.kind == ERR_RETRY || !http_status_counts(result))
        judge_failure(result, facts, ret);
    else
        judge_refusal(result, facts, ret);
}
