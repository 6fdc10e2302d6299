/* Microsoft's own hosts, and what only looks like one. */
#include "microsoft/hosts.h"

#include "check.h"
#include "microsoft/api.h"

/* promise: Secrets: Each host that the program uses without being told is one of Microsoft's own. */
static void test_own_hosts(void **state UNUSED)
{
    int kind, cloud;

    for (cloud = 0; cloud < API_CLOUDS; cloud++) {
        CHECK(hosts_sign_in(login_host(cloud)), "%s", login_host(cloud));
        for (kind = 0; kind < API_KINDS; kind++) {
            const struct api *api = api_at(kind);

            CHECK(hosts_serve(api->host[cloud], api->resource[cloud]), "%s", api->host[cloud]);
        }
    }
}

static void test_sign_in(void **state UNUSED)
{
    static const struct { const char *url; bool is; } rows[] = {
        { "https://login.microsoftonline.com", true },      { "https://LOGIN.microsoftonline.US/", true },
        { "https://login.windows.net:443", true },          { "https://sts.windows.net", true },
        { "http://login.microsoftonline.com", false },      { "https://login.microsoftonline.com:8443", false },
        { "https://login.microsoftonline.com.", false },    { "https://login.microsoftonline.com.evil.example", false },
        { "https://evil-login.microsoftonline.com", false }, { "https://x.login.microsoftonline.com", false },
        { "https://login.microsoftonline.com@evil.example", false },
        { "https://evil.example/login.microsoftonline.com", false },
        { "https://login.microsoftonline.de", false },      { "https://graph.microsoft.com", false },
        { "https://127.0.0.1", false },                     { "", false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(hosts_sign_in(rows[i].url) == rows[i].is, "'%s'", rows[i].url);
}

/* promise: Secrets: A token goes only to hosts of its audience. */
static void test_serve(void **state UNUSED)
{
#define GRAPH    "https://graph.microsoft.com"
#define DEFENDER "https://api.securitycenter.microsoft.com"
#define OLD      "https://graph.windows.net"
    static const struct { const char *url, *audience; bool is; } rows[] = {
        { "https://graph.microsoft.us", GRAPH, true },
        { "https://api-eu.security.microsoft.com", DEFENDER, true },
        { "https://api-us3.securitycenter.microsoft.com", DEFENDER, true },
        { "https://api-gov.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us", true },
        { "https://wdatp-alertexporter-eu.windows.com", OLD, true },
        { "https://wdatp-alertexporter-us.gcc.securitycenter.windows.us", OLD, true },
        { "https://wdatp-alertexporter-eu.securitycenter.windows.com", "https://WDATPAlertExport.Seville.onmicrosoft.com",
          true },
        { "https://api.security.microsoft.com", "fc780465-2017-40d4-a0c5-307022471b92", true },
        { "https://api.security.microsoft.com", GRAPH, false },
        { "https://graph.microsoft.com", DEFENDER, false },
        { "https://login.microsoftonline.com", GRAPH, false },
        { "https://security.microsoft.com", DEFENDER, false },
        { "https://evilsecurity.microsoft.com", DEFENDER, false },
        { "https://x.security.microsoft.com.evil.example", DEFENDER, false },
        { "https://wdatp-alertexporter-.windows.com", OLD, false },
        { "https://wdatp-alertexporter-eu.evil.windows.com", OLD, false },
        { "https://wdatp-alertexporter-evil.example.windows.com.evil", OLD, false },
        { "https://graph.microsoft.com:444", GRAPH, false },
        { "http://graph.microsoft.com", GRAPH, false },
        { "https://evil.example", GRAPH, false },
        { "https://evil.example", "https://evil.example", false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(hosts_serve(rows[i].url, rows[i].audience) == rows[i].is, "'%s' for '%s'", rows[i].url, rows[i].audience);
    CHECK(!hosts_serve(NULL, GRAPH) && hosts_serve(GRAPH, NULL), "NULL");
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_own_hosts),
    cmocka_unit_test(test_sign_in),
    cmocka_unit_test(test_serve),
};

UNIT(hosts, cases, NULL, NULL)
