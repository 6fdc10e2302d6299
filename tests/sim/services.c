/* Microsoft: its services and their faults. */
#include "services.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNSTUCK_WITHIN (45 * SECOND)

const struct service services[API_COUNT] = {
    [API_GRAPH] = { "graph.microsoft.com", "/v1.0/security/alerts_v2?", "https://graph.microsoft.com", 1000, 150, 0 },
    [API_ENDPOINT] = { "api.security.microsoft.com", "/api/alerts?", "https://api.securitycenter.microsoft.com", 10000,
                       100, 1500 },
    [API_SIEM] = { "wdatp-alertexporter-us.windows.com", "/api/alerts?", "https://graph.windows.net", 0, 100, 1500 },
    [API_INCIDENTS] = { "graph.microsoft.com", "/v1.0/security/incidents?", "https://graph.microsoft.com", 50, 150, 0 },
};

static const char *guid(struct rng *rng, char ret[40])
{
    uint64_t a = rng_next(rng), b = rng_next(rng);

    snprintf(ret, 40, "%08x-%04x-4%03x-9%03x-%012llx", (unsigned)(a >> 32), (unsigned)(a & 0xFFFF), (unsigned)(b >> 52),
             (unsigned)(a >> 16 & 0xFFF), (unsigned long long)(b & 0xFFFFFFFFFFFF));
    return ret;
}

void reply_head(struct reply *reply, struct customer *customer, int status, const char *type)
{
    int64_t wrong = 0;
    char date[DATE_MOST], id[40];

    if (customer && fault_strikes(FAULT_wrong_date, customer))
        wrong = rng_between(&customer->luck, -40 * DAY, 40 * DAY) / (rng_chance(&customer->luck, 0.5) ? 40 : 1);
    if (clock_agrees(wrong))
        wrong = 0;
    if (wrong)
        trace("%s: a Date is %lld s off", customer->name, (long long)wrong / 1000);
    reply->status = status;
    text_say(&reply->headers, "HTTP/2 %d \r\nContent-Type: %s\r\nDate: %s\r\n", status, type,
             date_http(wall_of(now()) + wrong, date));
    text_say(&reply->headers, "request-id: %s\r\n", guid(luck(), id));
}

void reply_end_head(struct reply *reply)
{
    text_say(&reply->headers, "\r\n");
}

void reply_refuse(struct reply *reply, struct customer *customer, int status, const char *code)
{
    reply_head(reply, customer, status, "application/json");
    reply_end_head(reply);
    text_say(&reply->body, "{\"error\":{\"code\":\"%s\",\"message\":\"The service says no.\"}}", code);
}

bool reply_is_there(const struct reply *reply)
{
    return reply->status || reply->end == REPLY_SILENT || reply->end == REPLY_RESET || reply->end == REPLY_REFUSED;
}

/* The faults of a page request. */

static void throttle(struct customer *customer, struct reply *reply, bool good)
{
    static const int busy[] = { 429, 429, 503, 509 };
    static const char *const bad[] = { "Retry-After: soon\r\n", "Retry-After: -5\r\n", "Retry-After: 0\r\n", "" };

    reply_head(reply, customer, busy[rng_between(&customer->luck, 0, 3)], "application/json");
    if (good) {
        int64_t wait = rng_between(&customer->luck, 1, 120);

        text_say(&reply->headers, "Retry-After: %lld\r\n", (long long)wait);
        trouble(customer, now() + 15 * MINUTE);
        check_hint(customer, now() + reply->delay + SECOND, wait * SECOND);
    } else {
        text_say(&reply->headers, "%s", bad[rng_between(&customer->luck, 0, 3)]);
    }
    reply_end_head(reply);
    text_say(&reply->body, "{\"error\":{\"code\":\"TooManyRequests\",\"message\":\"slow down\"}}");
}

static void refuse_by_policy(struct reply *reply, struct customer *customer)
{
    reply_head(reply, customer, customer->refused_with, "application/json");
    text_say(&reply->headers, "WWW-Authenticate: Bearer error=\"insufficient_claims\", claims=\"e30=\"\r\n");
    reply_end_head(reply);
    text_say(&reply->body, "{\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"policy\"}}");
}

