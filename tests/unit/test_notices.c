/* Messages for Splunk Web, taken by a server on loopback, and calls that are tried once. */
#include "splunk/notices.h"

#include "base/clock.h"
#include "base/mem.h"
#include "check.h"
#include "http_server.h"

#define HEAD(status) "HTTP/1.1 " status "\r\nContent-Type: application/json\r\nConnection: close"
#define MESSAGES     "/services/messages"

struct outcome {
    struct loop *loop;
    bool   ok;
    struct err err;
};

static void on_done(void *ctx, bool ok, const struct err *err)
{
    struct outcome *outcome = ctx;

    outcome->ok = ok;
    outcome->err = *err;
    loop_stop(outcome->loop);
}

/* Shows text, or removes the notice if it is NULL, with a loop of its own. */
static bool change(const char *uri, const char *name, const char *text, struct err *err)
{
    struct outcome outcome = { .loop = loop_new() };
    struct http *http = http_new(outcome.loop);
    struct rest *rest = rest_new(outcome.loop, http, uri, "key", NULL);
    struct notices *notices = notices_new(rest);

    rest_hurry(rest, 2);
    if (text)
        notices_show(notices, NULL, name, text, on_done, &outcome);
    else
        notices_remove(notices, NULL, name, on_done, &outcome);
    loop_run(outcome.loop);
    notices_remove(notices, NULL, name, on_done, &outcome);   /* never answered */
    notices_free(notices);
    rest_free(rest);
    http_free(http);
    loop_free(outcome.loop);
    *err = outcome.err;
    return outcome.ok;
}

static void test_shown_and_removed(void **state UNUSED)
{
    const struct reply replies[] = {
        { .path = MESSAGES "?output_mode=json", .head = HEAD("201 Created"), .body = "{\"entry\":[]}" },
        { .path = MESSAGES "/TA-defender-mssp.a%2520%252F?output_mode=json", .head = HEAD("200 OK"), .body = "{}" },
        { .path = MESSAGES "/TA-defender-mssp.none?output_mode=json", .head = HEAD("404 Not Found"), .body = "{}" },
        { .path = MESSAGES "/TA-defender-mssp.kept?output_mode=json", .head = HEAD("403 Forbidden"),
          .body = "{\"messages\":[{\"text\":\"no\"}]}" },
        { .path = MESSAGES "/TA-defender-mssp.early?output_mode=json", .head = HEAD("503 Busy"), .body = "{}" },
        { .path = NULL }
    };
    CLEANUP(mem_freep) char *uri = NULL;
    struct http_server server = { .port = 0 };
    struct err err;

    CHECK(server_start(&server, replies), "no server");
    uri = mem_format("http://127.0.0.1:%d", server.port);
    CHECK(change(uri, "a /", "text", &err), "%s", err.text);
    CHECK(change(uri, "a /", NULL, &err), "%s", err.text);
    CHECK(change(uri, "none", NULL, &err), "%s", err.text);
    CHECK(!change(uri, "kept", NULL, &err) && strstr(err.text, "give it edit_messages, or"), "%s", err.text);
    CHECK(!change(uri, "early", NULL, &err) && err.kind == ERR_RETRY, "%s", err.text);
    server_stop(&server);
}

/* Nobody listens: the call ends at once, in place of a minute later. */
static void test_once(void **state UNUSED)
{
    int64_t started_ms = clock_ms();
    struct err err;

    CHECK(!change("http://127.0.0.1:1", "a", "text", &err), "a closed port took it");
    CHECK(strstr(err.text, "splunkd at http://127.0.0.1:1: "), "%s", err.text);
    CHECK(clock_ms() - started_ms < 1000, "%lld ms", (long long)(clock_ms() - started_ms));
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_shown_and_removed),
    cmocka_unit_test(test_once),
};

UNIT(notices, cases, NULL, NULL)
