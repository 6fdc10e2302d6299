/* The password store and the list of inputs, read from a server on loopback. */
#include "splunk/passwords.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "check.h"
#include "http_server.h"
#include "splunk/data_inputs.h"
#include "splunk/passwords_pieces.h"

#define OK     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close"
#define STORE  "/servicesNS/nobody/TA-defender-mssp/storage/passwords?output_mode=json" \
               "&count=0&search=realm%3DTA-defender-mssp&f=realm&f=username&f=clear_password"
#define INPUTS "/servicesNS/nobody/-/data/inputs/defender_alerts?output_mode=json&count=0"
#define SHA    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct outcome {
    struct loop *loop;
    bool   called, ok;
    struct err err;
    int    entries;
};

static void on_done(void *ctx, bool ok, const struct err *err)
{
    struct outcome *outcome = ctx;

    outcome->called = true;
    outcome->ok = ok;
    outcome->err = *err;
    loop_stop(outcome->loop);
}

static void on_listed(void *ctx, bool ok, const cJSON *list, const struct err *err)
{
    struct outcome *outcome = ctx;

    outcome->entries = cJSON_GetArraySize(list);
    on_done(ctx, ok, err);
}

static void add_entry(struct buf *body, const char *realm, const char *name, const char *value)
{
    buf_add_text(body, body->len ? "," : "{\"entry\":[");
    buf_add_format(body, "{\"content\":{\"realm\":\"%s\",\"username\":\"%s\",\"clear_password\":", realm, name);
    buf_add_json(body, value);
    buf_add_text(body, "}}");
}

/* Adds a secret as the main entry and its pieces. */
static void add_long(struct buf *body, const char *name, const char *value)
{
    struct manifest manifest = manifest_of(value);
    CLEANUP(mem_freep) char *text = manifest_text(&manifest);
    unsigned i;

    add_entry(body, "TA-defender-mssp", name, text);
    for (i = 0; i < manifest.count; i++) {
        CLEANUP(mem_freep) char *piece = piece_name(name, &manifest, i);
        CLEANUP(mem_freep) char *part = piece_text(value, i);

        add_entry(body, "TA-defender-mssp", piece, part);
    }
}

static void fill_store(struct buf *body, const char *long_secret)
{
    add_entry(body, "TA-defender-mssp", "plain", "s3cr3t");
    add_entry(body, "another app", "foreign", "s3cr3t");
    add_entry(body, "TA-defender-mssp", "negative", "TA-defender-mssp parts 0123456789abcdef 2 -1 " SHA);
    add_entry(body, "TA-defender-mssp", "huge", "TA-defender-mssp parts 0123456789abcdef 2 18446744073709551615 " SHA);
    add_entry(body, "TA-defender-mssp", "many", "TA-defender-mssp parts 0123456789abcdef 4294967295 300 " SHA);
    add_entry(body, "TA-defender-mssp", "missing", "TA-defender-mssp parts 0123456789abcdef 2 300 " SHA);
    add_long(body, "long", long_secret);
    buf_add_text(body, "]}");
}

static void check_store(struct loop *loop, struct rest *rest, const char *long_secret)
{
    static const char *const damaged[] = { "negative", "huge", "many", "missing", "foreign", "none" };
    struct passwords *passwords = passwords_new(rest);
    struct outcome outcome = { .loop = loop };
    size_t i;

    CHECK(!passwords_get(passwords, "plain"), "something is there before the load");
    passwords_load(passwords, on_done, &outcome);
    loop_run(loop);
    CHECK(outcome.called && outcome.ok, "%s", outcome.err.text);
    CHECK(text_same(passwords_get(passwords, "plain"), "s3cr3t"), "the plain secret");
    CHECK(text_same(passwords_get(passwords, "long"), long_secret), "the long secret");
    for (i = 0; i < COUNT_OF(damaged); i++)
        CHECK(!passwords_get(passwords, damaged[i]), "'%s' is taken for a secret", damaged[i]);
    passwords_free(passwords);
}

static void check_inputs(struct loop *loop, struct rest *rest, const char *unused UNUSED)
{
    struct data_inputs *inputs = data_inputs_new(rest);
    struct outcome outcome = { .loop = loop };

    data_inputs_list(inputs, on_listed, &outcome);
    loop_run(loop);
    CHECK(outcome.called && outcome.ok && outcome.entries == 2, "%d: %s", outcome.entries, outcome.err.text);
    data_inputs_create(inputs, (const char *const[]){ "name", "x", NULL }, on_done, &outcome);  /* never answered */
    data_inputs_free(inputs);
}

/* Runs a check with a loop of its own: a loop that was stopped stays so. */
static void with_rest(const char *uri, const char *long_secret,
                      void (*check)(struct loop *loop, struct rest *rest, const char *long_secret))
{
    struct loop *loop = loop_new();
    struct http *http = http_new(loop);
    struct rest *rest = rest_new(loop, http, uri, "key", NULL);

    check(loop, rest, long_secret);
    rest_free(rest);
    http_free(http);
    loop_free(loop);
}

static void with_server(void (*check)(struct loop *loop, struct rest *rest, const char *long_secret))
{
    struct buf body = BUF_INIT(1 << 20), long_secret = BUF_INIT(4096);
    struct reply replies[] = {
        { .path = STORE, .head = OK },
        { .path = INPUTS, .head = OK, .body = "{\"entry\":[{\"name\":\"a\"},{\"name\":\"b\"}]}" }, { .path = NULL }
    };
    CLEANUP(mem_freep) char *uri = NULL;
    struct http_server server;

    while (long_secret.len < 1000)
        buf_add_text(&long_secret, "0.AX\xC3\xA9");
    fill_store(&body, buf_text(&long_secret));
    replies[0].body = buf_text(&body);
    CHECK(server_start(&server, replies), "no server");
    uri = mem_format("http://127.0.0.1:%d/", server.port);
    with_rest(uri, buf_text(&long_secret), check);
    server_stop(&server);
    buf_free(&body);
    buf_free(&long_secret);
}

static void test_store(void **state UNUSED)
{
    with_server(check_store);
}

static void test_inputs(void **state UNUSED)
{
    with_server(check_inputs);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_store),
    cmocka_unit_test(test_inputs),
};

UNIT(passwords, cases, NULL, NULL)
