/* The table of parameters: what each kind takes, what it refuses and what it then says. */
#include "splunk/params.h"
#include "splunk/stanza.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "check.h"
#include "splunk/proxy.h"
#include "splunk/validate.h"

#define TENANT "0F1E2D3C-4b5a-6978-8796-a5b4c3d2e1f0"
#define CLIENT "11111111-2222-3333-4444-555555555555"
#define NOBODY 65534

/* Name and value pairs behind the two required ones; a later one wins, as with splunkd. */
static bool make(const char *name, const char *const *pairs, bool check_files, struct input *ret, struct err *err)
{
    struct raw_param list[24] = {
        { mem_text("tenant_id"), mem_text(TENANT) }, { mem_text("client_id"), mem_text(CLIENT) }
    };
    struct raw_stanza stanza = { .name = mem_text(name), .app = mem_text("search"), .params = list, .count = 2 };
    size_t i;
    bool ok;

    for (; *pairs; pairs += 2)
        list[stanza.count++] = (struct raw_param){ mem_text(pairs[0]), mem_text(pairs[1]) };
    ok = input_from_stanza(&stanza, check_files, ret, err);
    for (i = 0; i < stanza.count; i++) {
        free(list[i].name);
        free(list[i].value);
    }
    free(stanza.name);
    free(stanza.app);
    return ok;
}

static bool make_one(const char *param, const char *value, struct input *ret, struct err *err)
{
    return make("defender_alerts://x", (const char *const[]){ param, value, NULL }, false, ret, err);
}

static const struct param *find(const char *name)
{
    size_t i;

    for (i = 0; i < params_count; i++)
        if (strcmp(params[i].name, name) == 0)
            return &params[i];
    return NULL;
}

/* The parameter as text, "-" for none. */
static const char *got(const struct input *input, const char *name, char ret[128])
{
    const struct param *param = find(name);
    const void *slot = (const char *)input + param->offset;
    const struct start_time *start = slot;

    switch (param->type) {
    case PARAM_CHOICE:
        return param->choices[*(const int *)slot].value;
    case PARAM_SECONDS:
        snprintf(ret, 128, "%lld", (long long)*(const int64_t *)slot);
        return ret;
    case PARAM_START:
        if (start->relative)
            snprintf(ret, 128, "-%llds", (long long)start->back_s);
        else
            ticks_text_digits(start->time, 7, ret);
        return ret;
    default:
        return *(char *const *)slot ? *(char *const *)slot : "-";
    }
}

