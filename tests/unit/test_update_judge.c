#include "check.h"

#include "command/update_judge.h"

static const struct row {
    const char *name;
    struct http_result result;
    bool comment, new_token;
    int tries;
    int64_t left_ms;
    enum update_result want;
    int64_t wait_ms;
} rows[] = {
    { "done", { .status = 200 }, false, false, 1, 9000, UPDATE_DONE, 0 },
    { "created", { .status = 201 }, true, false, 1, 9000, UPDATE_DONE, 0 },
    { "no content", { .status = 204 }, false, false, 1, 9000, UPDATE_DONE, 0 },
    { "bad request", { .status = 400 }, false, false, 1, 9000, UPDATE_BAD_INPUT, 0 },
    { "old token", { .status = 401 }, false, false, 1, 9000, UPDATE_NEW_TOKEN, 0 },
    { "old token again", { .status = 401 }, false, true, 2, 9000, UPDATE_REFUSED, 0 },
    { "old token of a comment", { .status = 401 }, true, false, 1, 9000, UPDATE_NEW_TOKEN, 0 },
    { "forbidden", { .status = 403 }, false, false, 1, 9000, UPDATE_REFUSED, 0 },
    { "not found", { .status = 404 }, false, false, 1, 9000, UPDATE_BAD_INPUT, 0 },
    { "conflict", { .status = 409 }, false, false, 1, 9000, UPDATE_REFUSED, 0 },
    { "throttled", { .status = 429, .retry_after_ms = 4000 }, false, false, 1, 9000, UPDATE_AGAIN, 4000 },
    { "throttled comment", { .status = 429, .retry_after_ms = 4000 }, true, false, 1, 9000, UPDATE_AGAIN, 4000 },
    { "throttled without a hint", { .status = 429, .retry_after_ms = -1 }, false, false, 2, 9000, UPDATE_AGAIN, 4000 },
    { "throttled too long", { .status = 429, .retry_after_ms = 9000 }, false, false, 1, 9000, UPDATE_THROTTLED, 9000 },
    { "throttled too often", { .status = 429, .retry_after_ms = 1000 }, false, false, 5, 9000, UPDATE_THROTTLED, 1000 },
    { "busy too long", { .status = 503, .retry_after_ms = 9000 }, false, false, 1, 9000, UPDATE_THROTTLED, 9000 },
    { "busy too long, comment", { .status = 503, .retry_after_ms = 9000 }, true, false, 1, 9000, UPDATE_THROTTLED, 9000 },
    { "busy too often", { .status = 503, .retry_after_ms = 1000 }, false, false, 5, 9000, UPDATE_THROTTLED, 1000 },
    { "gateway too often", { .status = 503, .retry_after_ms = -1 }, false, false, 5, 90000, UPDATE_FAILED, 32000 },
    { "page of a gateway too often", { .status = 503, .retry_after_ms = 1, .body = "<p>" }, false, false, 5, 9000,
      UPDATE_FAILED, 1 },
    { "broken service", { .status = 500, .retry_after_ms = -1 }, false, false, 1, 9000, UPDATE_AGAIN, 2000 },
    { "broken service, comment", { .status = 500, .retry_after_ms = -1 }, true, false, 1, 9000, UPDATE_UNKNOWN, 0 },
    { "busy service, comment", { .status = 503, .retry_after_ms = 3000 }, true, false, 1, 9000, UPDATE_AGAIN, 3000 },
    { "gateway, comment", { .status = 503, .retry_after_ms = -1 }, true, false, 1, 9000, UPDATE_UNKNOWN, 0 },
    { "page of a gateway, comment", { .status = 503, .retry_after_ms = 1, .body = "<p>" }, true, false, 1, 9000,
      UPDATE_UNKNOWN, 0 },
    { "object", { .status = 200, .body = "{\"id\":\"a\"}" }, false, false, 1, 9000, UPDATE_DONE, 0 },
    { "page of a proxy", { .status = 200, .retry_after_ms = -1, .body = " <p>" }, false, false, 1, 9000, UPDATE_AGAIN,
      2000 },
    { "page of a proxy, comment", { .status = 200, .body = "Sign in" }, true, false, 1, 9000, UPDATE_UNKNOWN, 0 },
    { "broken five times", { .status = 502, .retry_after_ms = -1 }, false, false, 5, 90000, UPDATE_FAILED, 32000 },
    { "redirect", { .status = 302, .retry_after_ms = -1 }, false, false, 5, 90000, UPDATE_FAILED, 32000 },
    { "no time left", { .status = 502, .retry_after_ms = -1 }, false, false, 1, 1000, UPDATE_FAILED, 2000 },
    { "cut", { .fault = HTTP_CUT, .retry_after_ms = -1 }, false, false, 1, 9000, UPDATE_AGAIN, 2000 },
    { "cut comment", { .fault = HTTP_CUT, .retry_after_ms = -1 }, true, false, 1, 9000, UPDATE_UNKNOWN, 0 },
    { "late comment", { .fault = HTTP_TIMEOUT, .retry_after_ms = -1 }, true, false, 1, 9000, UPDATE_UNKNOWN, 0 },
    { "no name, comment", { .fault = HTTP_NO_NAME, .retry_after_ms = -1 }, true, false, 1, 9000, UPDATE_AGAIN, 2000 },
    { "certificate", { .fault = HTTP_NO_TLS, .definite = true }, false, false, 1, 9000, UPDATE_FAILED, 2000 },
};

static void test_rows(void **state UNUSED)
{
    struct change change = { .kind = CHANGE_ALERT, .id = (char[]){ "a" } };
    struct update_verdict verdict;
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        struct http_result result = row->result;
        const struct update_facts facts = { .change = &change, .comment = row->comment, .new_token = row->new_token,
                                            .tries = row->tries, .left_ms = row->left_ms };

        result.body = result.body ? result.body : "";
        result.request_id = result.content_type = "";
        update_judge(&result, &facts, &verdict);
        CHECK(verdict.result == row->want, "%s: %s", row->name, update_result_word(verdict.result));
        CHECK(verdict.result == UPDATE_DONE || verdict.err.text[0], "%s: no sentence", row->name);
        if (row->wait_ms)
            CHECK(verdict.wait_ms == row->wait_ms, "%s: %lld ms", row->name, (long long)verdict.wait_ms);
    }
}

static const struct CMUnitTest cases[] = { cmocka_unit_test(test_rows) };

UNIT(update_judge, cases, NULL, NULL)
