#include "command/check_look.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "collect/classify.h"

#define TIMEOUT_S    30 /* the caller ends it before */
#define PAGE_TOP     100
#define PAGE_OUT_MAX (256u * 1024 * 1024)

/* Hours back from now in which the newest alert is searched, one after the other. Most tenants need one request. */
static const int windows_h[] = { 1, 24, 30 * 24 };

struct look {
    struct look_spec spec;
    char *authorization; /* secret */
    struct http_request *request;
    struct page *page;
    struct page_handler handler;
    struct buf out;
    size_t window;
    int variant;
    bool bad_records; /* of this page */
    struct look_found found;
    look_done_fn *done;
    void *ctx;
};

static void look_ask(struct look *look);

static void on_record(void *ctx, struct buf *out, const struct page_record *record)
{
    struct look *look = ctx;

    out->len = record->start;
    if (record->has_time && (!look->found.has_newest || record->time > look->found.newest)) {
        look->found.has_newest = true;
        look->found.newest = record->time;
    }
}

static void on_bad(void *ctx, struct buf *out UNUSED, const struct page_bad_record *bad UNUSED)
{
    struct look *look = ctx;

    look->bad_records = true;
}

static bool on_ready(void *ctx UNUSED)
{
    return true;
}

static bool on_data(void *ctx, const char *bytes, size_t len)
{
    struct look *look = ctx;

    return page_feed(look->page, bytes, len, &look->out);
}

static ticks service_now(const struct look *look)
{
    return ticks_from_ms(clock_wall_ms() + look->spec.clock_offset_ms);
}

/* Takes a whole page: it has the newest alert, or the next window is asked for. */
static void take_page(struct look *look, const struct http_result *result)
{
    look->found.looked_back_h = windows_h[look->window];
    look->found.service_now = service_now(look);
    look->found.whole = look->found.has_newest || look->spec.one_record || ++look->window == COUNT_OF(windows_h);
    if (look->found.whole)
        look->done(look->ctx, LOOK_DONE, &look->found, result, NULL);
    else
        look_ask(look);
}

static bool can_simplify(const struct look *look)
{
    return look->variant + 1 < look->spec.api->variants;
}

/* Returns true if a window took too long, here or at the service's gateway, after another one was answered. */
static bool is_only_slow(const struct look *look, const struct http_result *result)
{
    return look->found.looked_back_h && (result->fault == HTTP_TIMEOUT || result->status == 504);
}

static void look_answered(void *ctx, const struct http_result *result)
{
    struct look *look = ctx;
    const struct classify_facts facts = { .page = look->page,
                                          .bad_records = look->bad_records,
                                          .rejected = true, /* the token has just come */
                                          .can_simplify = can_simplify(look),
                                          .has_filter = look->spec.filter != NULL,
                                          .permission = look->spec.api->permission };
    struct classified answer = classify(result, &facts);

    look->request = NULL;
    if (answer.class == ANSWER_READ) {
        take_page(look, result);
    } else if (answer.class == ANSWER_BAD_REQUEST && can_simplify(look)) {
        look->variant++;
        look_ask(look);
    } else if (answer.class == ANSWER_BAD_REQUEST || answer.class == ANSWER_REFUSED) {
        look->done(look->ctx, LOOK_REFUSED, &look->found, result, &answer.err);
    } else if (is_only_slow(look, result)) {
        look->done(look->ctx, LOOK_DONE, &look->found, result, NULL);
    } else {
        look->done(look->ctx, LOOK_FAILED, &look->found, result, &answer.err);
    }
}

/* Returns the number of records to ask for; 0: the API has no such option. */
static size_t page_top(const struct look *look)
{
    size_t most = look->spec.one_record ? 1 : PAGE_TOP;

    return look->spec.api->top < most ? look->spec.api->top : most;
}

static void look_ask(struct look *look)
{
    static const struct http_sink sink = { .ready = on_ready, .data = on_data };
    const struct api *api = look->spec.api;
    struct api_query query = { .base = look->spec.base,
                               .lo = ticks_back(service_now(look), windows_h[look->window] * INT64_C(3600)),
                               .hi = TICKS_OPEN,
                               .variant = look->variant,
                               .filter = look->spec.filter,
                               .top = page_top(look) };
    struct buf url = BUF_INIT(65536);

    page_free(look->page);
    buf_clear(&look->out);
    look->bad_records = false;
    look->page = page_new(&api->shape, &look->handler);
    api->url(&query, &url);
    look->request = http_start(look->spec.http, &(struct http_spec){ .url = buf_text(&url),
                                                                     .authorization = look->authorization,
                                                                     .headers = api->headers,
                                                                     .route = look->spec.route,
                                                                     .sink = &sink,
                                                                     .done = look_answered,
                                                                     .ctx = look,
                                                                     .timeout_s = TIMEOUT_S });
    buf_free(&url);
}

struct look *look_start(const struct look_spec *spec, look_done_fn *done, void *ctx)
{
    struct look *look = mem_alloc(sizeof(*look));

    *look = (struct look){
        .spec = *spec,
        .authorization = mem_text(spec->authorization),
        .handler = { .record = on_record, .bad = on_bad, .ctx = look, .budget = http_budget(spec->http) },
        .out = BUF_INIT(PAGE_OUT_MAX),
        .done = done,
        .ctx = ctx
    };
    look_ask(look);
    return look;
}

bool look_found_so_far(const struct look *look, struct look_found *ret)
{
    *ret = look->found;
    return look->found.looked_back_h > 0;
}

void look_free(struct look *look)
{
    if (!look)
        return;
    if (look->request)
        http_cancel(look->request);
    page_free(look->page);
    buf_free(&look->out);
    mem_free_secret(look->authorization);
    free(look);
}