static const struct { const char *param, *value, *want; } good[] = {
    { "tenant_id", TENANT, "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0" },
    { "tenant_id", " Contoso.onMicrosoft.COM\t", "contoso.onmicrosoft.com" },
    { "tenant_id", "a-b.c1.xn--p1ai", "a-b.c1.xn--p1ai" },
    { "client_id", "\n" CLIENT " ", CLIENT },
    { "client_id", "AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee" },
    { "client_secret", "", "-" },
    { "client_secret", "********", "-" },
    { "client_secret", "*", "-" },
    { "client_secret", "  *** ", "-" },
    { "client_secret", " a~+/=.%&<é 日 *", "a~+/=.%&<é 日 *" },
    { "refresh_token", "0.AX", "0.AX" },
    { "refresh_token", "******", "-" },
    { "authorization_code", "https://siemmsspconnector/?code=0.A&session_state=b",
      "https://siemmsspconnector/?code=0.A&session_state=b" },
    { "client_certificate", "/etc/ssl/x y.pem", "/etc/ssl/x y.pem" },
    { "client_certificate", "", "-" },
    { "client_assertion", "managed_identity", "managed_identity" },
    { "client_assertion", "Managed_Identity:" CLIENT, "managed_identity:" CLIENT },
    { "client_assertion", "managed_identity:AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE",
      "managed_identity:aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee" },
    { "client_assertion", "file:/var/run/secrets/tokens/x y", "file:/var/run/secrets/tokens/x y" },
    { "client_assertion", "file:$SPLUNK_HOME/t", "file:/opt/sp/t" },
    { "client_assertion", "", "-" },
    { "ca_file", "$SPLUNK_HOME/etc/auth/ca.pem", "/opt/sp/etc/auth/ca.pem" },
    { "redirect_uri", "", "https://SiemMsspConnector" },
    { "share_url", "", "-" },
    { "share_url", "https://ds.example.com:8089", "https://ds.example.com:8089" },
    { "share_url", "https://a:8089, https://[::1]:8089/ http://127.0.0.1:8089",
      "https://a:8089, https://[::1]:8089/ http://127.0.0.1:8089" },
    { "share_group", "", "default" }, { "share_group", "Europe_2-b", "Europe_2-b" },
    { "share_lost", "", "continue" }, { "share_lost", "Stop", "stop" },
    { "share_ca_file", "$SPLUNK_HOME/etc/auth/ca.pem", "/opt/sp/etc/auth/ca.pem" },
    { "redirect_uri", "https://contoso.com/SiemMsspConnector?a=%20b", "https://contoso.com/SiemMsspConnector?a=%20b" },
    { "redirect_uri", "http://localhost:8400", "http://localhost:8400" },
    { "redirect_uri", "urn:ietf:wg:oauth:2.0:oob", "urn:ietf:wg:oauth:2.0:oob" },
    { "redirect_uri", "msal1234://auth", "msal1234://auth" },
    { "api", "", "graph" }, { "api", "graph", "graph" }, { "api", "ENDPOINT", "endpoint" }, { "api", " siem ", "siem" },
    { "api", "Incidents", "incidents" },
    { "cloud", "", "commercial" }, { "cloud", "gcc", "gcc" }, { "cloud", "GCC_High", "gcc_high" },
    { "cloud", "dod", "dod" },
    { "login_url", "", "-" }, { "login_url", "https://login.microsoftonline.us", "https://login.microsoftonline.us" },
    { "login_url", "http://127.0.0.1:8080/", "http://127.0.0.1:8080" },
    { "login_url", "http://localhost", "http://localhost" },
    { "api_url", "https://eu.api.security.microsoft.com/", "https://eu.api.security.microsoft.com" },
    { "api_url", "http://[::1]:9", "http://[::1]:9" }, { "api_url", "https://10.0.0.1:8443", "https://10.0.0.1:8443" },
    { "resource", "https://api.securitycenter.microsoft.com/", "https://api.securitycenter.microsoft.com/" },
    { "resource", "api://" CLIENT, "api://" CLIENT },
    { "filter", "", "-" }, { "filter", "severity eq 'high'", "severity eq 'high'" },
    { "filter", "(a eq 'it''s (') and not(b in ('x','y'))", "(a eq 'it''s (') and not(b in ('x','y'))" },
    { "start_time", "", "-2592000s" }, { "start_time", "-12h", "-43200s" }, { "start_time", "-30d", "-2592000s" },
    { "start_time", "-90m", "-5400s" }, { "start_time", "-45s", "-45s" }, { "start_time", "-2w", "-1209600s" },
    { "start_time", "-0s", "-0s" }, { "start_time", "-18250d", "-1576800000s" },
    { "start_time", "2026-11-01", "2026-11-01T00:00:00.0000000Z" },
    { "start_time", "2026-11-01T08:35:12Z", "2026-11-01T08:35:12.0000000Z" },
    { "start_time", "2026-11-01T08:35:12.1333333Z", "2026-11-01T08:35:12.1333333Z" },
    { "start_time", "2026-11-01T08:35:12+02:00", "2026-11-01T06:35:12.0000000Z" },
    { "start_time", "2026-11-01T08:35:12-0530", "2026-11-01T14:05:12.0000000Z" },
    { "start_time", "2026-11-01 08:35:12", "2026-11-01T08:35:12.0000000Z" },
    { "start_time", "1970-01-01", "1970-01-01T00:00:00.0000000Z" },
    { "poll_interval", "", "60" }, { "poll_interval", "1", "1" }, { "poll_interval", "86400", "86400" },
    { "allow_update", "", "no" }, { "allow_update", "YES", "yes" },
    { "audit", "", "3" }, { "audit", "0", "0" }, { "audit", "35", "35" },
    { "poll_interval", " 300 ", "300" }, { "poll_interval", "007", "7" },
    { "overlap", "", "900" }, { "overlap", "0", "0" }, { "overlap", "86400", "86400" },
    { "proxy", "", "-" }, { "proxy", "http://proxy:3128", "http://proxy:3128" },
    { "proxy", "HTTP://proxy.corp.example:3128/", "http://proxy.corp.example:3128" },
    { "proxy", "http://[fd00::1]:8080", "http://[fd00::1]:8080" },
    { "proxy", "http://joe:pass@10.0.0.1:65535", "http://joe@10.0.0.1:65535" },
    { "proxy", "http://joe@p:1", "http://joe@p:1" },
    { "proxy", "http://DOM\\joe:a@p:1", "http://DOM%5Cjoe@p:1" },
    { "proxy", "http://joe%40corp:a@p:1", "http://joe%40corp@p:1" },
};

