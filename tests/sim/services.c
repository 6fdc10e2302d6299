/* Microsoft: the sign-in service and the four alert APIs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define UNSTUCK_WITHIN (45 * SECOND)
#define COARSE_PAGE    20 /* so that windows end between records of the same second */
#define LOGIN          "login.microsoftonline.com"

static const struct {
    const char *host, *path, *audience;
    int most, per_minute, per_hour;
} apis[API_COUNT] = {
    [API_GRAPH] = { "graph.microsoft.com", "/v1.0/security/alerts_v2?", "https://graph.microsoft.com", 1000, 150, 0 },
    [API_ENDPOINT] = { "api.security.microsoft.com", "/api/alerts?", "https://api.securitycenter.microsoft.com", 10000,
                       100, 1500 },
    [API_SIEM] = { "wdatp-alertexporter-us.windows.com", "/api/alerts?", "https://graph.windows.net", 0, 100, 1500 },
    [API_INCIDENTS] = { "graph.microsoft.com", "/v1.0/security/incidents?", "https://graph.microsoft.com", 50, 150, 0 },
};

static const char *guid(struct rng *rng, char ret[40])
{
    uint64_t a = rng_next(rng), b = rng_next(rng);

    snprintf(ret, 40, "%08x-%04x-4%03x-9%03x-%012llx", (unsigned)(a >> 32), (unsigned)(a & 0xFFFF),
             (unsigned)(b >> 52), (unsigned)(a >> 16 & 0xFFF), (unsigned long long)(b & 0xFFFFFFFFFFFF));
    return ret;
}

static void head(struct reply *reply, struct customer *customer, int status, const char *type)
{
    int64_t wrong = 0;
    char date[DATE_MOST], id[40];

    if (customer && !wall_shift && fault_strikes(FAULT_wrong_date, customer)) /* not both clocks at a time */
        wrong = rng_between(&customer->luck, -40 * DAY, 40 * DAY);
    reply->status = status;
    text_say(&reply->headers, "HTTP/2 %d \r\nContent-Type: %s\r\nDate: %s\r\n", status, type,
             date_http(wall_of(now()) + wrong, date));
    text_say(&reply->headers, "request-id: %s\r\n", guid(luck(), id));
}

static void finish_head(struct reply *reply)
{
    text_say(&reply->headers, "\r\n");
}

static void refuse(struct reply *reply, struct customer *customer, int status, const char *code)
{
    head(reply, customer, status, "application/json");
    finish_head(reply);
    text_say(&reply->body, "{\"error\":{\"code\":\"%s\",\"message\":\"The service says no.\"}}", code);
}

static bool has(const struct reply *reply)
{
    return reply->status || reply->end == REPLY_SILENT || reply->end == REPLY_RESET || reply->end == REPLY_REFUSED;
}

/* Signing in. */

static struct customer *customer_of_client(const char *client)
{
    for (int i = 0; client && i < plan.customers; i++)
        if (!strcmp(customers[i].client, client))
            return &customers[i];
    return NULL;
}

static void token_fault(struct reply *reply, struct customer *customer)
{
    if (login_down_until > now()) {
        refuse(reply, NULL, 503, "temporarily_unavailable");
    } else if (fault_strikes(FAULT_token_500, customer)) {
        refuse(reply, NULL, 500, "server_error");
    } else if (fault_strikes(FAULT_token_429, customer)) {
        head(reply, NULL, 429, "text/plain");
        text_say(&reply->headers, "Retry-After: 60\r\n\r\n");
        text_say(&reply->body, "Too Many Requests");
    } else if (fault_strikes(FAULT_token_cut, customer)) {
        reply->end = REPLY_CUT;
        reply->cut_at = (size_t)rng_between(&customer->luck, 0, 60);
    }
}

