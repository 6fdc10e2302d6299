#include "collect/classify.h"

#include "base/compiler.h"
#include "check.h"
#include "microsoft/api.h"

#define WHOLE  "{\"value\":[{\"id\":\"1\",\"lastUpdateDateTime\":\"2026-11-01T00:00:00Z\"}]}"
#define REFUSE "{\"error\":{\"code\":\"Forbidden\",\"message\":\"Missing roles.\"}}"

static void keep(void *ctx UNUSED, struct buf *out UNUSED, const struct page_record *record UNUSED)
{
}

static void bad(void *ctx UNUSED, struct buf *out UNUSED, const struct page_bad_record *record UNUSED)
{
}

static const struct page_handler handler = { .record = keep, .bad = bad };

/* An answer: what the sink was given, and what is in the result. */
struct answer {
    const char *page;           /* NULL: nothing */
    enum http_fault fault;
    int         status;
    const char *body, *type, *authenticate;
    int64_t     retry_ms;       /* 0: none */
    bool        rejected;       /* the answer before was a 401 */
    bool        simplest;       /* there is no simpler query */
    bool        has_filter;
    bool        bad;            /* the page has records that are not JSON */
};

static struct classified judge(const struct answer *answer)
{
    struct http_result result = {
        .fault = answer->fault, .reason = "why", .status = answer->status, .body = answer->body ? answer->body : "",
        .content_type = answer->type ? answer->type : "application/json", .request_id = "r-1",
        .authenticate = answer->authenticate ? answer->authenticate : "",
        .retry_after_ms = answer->retry_ms ? answer->retry_ms : -1
    };
    struct page *page = page_new(&api_graph.shape, &handler);
    struct buf out = BUF_INIT(1 << 20);
    struct classified classified;

    result.body_len = strlen(result.body);
    if (answer->page)
        page_feed(page, answer->page, strlen(answer->page), &out);
    classified = classify(&result, &(struct classify_facts){
        .page = page, .bad_records = answer->bad, .rejected = answer->rejected, .can_simplify = !answer->simplest,
        .has_filter = answer->has_filter, .permission = api_graph.permission });
    page_free(page);
    buf_free(&out);
    return classified;
}

