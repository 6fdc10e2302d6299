#include "fake_kvstore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "fake_http.h"
#include "fake_timer.h"

#define ROWS_MOST   100000
#define TIMERS_MOST 16

/* A request, until it is answered. */
struct asked {
    struct asked *next;
    struct http_spec spec;
    char *url;
};

static struct fake_kvstore *fake;
static struct asked *in_flight;
static struct timer *timers[TIMERS_MOST];
static size_t timer_count;

/* Operations. */

static bool fits(const cJSON *record, const cJSON *query)
{
    const cJSON *wanted;

    cJSON_ArrayForEach(wanted, query)
    {
        const cJSON *has = json_member(record, wanted->string);

        if (!has || !cJSON_Compare(has, wanted, true))
            return false;
    }
    return true;
}

static void put(const cJSON *record)
{
    const char *key = json_text(record, "_key");

    if (fake->forgets)
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(fake->records, key);
    cJSON_AddItemToObject(fake->records, key, cJSON_Duplicate(record, true));
}

static int by_number(const void *a, const void *b)
{
    int64_t of_a = 0, of_b = 0;

    json_int64(*(const cJSON *const *)a, "number", INT64_MIN, INT64_MAX, &of_a);
    json_int64(*(const cJSON *const *)b, "number", INT64_MIN, INT64_MAX, &of_b);
    return of_a < of_b ? 1 : of_a > of_b ? -1 : 0;
}

static cJSON *find(const cJSON *query, bool sorted, int limit)
{
    const cJSON **found = mem_alloc(ROWS_MOST * sizeof(*found));
    cJSON *rows = cJSON_CreateArray();
    const cJSON *record;
    int count = 0, i;

    cJSON_ArrayForEach(record, fake->records)
    {
        if (fits(record, query) && !(fake->finds_nothing && json_member(query, "group")) && count < ROWS_MOST)
            found[count++] = record;
    }
    if (sorted)
        qsort(found, (size_t)count, sizeof(*found), by_number);
    for (i = 0; i < count && (!limit || i < limit); i++)
        cJSON_AddItemToArray(rows, cJSON_Duplicate(found[i], true));
    free(found);
    if (json_member(query, "_key") && fake->lags && fake->lags-- > 0) {
        cJSON_Delete(rows);
        rows = cJSON_CreateArray();
    }
    return rows;
}

static cJSON *find_each(const cJSON *queries)
{
    cJSON *lists = cJSON_CreateArray();
    const cJSON *one;

    cJSON_ArrayForEach(one, queries)
    {
        int64_t limit = 0;

        json_int64(one, "limit", 0, INT32_MAX, &limit);
        cJSON_AddItemToArray(lists, find(json_member(one, "query"), json_text(one, "sort") != NULL, (int)limit));
    }
    return lists;
}

static int save(const struct asked *asked, const cJSON *batch)
{
    size_t len = strlen(asked->spec.json);
    const cJSON *record;

    fake->saves++;
    if (cJSON_GetArraySize(batch) > 1000)
        return 400;
    fake->saved_records += (size_t)cJSON_GetArraySize(batch);
    fake->saved_bytes += len;
    if (len > fake->largest_batch)
        fake->largest_batch = len;
    cJSON_ArrayForEach(record, batch)
    {
        if (!fake->adds_only || !json_member(fake->records, json_text(record, "_key")))
            put(record);
    }
    return 200;
}

static int insert(const cJSON *record)
{
    bool taken = json_member(fake->records, json_text(record, "_key"));

    if (taken && !fake->overwrites)
        return 409;
    put(record);
    if (fake->doubles && fake->doubles-- > 0)
        return 409;
    return 201;
}

static void delete_where(const cJSON *query)
{
    cJSON *record = fake->records->child, *next;

    for (; record && !fake->keeps; record = next) {
        next = record->next;
        if (fits(record, query))
            cJSON_Delete(cJSON_DetachItemViaPointer(fake->records, record));
    }
}

/* Returns an option of the URL as JSON. */
static cJSON *option(const char *url, const char *name)
{
    CLEANUP(mem_freep) char *start = mem_format("%s=", name), *text = NULL;
    const char *at = strstr(url, start);
    size_t len;

    if (!at)
        return cJSON_CreateObject();
    at += strlen(start);
    len = strcspn(at, "&");
    return text_url_decode(at, len, true, &text) ? json_parse(text, strlen(text)) : NULL;
}

static const char *operation(const struct asked *asked)
{
    if (strstr(asked->url, "/batch_save?"))
        return "batch_save";
    if (strstr(asked->url, "/batch_find?"))
        return "batch_find";
    if (text_same(asked->spec.method, "DELETE"))
        return "delete";
    return asked->spec.json ? "insert" : "query";
}

/* Does what is asked. Returns the status, and the answer in *ret. */
static int apply(const struct asked *asked, cJSON **ret)
{
    CLEANUP(json_freep) cJSON *body = asked->spec.json ? json_parse(asked->spec.json, strlen(asked->spec.json)) : NULL;
    CLEANUP(json_freep) cJSON *query = option(asked->url, "query");
    const char *name = operation(asked);

    *ret = NULL;
    if (asked->spec.json && !body)
        return 400;
    if (text_same(name, "batch_save")) {
        *ret = cJSON_CreateArray();
        return save(asked, body);
    }
    if (text_same(name, "batch_find")) {
        fake->finds++;
        if (fake->wants_plain && (strstr(asked->spec.json, "\"sort\"") || strstr(asked->spec.json, "\"limit\"")))
            return 400;
        *ret = find_each(body);
        return 200;
    }
    if (text_same(name, "delete")) {
        delete_where(query);
        return 200;
    }
    if (text_same(name, "insert")) {
        *ret = cJSON_Duplicate(body, true);
        return insert(body);
    }
    *ret = find(query, false, 0);
    return 200;
}

