#include "command/alert_listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "collect/classify.h"

#define TIMEOUT_S     30
#define REQUESTS_MOST 60 /* of one listing: half of what the slower service allows in a minute */
#define TRIES_MOST    3  /* of one request that fails or is throttled */
#define RETRY_MS      2000
#define WINDOWS_MOST  64 /* each halving adds one; a span of years has fewer halvings down to a second */
#define URL_MOST      65536
#define PAGE_OUT_MAX  (256u * 1024 * 1024)

struct span {
    ticks lo, hi;
};

struct alert_listing {
    struct alert_listing_spec spec;
    char *authorization; /* secret */
    struct http_request *request;
    struct page *page;
    struct page_handler handler;
    struct buf out;
    struct timer timer;
    struct span spans[WINDOWS_MOST]; /* still to be asked for, the newest last */
    size_t span_count;
    size_t asked; /* records that the request asks for; 0: the service's choice */
    size_t page_start;
    bool bad_records;
    int variant, requests, tries;
    struct listed_alerts alerts;
    size_t room;
    bool ended;
    alert_listing_done_fn *done;
    void *ctx;
};

static void listing_ask(struct alert_listing *listing);

static void clear_from(struct listed_alerts *alerts, size_t start)
{
    while (alerts->count > start)
        free(alerts->list[--alerts->count].id);
}

void listed_alerts_release(struct listed_alerts *alerts)
{
    clear_from(alerts, 0);
    free(alerts->list);
    *alerts = (struct listed_alerts){ .list = NULL };
}

/* The end. */

static int compare_listed(const void *a, const void *b)
{
    const struct listed *first = a, *second = b;
    int order = strcmp(first->id, second->id);

    return order ? order : first->time < second->time ? 1 : first->time > second->time ? -1 : 0;
}

/* Sorts by ID and leaves the latest of each. */
static void settle(struct listed_alerts *alerts)
{
    size_t i, left = 0;

    if (alerts->count)
        qsort(alerts->list, alerts->count, sizeof(*alerts->list), compare_listed);
    for (i = 0; i < alerts->count; i++) {
        if (left && !strcmp(alerts->list[left - 1].id, alerts->list[i].id))
            free(alerts->list[i].id);
        else
            alerts->list[left++] = alerts->list[i];
    }
    alerts->count = left;
}

static void end(struct alert_listing *listing, enum alert_listing_end how, const struct http_result *result,
                const struct err *err)
{
    struct listed_alerts *alerts = &listing->alerts;

    if (listing->ended)
        return;
    listing->ended = true;
    timer_cancel(listing->spec.loop, &listing->timer);
    settle(alerts);
    if (how == ALERT_LISTING_FAILED && alerts->from < listing->spec.to)
        how = ALERT_LISTING_CUT;
    listing->done(listing->ctx, how, alerts, result, err);
}

void alert_listing_stop(struct alert_listing *listing, const struct err *why)
{
    if (listing->request)
        http_cancel(listing->request);
    listing->request = NULL;
    clear_from(&listing->alerts, listing->page_start); /* of a page that is not whole */
    end(listing, ALERT_LISTING_FAILED, NULL, why);
}

/* Records. */

static void on_record(void *ctx, struct buf *out, const struct page_record *record)
{
    struct alert_listing *listing = ctx;
    struct listed_alerts *alerts = &listing->alerts;

    out->len = record->start;
    if (!record->id || !record->id_len) {
        alerts->nameless++;
        return;
    }
    if (alerts->count == listing->room) {
        listing->room = listing->room ? 2 * listing->room : 64;
        alerts->list = mem_grow(alerts->list, listing->room, sizeof(*alerts->list));
    }
    alerts->list[alerts->count++] = (struct listed){ .id = mem_text_n(record->id, record->id_len),
                                                     .time = record->has_time ? record->time : listing->spec.to };
}

static void on_bad(void *ctx, struct buf *out UNUSED, const struct page_bad_record *bad UNUSED)
{
    struct alert_listing *listing = ctx;

    listing->bad_records = true;
}

static bool on_ready(void *ctx UNUSED)
{
    return true;
}

static bool on_data(void *ctx, const char *bytes, size_t len)
{
    struct alert_listing *listing = ctx;

    return page_feed(listing->page, bytes, len, &listing->out);
}

/* Answers. */

/* Replaces the window by its halves. Returns false if it is too small for that. */
static bool halve(struct alert_listing *listing)
{
    struct span *span = &listing->spans[listing->span_count - 1];
    ticks middle = api_floor(span->lo + (span->hi - span->lo) / 2, TICKS_PER_SECOND);

    if (middle <= span->lo || listing->span_count == WINDOWS_MOST)
        return false;
    listing->spans[listing->span_count++] = (struct span){ middle, span->hi };
    span->hi = middle;
    return true;
}

