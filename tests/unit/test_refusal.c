/* The service's error message, and refusals that quote it. */
#include "microsoft/refusal.h"

#include <stdio.h>

#include "base/compiler.h"
#include "check.h"

#define FORBIDDEN "{\"error\":{\"code\":\"Forbidden\",\"message\":\"Missing roles.\"}}"

static void test_words(void **state UNUSED)
{
    static const struct { const char *body, *words; } rows[] = {
        { FORBIDDEN, ": Forbidden 'Missing roles.'" }, { "{\"error\":{\"message\":\"m\"}}", ": 'm'" },
        { "{\"error\":\"plain\"}", ": 'plain'" },      { "{\"error\":{\"code\":\"c\"}}", ": c ''" },
        { "{\"error\":{}}", "" }, { "{}", "" },        { "", "" }, { "<html>", "" }, { "[1]", "" },
        { "{\"error\":{\"message\":7}}", "" },         { "{\"error\":7}", "" }
    };
    char words[REFUSAL_WORDS_MAX], body[3000];

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        refusal_words(&(struct http_result){ .body = rows[i].body, .body_len = strlen(rows[i].body) }, words);
        CHECK_TEXT(words, rows[i].words);
    }
    snprintf(body, sizeof(body), "{\"error\":{\"code\":\"%01000d\",\"message\":\"a\\nb%01000d\"}}", 0, 0);
    refusal_words(&(struct http_result){ .body = body, .body_len = strlen(body) }, words);
    CHECK(strlen(words) < REFUSAL_WORDS_MAX && !strchr(words, '\n') && words[strlen(words) - 1] == '\'', "'%s'", words);
}

static void test_refusals(void **state UNUSED)
{
    static const struct {
        int status;
        const char *body, *id;
        enum diagnosis diagnosis;
        const char *permission, *part[3];
    } rows[] = {
        { 403, FORBIDDEN, "r-1", DIAGNOSIS_HTTP_403, "SecurityAlert.Read.All",
          { "SecurityAlert.Read.All", ": Forbidden 'Missing roles.'", "(request-id r-1)" } },
        { 418, "", "r-1", DIAGNOSIS_HTTP_4XX, NULL, { "418", "(request-id r-1)", "" } },
        { 400, FORBIDDEN, "", DIAGNOSIS_HTTP_400, NULL, { "400", "'Missing roles.'", "" } }
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_result result = { .status = rows[i].status, .body = rows[i].body,
                                      .body_len = strlen(rows[i].body), .request_id = rows[i].id };
        struct err err = { .kind = ERR_RETRY };

        refusal_set(&result, rows[i].diagnosis, rows[i].permission, &err);
        CHECK(err.kind == ERR_AUTH, "row %zu: kind %d", i, err.kind);
        for (size_t k = 0; k < COUNT_OF(rows[i].part); k++)
            CHECK(strstr(err.text, rows[i].part[k]) != NULL, "row %zu: no '%s' in '%s'", i, rows[i].part[k], err.text);
        CHECK(*rows[i].id || !strstr(err.text, "request-id"), "row %zu: '%s'", i, err.text);
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_words),
    cmocka_unit_test(test_refusals),
};

UNIT(refusal, cases, NULL, NULL)
