#include "microsoft/token.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "check.h"

#define NOW INT64_C(1000000)

/* The answer to a token request, as it comes out of the transport. */
static struct http_result answer(int status, const char *type, const char *body)
{
    return (struct http_result){ .fault = HTTP_DONE, .status = status, .body = body, .body_len = strlen(body),
                                 .content_type = type, .retry_after_ms = -1, .request_id = "", .authenticate = "" };
}

static void test_build(void **state UNUSED)
{
    static const struct { struct token_request request; const char *url, *form; } rows[] = {
        { { .login_url = "https://login.microsoftonline.com", .tenant_id = "t", .client_id = "c",
            .client_secret = "a+b/c=~.&%", .resource = "https://graph.microsoft.com",
            .grant = GRANT_CLIENT_CREDENTIALS },
          "https://login.microsoftonline.com/t/oauth2/v2.0/token",
          "grant_type=client_credentials&client_id=c&client_secret=a%2Bb%2Fc%3D~.%26%25"
          "&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default" },
        { { .login_url = "http://127.0.0.1:81/", .tenant_id = "contoso.example", .client_id = "c",
            .client_secret = "s", .resource = "https://graph.windows.net", .v1 = true,
            .grant = GRANT_REFRESH_TOKEN, .refresh_token = "0.A b" },
          "http://127.0.0.1:81/contoso.example/oauth2/token",
          "grant_type=refresh_token&refresh_token=0.A%20b&client_id=c&client_secret=s"
          "&resource=https%3A%2F%2Fgraph.windows.net" },
        { { .login_url = "https://l", .tenant_id = "t", .client_id = "c", .resource = "https://r",
            .grant = GRANT_REFRESH_TOKEN, .refresh_token = "R" },
          "https://l/t/oauth2/v2.0/token",
          "grant_type=refresh_token&refresh_token=R&client_id=c&scope=https%3A%2F%2Fr%2F.default%20offline_access" },
        { { .login_url = "https://l", .tenant_id = "t/../x", .client_id = "c", .client_secret = "unused",
            .client_assertion = "h.p.s", .resource = "https://r", .v1 = true, .grant = GRANT_AUTHORIZATION_CODE,
            .code = "a/b", .redirect_uri = "https://SiemMsspConnector" },
          "https://l/t%2F..%2Fx/oauth2/token",
          "grant_type=authorization_code&code=a%2Fb&redirect_uri=https%3A%2F%2FSiemMsspConnector&client_id=c"
          "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
          "&client_assertion=h.p.s&resource=https%3A%2F%2Fr" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(buf_free) struct buf url = BUF_INIT(4096);
        CLEANUP(buf_free_secret) struct buf form = BUF_INIT(4096);

        token_build(&rows[i].request, &url, &form);
        CHECK_TEXT(buf_text(&url), rows[i].url);
        CHECK_TEXT(buf_text(&form), rows[i].form);
    }
}

static void test_success(void **state UNUSED)
{
    static const struct { const char *body; enum token_grant grant; int64_t life_s; const char *refresh; } rows[] = {
        { "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"ext_expires_in\":3599,\"access_token\":\"eyJ.a-b_c\"}",
          GRANT_CLIENT_CREDENTIALS, 3599, NULL },
        { "{\"token_type\":\"Bearer\",\"scope\":\"x\",\"expires_in\":\"3599\",\"ext_expires_in\":\"0\","
          "\"expires_on\":\"1790000000\",\"not_before\":\"1789996100\",\"resource\":\"https://graph.windows.net\","
          "\"access_token\":\"eyJ.a-b_c\",\"refresh_token\":\"0.AX\",\"id_token\":\"eyJ\"}",
          GRANT_REFRESH_TOKEN, 3599, "0.AX" },
        { " \r\n{\"access_token\":\"eyJ.a-b_c\",\"expires_in\":1,\"token_type\":\"bearer\"}\n", GRANT_REFRESH_TOKEN, 1,
          NULL },
        { "{\"access_token\":\"eyJ.a-b_c\",\"expires_in\":100800,\"refresh_token\":\"R\"}", GRANT_AUTHORIZATION_CODE,
          100800, "R" },
        { "{\"access_token\":\"eyJ.a-b_c\",\"expires_in\":3599.0,\"refresh_token\":null}", GRANT_REFRESH_TOKEN, 3599,
          NULL },
        { "{\"access_token\":\"eyJ.a-b_c\",\"expires_in\":3599,\"refresh_token\":\"\"}", GRANT_REFRESH_TOKEN, 3599,
          NULL },
        { "{\"access_token\":\"eyJ.a-b_c\",\"expires_in\":3599,\"refresh_token\":\"R\"}", GRANT_CLIENT_CREDENTIALS,
          3599, NULL },
    };
    struct err err;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_result result = answer(200, "application/json; charset=utf-8", rows[i].body);
        struct token token = { 0 };

        CHECK(token_read(&result, rows[i].grant, NOW, &token, &err), "row %zu: %s", i, err.text);
        CHECK_TEXT(token.authorization ? token.authorization : "", "Bearer eyJ.a-b_c");
        CHECK_TEXT(token.refresh_token ? token.refresh_token : "none", rows[i].refresh ? rows[i].refresh : "none");
        CHECK(token.lifetime_ms == rows[i].life_s * 1000 && token.expires_ms == NOW + token.lifetime_ms, "row %zu", i);
        token_release(&token);
        CHECK(!token.authorization && !token.refresh_token && !token.expires_ms, "row %zu: not released", i);
    }
}

