#include "net/http.h"

#include <zlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "check.h"
#include "http_server.h"

#define OK "HTTP/1.1 200 OK\r\n"

static struct loop        *loop;
static struct http        *http;
static struct http_server  server;
static int                 under_way;
static bool                starting;

static const struct http_route direct = { .proxy = "" };

/* What a request is to bring. */
struct row {
    const char *path;           /* or a whole address */
    enum http_fault fault;
    int         status;
    const char *body;           /* NULL: not looked at */
    const char *reason;         /* occurs in the reason */
    int64_t     retry_ms;       /* Retry-After; -1: none */
    /* what http_check() makes of it */
    bool        good;
    enum err_kind kind;
    int64_t     wait_ms;
    const char *text;
    int         results;        /* counted here */
};

static char gzip_good[256], gzip_broken[256], gzip_junk[256], gzip_large[1 << 16], large[HTTP_BODY_MAX + 1];
static char digits[30001];
static size_t gzip_len;

static void finished(void)
{
    if (!--under_way)
        loop_stop(loop);
}

static void too_long(void *ctx UNUSED, int64_t now_ms UNUSED)
{
    CHECK(false, "%d requests never had a result", under_way);
    loop_stop(loop);
}

/* Until each request has its result. */
static void wait_for_all(void)
{
    struct timer guard = { .fire = too_long };

    timer_set(loop, &guard, clock_ms() + 30000);
    loop_run(loop);
    timer_cancel(loop, &guard);
}

static void judge(void *ctx, const struct http_result *result)
{
    struct row *row = ctx;
    struct err err = { .text = "" };

    CHECK(!starting, "%s: a result before http_start() returned", row->path);
    row->results++;
    CHECK(result->fault == row->fault, "%s: fault %d, not %d: %s", row->path, result->fault, row->fault,
          result->reason);
    CHECK(result->status == row->status, "%s: status %d", row->path, result->status);
    if (row->body)
        CHECK(result->body_len == strlen(row->body) && !strcmp(result->body, row->body), "%s: '%.200s'", row->path,
              result->body);
    CHECK(!row->reason || strstr(result->reason, row->reason), "%s: '%s'", row->path, result->reason);
    CHECK(result->retry_after_ms == row->retry_ms, "%s: retry after %lld", row->path,
          (long long)result->retry_after_ms);
    CHECK(http_check(result, &err) == row->good, "%s: %s", row->path, err.text);
    if (!row->good) {
        CHECK(err.kind == row->kind && err.wait_ms == row->wait_ms, "%s: kind %d, wait %lld", row->path, err.kind,
              (long long)err.wait_ms);
        CHECK(!row->text || strstr(err.text, row->text), "%s: '%s'", row->path, err.text);
    }
    finished();
}

enum { GZIP, GZIP_BROKEN, GZIP_JUNK, GZIP_PADDED, GZIP_LARGE, GZIP_LARGE_CUT };    /* their length is known later */

