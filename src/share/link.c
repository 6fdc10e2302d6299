#include "share/link.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "splunk/app.h"

enum { ADDRESSES_MOST = 8, COLLECTIONS = 2 };
#define PAYLOAD_MAX 65536
#define TOKEN_MAX   65536

struct address {
    char *url;
    struct rest *rest;
    struct kvstore *stores[COLLECTIONS]; /* as in `collections` */
};

static const char *const collections[COLLECTIONS] = { SHARE_COLLECTION, PLACES_COLLECTION };

/* A call in flight. */
struct link_call {
    struct share_link *link;
    struct link_call *next;
    size_t address;
    bool gets;             /* a record is asked for, by a query: keys stay out of paths */
    kvstore_done_fn *done; /* NULL: nobody waits for the answer */
    void *ctx;
    struct timer refusal; /* of a call that cannot be sent */
};

struct share_link {
    struct loop *loop;
    struct address addresses[ADDRESSES_MOST];
    size_t count, present;
    bool has_token;
    struct link_call *calls;
};

/* The token. */

bool share_token_is_plain(const char *token)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";

    return !text_empty(token) && !token[strspn(token, allowed)] && strlen(token) <= TOKEN_MAX;
}

int64_t share_token_ends_s(const char *token)
{
    const char *first = strchr(token, '.'), *second = first ? strchr(first + 1, '.') : NULL;
    struct buf payload = BUF_INIT(PAYLOAD_MAX);
    int64_t ends_s = 0;

    if (second && base64url_decode(first + 1, (size_t)(second - first - 1), &payload)) {
        CLEANUP(json_freep) cJSON *root = json_parse(payload.data, payload.len);

        if (!json_int64(root, "exp", 0, INT64_C(1) << 50, &ends_s))
            ends_s = 0;
    }
    buf_free_secret(&payload);
    return ends_s;
}

void share_link_set_token(struct share_link *link, const char *token)
{
    size_t i;

    link->has_token = share_token_is_plain(token);
    for (i = 0; i < link->count; i++)
        rest_set_token(link->addresses[i].rest, link->has_token ? token : NULL);
}

bool share_link_has_token(const struct share_link *link)
{
    return link->has_token;
}

/* Addresses. */

static void add_address(struct share_link *link, const struct share_link_spec *spec, const char *url)
{
    struct address *address = &link->addresses[link->count++];
    size_t i;

    address->url = mem_text(url);
    address->rest = rest_new_remote(spec->loop, spec->http, url, spec->ca_file, spec->splunk_home);
    rest_hurry(address->rest, SHARE_CALL_MS / CLOCK_SECOND_MS);
    for (i = 0; i < COLLECTIONS; i++)
        address->stores[i] = kvstore_new(address->rest, APP_NAME, collections[i]);
}

struct share_link *share_link_new(const struct share_link_spec *spec)
{
    struct share_link *link = mem_alloc(sizeof(*link));
    CLEANUP(mem_freep) char *urls = mem_text(spec->urls ? spec->urls : "");
    char *rest = urls, *url;

    link->loop = spec->loop;
    while ((url = strsep(&rest, " ,\t\r\n")))
        if (*url && link->count < ADDRESSES_MOST)
            add_address(link, spec, url);
    share_link_set_token(link, spec->token);
    return link;
}

static void call_free(struct link_call *call)
{
    struct link_call **slot = &call->link->calls;

    while (*slot != call)
        slot = &(*slot)->next;
    *slot = call->next;
    timer_cancel(call->link->loop, &call->refusal);
    free(call);
}

void share_link_free(struct share_link *link)
{
    size_t i, k;

    if (!link)
        return;
    for (i = 0; i < link->count; i++) {
        for (k = 0; k < COLLECTIONS; k++)
            kvstore_free(link->addresses[i].stores[k]);
        rest_free(link->addresses[i].rest);
        free(link->addresses[i].url);
    }
    while (link->calls)
        call_free(link->calls);
    free(link);
}

size_t share_link_count(const struct share_link *link)
{
    return link->count;
}

const char *share_link_url(const struct share_link *link, size_t i)
{
    return link->addresses[i].url;
}

size_t share_link_present(const struct share_link *link)
{
    return link->present;
}

/* Returns true if another address may do better. */
static bool is_of_address(enum kvstore_fault fault)
{
    switch (fault) {
    case KVSTORE_OK:
    case KVSTORE_TAKEN:
    case KVSTORE_MISSING:
    case KVSTORE_REFUSED: return false;
    default: return true;
    }
}

/* Answers. */

/* Turns the rows of a query by key into the answer of kvstore_get(). */
static void take_record(struct kvstore_answer *answer, struct err *err)
{
    const cJSON *record = cJSON_GetArrayItem(answer->rows, 0);

    answer->rows = NULL;
    if (cJSON_IsObject(record)) {
        answer->record = record;
        return;
    }
    answer->fault = record ? KVSTORE_GARBAGE : KVSTORE_MISSING;
    err_set(err, record ? ERR_RETRY : ERR_INPUT,
            record ? "the answer of the KV store cannot be read: it is no record" : "there is no record with this key");
    answer->err = err;
}

