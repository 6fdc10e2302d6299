#include "microsoft/aad.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "check.h"

#define TRACE       "11111111-2222-3333-4444-555555555555"
#define CORRELATION "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"

static bool read_error(const char *body, int status, struct err *err)
{
    *err = (struct err){ .kind = ERR_FATAL, .wait_ms = -7 };
    return aad_read_error(body, strlen(body), status, err);
}

/* What holds for every row of the table: found by its code, once; sentences that fit into an err with both ids. */
static void test_table(void **state UNUSED)
{
    char body[512];
    struct err err;

    for (size_t i = 0; i < aad_codes_count; i++) {
        const struct aad_code *code = &aad_codes[i];

        CHECK(aad_find(code->code) == code, "AADSTS%d is there twice", code->code);
        CHECK(code->meaning[strlen(code->meaning) - 1] != '.', "AADSTS%d: '%s'", code->code, code->meaning);
        CHECK(code->advice[strlen(code->advice) - 1] != '.', "AADSTS%d: '%s'", code->code, code->advice);
        CHECK(islower((unsigned char)code->advice[0]), "AADSTS%d: '%s'", code->code, code->advice);
        snprintf(body, sizeof(body), "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS%d: x\","
                 "\"error_codes\":[%d],\"trace_id\":\"" TRACE "\",\"correlation_id\":\"" CORRELATION "\"}", code->code,
                 code->code);
        CHECK(read_error(body, 400, &err), "AADSTS%d is not read", code->code);
        CHECK(err.kind == (code->responsible == ACT_NOBODY ? ERR_RETRY : ERR_AUTH), "AADSTS%d: %d", code->code, err.kind);
        CHECK(aad_code_in(&err) == code->code, "'%s'", err.text);
        CHECK(strstr(err.text, code->meaning) && strstr(err.text, code->advice), "'%s'", err.text);
        CHECK(strstr(err.text, "trace ID " TRACE ", correlation ID " CORRELATION ")"), "'%s'", err.text);
        CHECK(read_error(body, 503, &err) && err.kind == ERR_RETRY, "AADSTS%d with HTTP 503: kind %d", code->code,
              err.kind);
    }
    CHECK(!aad_find(0) && !aad_find(1) && !aad_find(-1), "found what is not there");
}

static void test_sentences(void **state UNUSED)
{
    static const struct { const char *body; const char *want; } rows[] = {
        { "{\"error\":\"invalid_client\",\"error_codes\":[7000222]}",
          "AADSTS7000222: the client secret has expired. Our administrator: create a new secret in the app "
          "registration and enter it in the input" },
        { "{\"error\":\"invalid_grant\",\"error_codes\":[65001],\"trace_id\":\"" TRACE "\"}",
          "AADSTS65001: nobody has consented to the app. The customer's administrator: grant admin consent to the app "
          "in this tenant (Enterprise applications > the app > Permissions) (trace ID " TRACE ")" },
        { "{\"error\":\"invalid_grant\",\"error_codes\":[700082],\"correlation_id\":\"" CORRELATION "\"}",
          "AADSTS700082: the refresh token has expired because it was not used for 90 days. Somebody must sign in: "
          "sign in again and enter the new authorization_code in the input (? in that field shows the address to "
          "open) "
          "(correlation ID " CORRELATION ")" },
        { "{\"error\":\"temporarily_unavailable\",\"error_codes\":[90033],\"trace_id\":\"no guid\"}",
          "AADSTS90033: a part of Entra is unavailable at the moment. No action needed: tried again "
          "automatically" },
        { "{\"error\":\"invalid_request\",\"error_codes\":[123456],"
          "\"error_description\":\"AADSTS123456: A new\\r\\nrule.\\r\\nTrace ID: x\"}",
          "AADSTS123456: a code that is unknown here (invalid_request). Entra says 'A new rule.'. Look it up at "
          "https://login.microsoftonline.com/error" },
        { "{\"error\":\"invalid_grant\",\"error_codes\":[123456],\"trace_id\":\"" TRACE "\"}",
          "AADSTS123456: a code that is unknown here (invalid_grant). Look it up at "
          "https://login.microsoftonline.com/error (trace ID " TRACE ")" },
        { "{\"error\":\"Odd Name!\",\"error_description\":\"AADSTS123456: Odd.\"}",
          "AADSTS123456: a code that is unknown here. Entra says 'Odd.'. Look it up at "
          "https://login.microsoftonline.com/error" },
        { "{\"error\":\"temporarily_unavailable\",\"error_codes\":[123456]}",
          "AADSTS123456: temporarily_unavailable. No action needed: tried again automatically" },
        { "{\"error\":\"invalid_grant\"}",
          "invalid_grant. Somebody must sign in: sign in again and enter the new authorization_code in the input" },
        { "{\"error\":\"Odd Name!\"}",
          "the request was refused. Our administrator: check the input and the app registration" },
    };
    struct err err;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK(read_error(rows[i].body, 400, &err), "'%s' is not read", rows[i].body);
        CHECK_TEXT(err.text, rows[i].want);
    }
}