/* promise: Trouble: A page that keeps failing is asked for in smaller pieces. */
/* promise: Trouble: A request that gets a 400 is tried in a simpler form. After the last form it is a refusal. */
static void test_classes(void **state UNUSED)
{
    static const struct { struct answer answer; enum answer_class class; bool may_be_size; const char *text; } rows[] = {
        { { .page = WHOLE, .status = 200 }, ANSWER_READ, false, NULL },
        { { .page = "{\"value\":[]}", .status = 200 }, ANSWER_READ, false, NULL },
        /* whole for HTTP, but not whole as an answer: nothing may be taken for read */
        { { .page = "", .status = 200 }, ANSWER_FAILED, false, NULL },
        { { .page = "{\"value\":{}}", .status = 200 }, ANSWER_FAILED, false, NULL },
        { { .page = "{}", .status = 200 }, ANSWER_FAILED, false, NULL },
        { { .page = "<html>", .status = 200, .type = "text/html" }, ANSWER_FAILED, false, "web page" },
        { { .page = "{\"value\":[],\"error\":{\"code\":\"Timeout\"}}", .status = 200 }, ANSWER_FAILED, true, "'Timeout'" },
        { { .page = "{\"error\":{},\"value\":[{]}", .status = 200, .bad = true }, ANSWER_FAILED, true, "not JSON" },
        { { .page = "{\"value\":[{\"id\":", .status = 200 }, ANSWER_BROKEN, false, NULL },
        { { .page = "{\"value\":[{\"id\":", .status = 200, .type = "text/html" }, ANSWER_FAILED, false, "web page" },
        { { .page = "{\"value\":{", .fault = HTTP_STOPPED, .status = 200 }, ANSWER_FAILED, false, NULL },
        { { .status = 206 }, ANSWER_FAILED, false, "partial" },
        { { .status = 204 }, ANSWER_FAILED, false, "partial" },
        /* cut on the way: what came before it may have been good, and less may come through */
        { { .page = WHOLE, .fault = HTTP_CUT, .status = 200 }, ANSWER_FAILED, true, "why" },
        { { .fault = HTTP_TIMEOUT, .status = 200 }, ANSWER_FAILED, true, "why" },
        { { .fault = HTTP_GARBLED, .status = 200 }, ANSWER_FAILED, true, "why" },
        { { .fault = HTTP_NO_NAME }, ANSWER_FAILED, false, "why" },
        { { .fault = HTTP_NO_TLS }, ANSWER_FAILED, false, "why" },
        { { .status = 302 }, ANSWER_FAILED, false, "302" },
        { { .status = 500 }, ANSWER_FAILED, true, "500" },
        { { .status = 504, .body = REFUSE }, ANSWER_FAILED, true, "Forbidden 'Missing roles.'" },
        { { .status = 500, .body = REFUSE, .retry_ms = 4000 }, ANSWER_FAILED, true, "Forbidden" },
        { { .status = 403, .body = "<html>", .type = "text/html" }, ANSWER_FAILED, false, "proxy" },
        { { .status = 429 }, ANSWER_THROTTLED, false, NULL },
        { { .status = 429, .retry_ms = 2500 }, ANSWER_THROTTLED, false, NULL },
        { { .status = 503, .retry_ms = 2500 }, ANSWER_THROTTLED, false, NULL },
        { { .status = 503 }, ANSWER_FAILED, true, "503" },
        { { .status = 401 }, ANSWER_NEW_TOKEN, false, NULL },
        { { .status = 401, .rejected = true }, ANSWER_REFUSED, false, "Our administrator" },
        { { .status = 403, .body = REFUSE }, ANSWER_REFUSED, false,
          "The customer's administrator: grant admin consent to the "
          "permission SecurityAlert.Read.All" },
        { { .status = 403, .authenticate = "Bearer error=\"insufficient_claims\"" }, ANSWER_REFUSED, false,
          "exclude the app from the conditional access policy" },
        { { .status = 404 }, ANSWER_REFUSED, false,
          "HTTP 404 (request-id r-1). Our administrator: check api, api_url, cloud and tenant_id" },
        { { .status = 400 }, ANSWER_BAD_REQUEST, false, "400" },
        { { .status = 400, .simplest = true }, ANSWER_BAD_REQUEST, false, "check api and api_url" },
        { { .status = 400, .simplest = true, .has_filter = true }, ANSWER_BAD_REQUEST, false,
          "check filter of the input" },
        /* the body is cut, broken or late: status and headers came before it */
        { { .status = 429, .fault = HTTP_CUT, .retry_ms = 30000 }, ANSWER_THROTTLED, false, "429" },
        { { .status = 429, .fault = HTTP_CUT }, ANSWER_THROTTLED, false, "429" },
        { { .status = 429, .fault = HTTP_GARBLED, .retry_ms = 30000 }, ANSWER_THROTTLED, false, "429" },
        { { .status = 429, .fault = HTTP_TIMEOUT, .retry_ms = 30000 }, ANSWER_THROTTLED, false, "429" },
        { { .status = 429, .fault = HTTP_CUT, .body = "{\"error\":{\"co" }, ANSWER_THROTTLED, false, "429" },
        { { .status = 503, .fault = HTTP_CUT, .retry_ms = 30000 }, ANSWER_THROTTLED, false, "503" },
        { { .status = 503, .fault = HTTP_CUT }, ANSWER_FAILED, true, "503" },
        { { .status = 500, .fault = HTTP_CUT, .retry_ms = 4000 }, ANSWER_FAILED, true, "500" },
        { { .status = 401, .fault = HTTP_CUT }, ANSWER_NEW_TOKEN, false, NULL },
        { { .status = 401, .fault = HTTP_CUT, .rejected = true }, ANSWER_REFUSED, false, "HTTP 401" },
        { { .status = 403, .fault = HTTP_CUT }, ANSWER_REFUSED, false, "403" },
        { { .status = 403, .fault = HTTP_CUT, .body = "<ht", .type = "text/html" }, ANSWER_FAILED, false, "proxy" },
        { { .status = 404, .fault = HTTP_GARBLED }, ANSWER_REFUSED, false, "404" },
        { { .status = 400, .fault = HTTP_CUT }, ANSWER_BAD_REQUEST, false, "400" },
        { { .status = 302, .fault = HTTP_CUT }, ANSWER_FAILED, false, "302" },
        /* not the service's own answer, or none at all */
        { { .status = 407, .fault = HTTP_NO_PROXY }, ANSWER_FAILED, false, "why" },
        { { .fault = HTTP_CUT }, ANSWER_FAILED, true, "why" },
        { { .status = 206, .fault = HTTP_CUT }, ANSWER_FAILED, true, "why" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct classified got = judge(&rows[i].answer);

        CHECK(got.class == rows[i].class, "row %zu: class %d, not %d: %s", i, got.class, rows[i].class, got.err.text);
        CHECK(got.may_be_size == rows[i].may_be_size, "row %zu: may be size", i);
        CHECK(!rows[i].text || strstr(got.err.text, rows[i].text), "row %zu: '%s'", i, got.err.text);
        if (got.class == ANSWER_REFUSED)
            CHECK(got.err.kind == ERR_AUTH && strstr(got.err.text, "r-1"), "row %zu: '%s'", i, got.err.text);
        if (got.class == ANSWER_FAILED || got.class == ANSWER_THROTTLED || got.class == ANSWER_BROKEN)
            CHECK(got.err.kind == ERR_RETRY, "row %zu: kind of error %d", i, got.err.kind);
        CHECK(rows[i].answer.retry_ms == 0 || got.err.wait_ms == rows[i].answer.retry_ms, "row %zu: waits %lld", i,
              (long long)got.err.wait_ms);
    }
}

/* A response that was given up for lack of memory says nothing about its window, and the next one comes later. */
static void test_gave_up(void **state UNUSED)
{
    struct budget budget = { .limit = 1000 };
    struct page_handler bounded = { .record = keep, .bad = bad, .budget = &budget };
    struct page *page = page_new(&api_graph.shape, &bounded);
    struct buf out = BUF_INIT(1 << 20);
    struct http_result result = { .fault = HTTP_STOPPED, .status = 200, .body = "", .content_type = "",
                                  .request_id = "", .authenticate = "", .retry_after_ms = -1 };
    struct classified got;
    int i;

    CHECK(page_feed(page, "{\"value\":[{\"id\":\"", 17, &out), "the beginning");
    for (i = 0; i < 1000 && page_feed(page, "0123456789", 10, &out); i++)
        ;
    CHECK(i > 10 && i < 200 && page_gave_up(page) && !budget.used, "after %d pieces, %zu used", i, budget.used);
    got = classify(&result, &(struct classify_facts){ .page = page, .permission = "x" });
    CHECK(got.class == ANSWER_FAILED && !got.may_be_window && !got.may_be_size, "class %d", got.class);
    CHECK(got.err.kind == ERR_RETRY && got.err.wait_ms == 15000, "waits %lld", (long long)got.err.wait_ms);
    page_free(page);
    buf_free(&out);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_classes),
    cmocka_unit_test(test_gave_up),
};

UNIT(classify, cases, NULL, NULL)
