/* The pages of the alert APIs. */
#include "services.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COARSE_PAGE 20 /* so that windows end between records of the same second */

static bool read_filter(const char *filter, const char *field, struct query *query)
{
    char want[64];
    const char *from, *until;

    snprintf(want, sizeof(want), "%s ge ", field);
    if (!filter || strncmp(filter, want, strlen(want)) != 0)
        return false;
    from = filter + strlen(want);
    if (!date_read(from, &query->lo))
        return false;
    snprintf(want, sizeof(want), " and %s lt ", field);
    until = strstr(from, want);
    return !until || date_read(until + strlen(want), &query->hi);
}

static bool read_number(const char *path, const char *name, size_t *ret)
{
    char *value = form_get(path, name);

    if (value)
        *ret = (size_t)atoll(value);
    free(value);
    return value != NULL;
}

bool query_read(const struct customer *customer, const char *path, struct query *query)
{
    char *filter = form_get(path, "$filter"), *expand = form_get(path, "$expand"),
         *since = form_get(path, "sinceTimeUtc"), *until = form_get(path, "untilTimeUtc"),
         *orderby = form_get(path, "$orderby"), *count = form_get(path, "$count"), *select = form_get(path, "$select");
    bool ok = true;

    *query = (struct query){ .hi = INT64_MAX, .top = 0 };
    if (customer->api == API_SIEM) {
        ok = since && date_read(since, &query->lo) && (!until || date_read(until, &query->hi));
        query->hi += query->hi != INT64_MAX; /* both bounds are inside */
    } else {
        ok = read_filter(filter, field_of(customer->api), query);
        read_number(path, "$top", &query->top);
        read_number(path, "$skip", &query->skip);
        read_number(path, "$skiptoken", &query->skip);
    }
    query->evidence = expand && !strcmp(expand, "evidence");
    query->ordered = orderby != NULL;
    query->counted = count && !strcmp(count, "true");
    query->selected = select && customer->selecting == SELECTING_KEPT;
    query->refused = select && customer->selecting == SELECTING_REFUSED;
    free(select);
    free(orderby);
    free(count);
    free(filter);
    free(expand);
    free(since);
    free(until);
    return ok && query->top <= (size_t)services[customer->api].most;
}

struct hit {
    struct alert *alert;
    struct version *version;
    uint64_t key, rest; /* for sorting */
};

static int compare(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->rest != y->rest ? (x->rest < y->rest ? -1 : 1) : x->alert->number - y->alert->number;
}

/* Sets what $orderby sorts by, as the service understands it. */
static void sort_by(struct customer *customer, struct hit *hit)
{
    uint64_t ticks = (uint64_t)hit->version->ticks, shard = (uint64_t)hit->alert->number % 3;

    switch (customer->sorting) {
    case SORTING_KEPT: hit->key = ticks; break;
    case SORTING_CREATED: hit->key = (uint64_t)hit->alert->created; break;
    case SORTING_DESCENDING: hit->key = UINT64_MAX - ticks; break;
    case SORTING_LATER:
    case SORTING_SHARDS:
        hit->key = customer->sorting == SORTING_LATER && customer->sorted < 12 ? 0 : shard;
        hit->rest = ticks;
        break;
    default: break;
    }
}

/* Returns what the service says of how many there are; -1: nothing. */
static int64_t count_of(const struct customer *customer, size_t matching, size_t sent)
{
    if (customer->miscount_until > now())
        return (int64_t)matching + (matching + sent) % 3;
    switch (customer->counting) {
    case COUNTING_EXACT: return (int64_t)matching;
    case COUNTING_PAGE: return (int64_t)sent;
    case COUNTING_CAPPED: return matching < 60 ? (int64_t)matching : 60;
    default: return -1;
    }
}

static uint64_t sort_key(struct customer *customer, const struct alert *alert, const struct version *v)
{
    uint64_t mixed = (uint64_t)alert->number * UINT64_C(0x9E3779B97F4A7C15);

    if (customer->shuffled_until > now())
        return rng_next(&customer->luck);
    return customer->order == 0   ? mixed ^ mixed >> 29
           : customer->order == 1 ? (uint64_t)v->ticks
                                  : UINT64_MAX - (uint64_t)alert->created;
}

