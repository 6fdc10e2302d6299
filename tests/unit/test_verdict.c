#include "collect/verdict.h"

#include <stdlib.h>

#include "base/compiler.h"
#include "base/text.h"
#include "check.h"
#include "collect/tenant.h"

#define WHOLE  "{\"value\":[{\"id\":\"1\",\"lastUpdateDateTime\":\"2026-11-01T00:00:00Z\"}]}"
#define REFUSE "{\"error\":{\"code\":\"Forbidden\",\"message\":\"Missing roles.\"}}"

static void keep(void *ctx UNUSED, struct buf *out UNUSED, const struct page_record *record UNUSED)
{
}

static void bad(void *ctx UNUSED, size_t ordinal UNUSED, uint64_t offset UNUSED, const char *why UNUSED)
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
    int         variant;
    const char *filter;
};

static struct verdict judge(const struct answer *answer)
{
    struct tenant t = { .api = &api_graph };
    struct worker worker = { .tenant = &t, .rejected = answer->rejected, .variant = answer->variant };
    struct http_result result = {
        .fault = answer->fault, .reason = "why", .status = answer->status, .body = answer->body ? answer->body : "",
        .content_type = answer->type ? answer->type : "application/json", .request_id = "r-1",
        .authenticate = answer->authenticate ? answer->authenticate : "",
        .retry_after_ms = answer->retry_ms ? answer->retry_ms : -1
    };
    struct buf out = BUF_INIT(1 << 20);
    struct verdict verdict;

    t.input.filter = (char *)(uintptr_t)answer->filter;
    result.body_len = strlen(result.body);
    worker.page = page_new(&api_graph.shape, &handler);
    if (answer->page)
        page_feed(worker.page, answer->page, strlen(answer->page), &out);
    verdict_of(&worker, &result, &verdict);
    page_free(worker.page);
    buf_free(&out);
    return verdict;
}