/* Whoever could be named for an unknown code would be named for no reason, whatever the error is called. */
/* promise: Trouble: A code of Entra that is unknown names nobody, and Microsoft's own text is quoted */
static void test_unknown(void **state UNUSED)
{
    static const char *const errors[] = {
        "invalid_client", "invalid_grant", "interaction_required", "login_required", "consent_required", "access_denied",
        "unauthorized_client", "invalid_resource", "expired_token", "something_new",
    };
    char body[256];
    struct err err;

    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        snprintf(body, sizeof(body), "{\"error\":\"%s\",\"error_codes\":[999001],"
                 "\"error_description\":\"AADSTS999001: Words of Microsoft.\"}", errors[i]);
        CHECK(read_error(body, 400, &err) && err.kind == ERR_AUTH && aad_code_in(&err) == 999001, "'%s'", err.text);
        CHECK(strstr(err.text, "unknown") && strstr(err.text, "'Words of Microsoft.'"), "'%s'", err.text);
        CHECK(!strstr(err.text, "dministrator") && !strstr(err.text, "omebody"), "'%s'", err.text);
    }
}

/* Codes about which it matters whom the line names. */
static void test_responsible(void **state UNUSED)
{
    static const struct { int code; enum responsible want; } rows[] = {
        { 500014, ACT_CUSTOMER }, { 50002, ACT_CUSTOMER }, { 1000031, ACT_CUSTOMER }, { 900439, ACT_PROVIDER },
        { 90051, ACT_PROVIDER }, { 650054, ACT_PROVIDER }, { 90091, ACT_NOBODY }, { 90090, ACT_NOBODY },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct aad_code *code = aad_find(rows[i].code);

        CHECK(code && code->responsible == rows[i].want, "AADSTS%d", rows[i].code);
    }
}

/* Several codes in one answer, and codes in odd places. */
static void test_choice(void **state UNUSED)
{
    static const struct { const char *codes, *description; int want; } rows[] = {
        { "[70002,70008]", "", 70008 },         { "[70008,70002]", "", 70008 },     { "[70002,50012]", "", 50012 },
        { "[70000,700082]", "", 700082 },       { "[70002]", "", 70002 },           { "[70002,123456]", "", 70002 },
        { "[123456,70008]", "", 70008 },        { "[123456,234567]", "", 234567 },  { "[\"7000215\"]", "", 7000215 },
        { "[null,{},[],true,7000215]", "", 7000215 },   { "[-1,0,1e300,7000215]", "", 7000215 },
        { "[]", "AADSTS70008: x", 70008 },      { "null", "AADSTS70002: x AADSTS50012: y", 50012 },
        { "7000215", "", 0 },                   { "{\"a\":7000215}", "", 0 },       { "[]", "AADSTS: x", 0 },
        { "[]", "AADSTS99999999999999999999: x", 0 },   { "[]", "AADSTS-5", 0 },
        { "[123456]", "AADSTS70008: x", 70008 },
    };
    char body[256];
    struct err err;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        snprintf(body, sizeof(body), "{\"error\":\"invalid_grant\",\"error_description\":\"%s\",\"error_codes\":%s}",
                 rows[i].description, rows[i].codes);
        CHECK(read_error(body, 400, &err), "'%s' is not read", body);
        CHECK(aad_code_in(&err) == rows[i].want, "'%s': '%s'", body, err.text);
    }
}