static struct reply replies[] = {
    { "/gzip", OK "Content-Encoding: gzip\r\nConnection: close", gzip_good, 0 },
    { "/gzip-broken", OK "Content-Encoding: gzip\r\nConnection: close", gzip_broken, 0 },
    { "/gzip-junk", OK "Content-Encoding: gzip\r\nConnection: close", gzip_junk, 0 },
    { "/gzip-padded", OK "Content-Encoding: gzip\r\nConnection: close", gzip_good, 0 },
    { "/gzip-large", OK "Content-Encoding: gzip\r\nConnection: close", gzip_large, 0 },
    { "/gzip-large-cut", OK "Content-Encoding: gzip\r\nConnection: close", gzip_large, 0 },
    { "/plain", OK "Content-Length: 5\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nrequest-id: r-1", "hello", 0 },
    { "/empty", "HTTP/1.1 204 No Content", "", 0 },
    { "/gzip-cut", OK "Content-Encoding: gzip\r\nConnection: close", gzip_good, 20 },
    { "/gzip-none", OK "Content-Encoding: gzip\r\nContent-Length: 0", "", 0 },
    { "/brotli", OK "Content-Encoding: br\r\nContent-Length: 3", "abc", 0 },
    { "/cut", OK "Content-Length: 50", "too short", 0 },
    { "/chunks-cut", OK "Transfer-Encoding: chunked", "5\r\nhello\r\n", 0 },
    { "/large", OK "Connection: close", large, sizeof(large) },
    { "/silent", NULL, "", 0 },
    { "/redirect", "HTTP/1.1 302 Found\r\nLocation: /plain\r\nContent-Length: 0", "", 0 },
    { "/429", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0", "", 0 },
    { "/429-body", "HTTP/1.1 429 Too Many Requests\r\nConnection: close",
      "{\"error\":{\"message\":\"Try again in 9 seconds.\"}}", 0 },
    { "/503", "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1.5\r\nContent-Length: 0", "", 0 },
    { "/500", "HTTP/1.1 500 Internal Server Error\r\nrequest-id: r-2\r\nContent-Length: 0", "", 0 },
    { "/404", "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2", "{}", 0 },
    { "/403-html", "HTTP/1.1 403 Forbidden\r\nContent-Length: 13", "<html></html>", 0 },
    { "/403-long", "HTTP/1.1 403 Forbidden\r\nConnection: close", large, sizeof(large) },
    { NULL, NULL, NULL, 0 },
};

static struct row rows[] = {
    { "/plain", HTTP_DONE, 200, "hello", NULL, -1, true, 0, 0, NULL, 0 },
    { "/empty", HTTP_DONE, 204, "", NULL, -1, true, 0, 0, NULL, 0 },
    { "/gzip", HTTP_DONE, 200, "unpacked here", NULL, -1, true, 0, 0, NULL, 0 },
    { "/gzip-cut", HTTP_CUT, 200, NULL, "inside its gzip", -1, false, ERR_RETRY, 0, "127.0.0.1", 0 },
    { "/gzip-broken", HTTP_GARBLED, 200, NULL, "gzip encoding", -1, false, ERR_RETRY, 0, NULL, 0 },
    { "/gzip-padded", HTTP_DONE, 200, "unpacked here", NULL, -1, true, 0, 0, NULL, 0 },
    { "/gzip-junk", HTTP_GARBLED, 200, NULL, "gzip encoding", -1, false, ERR_RETRY, 0, NULL, 0 },
    { "/gzip-none", HTTP_DONE, 200, "", NULL, -1, true, 0, 0, NULL, 0 },
    { "/gzip-large", HTTP_DONE, 200, digits, NULL, -1, true, 0, 0, NULL, 0 },
    { "/gzip-large-cut", HTTP_CUT, 200, NULL, "inside its gzip", -1, false, ERR_RETRY, 0, NULL, 0 },
    { "/brotli", HTTP_GARBLED, 200, NULL, "'br'", -1, false, ERR_RETRY, 0, NULL, 0 },
    { "/cut", HTTP_CUT, 200, NULL, NULL, -1, false, ERR_RETRY, 0, NULL, 0 },
    { "/chunks-cut", HTTP_CUT, 200, NULL, NULL, -1, false, ERR_RETRY, 0, NULL, 0 },
    { "/large", HTTP_GARBLED, 200, NULL, "larger than", -1, false, ERR_RETRY, 0, NULL, 0 },
    { "/silent", HTTP_TIMEOUT, 0, "", NULL, -1, false, ERR_RETRY, 0, NULL, 0 },
    { "/redirect", HTTP_DONE, 302, "", NULL, -1, false, ERR_RETRY, 0, "HTTP 302", 0 },
    { "/429", HTTP_DONE, 429, "", NULL, 7000, false, ERR_RETRY, 7000, NULL, 0 },
    { "/429-body", HTTP_DONE, 429, NULL, NULL, -1, false, ERR_RETRY, 9000, NULL, 0 },
    { "/503", HTTP_DONE, 503, "", NULL, 1500, false, ERR_RETRY, 1500, NULL, 0 },
    { "/500", HTTP_DONE, 500, "", NULL, -1, false, ERR_RETRY, 0, "r-2", 0 },
    { "/404", HTTP_DONE, 404, "{}", NULL, -1, false, ERR_INPUT, 0, "HTTP 404", 0 },
    { "/403-html", HTTP_DONE, 403, NULL, NULL, -1, false, ERR_RETRY, 0, "proxy", 0 },
    { "http://10.1.2.3/", HTTP_BAD_REQUEST, 0, "", "not https", -1, false, ERR_RETRY, 0, NULL, 0 },
    { "file:///etc/passwd", HTTP_BAD_REQUEST, 0, "", "not https", -1, false, ERR_RETRY, 0, NULL, 0 },
    { "http://127.0.0.1:1/", HTTP_NO_CONNECTION, 0, "", "127.0.0.1", -1, false, ERR_RETRY, 0, NULL, 0 },
};

static struct http_request *begin(struct http_spec spec, const char *path)
{
    CLEANUP(mem_freep) char *url = *path == '/' ? mem_format("http://127.0.0.1:%d%s", server.port,
                                                             path) : mem_text(path);
    struct http_request *req;