/* 2xx answers that are no token: the old one stays, and the sentence says what is wrong. */
static void test_unreadable(void **state UNUSED)
{
    static const struct { const char *type, *body, *part; } rows[] = {
        { "application/json", "", "is empty" },
        { "application/json", " \n", "is empty" },
        { "text/html", "<!DOCTYPE html><html>Sign in to the proxy</html>", "a web page came" },
        { "text/html; charset=utf-8", "Welcome", "a web page came" },
        { "application/json", "<html></html>", "a web page came" },
        { "text/plain", "OK", "not a JSON object" },
        { "application/json", "{\"access_token\":\"eyJ\",\"expires_in\":35", "not a JSON object" },
        { "application/json", "[]", "not a JSON object" },
        { "application/json", "null", "not a JSON object" },
        { "application/json", "\"eyJ\"", "not a JSON object" },
        { "application/json", "{}", "no access_token" },
        { "application/json", "{\"Access_Token\":\"eyJ\",\"expires_in\":1}", "no access_token" },
        { "application/json", "{\"access_token\":null,\"expires_in\":1}", "unusable access_token" },
        { "application/json", "{\"access_token\":\"\",\"expires_in\":1}", "unusable access_token" },
        { "application/json", "{\"access_token\":[\"eyJ\"],\"expires_in\":1}", "unusable access_token" },
        { "application/json", "{\"access_token\":\"a\\r\\nX-Evil: 1\",\"expires_in\":1}", "unusable access_token" },
        { "application/json", "{\"access_token\":\"a b\",\"expires_in\":1}", "unusable access_token" },
        { "application/json", "{\"access_token\":\"\xC3\xA4\",\"expires_in\":1}", "unusable access_token" },
        { "application/json", "{\"access_token\":\"eyJ\"}", "no expires_in" },
        { "application/json", "{\"access_token\":\"eyJ\",\"expires_in\":null}", "unusable expires_in" },
        { "application/json", "{\"access_token\":\"eyJ\",\"expires_in\":0}", "unusable expires_in" },
        { "application/json", "{\"access_token\":\"eyJ\",\"expires_in\":-3599}", "unusable expires_in" },
        { "application/json", "{\"access_token\":\"eyJ\",\"expires_in\":1.5}", "unusable expires_in" },
        { "application/json", "{\"access_token\":\"eyJ\",\"expires_in\":1e300}", "unusable expires_in" },
        { "application/json", "{\"access_token\":\"eyJ\",\"expires_in\":\"soon\"}", "unusable expires_in" },
        { "application/json", "{\"access_token\":\"eyJ\",\"expires_in\":\"\"}", "unusable expires_in" },
        { "application/json", "{\"access_token\":\"eyJ\",\"expires_in\":\"9223372036854775807\"}", "unusable expires" },
        { "application/json", "{\"access_token\":\"eyJ\",\"expires_in\":true}", "unusable expires_in" },
        { "application/json", "{\"access_token\":\"eyJ\",\"expires_in\":1,\"token_type\":\"pop\"}", "token_type" },
        { "application/json", "{\"access_token\":\"eyJ\",\"expires_in\":1,\"token_type\":1}", "token_type" },
        { "application/json", "{\"access_token\":\"eyJ\",\"expires_in\":1,\"refresh_token\":5}", "refresh_token" },
        { "application/json", "{\"access_token\":\"eyJ\",\"expires_in\":1,\"refresh_token\":\"a\\n[x]\"}", "refresh_token" },
        { "application/json", "{\"access_token\":\"eyJ\",\"expires_in\":1,\"refresh_token\":\"\\u202e\"}", "refresh_token" },
    };
    struct err err;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_result result = answer(200, rows[i].type, rows[i].body);
        struct token token = { .expires_ms = 77 };

        CHECK(!token_read(&result, GRANT_REFRESH_TOKEN, NOW, &token, &err), "'%s' is taken", rows[i].body);
        CHECK(err.kind == ERR_INPUT, "'%s': kind %d", rows[i].body, err.kind);
        CHECK(strstr(err.text, rows[i].part) && !strstr(err.text, "eyJ"), "'%s': %s", rows[i].body, err.text);
        CHECK(token.expires_ms == 77 && !token.authorization, "'%s': the token is touched", rows[i].body);
    }
}