/* promise: Trouble: A page that keeps failing is asked for in smaller pieces. */
/* promise: Trouble: A request that gets a 400 is tried in a simpler form. After the last form it is a refusal. */
static void test_kinds(void **state UNUSED)
{
    static const struct { struct answer answer; enum verdict_kind kind; bool may_be_size; const char *text; } rows[] = {
        { { .page = WHOLE, .status = 200 }, VERDICT_READ, false, NULL },
        { { .page = "{\"value\":[]}", .status = 200 }, VERDICT_READ, false, NULL },
        /* whole for HTTP, but not whole as an answer: nothing may be taken for read */
        { { .page = "", .status = 200 }, VERDICT_FAILED, false, NULL },
        { { .page = "{\"value\":{}}", .status = 200 }, VERDICT_FAILED, false, NULL },
        { { .page = "{}", .status = 200 }, VERDICT_FAILED, false, NULL },
        { { .page = "<html>", .status = 200, .type = "text/html" }, VERDICT_FAILED, false, "web page" },
        { { .page = "{\"value\":[{\"id\":", .status = 200 }, VERDICT_BROKEN, false, NULL },
        { { .page = "{\"value\":[{\"id\":", .status = 200, .type = "text/html" }, VERDICT_FAILED, false, "web page" },
        { { .page = "{\"value\":{", .fault = HTTP_STOPPED, .status = 200 }, VERDICT_FAILED, false, NULL },
        { { .status = 206 }, VERDICT_FAILED, false, "partial" },
        { { .status = 204 }, VERDICT_FAILED, false, "partial" },
        /* cut on the way: what came before it may have been good, and less may come through */
        { { .page = WHOLE, .fault = HTTP_CUT, .status = 200 }, VERDICT_FAILED, true, "why" },
        { { .fault = HTTP_TIMEOUT, .status = 200 }, VERDICT_FAILED, true, "why" },
        { { .fault = HTTP_GARBLED, .status = 200 }, VERDICT_FAILED, true, "why" },
        { { .fault = HTTP_NO_NAME }, VERDICT_FAILED, false, "why" },
        { { .fault = HTTP_NO_TLS }, VERDICT_FAILED, false, "why" },
        { { .status = 302 }, VERDICT_FAILED, false, "302" },
        { { .status = 500 }, VERDICT_FAILED, true, "500" },
        { { .status = 504, .body = REFUSE }, VERDICT_FAILED, true, "Forbidden 'Missing roles.'" },
        { { .status = 500, .body = REFUSE, .retry_ms = 4000 }, VERDICT_FAILED, true, "Forbidden" },
        { { .status = 403, .body = "<html>", .type = "text/html" }, VERDICT_FAILED, false, "proxy" },
        { { .status = 429 }, VERDICT_THROTTLED, false, NULL },
        { { .status = 429, .retry_ms = 2500 }, VERDICT_THROTTLED, false, NULL },
        { { .status = 503, .retry_ms = 2500 }, VERDICT_THROTTLED, false, NULL },
        { { .status = 503 }, VERDICT_FAILED, true, "503" },
        { { .status = 401 }, VERDICT_TOKEN, false, NULL },
        { { .status = 401, .rejected = true }, VERDICT_REFUSED, false, "Our administrator" },
        { { .status = 403, .body = REFUSE }, VERDICT_REFUSED, false,
          "The customer's administrator: grant admin consent to the "
          "permission SecurityAlert.Read.All" },
        { { .status = 403, .authenticate = "Bearer error=\"insufficient_claims\"" }, VERDICT_REFUSED, false,
          "exclude the app from the conditional access policy" },
        { { .status = 404 }, VERDICT_REFUSED, false,
          "HTTP 404 (request-id r-1). Our administrator: check api, api_url, cloud and tenant_id" },
        { { .status = 400 }, VERDICT_VARIANT, false, "400" },
        { { .status = 400, .variant = 99 }, VERDICT_REFUSED, false, "check api and api_url" },
        { { .status = 400, .variant = 99, .filter = "x eq 1" }, VERDICT_REFUSED, false, "check filter of the input" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct verdict got = judge(&rows[i].answer);

        CHECK(got.kind == rows[i].kind, "row %zu: kind %d, not %d: %s", i, got.kind, rows[i].kind, got.err.text);
        CHECK(got.may_be_size == rows[i].may_be_size, "row %zu: may be size", i);
        CHECK(!rows[i].text || strstr(got.err.text, rows[i].text), "row %zu: '%s'", i, got.err.text);
        if (got.kind == VERDICT_REFUSED)
            CHECK(got.err.kind == ERR_AUTH && strstr(got.err.text, "r-1"), "row %zu: '%s'", i, got.err.text);
        if (got.kind == VERDICT_FAILED || got.kind == VERDICT_THROTTLED || got.kind == VERDICT_BROKEN)
            CHECK(got.err.kind == ERR_RETRY, "row %zu: kind of error %d", i, got.err.kind);
        CHECK(rows[i].answer.retry_ms == 0 || got.err.wait_ms == rows[i].answer.retry_ms, "row %zu: waits %lld", i,
              (long long)got.err.wait_ms);
    }
}

static void test_forms_end(void **state UNUSED)
{
    int variant;

    for (variant = 0; variant < 20 && judge(&(struct answer){ .status = 400, .variant = variant }).kind == VERDICT_VARIANT; variant++)
        ;
    CHECK(variant == api_graph.variants - 1, "the last form is %d of %d", variant, api_graph.variants);
}

static void test_own_words(void **state UNUSED)
{
    static const struct { const char *body, *words; } rows[] = {
        { REFUSE, ": Forbidden 'Missing roles.'" }, { "{\"error\":{\"message\":\"m\"}}", ": 'm'" },
        { "{\"error\":\"plain\"}", ": 'plain'" },   { "{\"error\":{\"code\":\"c\"}}", ": c ''" },
        { "{\"error\":{}}", "" }, { "{}", "" },     { "", "" }, { "<html>", "" }, { "{\"error\":{\"message\":7}}", "" },
    };
    char words[VERDICT_WORDS_MAX], body[3000];

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        verdict_own_words(&(struct http_result){ .body = rows[i].body, .body_len = strlen(rows[i].body) }, words);
        CHECK_TEXT(words, rows[i].words);
    }
    snprintf(body, sizeof(body), "{\"error\":{\"code\":\"%01000d\",\"message\":\"a\\nb%01000d\"}}", 0, 0);
    verdict_own_words(&(struct http_result){ .body = body, .body_len = strlen(body) }, words);
    CHECK(strlen(words) < VERDICT_WORDS_MAX && !strchr(words, '\n') && words[strlen(words) - 1] == '\'', "'%s'", words);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_kinds),
    cmocka_unit_test(test_forms_end),
    cmocka_unit_test(test_own_words),
};

UNIT(verdict, cases, NULL, NULL)