static void lasting_faults(struct customer *customer, const struct request *request, struct reply *reply)
{
    static const int down[] = { 500, 502, 503, 504 };

    if (customer->unreachable_until > now()) {
        reply->end = REPLY_REFUSED;
    } else if (customer->down_until > now()) {
        reply_refuse(reply, NULL, down[rng_between(&customer->luck, 0, 3)], "Down");
    } else if (customer->refused_until > now()) {
        bool full = strstr(request->path, ".") || strstr(request->path, "expand");

        customer->refusals++;
        customer->refused_last = now();
        if ((customer->refused_with == 401 || customer->refused_with == 403) && customer->number % 2)
            refuse_by_policy(reply, customer);
        else if (customer->refused_with != 4000)
            reply_refuse(reply, customer, customer->refused_with, "Refused");
        else if (full)
            reply_refuse(reply, customer, 400, "BadRequest");
    }
}

static void passing_statuses(struct customer *customer, struct reply *reply)
{
    static const struct {
        enum fault fault;
        int status;
    } rows[] = { { FAULT_http_500, 500 }, { FAULT_http_503, 503 }, { FAULT_http_400, 400 },
                 { FAULT_http_401, 401 }, { FAULT_http_403, 403 }, { FAULT_http_404, 404 } };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) && !reply_is_there(reply); i++)
        if (fault_strikes(rows[i].fault, customer))
            reply_refuse(reply, customer,
                         rows[i].status == 500 && rng_chance(&customer->luck, 0.2) ? 408 : rows[i].status, "Passing");
    if (!reply_is_there(reply) && fault_strikes(FAULT_http_429, customer))
        throttle(customer, reply, true);
    if (!reply_is_there(reply) && fault_strikes(FAULT_http_429_bad_hint, customer))
        throttle(customer, reply, false);
}

static void passing_faults(struct customer *customer, struct reply *reply)
{
    if (fault_strikes(FAULT_html, customer)) {
        reply_head(reply, customer, 200, "text/html");
        reply_end_head(reply);
        text_say(&reply->body, "<html><body>Sign in to the proxy</body></html>");
    } else if (fault_strikes(FAULT_empty, customer)) {
        reply_head(reply, customer, 200, "application/json");
        reply_end_head(reply);
    } else if (fault_strikes(FAULT_no_content, customer)) {
        reply_head(reply, customer, 204, "application/json");
        reply_end_head(reply);
    } else if (fault_strikes(FAULT_reset, customer)) {
        reply->end = REPLY_RESET;
    } else if (fault_strikes(FAULT_silence, customer)) {
        reply->end = REPLY_SILENT;
    }
}

/* The faults of a page that was made. Returns true if it is not whole any more. */
static bool damage(struct customer *customer, struct reply *reply)
{
    size_t len = reply->body.len;

    if (reply->status != 200 || reply->end != REPLY_WHOLE)
        return true;
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
    return reply->end != REPLY_WHOLE || reply->body.len != len;
}

/* Microsoft Graph tells, besides alerts, when the secrets of an app end. */
static bool is_about_app(const struct request *request)
{
    return !strcmp(request->host, services[API_GRAPH].host) &&
           (!strncmp(request->path, "/v1.0/servicePrincipals(", 24) || !strncmp(request->path, "/v1.0/applications(", 19));
}

static struct customer *customer_of_token(const struct request *request, int64_t *number, int64_t *valid_until)
{
    const char *wanted;
    unsigned long long which = 0;
    long long until = 0;
    char audience[200];
    int who = -1;

    if (!request->authorization ||
        sscanf(request->authorization, "Bearer acc3ss.%d.%llu.%lld.%199s", &who, &which, &until, audience) != 4 ||
        who < 0 || who >= plan.customers)
        broken("token", "a page was requested with '%s'", request->authorization ? request->authorization : "");
    wanted = services[is_about_app(request) ? API_GRAPH : customers[who].api].audience + 8;
    if (strcmp(audience, wanted) != 0)
        broken("token_audience", "%s: a token for %s was sent to %s", customers[who].name, audience, request->host);
    *number = (int64_t)which;
    *valid_until = until;
    return &customers[who];
}

static bool is_path_of(enum api api, const struct request *request)
{
    return !strcmp(request->host, services[api].host) &&
           !strncmp(request->path, services[api].path, strlen(services[api].path));
}