static void test_code_without_refresh_token(void **state UNUSED)
{
    struct http_result result = answer(200, "application/json", "{\"access_token\":\"eyJ\",\"expires_in\":1}");
    struct token token = { 0 };
    struct err err;

    CHECK(!token_read(&result, GRANT_AUTHORIZATION_CODE, NOW, &token, &err) && err.kind == ERR_AUTH, "%s", err.text);
    CHECK(strstr(err.text, "offline_access"), "%s", err.text);
}

static void test_refusals(void **state UNUSED)
{
    static const struct {
        int status; enum token_grant grant; int64_t retry_after_ms; const char *body;
        enum err_kind kind; int64_t wait_ms; const char *part;
    } rows[] = {
        { 401, GRANT_CLIENT_CREDENTIALS, -1, "{\"error\":\"invalid_client\",\"error_codes\":[7000222]}",
          ERR_AUTH, 0, "AADSTS7000222: the client secret has expired. Our administrator: create a new secret" },
        { 400, GRANT_REFRESH_TOKEN, -1, "{\"error\":\"invalid_grant\",\"error_codes\":[70002,70008]}",
          ERR_AUTH, 0, "AADSTS70008: the refresh token has expired. Somebody must sign in" },
        { 400, GRANT_AUTHORIZATION_CODE, -1, "{\"error\":\"invalid_grant\",\"error_codes\":[70008]}",
          ERR_AUTH, 0, "AADSTS70008: the authorization code has expired. Somebody must sign in" },
        { 400, GRANT_AUTHORIZATION_CODE, -1, "{\"error\":\"invalid_grant\",\"error_codes\":[54005]}",
          ERR_AUTH, 0, "AADSTS54005: the authorization code was used before" },
        { 200, GRANT_REFRESH_TOKEN, -1, "{\"error\":\"invalid_grant\",\"error_codes\":[70000]}",
          ERR_AUTH, 0, "AADSTS70000: the refresh token is not valid" },
        { 429, GRANT_CLIENT_CREDENTIALS, 60000, "Too Many Requests", ERR_RETRY, 60000, "HTTP 429" },
        { 429, GRANT_CLIENT_CREDENTIALS, -1, "Too Many Requests", ERR_RETRY, 0, "HTTP 429" },
        { 429, GRANT_CLIENT_CREDENTIALS, -1, "again in 7 seconds", ERR_RETRY, 7000, "HTTP 429" },
        { 503, GRANT_CLIENT_CREDENTIALS, 2128, "", ERR_RETRY, 2128, "HTTP 503" },
        { 503, GRANT_CLIENT_CREDENTIALS, 5000, "{\"error\":\"temporarily_unavailable\",\"error_codes\":[90033]}",
          ERR_RETRY, 5000, "AADSTS90033" },
        { 400, GRANT_CLIENT_CREDENTIALS, 5000, "{\"error\":\"temporarily_unavailable\"}", ERR_RETRY, 5000,
          "temporarily_unavailable" },
        { 400, GRANT_REFRESH_TOKEN, -1, "{\"error\":\"invalid_grant\",\"error_codes\":[50196]}", ERR_RETRY, 300000,
          "AADSTS50196" },
        { 429, GRANT_REFRESH_TOKEN, 600000, "{\"error\":\"invalid_grant\",\"error_codes\":[50196]}", ERR_RETRY, 600000,
          "AADSTS50196" },
        { 408, GRANT_REFRESH_TOKEN, -1, "", ERR_RETRY, 0, "HTTP 408" },
        { 500, GRANT_REFRESH_TOKEN, -1, "{\"error\":\"invalid_client\"}", ERR_RETRY, 0, "invalid_client" },
        { 502, GRANT_REFRESH_TOKEN, -1, "<html>Bad gateway</html>", ERR_RETRY, 0, "web page" },
        { 403, GRANT_REFRESH_TOKEN, -1, "<html>Blocked</html>", ERR_RETRY, 0, "web page" },
        { 302, GRANT_REFRESH_TOKEN, -1, "", ERR_RETRY, 0, "HTTP 302" },
        { 407, GRANT_REFRESH_TOKEN, -1, "", ERR_RETRY, 0, "HTTP 407" },
        { 400, GRANT_REFRESH_TOKEN, -1, "Bad Request", ERR_INPUT, 0, "HTTP 400" },
        { 404, GRANT_REFRESH_TOKEN, -1, "{}", ERR_INPUT, 0, "HTTP 404" },
    };
    struct err err;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_result result = answer(rows[i].status, "application/json", rows[i].body);
        struct token token = { .expires_ms = 77 };

        result.retry_after_ms = rows[i].retry_after_ms;
        CHECK(!token_read(&result, rows[i].grant, NOW, &token, &err), "row %zu is taken", i);
        CHECK(err.kind == rows[i].kind && err.wait_ms == rows[i].wait_ms, "row %zu: kind %d, wait %lld, %s", i,
              err.kind, (long long)err.wait_ms, err.text);
        CHECK(strstr(err.text, rows[i].part), "row %zu: %s", i, err.text);
        CHECK(token.expires_ms == 77 && !token.authorization, "row %zu: the token is touched", i);
    }
}

