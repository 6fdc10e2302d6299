#include "splunk/kvstore.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "splunk/rest_call.h"

#define DATA      "storage/collections/data/"
#define QUERY_MAX 8192

/* What the answer to a call has to be. */
enum shape { SHAPE_ANY, SHAPE_KEYS, SHAPE_ROWS, SHAPE_LISTS, SHAPE_RECORD };

struct kvstore_call {
    struct kvstore *store;
    struct kvstore_call *next;
    struct rest_call call;
    struct buf body;
    enum shape shape;
    bool names_key; /* a 404 is about the record */
    kvstore_done_fn *done;
    void *ctx;
};

struct kvstore {
    struct rest *rest;
    char *app, *endpoint;
    struct kvstore_call *calls; /* in flight */
};

struct kvstore *kvstore_new(struct rest *rest, const char *app, const char *collection)
{
    struct kvstore *store = mem_alloc(sizeof(*store));

    store->rest = rest;
    store->app = mem_text(app);
    store->endpoint = mem_format(DATA "%s", collection);
    return store;
}

static void call_free(struct kvstore_call *call)
{
    struct kvstore_call **slot = &call->store->calls;

    while (*slot != call)
        slot = &(*slot)->next;
    *slot = call->next;
    rest_call_stop(&call->call);
    buf_free(&call->body);
    free(call);
}

void kvstore_free(struct kvstore *store)
{
    if (!store)
        return;
    while (store->calls)
        call_free(store->calls);
    free(store->app);
    free(store->endpoint);
    free(store);
}

/* Answers. */

static const struct row {
    int status;
    bool of_record; /* only of a call that names a record */
    enum kvstore_fault fault;
    enum err_kind kind;
    const char *text;
} rows[] = { { 409, false, KVSTORE_TAKEN, ERR_INPUT, "a record with this key exists" },
             { 404, true, KVSTORE_MISSING, ERR_INPUT, "there is no record with this key" },
             { 404, false, KVSTORE_NO_COLLECTION, ERR_INPUT,
               "splunkd does not know the collection: was it restarted after the app was installed?" },
             { 503, false, KVSTORE_OFF, ERR_RETRY, "the KV store is off or still starting" },
             { 401, false, KVSTORE_SESSION, ERR_AUTH, "the session is not valid" },
             { 403, false, KVSTORE_RIGHTS, ERR_INPUT, "the collection may not be used" },
             { 400, false, KVSTORE_REFUSED, ERR_INPUT, "the KV store refuses the request" },
             { 413, false, KVSTORE_REFUSED, ERR_INPUT, "the KV store refuses the request" },
             { 0, false, KVSTORE_AWAY, ERR_RETRY, "the KV store does not answer" } };

static const struct row read_only = {
    0, false, KVSTORE_READ_ONLY, ERR_RETRY,
    "the KV store is in read-only mode: nothing is written until its administrator ends that ('splunk disable "
    "kvstore-maintenance-mode')"
};
static const struct row garbled = { 0, false, KVSTORE_GARBAGE, ERR_RETRY, "the answer of the KV store cannot be read" };

/* Splunk's documents do not say which status writes get in read-only mode. Its message tells. */
static bool says_read_only(int status, const char *said)
{
    return status >= 400 && status != 404 && status != 409 &&
           (strcasestr(said, "read-only") || strcasestr(said, "read only") || strcasestr(said, "readonly"));
}

static const struct row *row_of(const struct kvstore_call *call, const struct http_result *result,
                                const struct err *err)
{
    int status = http_status_counts(result) ? result->status : 0;
    const struct row *row = rows;

    if (says_read_only(status, err->text))
        return &read_only;
    if (result->fault == HTTP_GARBLED && !status)
        return &garbled;
    while (row->status && (row->status != status || (row->of_record && !call->names_key)))
        row++;
    return row;
}

static bool holds_lists(const cJSON *tree)
{
    const cJSON *item;

    if (!cJSON_IsArray(tree))
        return false;
    cJSON_ArrayForEach(item, tree)
    {
        if (!cJSON_IsArray(item))
            return false;
    }
    return true;
}

/* Returns true if the tree is what the call asked for. */
static bool fits(const struct kvstore_call *call, const cJSON *tree)
{
    switch (call->shape) {
    case SHAPE_KEYS: return cJSON_IsArray(tree) || json_text(tree, "_key");
    case SHAPE_ROWS: return cJSON_IsArray(tree);
    case SHAPE_LISTS: return holds_lists(tree);
    case SHAPE_RECORD: return cJSON_IsObject(tree);
    default: return true;
    }
}

/* Completes *err, which says how the call failed, and returns the fault. Of another splunkd, the sentences of
 * messages/diagnosis.c say who has to act there. */
static enum kvstore_fault explain(const struct kvstore_call *call, const struct http_result *result, struct err *err)
{
    const struct rest *rest = call->store->rest;
    const struct row *row = row_of(call, result, err);
    struct err as = *err;

    if (!rest_is_remote(rest)) {
        err_set(err, row->kind, "%s (%s)", row->text, as.text);
    } else if (row->fault == KVSTORE_NO_COLLECTION) {
        diagnosis_set(err, ERR_INPUT, DIAGNOSIS_STORE_APP, &(struct diagnosis_facts){ .text = rest_address(rest) });
    } else if (!as.advice || row->fault == KVSTORE_OFF || row->fault == KVSTORE_READ_ONLY) {
        err_set(err, row->kind, "%s (%s)", row->text, as.text);
        if (row->kind == ERR_RETRY)
            diagnosis_blame(err, DIAGNOSIS_STORE_AWAY);
    }
    return row->fault;
}