static void check_credentials(const struct request *request, const struct customer *customer)
{
    char *secret = form_get(request->form, "client_secret"), *tenant = NULL, expected[80];

    snprintf(expected, sizeof(expected), "secret~%d+/=", customer->number);
    if (!secret || strcmp(secret, expected) != 0)
        broken("credentials", "%s: client_secret is not the one that was entered", customer->name);
    if (!strstr(request->path, customer->tenant))
        broken("credentials", "%s signs in to another tenant: %s", customer->name, request->path);
    free(secret);
    free(tenant);
}

static void check_refresh(const struct request *request, const struct customer *customer)
{
    char *refresh = form_get(request->form, "refresh_token");
    int number = -1;
    unsigned long long which = 0;

    if (!refresh || sscanf(refresh, "r3fresh.%d.%llu", &number, &which) != 2 || number != customer->number ||
        which > customer->refresh)
        broken("credentials", "%s: refresh_token '%s' is not its own", customer->name, refresh ? refresh : "");
    free(refresh);
}

static void sign_in(const struct request *request, struct reply *reply)
{
    char *client = form_get(request->form, "client_id"), *scope = form_get(request->form, "scope"),
         *resource = form_get(request->form, "resource");
    struct customer *customer = customer_of_client(client);
    int64_t life;

    if (!customer)
        broken("credentials", "nobody has the client_id '%s'", client ? client : "");
    check_credentials(request, customer);
    if (customer->user)
        check_refresh(request, customer);
    counts->tokens++;
    token_fault(reply, customer);
    if (!has(reply)) {
        life = fault_strikes(FAULT_token_short, customer) ? rng_between(&customer->luck, 20, 400)
                                                          : rng_between(&customer->luck, 3599, 5400);
        head(reply, customer, 200, "application/json; charset=utf-8");
        finish_head(reply);
        text_say(&reply->body,
                 "{\"token_type\":\"Bearer\",\"expires_in\":%lld,\"access_token\":\"acc3ss.%d.%llu.%lld.%.*s\"",
                 (long long)life, customer->number, (unsigned long long)++customer->token,
                 (long long)(now() + life * SECOND), (int)strcspn(scope ? scope + 8 : resource + 8, "/"),
                 scope ? scope + 8 : resource + 8);
        if (customer->user)
            text_say(&reply->body, ",\"refresh_token\":\"r3fresh.%d.%llu\"", customer->number,
                     (unsigned long long)++customer->refresh);
        text_say(&reply->body, "}");
    }
    free(client);
    free(scope);
    free(resource);
}

/* A page of records. */

struct query {
    int64_t lo, hi; /* ticks; hi is outside */
    size_t top, skip;
    bool evidence;
};

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

static bool read_query(const struct customer *customer, const char *path, struct query *query)
{
    char *filter = form_get(path, "$filter"), *expand = form_get(path, "$expand"),
         *since = form_get(path, "sinceTimeUtc"), *until = form_get(path, "untilTimeUtc");
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
    free(filter);
    free(expand);
    free(since);
    free(until);
    return ok && query->top <= (size_t)apis[customer->api].most;
}

struct hit {
    struct alert *alert;
    struct version *version;
    uint64_t key; /* for sorting */
};