    spec.url = url;
    spec.route = spec.route ? spec.route : &direct;
    spec.timeout_s = spec.timeout_s ? spec.timeout_s : 10;
    under_way++;
    starting = true;
    req = http_start(http, &spec);
    starting = false;
    return req;
}

/* Sinks. */

struct sink {
    struct buf  bytes;
    bool        full;           /* not ready until somebody resumes */
    bool        refuses;
    int         asked, results;
    enum http_fault fault;
    int         status;
    size_t      body_len;
};

static bool sink_ready(void *ctx)
{
    struct sink *sink = ctx;

    sink->asked++;
    return !sink->full;
}

static bool sink_data(void *ctx, const char *bytes, size_t len)
{
    struct sink *sink = ctx;

    CHECK(!sink->full, "bytes although it was full");
    buf_add(&sink->bytes, bytes, len);
    return !sink->refuses;
}

static void sink_done(void *ctx, const struct http_result *result)
{
    struct sink *sink = ctx;

    CHECK(!sink->full, "a held transfer has ended");
    sink->results++;
    sink->fault = result->fault;
    sink->status = result->status;
    sink->body_len = result->body_len;
    finished();
}

static const struct http_sink sink_functions = { sink_ready, sink_data };
static struct sink good, held, refusing, error, long_error;
static struct timer release_timer;

static void release(void *ctx UNUSED, int64_t now_ms UNUSED)
{
    CHECK(held.asked && !held.bytes.len && !held.results, "asked %d times, %zu bytes", held.asked, held.bytes.len);
    held.full = false;
    http_resume_all(http);
}

static void begin_sink(struct sink *sink, const char *path)
{
    sink->bytes = BUF_INIT(1 << 20);
    begin((struct http_spec){ .sink = &sink_functions, .done = sink_done, .ctx = sink }, path);
}

static void judge_sinks(void)
{
    CHECK(good.fault == HTTP_DONE && !strcmp(buf_text(&good.bytes), "unpacked here") && !good.body_len, "decoded");
    CHECK(held.fault == HTTP_DONE && !strcmp(buf_text(&held.bytes), "unpacked here"), "held, then all of it");
    CHECK(refusing.fault == HTTP_STOPPED, "fault %d", refusing.fault);
    CHECK(error.status == 404 && !error.bytes.len && error.body_len == 2, "an error's body does not go to the sink");
    CHECK(long_error.status == 403 && long_error.fault == HTTP_DONE && !long_error.bytes.len &&
          long_error.body_len <= HTTP_ERROR_BODY_MAX, "nor a long one: fault %d, %zu bytes", long_error.fault,
          long_error.body_len);
    buf_free(&good.bytes);
    buf_free(&held.bytes);
    buf_free(&refusing.bytes);
    buf_free(&error.bytes);
    buf_free(&long_error.bytes);
}

/* What is sent. */

static void echoed(void *ctx UNUSED, const struct http_result *result)
{
    static const char *const lines[] = {
        "POST /echo HTTP/1.1\r\n", "Content-Type: application/x-www-form-urlencoded\r\n",
        "Authorization: Bearer t0k3n\r\n",
        "Prefer: more\r\n", "Accept-Encoding: gzip\r\n", "User-Agent: TA-defender-mssp/", "client-request-id: ",
        "\r\n\r\na=1&b=2"
    };

    for (size_t i = 0; i < COUNT_OF(lines); i++)
        CHECK(strcasestr(result->body, lines[i]), "no '%s' in '%s'", lines[i], result->body);
    CHECK(!strstr(result->body, "Expect"), "it asks before it sends");
    finished();
}

static void details(void *ctx UNUSED, const struct http_result *result)
{
    CHECK(result->date_ms == INT64_C(784111777000), "date %lld", (long long)result->date_ms);
    CHECK_TEXT(result->request_id, "r-1");
    CHECK(result->wire_bytes == 5 && result->duration_ms >= 0 && !result->reused, "counts");
    CHECK(result->trace && !strcmp(result->trace->address, "127.0.0.1") && result->trace->tls_ms == -1, "trace");
    finished();
}

static void no_ca(void *ctx UNUSED, const struct http_result *result)
{
    CHECK(result->fault == HTTP_BAD_REQUEST && strstr(result->reason, "/no/such.pem"), "'%s'", result->reason);
    finished();
}

static void never(void *ctx UNUSED, const struct http_result *result UNUSED)
{
    CHECK(false, "a canceled request has a result");
}

static size_t pack(const char *text, char *to, size_t room)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)text, .avail_in = (uInt)strlen(text) };

    deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    z.next_out = (Bytef *)to;
    z.avail_out = (uInt)room;
    deflate(&z, Z_FINISH);
    deflateEnd(&z);
    return room - z.avail_out;
}