static void test_faults(void **state UNUSED)
{
    static const enum http_fault faults[] = { HTTP_NO_NAME, HTTP_NO_CONNECTION, HTTP_NO_PROXY, HTTP_NO_TLS,
                                              HTTP_TIMEOUT, HTTP_CUT, HTTP_GARBLED };

    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        /* Even when a body came with it: half an answer is none. */
        struct http_result result = answer(200, "application/json", "{\"access_token\":\"eyJ\",\"expires_in\":1}");
        struct token token = { 0 };
        struct err err;

        result.fault = faults[i];
        snprintf(result.reason, sizeof(result.reason), "login.example: what failed");
        CHECK(!token_read(&result, GRANT_CLIENT_CREDENTIALS, NOW, &token, &err), "fault %d is taken", faults[i]);
        CHECK(err.kind == ERR_RETRY && strstr(err.text, "login.example: what failed"), "fault %d: %s", faults[i],
              err.text);
    }
}

static void test_times(void **state UNUSED)
{
    static const struct { int64_t life_ms, renew_ms; } rows[] = {
        { 3599000, NOW + 3599000 - 300000 }, { 100000, NOW + 90000 }, { 3000000, NOW + 2700000 },
        { 100800000, NOW + 100500000 }, { 1000, NOW + 900 },
    };
    char text[] = "Bearer x";
    struct token token = { .authorization = text };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        token.lifetime_ms = rows[i].life_ms;
        token.expires_ms = NOW + rows[i].life_ms;
        CHECK(token_renew_at_ms(&token) == rows[i].renew_ms, "row %zu: %lld", i, (long long)token_renew_at_ms(&token));
    }
    token.expires_ms = NOW;
    CHECK(token_fresh(&token, NOW - 1, 0) && !token_fresh(&token, NOW, 0) && !token_fresh(&token, NOW - 10, 10) &&
          token_fresh(&token, NOW - 11, 10), "not fresh for as long as it should be");
    token.authorization = NULL;
    CHECK(!token_fresh(&token, NOW - 1000, 0), "no token is fresh");
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_build),
    cmocka_unit_test(test_success),
    cmocka_unit_test(test_unreadable),
    cmocka_unit_test(test_code_without_refresh_token),
    cmocka_unit_test(test_refusals),
    cmocka_unit_test(test_faults),
    cmocka_unit_test(test_times),
};

UNIT(token, cases, NULL, NULL)