static int compare(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;

    return x->key != y->key ? (x->key < y->key ? -1 : 1) : x->alert->number - y->alert->number;
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

/* A coarse filter cuts its bounds to whole seconds: a record may come with the window after its own, and nowhere else.
 * A service does not become coarse while a record is poisoned. */
static bool is_hit(const struct customer *customer, const struct version *v, const struct query *query)
{
    bool coarse = customer->coarse_until == NEVER || (customer->coarse_until > now() && customer->harmed_until < now());
    int64_t step = coarse ? 10000000 : 1;

    if (!v)
        return false;
    if (query->hi == INT64_MAX)
        return v->ticks / step >= query->lo / step;
    return v->ticks / step >= query->lo / step && v->ticks / step < query->hi / step;
}

static size_t find_hits(struct customer *customer, const struct query *query, struct hit *hits)
{
    size_t count = 0;

    for (int i = 0; i < customer->count; i++) {
        struct version *v = version_listed(&customer->alerts[i]);

        if (is_hit(customer, v, query))
            hits[count++] = (struct hit){ &customer->alerts[i], v, sort_key(customer, &customer->alerts[i], v) };
    }
    qsort(hits, count, sizeof(*hits), compare);
    return count;
}

static size_t page_size(struct customer *customer, const struct query *query)
{
    size_t size = query->top ? query->top : customer->api == API_SIEM ? SIZE_MAX : 50;

    if (customer->coarse_until == NEVER && size > COARSE_PAGE && customer->api != API_SIEM &&
        customer->api != API_ENDPOINT)
        size = COARSE_PAGE;
    if (customer->short_until > now() && (customer->api == API_GRAPH || customer->api == API_INCIDENTS)) {
        size_t less = (size_t)rng_between(&customer->luck, 1, 20);

        return size < less ? size : less;
    }
    return size;
}

/* Writes one record, or what its harm makes of it. Returns false if the page ends here. */
static bool put_record(struct customer *customer, const struct hit *hit, const struct query *query, struct reply *reply)
{
    switch (hit->version->harm) {
    case HARM_CUT:
        record_write(&reply->body, customer, hit->alert, hit->version, customer->loose, query->evidence);
        reply->end = REPLY_CUT;
        reply->cut_at = reply->body.len - 20;
        return false;
    case HARM_ERROR: text_say(&reply->body, "],\"error\":{\"code\":\"InternalServerError\"}}"); return false;
    case HARM_JSON:
        hit->version->excused = true;
        text_say(&reply->body, "{\"id\":\"a%d-%d\",\"broken\":\"\\x\"}", customer->number, hit->alert->number);
        return true;
    default:
        counts->records++;
        record_write(&reply->body, customer, hit->alert, hit->version, customer->loose, query->evidence);
        return true;
    }
}

static void put_link(struct customer *customer, const struct request *request, const struct query *query, size_t next,
                     struct reply *reply)
{
    const char *end = strstr(request->path, "&$skiptoken=");

    (void)query;
    if (customer->api == API_ENDPOINT || customer->no_link_until > now())
        return;
    text_say(&reply->body, ",\"@odata.nextLink\":\"https://%s%.*s&$skiptoken=%zu\"", request->host,
             (int)(end ? end - request->path : (int)strlen(request->path)), request->path, next);
}

static bool any_500(const struct hit *hits, size_t from, size_t until)
{
    for (size_t i = from; i < until; i++)
        if (hits[i].version->harm == HARM_500)
            return true;
    return false;
}

static void put_page(struct customer *customer, const struct request *request, const struct query *query,
                     struct reply *reply, bool partial)
{
    struct hit *hits = calloc((size_t)customer->count + 1, sizeof(*hits));
    size_t count = find_hits(customer, query, hits), size = page_size(customer, query), i,
           until = count - query->skip < size ? count : query->skip + size;
    bool first = true, whole = true, bare = customer->api == API_SIEM;

    if (query->skip >= count)
        until = query->skip;
    if (any_500(hits, query->skip, until < count ? until : count)) {
        refuse(reply, customer, 500, "InternalServerError");
        free(hits);
        return;
    }
    head(reply, customer, 200, "application/json");
    finish_head(reply);
    text_say(&reply->body, bare ? "[" : "{\"@odata.context\":\"https://x/$metadata\",\"value\":[");
    for (i = query->skip; whole && i < until && i < count; i++) {
        if (partial && i % 2)
            continue;
        text_say(&reply->body, "%s", first ? "" : customer->loose ? " ,\r\n" : ",");
        first = false;
        whole = put_record(customer, &hits[i], query, reply);
    }
    free(hits);
    if (!whole)
        return;
    text_say(&reply->body, "]");
    if (!bare && partial)
        text_say(&reply->body, ",\"error\":{\"code\":\"PartialContent\",\"message\":\"some are missing\"}");
    if (!bare && until < count)
        put_link(customer, request, query, until, reply);
    if (!bare)
        text_say(&reply->body, "}");
}

/* The faults of a page request. */

static void throttle(struct customer *customer, struct reply *reply, bool good)
{
    static const char *const bad[] = { "Retry-After: soon\r\n", "Retry-After: -5\r\n", "Retry-After: 0\r\n", "" };

    head(reply, customer, good ? 429 : (int)(rng_chance(&customer->luck, 0.5) ? 429 : 503), "application/json");
    if (good) {
        int64_t wait = rng_between(&customer->luck, 1, 120);

        text_say(&reply->headers, "Retry-After: %lld\r\n", (long long)wait);
        trouble(customer, now() + 15 * MINUTE);
        check_hint(customer, now() + reply->delay + SECOND, wait * SECOND);
    } else {
        text_say(&reply->headers, "%s", bad[rng_between(&customer->luck, 0, 3)]);
    }
    finish_head(reply);
    text_say(&reply->body, "{\"error\":{\"code\":\"TooManyRequests\",\"message\":\"slow down\"}}");
}

static void lasting_faults(struct customer *customer, const struct request *request, struct reply *reply)
{
    static const int down[] = { 500, 502, 503, 504 };

    if (customer->unreachable_until > now()) {
        reply->end = REPLY_REFUSED;
    } else if (customer->down_until > now()) {
        refuse(reply, NULL, down[rng_between(&customer->luck, 0, 3)], "Down");
    } else if (customer->refused_until > now()) {
        bool full = strstr(request->path, ".") || strstr(request->path, "expand");

        customer->refusals++;
        if (customer->refused_with != 4000)
            refuse(reply, customer, customer->refused_with, "Refused");
        else if (full)
            refuse(reply, customer, 400, "BadRequest");
    }
}

static void passing_statuses(struct customer *customer, struct reply *reply)
{
    static const struct {
        enum fault fault;
        int status;
    } rows[] = { { FAULT_http_500, 500 }, { FAULT_http_503, 503 }, { FAULT_http_400, 400 },
                 { FAULT_http_401, 401 }, { FAULT_http_403, 403 }, { FAULT_http_404, 404 } };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) && !has(reply); i++)
        if (fault_strikes(rows[i].fault, customer))
            refuse(reply, customer, rows[i].status, "Passing");
    if (!has(reply) && fault_strikes(FAULT_http_429, customer))
        throttle(customer, reply, true);
    if (!has(reply) && fault_strikes(FAULT_http_429_bad_hint, customer))
        throttle(customer, reply, false);
}