static void prepare_bodies(void)
{
    uint32_t state = 1;

    gzip_len = pack("unpacked here", gzip_good, sizeof(gzip_good));
    memcpy(gzip_broken, gzip_good, sizeof(gzip_good));
    gzip_broken[gzip_len - 6] ^= 1;
    replies[GZIP].len = replies[GZIP_BROKEN].len = gzip_len;
    memcpy(gzip_junk, gzip_good, sizeof(gzip_good));
    gzip_junk[gzip_len + 11] = 'x';
    replies[GZIP_JUNK].len = replies[GZIP_PADDED].len = gzip_len + 12;      /* zeros, and in one of them an x */
    for (size_t i = 0; i + 1 < sizeof(digits); i++) {
        state = state * 1664525 + 1013904223;
        digits[i] = (char)('0' + (state >> 24) % 10);
    }
    replies[GZIP_LARGE].len = pack(digits, gzip_large, sizeof(gzip_large));
    replies[GZIP_LARGE_CUT].len = replies[GZIP_LARGE].len - 1;
    memset(large, 'x', sizeof(large));
}

static void test_answers(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        begin((struct http_spec){ .done = judge, .ctx = &rows[i], .timeout_s = rows[i].fault == HTTP_TIMEOUT ? 1 : 20 },
              rows[i].path);
    wait_for_all();
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(rows[i].results == 1, "%s: %d results", rows[i].path, rows[i].results);
}

static void test_sinks(void **state UNUSED)
{
    held.full = refusing.refuses = true;
    begin_sink(&good, "/gzip");
    begin_sink(&held, "/gzip");
    begin_sink(&refusing, "/gzip");
    begin_sink(&error, "/404");
    begin_sink(&long_error, "/403-long");
    release_timer.fire = release;
    timer_set(loop, &release_timer, clock_ms() + 500);
    wait_for_all();
    judge_sinks();
}