/* A service may ignore the filter for a while, and send all that it has. A coarse filter cuts its bounds to whole seconds: a record may come with the window after its own, and nowhere else.
 * A service does not become coarse while a record is poisoned. */
static bool is_hit(const struct customer *customer, const struct version *v, const struct query *query)
{
    bool coarse = customer->coarse_until == NEVER || (customer->coarse_until > now() && customer->harmed_until < now());
    int64_t step = coarse ? 10000000 : 1;

    if (!v || customer->unfiltered_until > now())
        return v != NULL;
    if (query->hi == INT64_MAX)
        return v->ticks / step >= query->lo / step;
    return v->ticks / step >= query->lo / step && v->ticks / step < query->hi / step;
}

static size_t find_hits(struct customer *customer, const struct query *query, struct hit *hits)
{
    size_t count = 0;

    for (int i = 0; i < customer->count; i++) {
        struct version *v = version_listed(&customer->alerts[i]);

        if (!is_hit(customer, v, query))
            continue;
        hits[count] = (struct hit){ &customer->alerts[i], v, sort_key(customer, &customer->alerts[i], v), 0 };
        if (query->ordered)
            sort_by(customer, &hits[count]);
        count++;
    }
    qsort(hits, count, sizeof(*hits), compare);
    return count;
}

/* Returns how many versions $count has that are left out of pages. */
static size_t dropped(const struct customer *customer, const struct query *query)
{
    size_t ret = 0;

    for (int i = 0; plan.month && i < customer->count; i++) {
        const struct version *v = &customer->alerts[i].version[0];

        ret += v->counted && v->counted <= now() && v->visible > now() && is_hit(customer, v, query);
    }
    return ret;
}

static size_t page_size(struct customer *customer, const struct query *query)
{
    size_t size = query->top ? query->top : customer->api == API_SIEM ? SIZE_MAX : 50;

    if (customer->no_link_until > now()) /* a short page without a link looks like the end of the list */
        return size;
    if (customer->coarse_until == NEVER && size > COARSE_PAGE && customer->api != API_SIEM &&
        customer->api != API_ENDPOINT)
        size = COARSE_PAGE;
    if (customer->cap && customer->cap < size)
        size = customer->cap;
    if (customer->short_until > now() && (customer->api == API_GRAPH || customer->api == API_INCIDENTS)) {
        size_t less = (size_t)rng_between(&customer->luck, 1, 20);

        return size < less ? size : less;
    }
    return size;
}

/* Writes ID and update time alone. */
static void put_selected(const struct customer *customer, const struct hit *hit, struct reply *reply)
{
    char date[DATE_MOST];

    text_say(&reply->body, "{\"%s\":\"%s\",\"id\":\"a%d-%d\"}", field_of(customer->api),
             date_text(hit->version->ticks, date_digits(customer, hit->version), date), customer->number,
             hit->alert->number);
}

/* Writes one record, or what its harm makes of it. Returns false if the page ends here. */
static bool put_record(struct customer *customer, const struct hit *hit, const struct query *query, struct reply *reply)
{
    if (query->selected && (hit->version->harm == HARM_NONE || hit->version->harm == HARM_FULL)) {
        counts->records++;
        put_selected(customer, hit, reply);
        return true;
    }
    switch (hit->version->harm) {
    case HARM_CUT:
        record_write(&reply->body, customer, hit->alert, hit->version, customer->loose, query->evidence);
        reply->end = REPLY_CUT;
        reply->cut_at = reply->body.len - 20;
        return false;
    case HARM_ERROR: text_say(&reply->body, "],\"error\":{\"code\":\"InternalServerError\"}}"); return false;
    case HARM_JSON:
        hit->version->excused = true;
        text_say(&reply->body, "{\"id\":\"a%d-%d\",\"broken\":\"%s}", customer->number, hit->alert->number,
                 hit->alert->number % 3 ? "\\x\"" : "");
        return true;
    default:
        counts->records++;
        customer->served++;
        month_sent(customer, hit->version, query->lo, query->hi);
        record_write(&reply->body, customer, hit->alert, hit->version, customer->loose, query->evidence);
        return true;
    }
}

