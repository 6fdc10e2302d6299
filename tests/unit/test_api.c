#include "microsoft/api.h"

#include "base/compiler.h"
#include "check.h"

#define BASE "https://host"

static ticks at(const char *text)
{
    ticks time = 0;

    CHECK(ticks_parse(text, strlen(text), &time), "'%s'", text);
    return time;
}

/* One address of each form; %-escapes of the filter undone for the eye. */
static void readable(struct buf *url)
{
    static const struct { const char *escape; char means; } marks[] = { { "%20", ' ' }, { "%3A", ':' }, { "%28", '(' },
                                                                        { "%29", ')' }, { "%24", '$' },
                                                                        { "%27", '\'' } };
    char *from = url->data, *to = url->data;

    while (*from) {
        size_t i;

        for (i = 0; i < COUNT_OF(marks) && strncmp(from, marks[i].escape, 3); i++)
            ;
        *to++ = i < COUNT_OF(marks) ? marks[i].means : *from == '+' ? ' ' : *from;
        from += i < COUNT_OF(marks) ? 3 : 1;
    }
    *to = '\0';
}

/* promise: Parameters: A filter is joined with "and". */
/* promise: Events: Endpoint alerts come with their evidence. */
static void test_urls(void **state UNUSED)
{
    static const struct { const struct api *api; int variant; bool open; size_t top, skip; const char *filter, *url;
                          size_t holds; } rows[] = {
        { &api_graph, 0, true, 1000, 0, NULL, BASE "/v1.0/security/alerts_v2?$filter=lastUpdateDateTime ge "
          "2026-11-01T08:00:00.1234567Z&$top=1000", 1000 },
        { &api_graph, 0, false, 10, 0, "severity eq 'high'",
          BASE "/v1.0/security/alerts_v2?$filter=lastUpdateDateTime ge "
          "2026-11-01T08:00:00.1234567Z and lastUpdateDateTime lt 2026-11-01T09:00:00.7654321Z and (severity eq 'high')"
          "&$top=10", 10 },
        /* coarser times reach outwards, so that nothing is missed */
        { &api_graph, 1, false, 1000, 0, NULL, BASE "/v1.0/security/alerts_v2?$filter=lastUpdateDateTime ge "
          "2026-11-01T08:00:00Z and lastUpdateDateTime lt 2026-11-01T09:00:01Z&$top=1000", 1000 },
        { &api_graph, 2, true, 1000, 0, NULL, BASE "/v1.0/security/alerts_v2?$filter=lastUpdateDateTime ge "
          "2026-11-01T08:00:00Z&$top=100", 100 },
        { &api_graph, 3, true, 1000, 0, NULL, BASE "/v1.0/security/alerts_v2?$filter=lastUpdateDateTime ge "
          "2026-11-01T08:00:00Z", 0 },
        { &api_incidents, 0, true, 50, 0, "status eq 'active'", BASE "/v1.0/security/incidents?$filter="
          "lastUpdateDateTime ge 2026-11-01T08:00:00.1234567Z and (status eq 'active')&$top=50", 50 },
        { &api_endpoint, 0, true, 1000, 0, "severity eq 'High'", BASE "/api/alerts?$filter=lastUpdateTime ge "
          "2026-11-01T08:00:00.1234567Z and (severity eq 'High')&$expand=evidence&$top=1000", 1000 },
        { &api_incidents, 0, true, 50, 0, NULL, BASE "/v1.0/security/incidents?$filter=lastUpdateDateTime ge "
          "2026-11-01T08:00:00.1234567Z&$top=50", 50 },
        { &api_endpoint, 0, true, 10000, 10000, NULL, BASE "/api/alerts?$filter=lastUpdateTime ge "
          "2026-11-01T08:00:00.1234567Z&$expand=evidence&$top=10000&$skip=10000", 10000 },
        { &api_endpoint, 2, false, 1000, 0, NULL, BASE "/api/alerts?$filter=lastUpdateTime ge "
          "2026-11-01T08:00:00Z and lastUpdateTime lt 2026-11-01T09:00:01Z&$top=1000", 1000 },
        /* the exporter's bounds may be exclusive: one step further out, and never a limit */
        { &api_siem, 0, false, 0, 0, NULL, BASE "/api/alerts?sinceTimeUtc=2026-11-01T08:00:00.122&untilTimeUtc="
          "2026-11-01T09:00:00.767", 0 },
        { &api_siem, 1, true, 0, 0, NULL, BASE "/api/alerts?sinceTimeUtc=2026-11-01T08:00:00.122Z", 0 },
        { &api_siem, 2, true, 0, 0, NULL, BASE "/api/alerts?sinceTimeUtc=2026-11-01T07:59:59Z", 0 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct api_query query = { BASE, at("2026-11-01T08:00:00.1234567Z"), at("2026-11-01T09:00:00.7654321Z"),
                                   rows[i].top, rows[i].skip, rows[i].variant, rows[i].filter, false };
        struct buf url = BUF_INIT(4096);
        size_t holds;

        if (rows[i].open)
            query.hi = TICKS_OPEN;
        holds = rows[i].api->url(&query, &url);
        readable(&url);
        CHECK_TEXT(buf_text(&url), rows[i].url);
        CHECK(holds == rows[i].holds, "row %zu holds %zu", i, holds);
        buf_free(&url);
    }
}

/* What would break out of the parameter. */
/* promise: Parameters: A filter is escaped. */
static void test_filter_is_escaped(void **state UNUSED)
{
    struct api_query query = { BASE, 0, TICKS_OPEN, 0, 0, 0, "title eq 'a&b#c?d=e\"<\xc3\xa4'", false };
    struct buf url = BUF_INIT(4096);
    const char *value;

    api_graph.url(&query, &url);
    value = strstr(buf_text(&url), "filter=");
    CHECK(value && !strpbrk(value + strlen("filter="), "&#?=\"< '\xc3"), "'%s'", buf_text(&url));
    buf_free(&url);
}

/* What an audit asks for. */
static void test_only_ids(void **state UNUSED)
{
    static const struct { const struct api *api; const char *url; } rows[] = {
        { &api_graph, BASE "/v1.0/security/alerts_v2?$filter=lastUpdateDateTime ge 1970-01-01T00:00:00.0000000Z&$top=5"
          "&$select=id,lastUpdateDateTime" },
        { &api_incidents, BASE "/v1.0/security/incidents?$filter=lastUpdateDateTime ge 1970-01-01T00:00:00.0000000Z&$top=5"
          "&$select=id,lastUpdateDateTime" },
        { &api_endpoint, BASE "/api/alerts?$filter=lastUpdateTime ge 1970-01-01T00:00:00.0000000Z&$top=5"
          "&$select=id,lastUpdateTime" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct api_query query = { .base = BASE, .hi = TICKS_OPEN, .top = 5, .only_id = true };
        struct buf url = BUF_INIT(4096);

        rows[i].api->url(&query, &url);
        api_add_select(rows[i].api, &url);
        readable(&url);
        CHECK_TEXT(buf_text(&url), rows[i].url);
        buf_free(&url);
    }
}

static void test_rounding(void **state UNUSED)
{
    static const struct { ticks time, down, up; } rows[] = {
        { 0, 0, 0 }, { 1, 0, 10 }, { 9, 0, 10 }, { 10, 10, 10 }, { -1, -10, 0 }, { -10, -10, -10 }, { -11, -20, -10 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(api_floor(rows[i].time, 10) == rows[i].down && api_ceil(rows[i].time, 10) == rows[i].up, "%lld",
              (long long)rows[i].time);
}

/* As Microsoft lists them: login, then host and audience of each API, in the order commercial, gcc, gcc_high, dod. */
/* promise: Parameters: The cloud picks login host, API host and audience. */
static void test_clouds(void **state UNUSED)
{
    static const char *const logins[API_CLOUDS] = {
        "https://login.microsoftonline.com", "https://login.microsoftonline.com", "https://login.microsoftonline.us",
        "https://login.microsoftonline.us" };
    static const struct { const struct api *api; const char *host[API_CLOUDS], *resource[API_CLOUDS]; } rows[] = {
        { &api_graph,
          { "https://graph.microsoft.com", "https://graph.microsoft.com", "https://graph.microsoft.us",
            "https://dod-graph.microsoft.us" },
          { "https://graph.microsoft.com", "https://graph.microsoft.com", "https://graph.microsoft.us",
            "https://dod-graph.microsoft.us" } },
        { &api_incidents,
          { "https://graph.microsoft.com", "https://graph.microsoft.com", "https://graph.microsoft.us",
            "https://dod-graph.microsoft.us" },
          { "https://graph.microsoft.com", "https://graph.microsoft.com", "https://graph.microsoft.us",
            "https://dod-graph.microsoft.us" } },
        { &api_endpoint,
          { "https://api.security.microsoft.com", "https://api-gcc.securitycenter.microsoft.us",
            "https://api-gov.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us" },
          { "https://api.securitycenter.microsoft.com", "https://api-gcc.securitycenter.microsoft.us",
            "https://api-gov.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us" } },
        { &api_siem,
          { "https://wdatp-alertexporter-us.windows.com",
            "https://wdatp-alertexporter-us.gcc.securitycenter.windows.us",
            "https://wdatp-alertexporter-us.securitycenter.windows.us",
            "https://wdatp-alertexporter-us.securitycenter.windows.us" },
          { "https://graph.windows.net", "https://graph.windows.net", "https://graph.windows.net",
            "https://graph.windows.net" } },
    };

    for (int cloud = 0; cloud < API_CLOUDS; cloud++) {
        CHECK_TEXT(login_host(cloud), logins[cloud]);
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            CHECK_TEXT(rows[i].api->host[cloud], rows[i].host[cloud]);
            CHECK_TEXT(rows[i].api->resource[cloud], rows[i].resource[cloud]);
        }
    }
}

/* The table of back-ends is complete, and says what the input's parameter says. */
static void test_table(void **state UNUSED)
{
    static const char *const names[] = { "graph", "endpoint", "siem", "incidents" };

    for (int kind = 0; kind < (int)COUNT_OF(names); kind++) {
        const struct api *api = api_at(kind);

        CHECK_TEXT(api->name, names[kind]);
        CHECK(api->variants > 0 && api->resolution(0) > 0 && api->resolution(api->variants - 1) >= api->resolution(0), "%s: forms",
              api->name);
        CHECK(api->top ? api->top_first && api->top_first <= api->top : api->capacity > 0, "%s: sizes", api->name);
        for (int cloud = 0; cloud < API_CLOUDS; cloud++)
            CHECK(!strncmp(api->host[cloud], "https://", 8) && !strncmp(api->resource[cloud], "https://", 8) &&
                  !strncmp(login_host(cloud), "https://", 8), "%s: cloud %d", api->name, cloud);
    }
}

/* promise: Trouble: Before Microsoft ends an API, one WARN at the start and each day tells the days left. */
static void test_days_left(void **state UNUSED)
{
    static const struct { const char *now; int64_t days; } rows[] = {
        { "2026-11-30T12:00:00Z", 63 },       { "2027-01-02T00:00:00Z", 30 },  { "2027-01-30T23:59:59Z", 2 },
        { "2027-01-31T00:00:00Z", 1 },        { "2027-01-31T23:59:59.9999999Z", 1 }, { "2027-02-01T00:00:00Z", 0 },
        { "2027-02-02T00:00:00Z", -1 },       { "2027-03-01T12:00:00Z", -28 },
    };
    int64_t days = 0;

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(api_days_left(&api_endpoint, at(rows[i].now), &days) && days == rows[i].days, "%s: %lld", rows[i].now,
              (long long)days);
    CHECK(!api_days_left(&api_graph, at(rows[0].now), &days), "graph ends");
}

/* promise: Parameters: A move from `endpoint` to `graph` writes no version again that both give one ID and time. */
static void test_same_ids(void **state UNUSED)
{
    static const struct { const struct api *api; const char *other; bool same; } rows[] = {
        { &api_graph, "graph", true },          { &api_graph, "endpoint", true },    { &api_endpoint, "graph", true },
        { &api_graph, "siem", false },          { &api_siem, "siem", true },         { &api_siem, "graph", false },
        { &api_graph, "incidents", false },     { &api_incidents, "incidents", true }, { &api_incidents, "siem", false },
        { &api_graph, "something else", false }, { &api_graph, "Endpoint", true },   { &api_incidents, "Graph", false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(api_same_ids(rows[i].api, rows[i].other) == rows[i].same, "%s, %s", rows[i].api->name, rows[i].other);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_urls),
    cmocka_unit_test(test_filter_is_escaped),
    cmocka_unit_test(test_rounding),
    cmocka_unit_test(test_only_ids),
    cmocka_unit_test(test_clouds),
    cmocka_unit_test(test_table),
    cmocka_unit_test(test_days_left),
    cmocka_unit_test(test_same_ids),
};

UNIT(api, cases, NULL, NULL)