/* Returns true if this request is one of those that get another answer. */
static bool departs(const struct asked *asked)
{
    if (!fake->at || !text_starts(asked->url, fake->at) ||
        (fake->method && !text_same(fake->method, operation(asked))))
        return false;
    if (fake->skip > 0) {
        fake->skip--;
        return false;
    }
    if (fake->times && --fake->times == 0)
        fake->at = NULL;
    return true;
}

static void forget(struct asked *asked)
{
    struct asked **slot = &in_flight;

    while (*slot != asked)
        slot = &(*slot)->next;
    *slot = asked->next;
    free(asked->url);
    free(asked);
}

/* Fills the result in: *text is owned by the caller. */
static void respond(const struct asked *asked, struct http_result *result, char **text)
{
    bool departing = departs(asked);
    int status = fake->status;
    const char *body = fake->body ? fake->body : "";
    cJSON *tree = NULL;

    if (!departing)
        status = apply(asked, &tree);
    else if (fake->applied)
        apply(asked, &tree);
    if (!departing && tree) {
        *text = cJSON_PrintUnformatted(tree);
        body = *text;
    }
    cJSON_Delete(tree);
    *result = (struct http_result){ .fault = status ? HTTP_DONE : HTTP_TIMEOUT,
                                    .status = status,
                                    .reason = "no answer",
                                    .body = body,
                                    .body_len = strlen(body),
                                    .content_type = "application/json",
                                    .request_id = "",
                                    .authenticate = "" };
    if (fake->answer_most && result->body_len > fake->answer_most) {
        result->fault = HTTP_GARBLED;
        result->body = "";
        result->body_len = 0;
        snprintf(result->reason, sizeof(result->reason), "the answer is too large");
    }
}

bool fake_kvstore_answer(void)
{
    CLEANUP(mem_freep) char *text = NULL;
    struct asked *asked = in_flight;
    struct http_spec spec;
    struct http_result result;

    while (asked && asked->next) /* the oldest one */
        asked = asked->next;
    if (!asked)
        return false;
    spec = asked->spec;
    respond(asked, &result, &text);
    forget(asked);
    spec.done(spec.ctx, &result);
    return true;
}

static struct http_request *start(const struct http_spec *spec)
{
    struct asked *asked = mem_alloc(sizeof(*asked));

    fake->calls++;
    snprintf(fake->last_url, sizeof(fake->last_url), "%s", spec->url);
    snprintf(fake->last_authorization, sizeof(fake->last_authorization), "%s",
             spec->authorization ? spec->authorization : "");
    *asked = (struct asked){ .next = in_flight, .spec = *spec, .url = mem_text(spec->url) };
    in_flight = asked;
    return (struct http_request *)asked;
}

static void cancel(struct http_request *request)
{
    forget((struct asked *)request);
}

/* Timers. */

static void set_timer(struct timer *timer, int64_t due_ms)
{
    size_t i;

    for (i = 0; i < timer_count && timers[i] != timer; i++)
        ;
    if (i == TIMERS_MOST)
        abort();
    timers[i] = timer;
    timer_count += i == timer_count;
    timer->due_ms = due_ms;
    timer->heap_index = 1;
}

static void cancel_timer(struct timer *timer)
{
    size_t i;

    for (i = 0; i < timer_count && timers[i] != timer; i++)
        ;
    if (i == timer_count)
        return;
    timers[i] = timers[--timer_count];
    timer->heap_index = 0;
}

static struct timer *first_timer(void)
{
    struct timer *first = timer_count ? timers[0] : NULL;
    size_t i;

    for (i = 1; i < timer_count; i++)
        if (timers[i]->due_ms < first->due_ms)
            first = timers[i];
    return first;
}

int64_t fake_kvstore_due_ms(void)
{
    const struct timer *first = first_timer();

    return first ? first->due_ms : INT64_MAX;
}

bool fake_kvstore_fire(void)
{
    struct timer *first = first_timer();
    int64_t now_ms = clock_ms();

    if (!first)
        return false;
    cancel_timer(first);
    first->fire(first->ctx, first->due_ms > now_ms ? first->due_ms : now_ms);
    return true;
}

void fake_kvstore_settle(void)
{
    while (fake_kvstore_answer() || fake_kvstore_fire())
        ;
}

/* From beginning to end. */

void fake_kvstore_begin(struct fake_kvstore *store)
{
    *store = (struct fake_kvstore){ .records = cJSON_CreateObject() };
    fake = store;
    fake_http_start = start;
    fake_http_cancel = cancel;
    fake_timer_set = set_timer;
    fake_timer_cancel = cancel_timer;
}

void fake_kvstore_end(struct fake_kvstore *store)
{
    fake_http_start = NULL;
    fake_http_cancel = NULL;
    fake_timer_set = NULL;
    fake_timer_cancel = NULL;
    cJSON_Delete(store->records);
    fake = NULL;
}

const char *fake_kvstore_text(const struct fake_kvstore *store, const char *key, const char *member)
{
    return json_text(json_member(store->records, key), member);
}

size_t fake_kvstore_count(const struct fake_kvstore *store, const char *kind)
{
    const cJSON *record;
    size_t count = 0;

    cJSON_ArrayForEach(record, store->records) count += text_same(json_text(record, "kind"), kind);
    return count;
}