/* promise: Parameters: Each parameter takes the documented values. Each has its default. */
static void test_good(void **state UNUSED)
{
    size_t i;

    for (i = 0; i < COUNT_OF(good); i++) {
        struct input input = { 0 };
        struct err err = { 0 };
        char text[128];

        if (!make_one(good[i].param, good[i].value, &input, &err)) {
            CHECK(false, "%s '%s': %s", good[i].param, good[i].value, err.text);
            continue;
        }
        CHECK_TEXT(got(&input, good[i].param, text), good[i].want);
        input_free(&input);
    }
}

/* Each is refused with its name, what it held (or not, where that is a secret) and the words of what it should be. */
static const struct { const char *param, *value, *shown, *hidden; } bad[] = {
    { "tenant_id", "", "tenant_id is missing", NULL }, { "client_id", "   ", "client_id is missing", NULL },
    { "tenant_id", "common", "'common'", NULL }, { "tenant_id", "organizations", "GUID or a domain", NULL },
    { "tenant_id", "127.0.0.1", "'127.0.0.1'", NULL }, { "tenant_id", "a..b", "'a..b'", NULL },
    { "tenant_id", "-a.com", "'-a.com'", NULL }, { "tenant_id", "a-.com", "'a-.com'", NULL },
    { "tenant_id", "a.com.", "'a.com.'", NULL }, { "tenant_id", "a b.com", "'a b.com'", NULL },
    { "tenant_id", "a/b.com", "'a/b.com'", NULL }, { "tenant_id", "a?x.com", "'a?x.com'", NULL },
    { "tenant_id", "müller.de", "'müller.de'", NULL }, { "tenant_id", "{" TENANT "}", "'{", NULL },
    { "client_id", "app", "'app'", NULL }, { "client_id", CLIENT "0", "GUID", NULL },
    { "client_id", "1111111g-2222-3333-4444-555555555555", "'1111111g-", NULL },
    { "client_id", "11111111222233334444555555555555", "GUID", NULL },
    { "client_secret", "abc\ndef", "client_secret has 7 bytes", "abc" },
    { "client_secret", "abc\x7f", "client_secret has 4 bytes", "abc" },
    { "client_secret", "abc\xC3", "client_secret has 4 bytes", "abc" },
    { "refresh_token", "s3cr3t\ten", "refresh_token has", "s3cr3t" },
    { "authorization_code", "co\x01""de", "authorization_code has", "co\x01" },
    { "client_certificate", "cert.pem", "'cert.pem'", NULL }, { "ca_file", "./ca.pem", "full path", NULL },
    { "ca_file", "/a\nb", "should be the full path", NULL }, { "ca_file", "$OTHER/x", "'$OTHER/x'", NULL },
    { "client_certificate", "-----BEGIN EC PRIVATE KEY-----\nMHcCs3cr3t", "may be a secret", "s3cr3t" },
    { "client_assertion", "file:t", "'file:t'", NULL }, { "client_assertion", "/t", "Write file: before", NULL },
    { "client_assertion", "$HOME/t", "Write file: before", NULL },
    { "client_assertion", CLIENT, "Write managed_identity: before", NULL },
    { "client_assertion", "Managed Identity", ". Write managed_identity", NULL },
    { "client_assertion", "managed-identity " CLIENT, "then only the client ID", NULL },
    { "client_assertion", "eyJ", "may be a secret", "eyJ" },
    { "client_assertion", "managed_identity:", "'managed_identity:'", NULL },
    { "client_assertion", "managed_identity:me", "by its client ID, a GUID", NULL },
    { "client_assertion", "managed_identity2", "'managed_identity2'", NULL },
    { "client_assertion", "file:", "'file:'", NULL }, { "client_assertion", "File:/t", "'File:/t'", NULL },
    { "client_assertion", "eyJhbGciOiJub25lIn0.e30.s3cr3t", "may be a secret", "s3cr3t" },
    { "ca_file", "-----BEGIN PRIVATE KEY----- MHcCs3cr3t", "may be a secret", "s3cr3t" },
    { "client_id", "Abc8Q~s3cr3t.s3cr3t_s3cr3t-s3cr3t.s3cr3t", "has 40 bytes", "s3cr3t" },
    { "tenant_id", "Abc8Q~s3cr3t.s3cr3t_s3cr3t-s3cr3t.s3cr3t", "has 40 bytes", "s3cr3t" },
    { "redirect_uri", "https://SiemMsspConnector/?code=s3cr3t&session_state=1", "may be a secret", "s3cr3t" },
    { "login_url", "https://SiemMsspConnector/?state=1&code=s3cr3t", "may be a secret", "s3cr3t" },
    { "share_url", "https://ds.example.com", "management addresses", NULL },
    { "share_url", "https://ds.example.com:", "https://host:port", NULL },
    { "share_url", "https://a:8089;https://b:8089", "blanks or commas", NULL },
    { "share_url", "https://a:8089, b:8089", "'https://a:8089, b:8089'", NULL },
    { "share_url", "http://ds.example.com:8089", "only for this machine", NULL },
    { "share_url", "https://a:8089/services", "nothing after it", NULL }, { "share_url", ",", "1 to 8", NULL },
    { "share_url", "https://joe:s3cr3t@a:8089", "'https://********@a:8089'", "s3cr3t" },
    { "share_url", "https://a:1 https://a:2 https://a:3 https://a:4 https://a:5 https://a:6 https://a:7 https://a:8 "
                   "https://a:9", "1 to 8", NULL },
    { "share_group", "two words", "1 to 40 letters", NULL }, { "share_group", "a.b", "'a.b'", NULL },
    { "share_group", "a2345678901234567890123456789012345678901", "1 to 40", NULL },
    { "share_lost", "wait", "one of continue, stop", NULL }, { "share_ca_file", "ca.pem", "full path", NULL },
    { "redirect_uri", "SiemMsspConnector", "absolute URI", NULL }, { "redirect_uri", "https://", "'https://'", NULL },
    { "redirect_uri", "https:x", "'https:x'", NULL }, { "redirect_uri", "https:///x", "'https:///x'", NULL },
    { "redirect_uri", "https://a b", "'https://a b'", NULL }, { "redirect_uri", "https://a/#x", "fragment", NULL },
    { "redirect_uri", "https://a/%zz", "absolute URI", NULL }, { "redirect_uri", "1a:b", "'1a:b'", NULL },
    { "redirect_uri", ":", "':'", NULL },
    { "redirect_uri", "https://joe:s3cr3t@a b", "'https://********@a b'", "s3cr3t" },
    { "api", "alerts", "'alerts', but it should be one of graph, endpoint, siem, incidents", NULL },
    { "api", "graph,siem", "one of", NULL },
    { "cloud", "china", "'china', but it should be one of commercial, gcc, gcc_high, dod", NULL },
    { "login_url", "login.microsoftonline.com", "https://host", NULL },
    { "login_url", "http://login.microsoftonline.com", "only for this machine", NULL },
    { "login_url", "https://a/tenant", "'https://a/tenant'", NULL },
    { "login_url", "https://a?x=1", "nothing after", NULL },
    { "login_url", "https://", "'https://'", NULL }, { "login_url", "ftp://a", "'ftp://a'", NULL },
    { "login_url", "https://a:99999", "'https://a:99999'", NULL },
    { "login_url", "https://a:b", "nothing after", NULL },
    { "api_url", "https://joe:s3cr3t@a", "'https://********@a'", "s3cr3t" },
    { "api_url", "https://a b", "'https://a b'", NULL },
    { "api_url", "file:///etc/passwd", "'file:///etc/passwd'", NULL },
    { "api_url", "http://127.0.0.1.evil.com", "http", NULL },
    { "api_url", "http://10.0.0.1", "only for this machine", NULL },
    { "api_url", "https://a/\r\nX: y", "api_url is", NULL },
    { "resource", "a b", "one word", NULL },
    { "filter", "a eq 'x", "closed", NULL }, { "filter", "(a eq 1", "closed", NULL },
    { "filter", "a) or (b", "closed", NULL },
    { "filter", "$filter=a eq 1", "OData", NULL }, { "filter", "a\neq 1", "OData", NULL },
    { "start_time", "yesterday", "'yesterday'", NULL }, { "start_time", "-12", "'-12'", NULL },
    { "start_time", "12h", "'12h'", NULL }, { "start_time", "-h", "'-h'", NULL },
    { "start_time", "-1y", "'-1y'", NULL },
    { "start_time", "-1d@d", "'-1d@d'", NULL }, { "start_time", "-1.5h", "'-1.5h'", NULL },
    { "start_time", "--1h", "'--1h'", NULL }, { "start_time", "-18251d", "50 years", NULL },
    { "start_time", "-99999999999999999999s", "50 years", NULL }, { "start_time", "2026-02-30", "'2026-02-30'", NULL },
    { "start_time", "2026-11-01T25:00:00Z", "2026-11-01T08:00:00Z", NULL },
    { "start_time", "1969-12-31", "since 1970", NULL },
    { "start_time", "01.11.2026", "'01.11.2026'", NULL }, { "start_time", "2026-11-01T00:00:00Zx", "Zx'", NULL },
    { "poll_interval", "0", "'0', but it should be a whole number of seconds from 1 to 86400", NULL },
    { "allow_update", "1", "'1', but it should be one of no, yes", NULL },
    { "audit", "36", "'36', but it should be a whole number of days from 0 to 35", NULL }, { "audit", "yes", "'yes'", NULL },
    { "poll_interval", "86401", "from 1 to 86400", NULL }, { "poll_interval", "-1", "'-1'", NULL },
    { "poll_interval", "1.5", "'1.5'", NULL }, { "poll_interval", "60s", "'60s'", NULL },
    { "poll_interval", "1e3", "'1e3'", NULL },
    { "poll_interval", "99999999999999999999", "from 1 to 86400", NULL }, { "poll_interval", "+5", "'+5'", NULL },
    { "overlap", "-1", "from 0 to 86400", NULL }, { "overlap", "86401", "from 0 to 86400", NULL },
    { "overlap", "0x10", "'0x10'", NULL },
    { "proxy", "proxy:3128", "'proxy:3128'", NULL }, { "proxy", "http://proxy", "'http://proxy'", NULL },
    { "proxy", "https://proxy:3128", "'https://proxy:3128'", NULL },
    { "proxy", "socks5://p:1", "'socks5://p:1'", NULL },
    { "proxy", "http://proxy:0", "host:port", NULL }, { "proxy", "http://proxy:65536", "host:port", NULL },
    { "proxy", "http://proxy:3128/x", "host:port", NULL }, { "proxy", "http://:3128", "host:port", NULL },
    { "proxy", "http://joe:s3cr3t@", "'http://********@'", "s3cr3t" },
    { "proxy", "http://joe:s3cr3t@p", "'http://********@p'", "s3cr3t" },
    { "proxy", "joe:s3cr3t@p:1", "'********@p:1'", "s3cr3t" },
    { "proxy", "http://joe:s3cr3t", "'http://********'", "s3cr3t" },
    { "proxy", "http://:s3cr3t@p:1", "********@p:1", "s3cr3t" }, { "proxy", "http://@p:1", "********@p:1", NULL },
    { "proxy", "http://joe:s3@cr3t@p:x", "'http://********@p:x'", "s3" },
    { "proxy", "http://[::1:3128", "host:port", NULL },
};

