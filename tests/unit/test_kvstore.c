/* Calls to the KV store, answered by a server on loopback: which faults they end with, and what they ask for. */
#include "splunk/kvstore.h"

#include "base/clock.h"
#include "base/mem.h"
#include "check.h"
#include "http_server.h"

#define DATA       "/servicesNS/nobody/a%20b/storage/collections/data/"
#define END        "?output_mode=json"
#define JSON(code) "HTTP/1.1 " code "\r\nContent-Type: application/json\r\nConnection: close"
#define OK         JSON("200 OK")
#define SAYS(text) "{\"messages\":[{\"type\":\"ERROR\",\"text\":\"" text "\"}]}"

/* A call, and how it ended. */
struct scene {
    struct loop *loop;
    enum kvstore_fault fault;
    struct err err;
    int    rows;        /* of a list; -1: none */
    bool   record, refused;
};

static void on_refused(void *ctx)
{
    ((struct scene *)ctx)->refused = true;
}

static void on_answer(void *ctx, const struct kvstore_answer *answer)
{
    struct scene *scene = ctx;

    scene->fault = answer->fault;
    scene->err = *answer->err;
    scene->rows = answer->rows ? cJSON_GetArraySize(answer->rows) : -1;
    scene->record = answer->record != NULL;
    loop_stop(scene->loop);
}

enum call { SAVE, INSERT, UPDATE, GET, DELETE, FIND, FIND_ALL, DELETE_WHERE };

static void start_call(struct kvstore *store, enum call call, struct scene *scene)
{
    struct buf batch = BUF_INIT(100);

    switch (call) {
    case SAVE:
        buf_add_text(&batch, "[{\"_key\":\"k\"}]");
        kvstore_save(store, &batch, on_answer, scene);
        CHECK(!batch.data, "the batch was not taken");
        break;
    case INSERT: kvstore_insert(store, "{\"_key\":\"k\"}", on_answer, scene); break;
    case UPDATE: kvstore_update(store, "k%2F", "{}", on_answer, scene); break;
    case GET: kvstore_get(store, "k", on_answer, scene); break;
    case DELETE: kvstore_delete(store, "k", on_answer, scene); break;
    case FIND: kvstore_find(store, &(struct kvstore_query){ "{\"a\":1}", "a,b", "_key:-1", 3, 2 }, on_answer, scene); break;
    case FIND_ALL: kvstore_find(store, &(struct kvstore_query){ .limit = 1 }, on_answer, scene); break;
    case DELETE_WHERE: kvstore_delete_where(store, "{\"_key\":\"k\"}", on_answer, scene); break;
    }
}

static void make_call(int port, enum call call, const char *collection, struct scene *ret)
{
    CLEANUP(mem_freep) char *uri = mem_format("http://127.0.0.1:%d", port);
    struct loop *loop = loop_new();
    struct http *http = http_new(loop);
    struct rest *rest = rest_new(loop, http, uri, "key", NULL);
    struct kvstore *store = kvstore_new(rest, "a b", collection);

    *ret = (struct scene){ .loop = loop, .rows = -1 };
    rest_hurry(rest, 1);
    rest_listen(rest, on_refused, ret);
    start_call(store, call, ret);
    loop_run(loop);
    kvstore_get(store, "never answered", on_answer, ret);
    kvstore_free(store);
    rest_free(rest);
    http_free(http);
    loop_free(loop);
}