void service_silent(const struct request *request)
{
    int64_t ignored;
    struct customer *customer;

    if (!request->authorization || strncmp(request->authorization, "Bearer ", 7) != 0 || is_about_app(request))
        return; /* what is asked of an app is not urgent */
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

static void check_stored(const struct customer *customer, int64_t number)
{
    if (customer->user && splunkd_refresh(customer) < (uint64_t)number && splunkd_refresh(customer) < customer->refresh)
        broken("stored_first", "%s: a token is used before the refresh token that came with it is stored",
               customer->name);
}

/* The apps belong to their customers. Half of them may read that, and a quarter their own registration. */
static void answer_about_app(const struct request *request, struct reply *reply)
{
    int64_t number, valid_until;
    struct customer *customer = customer_of_token(request, &number, &valid_until);
    char date[DATE_MOST];

    check_stored(customer, number);
    if (!strstr(request->path, customer->client))
        broken("token_host", "%s: its token asks for another app: %.100s", customer->name, request->path);
    lasting_faults(customer, request, reply);
    if (!reply_is_there(reply) && (valid_until <= now() || number < (int64_t)customer->least_token))
        reply_refuse(reply, customer, 401, "InvalidAuthenticationToken");
    if (!reply_is_there(reply) && customer->number % (request->path[6] == 's' ? 2 : 4))
        reply_refuse(reply, customer, 403, "Authorization_RequestDenied");
    if (reply_is_there(reply))
        return;
    reply_head(reply, customer, 200, "application/json");
    reply_end_head(reply);
    if (request->path[6] == 's')
        text_say(&reply->body, "{\"appOwnerOrganizationId\":\"%s\"}", customer->tenant);
    else
        text_say(&reply->body, "{\"passwordCredentials\":[{\"hint\":\"sec\",\"endDateTime\":\"%s\"}],\"keyCredentials\":[]}",
                 date_text(wall_of(now() + 20 * DAY) * 10000, 0, date));
}

static void answer_page(const struct request *request, struct reply *reply)
{
    int64_t number, valid_until;
    struct customer *customer = customer_of_token(request, &number, &valid_until);
    struct query query;
    bool whole;

    if (!is_path_of(customer->api, request))
        broken("token_host", "%s: its token was sent to %s%.40s", customer->name, request->host, request->path);
    check_stored(customer, number);
    counts->requests++;
    check_stuck(customer);
    check_request(customer, services[customer->api].per_minute, services[customer->api].per_hour);
    lasting_faults(customer, request, reply);
    if (!reply_is_there(reply))
        customer->down_since = NEVER;
    else if (customer->down_since == NEVER)
        customer->down_since = now();
    if (!reply_is_there(reply) && (valid_until <= now() || number < (int64_t)customer->least_token))
        reply_refuse(reply, customer, 401, "InvalidAuthenticationToken");
    if (!reply_is_there(reply))
        passing_statuses(customer, reply);
    if (!reply_is_there(reply))
        passing_faults(customer, reply);
    if (reply_is_there(reply))
        return;
    if (!query_read(customer, request->path, &query)) {
        reply_refuse(reply, customer, 400, "BadRequest");
        broken("query", "%s: the service cannot read %s", customer->name, request->path);
    }
    if (query.refused) {
        reply_refuse(reply, customer, 400, "$select is not allowed");
        return;
    }
    if (query.ordered && customer->sorting == SORTING_REFUSED) {
        reply_refuse(reply, customer, 400, "$orderby is not allowed");
        return;
    }
    whole = page_write(customer, request, &query, reply,
                       customer->api != API_SIEM && fault_strikes(FAULT_partial, customer));
    if (!damage(customer, reply) && whole)
        check_circle(customer, request->path, reply->body.len);
    /* Another worker's success does not count for the one that was refused, nor does that of an audit, which asks for days
     * that are over: the polls go on with their pauses, which the refusals before have made long. */
    if (reply->status == 200 && reply->end == REPLY_WHOLE && query.hi == INT64_MAX &&
        now() - customer->refused_last > 3 * MINUTE)
        customer->refusals = 0;
}

void service_answer(const struct request *request, struct reply *reply)
{
    reply->delay = rng_between(luck(), 5, 60);
    if (!strcmp(request->host, LOGIN_HOST))
        sign_in(request, reply);
    else if (request->form)
        broken("secrets", "a form was sent to %s", request->host);
    else if (is_about_app(request))
        answer_about_app(request, reply);
    else
        answer_page(request, reply);
    trace("%s %s%.160s -> %d %s%zu bytes", request->method, request->host, request->path, reply->status,
          reply->end == REPLY_WHOLE ? "" : "broken ", reply->body.len);
}