/* promise: Parameters: Each parameter refuses what it should not be. */
/* promise: Parameters: The message names the parameter, the value and what it should be. */
/* promise: Parameters: http: is for loopback only. Base addresses have no path. */
static void test_bad(void **state UNUSED)
{
    size_t i;

    for (i = 0; i < COUNT_OF(bad); i++) {
        struct input input = { 0 };
        struct err err = { 0 };
        bool ok = make_one(bad[i].param, bad[i].value, &input, &err);

        CHECK(!ok, "%s '%s' is taken", bad[i].param, bad[i].value);
        CHECK(text_starts(err.text, bad[i].param) && strstr(err.text, bad[i].shown) && strstr(err.text, "should be"),
              "%s '%s': %s", bad[i].param, bad[i].value, err.text);
        CHECK(!bad[i].hidden || !strstr(err.text, bad[i].hidden), "a secret is told: %s", err.text);
        CHECK(!input.name && !input.tenant_id && !input.proxy_password, "something is left in the result");
        if (ok)
            input_free(&input);
    }
}

/* Far too long values of every parameter: refused, and the message stays whole. */
/* promise: Parameters: Each parameter refuses what it should not be. */
static void test_long(void **state UNUSED)
{
    char *value = mem_alloc(70001);
    size_t i;

    memset(value, 'a', 70000);
    for (i = 0; i < params_count; i++) {
        struct input input = { 0 };
        struct err err = { 0 };

        CHECK(!make_one(params[i].name, value, &input, &err), "%s takes 70,000 bytes", params[i].name);
        CHECK(strstr(err.text, "should be") && (strstr(err.text, "...") || params[i].type == PARAM_SECRET), "%s",
              err.text);
    }
    free(value);
}