static void test_what_is_sent(void **state UNUSED)
{
    static const char *const headers[] = { "Prefer: more", NULL };

    begin((struct http_spec){ .form = "a=1&b=2", .authorization = "Bearer t0k3n", .headers = headers, .done = echoed },
          "/echo");
    wait_for_all();
}

static void test_details_of_an_answer(void **state UNUSED)
{
    begin((struct http_spec){ .done = details, .traced = true }, "/plain");
    wait_for_all();
}

static void test_a_ca_file_that_is_not_there(void **state UNUSED)
{
    static const struct http_route without_ca = { .proxy = "", .ca_file = "/no/such.pem" };

    begin((struct http_spec){ .done = no_ca, .route = &without_ca }, "https://127.0.0.1:1/");
    wait_for_all();
}

/* libcurl reports no times for the phases that a reused connection skips. */
static void reused_and_silent(void *ctx UNUSED, const struct http_result *result)
{
    CHECK(result->fault == HTTP_TIMEOUT && result->reused, "fault %d, reused %d", result->fault, result->reused);
    CHECK(result->diagnosis == DIAGNOSIS_CUT, "diagnosis %d", result->diagnosis);
    CHECK_TEXT(result->reason, "no complete response from 127.0.0.1 within 1 s");
    finished();
}

static void kept(void *ctx UNUSED, const struct http_result *result)
{
    CHECK(result->fault == HTTP_DONE && !result->reused, "fault %d", result->fault);
    begin((struct http_spec){ .done = reused_and_silent, .timeout_s = 1 }, "/silent");
    finished();
}

static void test_silence_on_a_reused_connection(void **state UNUSED)
{
    begin((struct http_spec){ .done = kept }, "/keep");
    wait_for_all();
}

static void test_a_canceled_request_has_no_result(void **state UNUSED)
{
    http_cancel(begin((struct http_spec){ .done = never }, "/plain"));
    http_cancel(begin((struct http_spec){ .done = never }, "ftp://127.0.0.1/"));
    under_way -= 2;
    begin((struct http_spec){ .done = details, .traced = true }, "/plain");     /* time for the others to have one */
    wait_for_all();
}

static void test_free_ends_what_is_under_way(void **state UNUSED)
{
    begin((struct http_spec){ .done = never }, "/silent");
    http_free(http);
    http = NULL;
    http_free(NULL);
    CHECK(under_way == 1, "%d under way", under_way);
    under_way = 0;
}

static int set_up(void **state UNUSED)
{
    prepare_bodies();
    return server_start(&server, replies) ? 0 : -1;
}

static int tear_down(void **state UNUSED)
{
    server_stop(&server);
    return 0;
}

static int open_http(void **state UNUSED)
{
    loop = loop_new();
    http = http_new(loop);
    return 0;
}

static int close_http(void **state UNUSED)
{
    http_free(http);
    loop_free(loop);
    return 0;
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test_setup_teardown(test_answers, open_http, close_http),
    cmocka_unit_test_setup_teardown(test_sinks, open_http, close_http),
    cmocka_unit_test_setup_teardown(test_what_is_sent, open_http, close_http),
    cmocka_unit_test_setup_teardown(test_details_of_an_answer, open_http, close_http),
    cmocka_unit_test_setup_teardown(test_a_ca_file_that_is_not_there, open_http, close_http),
    cmocka_unit_test_setup_teardown(test_silence_on_a_reused_connection, open_http, close_http),
    cmocka_unit_test_setup_teardown(test_a_canceled_request_has_no_result, open_http, close_http),
    cmocka_unit_test_setup_teardown(test_free_ends_what_is_under_way, open_http, close_http),
};

UNIT(http, cases, set_up, tear_down)