static void on_answer(void *ctx, const struct http_result *result, bool ok, const struct err *err)
{
    struct kvstore_call *call = ctx;
    CLEANUP(json_freep) cJSON *tree = ok ? json_parse(result->body, result->body_len) : NULL;
    struct kvstore_answer answer = { .fault = KVSTORE_OK };
    kvstore_done_fn *done = call->done;
    void *done_ctx = call->ctx;
    bool remote = rest_is_remote(call->store->rest);
    struct err why = *err;

    if (!ok) {
        answer.fault = explain(call, result, &why);
    } else if (!fits(call, tree)) {
        answer.fault = KVSTORE_GARBAGE;
        err_set(&why, ERR_RETRY, "the answer of the KV store cannot be read: it is not the JSON of a KV store%s%s",
                remote ? ", at " : "", remote ? rest_address(call->store->rest) : "");
    } else if (call->shape == SHAPE_ROWS || call->shape == SHAPE_LISTS) {
        answer.rows = tree;
    } else if (call->shape == SHAPE_RECORD) {
        answer.record = tree;
    }
    answer.err = &why;
    call_free(call);
    done(done_ctx, &answer);
}

/* Calls. */

static struct kvstore_call *call_new(struct kvstore *store, enum shape shape, kvstore_done_fn *done, void *ctx)
{
    struct kvstore_call *call = mem_alloc(sizeof(*call));

    *call = (struct kvstore_call){ .store = store,
                                   .next = store->calls,
                                   .shape = shape,
                                   .done = done,
                                   .ctx = ctx,
                                   .call = { .rest = store->rest,
                                             .done = on_answer,
                                             .ctx = call,
                                             .rights = "read and write access to the collection" } };
    return store->calls = call;
}

/* Starts a call. name: the key of a record, or an operation on many; NULL: none. */
static void start(struct kvstore_call *call, const char *method, const char *name, const char *query)
{
    const struct kvstore *store = call->store;

    call->call.json = call->body.data;
    rest_call_start(&call->call, method, rest_url(store->rest, store->app, store->endpoint, name, query), NULL);
}

void kvstore_save(struct kvstore *store, struct buf *records, kvstore_done_fn *done, void *ctx)
{
    struct kvstore_call *call = call_new(store, SHAPE_KEYS, done, ctx);

    call->body = *records;
    *records = BUF_INIT(records->limit);
    start(call, NULL, "batch_save", NULL);
}

/* Creates a call with a copy of the record as its body. */
static struct kvstore_call *call_with(struct kvstore *store, const char *record, kvstore_done_fn *done, void *ctx)
{
    struct kvstore_call *call = call_new(store, SHAPE_KEYS, done, ctx);

    call->body = BUF_INIT(HTTP_BODY_MAX);
    buf_add_text(&call->body, record);
    return call;
}

void kvstore_insert(struct kvstore *store, const char *record, kvstore_done_fn *done, void *ctx)
{
    start(call_with(store, record, done, ctx), NULL, NULL, NULL);
}

void kvstore_update(struct kvstore *store, const char *key, const char *record, kvstore_done_fn *done, void *ctx)
{
    struct kvstore_call *call = call_with(store, record, done, ctx);

    call->names_key = true;
    start(call, NULL, key, NULL);
}

void kvstore_get(struct kvstore *store, const char *key, kvstore_done_fn *done, void *ctx)
{
    struct kvstore_call *call = call_new(store, SHAPE_RECORD, done, ctx);

    call->names_key = true;
    start(call, NULL, key, NULL);
}

void kvstore_delete(struct kvstore *store, const char *key, kvstore_done_fn *done, void *ctx)
{
    struct kvstore_call *call = call_new(store, SHAPE_ANY, done, ctx);

    call->names_key = true;
    start(call, "DELETE", key, NULL);
}

static void add_option(struct buf *query, const char *name, const char *value)
{
    if (value)
        buf_add_form(query, name, value);
}

void kvstore_find(struct kvstore *store, const struct kvstore_query *what, kvstore_done_fn *done, void *ctx)
{
    CLEANUP(buf_free) struct buf query = BUF_INIT(QUERY_MAX);

    assert(what->limit > 0);
    add_option(&query, "query", what->query);
    add_option(&query, "fields", what->fields);
    add_option(&query, "sort", what->sort);
    if (what->skip)
        buf_add_format(&query, "%sskip=%d", query.len ? "&" : "", what->skip);
    buf_add_format(&query, "%slimit=%d", query.len ? "&" : "", what->limit);
    start(call_new(store, SHAPE_ROWS, done, ctx), NULL, NULL, buf_text(&query));
}

void kvstore_find_each(struct kvstore *store, const char *queries, kvstore_done_fn *done, void *ctx)
{
    struct kvstore_call *call = call_with(store, queries, done, ctx);

    call->shape = SHAPE_LISTS;
    start(call, NULL, "batch_find", NULL);
}

void kvstore_delete_where(struct kvstore *store, const char *what, kvstore_done_fn *done, void *ctx)
{
    CLEANUP(buf_free) struct buf query = BUF_INIT(QUERY_MAX);

    assert(!text_empty(what));
    buf_add_form(&query, "query", what);
    start(call_new(store, SHAPE_ANY, done, ctx), "DELETE", NULL, buf_text(&query));
}