static const struct row {
    const char *name;
    enum call call;
    struct reply reply;
    enum kvstore_fault want;
    const char *says;           /* NULL: of a call that works */
    int rows;                   /* of kvstore_find() */
} rows[] = {
    { "a batch", SAVE, { DATA "a/batch_save" END, OK, "[\"k\"]", 0 }, KVSTORE_OK, NULL, -1 },
    { "an insert", INSERT, { DATA "b" END, JSON("201 Created"), "{\"_key\":\"k\"}", 0 }, KVSTORE_OK, NULL, -1 },
    { "an update", UPDATE, { DATA "c/k%252F" END, OK, "{\"_key\":\"k%2F\"}", 0 }, KVSTORE_OK, NULL, -1 },
    { "a record", GET, { DATA "d/k" END, OK, "{\"_key\":\"k\"}", 0 }, KVSTORE_OK, NULL, -1 },
    { "a deletion, without a body", DELETE, { DATA "e/k" END, OK, "", 0 }, KVSTORE_OK, NULL, -1 },
    { "a query with all there is", FIND,
      { DATA "f" END "&query=%7B%22a%22%3A1%7D&fields=a%2Cb&sort=_key%3A-1&skip=3&limit=2", OK, "[{},{}]", 0 },
      KVSTORE_OK, NULL, 2 },
    { "a query without", FIND_ALL, { DATA "g" END "&limit=1", OK, "[]", 0 }, KVSTORE_OK, NULL, 0 },
    { "a deletion by a query", DELETE_WHERE, { DATA "h" END "&query=%7B%22_key%22%3A%22k%22%7D", OK, "", 0 },
      KVSTORE_OK, NULL, -1 },
    { "a key that is taken", INSERT,
      { DATA "i" END, JSON("409 Conflict"), SAYS("A document with the same key and user already exists."), 0 },
      KVSTORE_TAKEN, "a record with this key exists", -1 },
    { "no such key", GET, { DATA "j/k" END, JSON("404 Not Found"), SAYS("Could not find object."), 0 },
      KVSTORE_MISSING, "no record", -1 },
    { "no such collection", FIND_ALL,
      { DATA "k" END "&limit=1", JSON("404 Not Found"), SAYS("Could not find object id=k"), 0 },
      KVSTORE_NO_COLLECTION, "splunkd answered with HTTP 404: Could not find object id=k", -1 },
    { "it starts", SAVE,
      { DATA "l/batch_save" END, JSON("503 Service Unavailable"), SAYS("KV Store is initializing."), 0 }, KVSTORE_OFF,
      "off or still starting (splunkd answered with HTTP 503: KV Store is initializing)", -1 },
    { "a session that is over", SAVE, { DATA "m/batch_save" END, JSON("401 Unauthorized"), SAYS("no"), 0 },
      KVSTORE_SESSION, "HTTP 401", -1 },
    { "no rights", SAVE, { DATA "n/batch_save" END, JSON("403 Forbidden"), SAYS("no"), 0 }, KVSTORE_RIGHTS,
      "give it read and write access to the collection", -1 },
    { "too large", SAVE, { DATA "o/batch_save" END, JSON("413 Too Large"), "", 0 }, KVSTORE_REFUSED, "HTTP 413", -1 },
    { "a query that is none", FIND_ALL, { DATA "p" END "&limit=1", JSON("400 Bad Request"), SAYS("JSON"), 0 },
      KVSTORE_REFUSED, "HTTP 400", -1 },
    { "an error of splunkd", SAVE, { DATA "q/batch_save" END, JSON("500 Internal"), "", 0 }, KVSTORE_AWAY,
      "HTTP 500", -1 },
    { "no answer", SAVE, { DATA "r/batch_save" END, NULL, NULL, 0 }, KVSTORE_AWAY, "does not answer", -1 },
    { "a web page", FIND_ALL, { DATA "s" END "&limit=1", OK, "<html>", 0 }, KVSTORE_GARBAGE, "cannot be read", -1 },
    { "no list of records", FIND_ALL, { DATA "t" END "&limit=1", OK, "{\"entry\":[]}", 0 }, KVSTORE_GARBAGE,
      "cannot be read", -1 },
    { "half an answer", GET, { DATA "u/k" END, OK, "{\"_key\":", 0 }, KVSTORE_GARBAGE, "cannot be read", -1 },
    { "nothing in place of the keys", SAVE, { DATA "v/batch_save" END, OK, "", 0 }, KVSTORE_GARBAGE, "cannot be read",
      -1 },
};

static void check_row(int port, const struct row *row, const char *collection)
{
    struct scene scene;

    make_call(port, row->call, collection, &scene);
    CHECK(scene.fault == row->want, "%s: fault %d, %s", row->name, (int)scene.fault, scene.err.text);
    CHECK(scene.refused == (row->want == KVSTORE_SESSION), "%s: the listener", row->name);
    CHECK(!row->says || strstr(scene.err.text, row->says), "%s: %s", row->name, scene.err.text);
    CHECK(scene.rows == row->rows, "%s: %d rows", row->name, scene.rows);
    CHECK(scene.record == (row->call == GET && row->want == KVSTORE_OK), "%s", row->name);
}

/* promise: Splunk: Each fault of the KV store has a sentence of its own */
static void test_faults(void **state UNUSED)
{
    struct reply replies[COUNT_OF(rows) + 1] = { { NULL } };
    struct http_server server = { .port = 0 };
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++)
        replies[i] = rows[i].reply;
    CHECK(server_start(&server, replies), "no server");
    for (i = 0; i < COUNT_OF(rows); i++)
        check_row(server.port, &rows[i], (char[2]){ (char)('a' + i), '\0' });
    server_stop(&server);
}

/* Nobody listens: it ends at once, not after a minute of tries. */
static void test_once(void **state UNUSED)
{
    int64_t started_ms = clock_ms();
    struct scene scene;

    make_call(1, SAVE, "c", &scene);
    CHECK(scene.fault == KVSTORE_AWAY && scene.err.kind == ERR_RETRY, "fault %d", (int)scene.fault);
    CHECK(clock_ms() - started_ms < 1000, "%lld ms", (long long)(clock_ms() - started_ms));
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_faults),
    cmocka_unit_test(test_once),
};

UNIT(kvstore, cases, NULL, NULL)