static const struct { const char *pairs[7]; const char *want; } together[] = {
    { { "api", "siem", "filter", "a eq 1" }, "filter is given with api 'siem'" },
    { { "api", "siem", "filter", "" }, NULL },
    { { "api", "endpoint", "filter", "a eq 1" }, NULL },
    { { "client_secret", "s3cr3t", "client_certificate", "/c.pem" }, "client_secret and client_certificate '/c.pem'" },
    { { "client_secret", "s3cr3t", "client_assertion", "file:/t" }, "client_secret and client_assertion 'file:/t' are" },
    { { "client_certificate", "/c.pem", "client_assertion", "managed_identity" },
      "client_certificate and client_assertion 'managed_identity' are" },
    { { "client_secret", "********", "client_assertion", "file:/t" }, NULL },
    { { "client_secret", "********", "client_certificate", "/c.pem" }, NULL },
    { { "refresh_token", "r", "client_secret", "s" }, NULL },
    { { "unknown", "\x01", "index", "main", "python.version", "3" }, NULL },
    { { "poll_interval", "0", "poll_interval", "5" }, NULL },
};

/* promise: Parameters: Parameters that exclude each other are refused. A filter is refused with siem. */
static void test_together(void **state UNUSED)
{
    size_t i;

    for (i = 0; i < COUNT_OF(together); i++) {
        struct input input = { 0 };
        struct err err = { 0 };
        bool ok = make("x", together[i].pairs, false, &input, &err);

        CHECK(ok == !together[i].want, "row %zu: %s", i, err.text);
        CHECK(ok || strstr(err.text, together[i].want), "row %zu: %s", i, err.text);
        CHECK(!strstr(err.text, "s3cr3t"), "a secret is told: %s", err.text);
        if (ok)
            input_free(&input);
    }
}