static void answer_with(struct link_call *call, const struct kvstore_answer *answer)
{
    kvstore_done_fn *done = call->done;
    void *ctx = call->ctx;

    call_free(call);
    if (done)
        done(ctx, answer);
}

static void on_answer(void *ctx, const struct kvstore_answer *given)
{
    struct link_call *call = ctx;
    struct share_link *link = call->link;
    struct kvstore_answer answer = *given;
    struct err err = { .text = "" };

    if (is_of_address(answer.fault) && call->address == link->present)
        link->present = (link->present + 1) % link->count;
    if (call->gets && answer.fault == KVSTORE_OK)
        take_record(&answer, &err);
    answer_with(call, &answer);
}

static void refusal_fired(void *ctx, int64_t now_ms UNUSED)
{
    struct link_call *call = ctx;
    bool no_token = call->link->count > 0;
    struct kvstore_answer answer = { .fault = no_token ? KVSTORE_SESSION : KVSTORE_AWAY };
    struct err err = { .text = "" };

    if (no_token)
        err_set(&err, ERR_AUTH,
                "there is no authentication token for the shared KV store. Our administrator: store one on this "
                "forwarder with 'defender_alerts share token'");
    else
        err_set(&err, ERR_RETRY, "share_url names no address");
    answer.err = &err;
    answer_with(call, &answer);
}

/* Calls. */

static struct link_call *call_new(struct share_link *link, kvstore_done_fn *done, void *ctx)
{
    struct link_call *call = mem_alloc(sizeof(*call));

    *call = (struct link_call){ .link = link,
                                .next = link->calls,
                                .address = link->present,
                                .done = done,
                                .ctx = ctx,
                                .refusal = { .fire = refusal_fired, .ctx = call } };
    return link->calls = call;
}

/* Returns the collection that the call goes to. NULL: it cannot be sent, and is answered later. */
static struct kvstore *store_for(struct link_call *call, const char *collection)
{
    struct share_link *link = call->link;

    if (!link->has_token || !link->count) {
        timer_set(link->loop, &call->refusal, loop_now(link->loop));
        return NULL;
    }
    return link->addresses[call->address].stores[text_same(collection, PLACES_COLLECTION)];
}

static void get(struct kvstore *store, struct link_call *call, const char *key)
{
    struct buf query = BUF_INIT(HTTP_BODY_MAX);

    call->gets = true;
    buf_add_text(&query, "{\"_key\":");
    buf_add_json(&query, key);
    buf_add_char(&query, '}');
    kvstore_find(store, &(struct kvstore_query){ .query = buf_text(&query), .limit = 1 }, on_answer, call);
    buf_free(&query);
}

void share_link_call(struct share_link *link, const struct share_call *call, kvstore_done_fn *done, void *ctx)
{
    struct link_call *made = call_new(link, done, ctx);
    struct kvstore *store = store_for(made, call->collection);
    struct buf records = BUF_INIT(HTTP_BODY_MAX);

    if (!store)
        return;
    switch (call->kind) {
    case SHARE_CALL_SAVE:
        buf_add_text(&records, call->body);
        kvstore_save(store, &records, on_answer, made);
        break;
    case SHARE_CALL_FIND:
        kvstore_find(store, &(struct kvstore_query){ .query = call->query, .limit = call->limit }, on_answer, made);
        break;
    case SHARE_CALL_GET: get(store, made, call->key); break;
    case SHARE_CALL_INSERT: kvstore_insert(store, call->body, on_answer, made); break;
    case SHARE_CALL_DELETE: kvstore_delete_where(store, call->query, on_answer, made); break;
    }
}

void share_link_save(struct share_link *link, const char *collection, struct buf *records, kvstore_done_fn *done,
                     void *ctx)
{
    struct link_call *call = call_new(link, done, ctx);
    struct kvstore *store = store_for(call, collection);

    if (store)
        kvstore_save(store, records, on_answer, call);
    else
        buf_free(records);
}

void share_link_find_each(struct share_link *link, const char *collection, const char *queries, kvstore_done_fn *done,
                          void *ctx)
{
    struct link_call *call = call_new(link, done, ctx);
    struct kvstore *store = store_for(call, collection);

    if (store)
        kvstore_find_each(store, queries, on_answer, call);
}

void share_link_find_keys(struct share_link *link, const char *collection, const char *query, kvstore_done_fn *done,
                          void *ctx)
{
    struct link_call *call = call_new(link, done, ctx);
    struct kvstore *store = store_for(call, collection);

    if (store)
        kvstore_find(store, &(struct kvstore_query){ .query = query, .fields = "_key", .limit = SHARE_KEYS_MOST },
                     on_answer, call);
}

void share_link_forget(struct share_link *link, const void *ctx)
{
    struct link_call *call;

    for (call = link->calls; call; call = call->next)
        if (call->ctx == ctx)
            call->done = NULL;
}