/* The status and the error's name decide; codes only refine. */
static void test_kind(void **state UNUSED)
{
    static const struct { int status; const char *error; int code; enum err_kind want; int64_t wait_ms; } rows[] = {
        { 400, "temporarily_unavailable", 0, ERR_RETRY, 0 },    { 400, "server_error", 0, ERR_RETRY, 0 },
        { 400, "temporarily_unavailable", 123456, ERR_RETRY, 0 },
        { 400, "authorization_pending", 70016, ERR_RETRY, 0 },  { 400, "slow_down", 0, ERR_RETRY, 0 },
        { 400, "invalid_grant", 50196, ERR_RETRY, 300000 },     { 429, "invalid_grant", 50196, ERR_RETRY, 300000 },
        { 400, "invalid_grant", 90055, ERR_RETRY, 60000 },      { 401, "invalid_client", 700024, ERR_RETRY, 0 },
        { 500, "invalid_client", 0, ERR_RETRY, 0 },             { 408, "invalid_client", 0, ERR_RETRY, 0 },
        { 429, "invalid_request", 0, ERR_RETRY, 0 },            { 400, "invalid_request", 0, ERR_AUTH, 0 },
        { 401, "invalid_client", 7000215, ERR_AUTH, 0 },        { 400, "interaction_required", 53003, ERR_AUTH, 0 },
        { 400, "expired_token", 70019, ERR_AUTH, 0 },           { 400, "invalid_grant", 123456, ERR_AUTH, 0 },
        { 400, "something_new", 0, ERR_AUTH, 0 },               { 200, "invalid_grant", 0, ERR_AUTH, 0 },
    };
    char body[256];
    struct err err;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        snprintf(body, sizeof(body), "{\"error\":\"%s\",\"error_codes\":[%d]}", rows[i].error, rows[i].code);
        CHECK(read_error(body, rows[i].status, &err), "'%s' is not read", body);
        CHECK(err.kind == rows[i].want && err.wait_ms == rows[i].wait_ms, "row %zu: kind %d, wait %lld", i, err.kind,
              (long long)err.wait_ms);
    }
}

static void test_foreign(void **state UNUSED)
{
    static const char *const rows[] = {
        "", "Too Many Requests", "<html><body>error</body></html>", "null", "[]", "\"error\"", "{}", "{\"error\":null}",
        "{\"error\":{\"code\":\"Unauthorized\",\"message\":\"x\"}}", "{\"error\":\"invalid_client\"", "{\"error\":5}",
        "{\"error_description\":\"no code\"}", "{\"Error\":\"invalid_client\"}", "{\"error\":\"a\"}{\"error\":\"b\"}",
    };
    struct err err;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK(!read_error(rows[i], 400, &err), "'%s' is taken for an error of Entra's", rows[i]);
        CHECK(err.kind == ERR_FATAL && err.wait_ms == -7, "'%s': err is touched", rows[i]);
    }
    CHECK(!aad_read_error("{\"error\":\"invalid_client\"}", 10, 400, &err), "the length does not rule");
}

/* Entra's words are foreign text: no secret that somebody echoes, no line end, no endless text comes through. */
static void test_quote(void **state UNUSED)
{
    static const char secret[] = "abc8Q~SeCrEtSeCrEtSeCrEtSeCrEtSeCrEtSeCrEt";
    CLEANUP(buf_free) struct buf body = BUF_INIT(100000);
    struct err err;

    buf_add_format(&body, "{\"error\":\"invalid_client\",\"error_description\":\"bad\\n\\u001b[31m %s or '%s' ", secret,
                   secret);
    for (int i = 0; i < 5000; i++)
        buf_add_text(&body, "\xC3\xA4 word ");
    buf_add_text(&body, "\"}");
    CHECK(read_error(body.data, 401, &err), "not read");
    CHECK(!strstr(err.text, "SeCrEt"), "'%s'", err.text);
    CHECK(!strpbrk(err.text, "\r\n\x1b"), "'%s'", err.text);
    CHECK(strstr(err.text, "bad") && strlen(err.text) < 350 &&
              !strcmp(err.text + strlen(err.text) - 4, "tion"), "'%s'", err.text);
}

static void test_address(void **state UNUSED)
{
    struct err err;

    CHECK(!aad_set_error("access_denied", "AADSTS65004: User declined to consent to access the app.", &err), "true");
    CHECK(err.kind == ERR_AUTH && aad_code_in(&err) == 65004, "'%s'", err.text);
    CHECK(!aad_set_error("access_denied", NULL, &err) && strstr(err.text, "grant admin consent"), "'%s'", err.text);
    CHECK(!aad_set_error("server_error", NULL, &err) && err.kind == ERR_AUTH, "'%s'", err.text);
    CHECK(!aad_set_error(NULL, NULL, &err) && err.kind == ERR_AUTH && err.text[0], "'%s'", err.text);
    CHECK(!aad_set_error("temporarily_unavailable", "AADSTS90033: x", &err) && err.kind == ERR_AUTH, "'%s'", err.text);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_table),
    cmocka_unit_test(test_sentences),
    cmocka_unit_test(test_unknown),
    cmocka_unit_test(test_responsible),
    cmocka_unit_test(test_choice),
    cmocka_unit_test(test_kind),
    cmocka_unit_test(test_foreign),
    cmocka_unit_test(test_quote),
    cmocka_unit_test(test_address),
};

UNIT(aad, cases, NULL, NULL)
