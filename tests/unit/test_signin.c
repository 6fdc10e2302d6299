#include "microsoft/signin.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "check.h"

#define CODE "0.AXoA-b_c.AgABBAIAAAD~1"

static void test_code(void **state UNUSED)
{
    static const struct { const char *pasted, *want; } rows[] = {
        { CODE, CODE },
        { "  " CODE " \r\n", CODE },
        { "\"" CODE "\"", CODE },
        { "https://siemmsspconnector/?code=" CODE "&session_state=5", CODE },
        { "https://SiemMsspConnector?code=" CODE, CODE },
        { "https://siemmsspconnector/?session_state=5&state=x&code=" CODE, CODE },
        { "https://siemmsspconnector/?admin_consent=True&code=" CODE "#", CODE },
        { "https://siemmsspconnector/#code=" CODE "&state=1", CODE },
        { "<https://siemmsspconnector/?code=" CODE "&amp;state=1>", CODE },
        { "https://siemmsspconnector/?state=1&amp;code=" CODE, CODE },
        { "https://siemmsspconnector/?code=0.AXoA-b_c\r\n   .AgABBAIAAAD~1&state=1\n", CODE },
        { "siemmsspconnector/?code=" CODE, CODE },
        { "?code=" CODE "&state=1", CODE },
        { "code=" CODE, CODE },
        { "code=" CODE "&error=none", CODE },
        { "https://siemmsspconnector/?code=a%2Fb%2Bc%3D&iss=x", "a/b+c=" },
        { "https://siemmsspconnector/?code=a%252Fb", "a%2Fb" },
        { "code=a+b", "a+b" },
        { "0.AXoA%2Fb-c_d==", "0.AXoA/b-c_d==" },
        { "https://siemmsspconnector/?xcode=no&code=yes", "yes" },
        { "https://siemmsspconnector/?error=x&code=yes", "yes" },
    };
    struct err err;
    char *code;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        code = NULL;
        CHECK(signin_code(rows[i].pasted, &code, &err), "'%s': %s", rows[i].pasted, err.text);
        if (code)
            CHECK_TEXT(code, rows[i].want);
        mem_free_secret(code);
    }
}

static void test_no_code(void **state UNUSED)
{
    static const struct { const char *pasted, *part; } rows[] = {
        { "", "is empty" }, { " \t\r\n ", "is empty" }, { "https://siemmsspconnector/?code=", "is empty" },
        { "https://siemmsspconnector/", "has no code=" }, { "https://siemmsspconnector/?state=1", "has no code=" },
        { "?", "has no code=" }, { "state=5", "has no code=" }, { "https://x/?Code=1", "has no code=" },
        { "code=%zz", "no code has" }, { "code=%4", "no code has" }, { "code=%00", "no code has" },
        { "code=a%0Ab", "no code has" }, { "code=a%20b", "no code has" }, { "\xC3\xA4", "no code has" },
        { "joe.doe@contoso.com", "is no authorization code" },
        { "/opt/splunk/etc/code.txt", "is no authorization code" }, { "C:\\codes\\contoso.txt", "is no authorization code" },
        { "eyJ0eXAiOiJKV1Qi.eyJhIjoxfQ.c2ln", "is no authorization code" },
        { "0123abcd-89ab-cdef-0123-456789abcdef", "is no authorization code" },
    };
    struct err err;
    char *code = NULL;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK(!signin_code(rows[i].pasted, &code, &err) && err.kind == ERR_INPUT, "'%s' is taken", rows[i].pasted);
        CHECK(strstr(err.text, rows[i].part), "'%s': %s", rows[i].pasted, err.text);
        CHECK(!code, "'%s': something is returned", rows[i].pasted);
    }
}

static void test_too_long(void **state UNUSED)
{
    char *long_code = mem_alloc(20001);
    struct err err;
    char *code = NULL;

    memset(long_code, 'a', 20000);
    CHECK(!signin_code(long_code, &code, &err) && strstr(err.text, "longer than"), "%s", err.text);
    long_code[8000] = '\0';
    CHECK(signin_code(long_code, &code, &err) && strlen(code) == 8000, "%s", err.text);
    mem_free_secret(code);
    free(long_code);
}

static void test_refused(void **state UNUSED)
{
    static const struct { const char *pasted, *part; } rows[] = {
        { "https://siemmsspconnector/?error=access_denied&error_description=AADSTS65004%3a+User+declined.%0d%0aTrace",
          "AADSTS65004: the consent was declined. The customer's administrator: " },
        { "https://siemmsspconnector/?error_description=Not%20today&error=access_denied&state=1",
          "access_denied, Entra says 'Not today'. The customer's administrator: " },
        { "https://siemmsspconnector/?error=server_error", "server_error. Our administrator: " },
        { "https://siemmsspconnector/?error=%zz&error_description=%", "the request was refused. " },
        { "https://siemmsspconnector/#error=login_required", "login_required. Somebody must sign in: " },
    };
    struct err err;
    char *code = NULL;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK(!signin_code(rows[i].pasted, &code, &err) && err.kind == ERR_AUTH && !code, "'%s'", rows[i].pasted);
        CHECK(strstr(err.text, "the sign-in ended with a refusal: ") == err.text, "%s", err.text);
        CHECK(strstr(err.text, rows[i].part), "'%s': %s", rows[i].pasted, err.text);
    }
}

static void test_address(void **state UNUSED)
{
    static const struct { bool v1; const char *login, *want; } rows[] = {
        { true, "https://login.microsoftonline.com",
          "https://login.microsoftonline.com/contoso.example/oauth2/authorize?client_id=1-2&response_type=code"
          "&redirect_uri=https%3A%2F%2FSiemMsspConnector&response_mode=query&prompt=select_account"
          "&resource=https%3A%2F%2Fgraph.windows.net" },
        { false, "https://login.microsoftonline.us/",
          "https://login.microsoftonline.us/contoso.example/oauth2/v2.0/authorize?client_id=1-2&response_type=code"
          "&redirect_uri=https%3A%2F%2FSiemMsspConnector&response_mode=query&prompt=select_account"
          "&scope=https%3A%2F%2Fgraph.windows.net%2F.default%20offline_access" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *got = signin_address(rows[i].login, "contoso.example", "1-2", "https://SiemMsspConnector",
                                   "https://graph.windows.net", rows[i].v1);

        CHECK_TEXT(got, rows[i].want);
        free(got);
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_code),
    cmocka_unit_test(test_no_code),
    cmocka_unit_test(test_too_long),
    cmocka_unit_test(test_refused),
    cmocka_unit_test(test_address),
};

UNIT(signin, cases, NULL, NULL)