static const struct { const char *name, *want; } names[] = {
    { "defender_alerts://Contoso", "Contoso" }, { "Contoso", "Contoso" }, { "defender_alerts://a://b", "a://b" },
    { "defender_alerts://", NULL }, { "", NULL }, { "日本 / %", "日本 / %" },
    { "日本日本日本日本日本日本日本日本日本日本日本日本日本日本", NULL },
};

static void test_names(void **state UNUSED)
{
    const char *const none[] = { NULL };
    size_t i;

    for (i = 0; i < COUNT_OF(names); i++) {
        struct input input = { 0 };
        struct err err = { 0 };
        bool ok = make(names[i].name, none, false, &input, &err);

        CHECK(ok == (names[i].want != NULL), "'%s': %s", names[i].name, err.text);
        if (!ok)
            continue;
        CHECK_TEXT(input.name, names[i].want);
        CHECK_TEXT(input.app, "search");
        input_free(&input);
    }
}

static const struct { const char *pairs[3]; bool disabled, has_sourcetype; } own[] = {
    { { NULL }, false, false }, { { "disabled", "1" }, true, false }, { { "disabled", "True" }, true, false },
    { { "disabled", "0" }, false, false }, { { "disabled", "false" }, false, false },
    { { "disabled", "" }, false, false },
    { { "sourcetype", "x" }, false, true }, { { "sourcetype", "" }, false, false },
    { { "sourcetype", "defender_alerts" }, false, false },
};

static void test_own_keys(void **state UNUSED)
{
    size_t i;

    for (i = 0; i < COUNT_OF(own); i++) {
        struct input input = { 0 };
        struct err err = { 0 };

        CHECK(make("x", own[i].pairs, false, &input, &err), "%s", err.text);
        CHECK(input.disabled == own[i].disabled && input.has_sourcetype == own[i].has_sourcetype, "row %zu: %d %d", i,
              input.disabled, input.has_sourcetype);
        input_free(&input);
    }
}