static void passing_faults(struct customer *customer, struct reply *reply)
{
    if (fault_strikes(FAULT_html, customer)) {
        head(reply, customer, 200, "text/html");
        finish_head(reply);
        text_say(&reply->body, "<html><body>Sign in to the proxy</body></html>");
    } else if (fault_strikes(FAULT_empty, customer)) {
        head(reply, customer, 200, "application/json");
        finish_head(reply);
    } else if (fault_strikes(FAULT_no_content, customer)) {
        head(reply, customer, 204, "application/json");
        finish_head(reply);
    } else if (fault_strikes(FAULT_reset, customer)) {
        reply->end = REPLY_RESET;
    } else if (fault_strikes(FAULT_silence, customer)) {
        reply->end = REPLY_SILENT;
    }
}

/* The faults of a page that was made. */
static void damage(struct customer *customer, struct reply *reply)
{
    if (reply->status != 200 || reply->end != REPLY_WHOLE)
        return;
    if (fault_strikes(FAULT_cut, customer)) {
        reply->end = REPLY_CUT;
        reply->cut_at = (size_t)rng_between(&customer->luck, 0, (int64_t)reply->body.len - 1);
    } else if (fault_strikes(FAULT_garbled, customer)) { /* ends early, and calls that the end */
        reply->body.len = (size_t)rng_between(&customer->luck, 1, (int64_t)reply->body.len - 1);
        reply->body.data[reply->body.len] = '\0';
    } else if (fault_strikes(FAULT_padded, customer)) {
        text_say(&reply->body, rng_chance(&customer->luck, 0.5) ? "\r\n  \n" : "\n{\"more\":1}");
    }
    if (fault_strikes(FAULT_slow, customer))
        reply->delay += rng_between(&customer->luck, SECOND, 20 * SECOND);
}

