#include "check.h"

#include "base/buf.h"
#include "base/mem.h"
#include "microsoft/claims.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* A token with this payload, as base64url without padding. Caller frees. */
static char *token_of(const char *payload)
{
    unsigned char text[1024];
    char *at;

    EVP_EncodeBlock(text, (const unsigned char *)payload, (int)strlen(payload));
    for (at = (char *)text; *at; at++)
        *at = (char)(*at == '+' ? '-' : *at == '/' ? '_' : *at == '=' ? '\0' : *at);
    return mem_format("Bearer eyJ0eXAiOiJKV1QifQ.%s.c2ln", (char *)text);
}

static const struct { const char *payload; bool readable, user; const char *granted; } rows[] = {
    { "{\"roles\":[\"A.Read\",\"B.Read.All\"]}", true, false, "A.Read B.Read.All" },
    { "{\"scp\":\"A.Read B.Read\"}", true, true, "A.Read B.Read" },
    { "{\"scp\":\"\",\"roles\":[\"R\"]}", true, true, "R" }, { "{}", true, false, "" },
    { "{\"roles\":\"A\"}", true, false, "" }, { "{\"roles\":[1,null,\"A\"]}", true, false, "A" },
    { "{\"n\":\"\xC3\xBF\xC3\xBE>>>???\"}", true, false, "" }, { "[]", false, false, "" }, { "{", false, false, "" }
};

static void test_payloads(void **state UNUSED)
{
    struct claims claims;
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(mem_freep) char *token = token_of(rows[i].payload);

        claims_read(token, &claims);
        CHECK(claims.readable == rows[i].readable && claims.user == rows[i].user, "row %zu", i);
        CHECK_TEXT(claims.granted, rows[i].granted);
        claims_release(&claims);
    }
}

static void test_what_is_no_jwt(void **state UNUSED)
{
    static const char *const tokens[] = { "", "Bearer", "Bearer a.b", "Bearer a..c", "Bearer a.!!!.c", "Bearer a.b.c",
                                          "Bearer a.YQ.c", "Bearer .." };
    struct claims claims;
    size_t i;

    for (i = 0; i < COUNT_OF(tokens); i++) {
        claims_read(tokens[i], &claims);
        CHECK(!claims.readable, "'%s'", tokens[i]);
        claims_release(&claims);
    }
}

static void test_holding(void **state UNUSED)
{
    struct claims claims = { .readable = true, .granted = (char[]){ "Alert.Read.All SecurityIncident.Read.All" } };

    CHECK(claims_hold(&claims, "X Alert.Read.All"), "second of the wanted");
    CHECK(claims_hold(&claims, "SecurityIncident.Read.All"), "second of the granted");
    CHECK(!claims_hold(&claims, "Alert.Read"), "the beginning of a word");
    CHECK(!claims_hold(&claims, "Incident.Read.All"), "the end of a word");
    CHECK(!claims_hold(&claims, ""), "nothing");
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_payloads),
    cmocka_unit_test(test_what_is_no_jwt),
    cmocka_unit_test(test_holding),
};

UNIT(claims, cases, NULL, NULL)