/* Returns false if it is not the right one. */
static bool put_link(struct customer *customer, const struct request *request, size_t next, struct reply *reply)
{
    const char *end = strstr(request->path, "&$skiptoken=");

    static const char *const wrong[] = { "https://evil.example/v1.0/security/alerts_v2?$skiptoken=1",
                                         "http://graph.microsoft.com/v1.0/security/alerts_v2?$skiptoken=1" };

    if (customer->api != API_ENDPOINT && fault_strikes(FAULT_bad_link, customer)) {
        text_say(&reply->body, ",\"@odata.nextLink\":\"%s\"", wrong[rng_between(&customer->luck, 0, 1)]);
        return false;
    }
    if (customer->api == API_ENDPOINT || customer->no_link_until > now()) {
        text_say(&reply->body, "%s", customer->number % 2 ? ",\"@odata.nextLink\":\"\"" : ""); /* the same as none */
        return true;
    }
    text_say(&reply->body, ",\"@odata.nextLink\":\"https://%s%.*s&$skiptoken=%zu\"", request->host,
             (int)(end ? end - request->path : (int)strlen(request->path)), request->path, next);
    return true;
}

static bool any_500(const struct hit *hits, size_t from, size_t until, bool selected)
{
    for (size_t i = from; i < until; i++)
        if (hits[i].version->harm == HARM_500 || (hits[i].version->harm == HARM_FULL && !selected))
            return true;
    return false;
}

bool page_write(struct customer *customer, const struct request *request, const struct query *query,
                struct reply *reply, bool partial)
{
    struct hit *hits = calloc((size_t)customer->count + 1, sizeof(*hits));
    size_t count = find_hits(customer, query, hits), size = page_size(customer, query), i,
           until = count - query->skip < size ? count : query->skip + size;
    bool first = true, whole = true, harmed = false, bare = customer->api == API_SIEM;
    int64_t counted = count_of(customer, count + dropped(customer, query), until - query->skip);

    if (query->skip >= count)
        until = query->skip;
    customer->sorted += query->ordered;
    if (query->ordered && customer->sorting == SORTING_PAGE && until <= count) {
        for (i = query->skip; i < until; i++)
            hits[i].key = (uint64_t)hits[i].version->ticks;
        qsort(hits + query->skip, until - query->skip, sizeof(*hits), compare);
    }
    if (any_500(hits, query->skip, until < count ? until : count, query->selected)) {
        reply_refuse(reply, customer, 500, "InternalServerError");
        free(hits);
        return false;
    }
    reply_head(reply, customer, 200, "application/json");
    reply_end_head(reply);
    text_say(&reply->body, bare ? "[" : "{\"@odata.context\":\"https://x/$metadata\",");
    if (!bare && query->counted && counted >= 0)
        text_say(&reply->body, "\"@odata.count\":%lld,", (long long)counted);
    text_say(&reply->body, bare ? "" : "\"value\":[");
    for (i = query->skip; whole && i < until && i < count; i++) {
        if (partial && i % 2)
            continue;
        text_say(&reply->body, "%s", first ? "" : customer->loose ? " ,\r\n" : ",");
        first = false;
        harmed |= hits[i].version->harm != HARM_NONE;
        whole = put_record(customer, &hits[i], query, reply);
    }
    free(hits);
    trace("%s: records %zu to %zu of %zu", customer->name, query->skip, until, count);
    if (!whole)
        return false;
    text_say(&reply->body, "]");
    if (!bare && partial)
        text_say(&reply->body, ",\"error\":{\"code\":\"PartialContent\",\"message\":\"some are missing\"}");
    if (!bare && until < count)
        whole = put_link(customer, request, until, reply);
    if (!bare)
        text_say(&reply->body, "}");
    return whole && !partial && !harmed;
}