/* Files are looked at only when asked: a running input copes with one that is gone for a while. */
static void test_files(void **state UNUSED)
{
    char folder[] = "/tmp/paramsXXXXXX", file[64], empty[64], fifo[64], closed[64];
    const struct { const char *path, *why; } rows[] = {
        { file, NULL },           { folder, "it is a folder" },        { "/no/such/file", "No such file" },
        { empty, "is empty" },    { fifo, "it is a named pipe" },      { "/dev/zero", "it is a device" },
        { closed, "Permission denied" }
    };
    struct err err = { 0 };
    FILE *made;
    size_t i;

    CHECK(mkdtemp(folder) != NULL, "no folder");
    snprintf(file, sizeof(file), "%s/ca.pem", folder);
    snprintf(empty, sizeof(empty), "%s/empty.pem", folder);
    snprintf(fifo, sizeof(fifo), "%s/fifo.pem", folder);
    snprintf(closed, sizeof(closed), "%s/closed.pem", folder);
    made = fopen(file, "w");
    CHECK(made && fputs("-----BEGIN CERTIFICATE-----", made) >= 0 && fclose(made) == 0, "no file");
    made = fopen(empty, "w");
    CHECK(made && fclose(made) == 0 && !mkfifo(fifo, 0600), "no file");
    CHECK(!close(open(closed, O_CREAT | O_WRONLY, 0)) && !chmod(folder, 0755), "no file");
    CHECK(!chmod(file, 0644) && !chmod(empty, 0644), "no file");
    CHECK(geteuid() || !seteuid(NOBODY), "still root"); /* who may read everything */
    for (i = 0; i < COUNT_OF(rows); i++) {
        const char *const pairs[] = { "ca_file", rows[i].path, NULL };
        struct input input = { 0 };

        CHECK(make("x", pairs, true, &input, &err) == !rows[i].why, "'%s': %s", rows[i].path, err.text);
        CHECK(!rows[i].why || (strstr(err.text, rows[i].path) && strstr(err.text, rows[i].why)), "%s", err.text);
        input_free(&input);
        CHECK(make("x", pairs, false, &input, &err), "'%s': %s", rows[i].path, err.text);
        input_free(&input);
    }
    CHECK(getuid() || !seteuid(0), "not root again");
    unlink(file);
    unlink(empty);
    unlink(fifo);
    unlink(closed);
    rmdir(folder);
}

static const struct { const char *text, *password, *whole, *masked; } proxies[] = {
    { "http://p:1", NULL, "http://p:1", "http://p:1" },
    { "http://joe@p:1", NULL, "http://joe@p:1", "http://joe:********@p:1" },
    { "http://joe:@p:1", NULL, "http://joe@p:1", "http://joe:********@p:1" },
    { "http://joe:********@p:1", NULL, "http://joe@p:1", "http://joe:********@p:1" },
    { "http://joe:a%40b@p:1/", "a%40b", "http://joe:a%40b@p:1", "http://joe:********@p:1" },
    { "http://joe:a@b:c/d%@p:1", "a@b:c/d%", "http://joe:a%40b%3Ac%2Fd%25@p:1", "http://joe:********@p:1" },
    { "http://jörg:ü@p:1", "ü", "http://j%C3%B6rg:%C3%BC@p:1", "http://j%C3%B6rg:********@p:1" },
};

static void test_proxies(void **state UNUSED)
{
    size_t i;

    for (i = 0; i < COUNT_OF(proxies); i++) {
        char *proxy = NULL, *password = NULL, *whole, *masked;

        CHECK(proxy_parse(proxies[i].text, &proxy, &password), "'%s'", proxies[i].text);
        CHECK(text_same(password, proxies[i].password), "'%s': password '%s'", proxies[i].text, password);
        whole = proxy_with_password(proxy, password);
        masked = proxy_masked(proxy);
        CHECK_TEXT(whole, proxies[i].whole);
        CHECK_TEXT(masked, proxies[i].masked);
        CHECK(proxy_has_user(proxy) == (strchr(proxy, '@') != NULL), "'%s'", proxy);
        free(proxy);
        free(password);
        free(whole);
        free(masked);
    }
}

/* The table itself: names that splunkd takes, presets that parse, titles and sentences for people. */
/* promise: Calls: The answer to --scheme names none of Splunk's own keys. */
static void test_table(void **state UNUSED)
{
    static const char *const reserved[] = { "name", "source", "sourcetype", "host", "index", "disabled", "interval",
                                            "persistentQueue", "queueSize", "start_by_shell", "app", "owner" };
    size_t i, k;

    for (i = 0; i < params_count; i++) {
        const struct param *param = &params[i];

        CHECK(strspn(param->name, "abcdefghijklmnopqrstuvwxyz_") == strlen(param->name), "%s", param->name);
        CHECK(find(param->name) == param, "%s is there twice", param->name);
        CHECK(param->title && *param->title, "%s has no title", param->name);
        CHECK(param->help && strlen(param->help) > 20 && param->help[strlen(param->help) - 1] == '.', "%s",
              param->help);
        CHECK(param->hint && *param->hint && !strpbrk(param->hint, "<>&[]"), "%s: Splunk Web takes a hint for HTML",
              param->name);
        CHECK((param->type == PARAM_CHOICE) == (param->choices != NULL), "%s", param->name);
        for (k = 0; k < COUNT_OF(reserved); k++)
            CHECK(strcmp(param->name, reserved[k]) != 0, "%s is splunkd's own", param->name);
    }
}