/* Takes a whole page. It holds all of its window, or the window is asked for in halves. */
static void take_page(struct alert_listing *listing, const struct http_result *result)
{
    size_t held = page_count(listing->page);
    bool is_full = page_next_link(listing->page) || (listing->asked && held >= listing->asked);
    struct err err;

    listing->tries = 0;
    if (is_full && !halve(listing)) {
        err_set(&err, ERR_RETRY, "more alerts have one update time than a response of the service holds");
        end(listing, ALERT_LISTING_FAILED, result, &err);
        return;
    }
    if (is_full) {
        clear_from(&listing->alerts, listing->page_start);
    } else {
        listing->alerts.from = listing->spans[--listing->span_count].lo;
        listing->page_start = listing->alerts.count;
    }
    if (listing->span_count)
        listing_ask(listing);
    else
        end(listing, ALERT_LISTING_WHOLE, result, NULL);
}

static void timer_fired(void *ctx, int64_t now_ms UNUSED)
{
    listing_ask(ctx);
}

/* Asks again after a while, or gives up. */
static void ask_later(struct alert_listing *listing, const struct http_result *result, const struct err *err)
{
    int64_t wait_ms = err->wait_ms ? err->wait_ms : RETRY_MS;

    if (++listing->tries == TRIES_MOST)
        end(listing, ALERT_LISTING_FAILED, result, err);
    else
        timer_set(listing->spec.loop, &listing->timer, clock_ms() + wait_ms);
}

static bool can_simplify(const struct alert_listing *listing)
{
    return listing->variant + 1 < listing->spec.api->variants;
}

static void answered(void *ctx, const struct http_result *result)
{
    struct alert_listing *listing = ctx;
    struct classified answer = classify(result,
                                        &(struct classify_facts){ .page = listing->page,
                                                                  .bad_records = listing->bad_records,
                                                                  .rejected = true, /* the token is fresh */
                                                                  .can_simplify = can_simplify(listing),
                                                                  .has_filter = listing->spec.filter != NULL,
                                                                  .permission = listing->spec.api->permission });

    listing->request = NULL;
    if (answer.class == ANSWER_READ) {
        take_page(listing, result);
        return;
    }
    clear_from(&listing->alerts, listing->page_start);
    if (answer.class == ANSWER_BAD_REQUEST && can_simplify(listing)) {
        listing->variant++;
        listing_ask(listing);
    } else if (answer.class == ANSWER_BAD_REQUEST || answer.class == ANSWER_REFUSED) {
        end(listing, ALERT_LISTING_REFUSED, result, &answer.err);
    } else {
        ask_later(listing, result, &answer.err);
    }
}

static void listing_ask(struct alert_listing *listing)
{
    static const struct http_sink sink = { .ready = on_ready, .data = on_data };
    const struct span *span = &listing->spans[listing->span_count - 1];
    const struct api *api = listing->spec.api;
    struct api_query query = { .base = listing->spec.base,
                               .lo = span->lo,
                               .hi = span->hi,
                               .variant = listing->variant,
                               .filter = listing->spec.filter,
                               .top = api->top };
    CLEANUP(buf_free) struct buf url = BUF_INIT(URL_MOST);
    struct err err;

    if (listing->requests++ == REQUESTS_MOST) {
        err_set(&err, ERR_RETRY, "there are too many alerts to list them with %d requests", REQUESTS_MOST);
        end(listing, ALERT_LISTING_FAILED, NULL, &err);
        return;
    }
    page_free(listing->page);
    buf_clear(&listing->out);
    listing->bad_records = false;
    listing->page = page_new(&api->shape, &listing->handler);
    listing->asked = api->url(&query, &url);
    listing->request = http_start(listing->spec.http, &(struct http_spec){ .url = buf_text(&url),
                                                                           .authorization = listing->authorization,
                                                                           .headers = api->headers,
                                                                           .route = listing->spec.route,
                                                                           .sink = &sink,
                                                                           .done = answered,
                                                                           .ctx = listing,
                                                                           .timeout_s = TIMEOUT_S });
}

struct alert_listing *alert_listing_start(const struct alert_listing_spec *spec, alert_listing_done_fn *done, void *ctx)
{
    struct alert_listing *listing = mem_alloc(sizeof(*listing));

    *listing = (struct alert_listing){
        .spec = *spec,
        .authorization = mem_text(spec->authorization),
        .handler = { .record = on_record, .bad = on_bad, .ctx = listing, .budget = http_budget(spec->http) },
        .out = BUF_INIT(PAGE_OUT_MAX),
        .timer = { .fire = timer_fired, .ctx = listing },
        .spans = { { spec->from, spec->to } },
        .span_count = 1,
        .alerts = { .from = spec->to },
        .done = done,
        .ctx = ctx
    };
    listing_ask(listing);
    return listing;
}

void alert_listing_free(struct alert_listing *listing)
{
    if (!listing)
        return;
    timer_cancel(listing->spec.loop, &listing->timer);
    if (listing->request)
        http_cancel(listing->request);
    page_free(listing->page);
    listed_alerts_release(&listing->alerts);
    buf_free(&listing->out);
    mem_free_secret(listing->authorization);
    free(listing);
}