static struct customer *customer_of_token(const struct request *request, int64_t *number, int64_t *valid_until)
{
    unsigned long long which = 0;
    long long until = 0;
    char audience[200];
    int who = -1;

    if (!request->authorization ||
        sscanf(request->authorization, "Bearer acc3ss.%d.%llu.%lld.%199s", &who, &which, &until, audience) != 4 ||
        who < 0 || who >= plan.customers)
        broken("token", "a page was requested with '%s'", request->authorization ? request->authorization : "");
    if (strcmp(audience, apis[customers[who].api].audience + 8) != 0)
        broken("token_audience", "%s: a token for %s was sent to %s", customers[who].name, audience, request->host);
    *number = (int64_t)which;
    *valid_until = until;
    return &customers[who];
}

static bool is_path_of(enum api api, const struct request *request)
{
    return !strcmp(request->host, apis[api].host) && !strncmp(request->path, apis[api].path, strlen(apis[api].path));
}

void service_silent(const struct request *request)
{
    int64_t ignored;
    struct customer *customer;

    if (!request->authorization || strncmp(request->authorization, "Bearer ", 7) != 0)
        return;
    customer = customer_of_token(request, &ignored, &ignored);
    if (customer->stuck == NEVER)
        customer->stuck = now();
}

/* A request that got no answer over a silent connection is sent again over another one. */
static void check_stuck(struct customer *customer)
{
    if (customer->stuck != NEVER && now() - customer->stuck > UNSTUCK_WITHIN &&
        customer->trouble <= customer->stuck + 90 * SECOND)
        broken("unstuck", "%s: %lld s after a request over a silent connection comes the next one", customer->name,
               (long long)(now() - customer->stuck) / 1000);
    customer->stuck = NEVER;
}

static void answer_page(const struct request *request, struct reply *reply)
{
    int64_t number, valid_until;
    struct customer *customer = customer_of_token(request, &number, &valid_until);
    struct query query;

    if (!is_path_of(customer->api, request))
        broken("token_host", "%s: its token was sent to %s%.40s", customer->name, request->host, request->path);
    if (customer->user && splunkd_refresh(customer) < (uint64_t)number && splunkd_refresh(customer) < customer->refresh)
        broken("stored_first", "%s: a token is used before the refresh token that came with it is stored",
               customer->name);
    counts->requests++;
    check_stuck(customer);
    check_request(customer, apis[customer->api].per_minute, apis[customer->api].per_hour, request->again);
    lasting_faults(customer, request, reply);
    if (!has(reply))
        customer->down_since = NEVER;
    else if (customer->down_since == NEVER)
        customer->down_since = now();
    if (!has(reply) && (valid_until <= now() || number < (int64_t)customer->least_token))
        refuse(reply, customer, 401, "InvalidAuthenticationToken");
    if (!has(reply))
        passing_statuses(customer, reply);
    if (!has(reply))
        passing_faults(customer, reply);
    if (has(reply))
        return;
    if (!read_query(customer, request->path, &query)) {
        refuse(reply, customer, 400, "BadRequest");
        broken("query", "%s: the service cannot read %s", customer->name, request->path);
    }
    put_page(customer, request, &query, reply, customer->api != API_SIEM && fault_strikes(FAULT_partial, customer));
    damage(customer, reply);
    if (reply->status == 200 && reply->end == REPLY_WHOLE)
        customer->refusals = 0;
}

void service_answer(const struct request *request, struct reply *reply)
{
    reply->delay = rng_between(luck(), 5, 60);
    if (!strcmp(request->host, LOGIN))
        sign_in(request, reply);
    else if (request->form)
        broken("secrets", "a form was sent to %s", request->host);
    else
        answer_page(request, reply);
    trace("%s %s%.160s -> %d %s%zu bytes", request->method, request->host, request->path, reply->status,
          reply->end == REPLY_WHOLE ? "" : "broken ", reply->body.len);
}