/* What the inputs page gives as an example is accepted. Files need not be there. */
static void test_examples(void **state UNUSED)
{
    struct input input;
    struct err err;
    size_t i, found = 0;

    for (i = 0; i < params_count; i++) {
        if (strncmp(params[i].hint, "Example: ", 9) != 0 || params[i].type == PARAM_FILE)
            continue;
        found++;
        CHECK(make_one(params[i].name, params[i].hint + 9, &input, &err), "%s: %s", params[i].name, err.text);
        input_free(&input);
    }
    CHECK(found >= 8, "%zu examples", found);
}

static void test_validate(void **state UNUSED)
{
    struct raw_stanza items[2] = { { .name = mem_text("x") }, { .name = mem_text("y") } };
    struct config config = { .stanzas = items, .count = 2 };
    struct buf refusal = BUF_INIT(1000);
    struct input input;
    struct err err;

    CHECK(!validate_items(&config, &input, &err) && strstr(err.text, "exactly one"), "%s", err.text);
    config.count = 1;
    CHECK(!validate_items(&config, &input, &err) && strstr(err.text, "tenant_id is missing"), "%s", err.text);
    validate_print_refusal(&refusal, "a is '<b>' & \"c\"");
    CHECK_TEXT(buf_text(&refusal), "<error><message>a is &apos;&lt;b&gt;&apos; &amp; &quot;c&quot;</message></error>"
                                   "\n");
    buf_free(&refusal);
    raw_stanza_free(&items[0]);
    raw_stanza_free(&items[1]);
}

static int set_up(void **state UNUSED)
{
    return setenv("SPLUNK_HOME", "/opt/sp", 1);
}

static int tear_down(void **state UNUSED)
{
    input_free(NULL);
    return 0;
}

/* promise: Parameters: Control characters and marks of text direction reach no conf file */
static void test_plain(void **state UNUSED)
{
    static const struct { const char *name, *key, *value; bool good; } rows[] = {
        { "contoso", "host", "h", true }, { "Contoso \xC3\xA4/1", "host", "\xE6\x97\xA5", true },
        { "contoso", "client_secret", " trimmed\n", true },
        { "contoso", "host", "h\n[script://./bin/x.sh]", false }, { "contoso", "index", "a\rb", false },
        { "contoso", "source", "\x1b[2J", false }, { "contoso", "filter", "title eq '\xE2\x80\xAE'", false },
        { "contoso", "sourcetype", "\xC2\x9B" "31m", false }, { "contoso", "unknown", "\xE2\x80\x8F", false },
        { "contoso", "host", "\xFF", false }, { "contoso", "h\nost", "x", false },
        { "con\ntoso", "host", "h", false }, { "contoso\xE2\x80\x8B", "host", "h", false },
        { "\xE2\x80\xAE" "osotnoc", "host", "h", false }, { "con\x7Ftoso", "host", "h", false },
        { "con\xFFtoso", "host", "h", false }, { "con\xE2\x80\xA8toso", "host", "h", false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct raw_param param = { mem_text(rows[i].key), mem_text(rows[i].value) };
        struct raw_stanza stanza = { .name = mem_text(rows[i].name), .params = &param, .count = 1 };
        struct err err = { .kind = ERR_FATAL };

        CHECK(stanza_is_plain(&stanza, &err) == rows[i].good, "row %zu", i);
        CHECK(rows[i].good || (err.kind == ERR_INPUT && utf8_is_plain(err.text) && strstr(err.text, "should be")),
              "row %zu: %s", i, err.text);
        free(param.name);
        free(param.value);
        free(stanza.name);
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_plain),
    cmocka_unit_test(test_good),
    cmocka_unit_test(test_bad),
    cmocka_unit_test(test_long),
    cmocka_unit_test(test_together),
    cmocka_unit_test(test_names),
    cmocka_unit_test(test_own_keys),
    cmocka_unit_test(test_files),
    cmocka_unit_test(test_proxies),
    cmocka_unit_test(test_table),
    cmocka_unit_test(test_examples),
    cmocka_unit_test(test_validate),
};

UNIT(params, cases, set_up, tear_down)
