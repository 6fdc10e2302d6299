/* When the credentials of an app registration end, as Graph tells. */
#include "microsoft/app_ends.h"

#include "base/mem.h"
#include "check.h"

#define SECRET(hint, end) "{\"hint\":" hint ",\"endDateTime\":" end ",\"secretText\":null}"
#define BODY(secrets) "{\"passwordCredentials\":[" secrets "],\"keyCredentials\":[]}"

static ticks at(const char *text)
{
    ticks time = 0;

    CHECK(ticks_parse(text, strlen(text), &time), "'%s'", text);
    return time;
}

static void test_urls(void **state UNUSED)
{
    struct buf url = BUF_INIT(1000);

    app_ends_owner_url("https://graph.microsoft.us", "0-1", &url);
    CHECK_TEXT(buf_text(&url), "https://graph.microsoft.us/v1.0/servicePrincipals(appId='0-1')?$select=appOwnerOrganizationId");
    buf_clear(&url);
    app_ends_url("https://graph.microsoft.com", "0-1", &url);
    CHECK_TEXT(buf_text(&url),
               "https://graph.microsoft.com/v1.0/applications(appId='0-1')?$select=passwordCredentials,keyCredentials");
    buf_free(&url);
}

static void test_owner(void **state UNUSED)
{
    static const struct { const char *body, *owner; } rows[] = {
        { "{\"appOwnerOrganizationId\":\"01234567-89ab-cdef-0123-456789abcdef\"}", "01234567-89ab-cdef-0123-456789abcdef" },
        { "{\"appOwnerOrganizationId\":null}", NULL }, { "{\"appOwnerOrganizationId\":\"../x\"}", NULL },
        { "{}", NULL }, { "[]", NULL }, { "<html>", NULL }, { "", NULL },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(mem_freep) char *owner = app_ends_owner(rows[i].body, strlen(rows[i].body));

        CHECK(owner ? rows[i].owner && !strcmp(owner, rows[i].owner) : !rows[i].owner, "%s: %s", rows[i].body,
              owner ? owner : "none");
    }
}

/* promise: Trouble: Before a secret ends, one WARN for its app at 30, 7 and 1 days, from its registration. */
static void test_secrets(void **state UNUSED)
{
    static const struct { const char *name, *body, *end; } rows[] = {
        { "the one", BODY(SECRET("\"Aa8\"", "\"2027-05-01T00:00:00Z\"")), "2027-05-01T00:00:00Z" },
        { "another one", BODY(SECRET("\"Aa9\"", "\"2027-05-01T00:00:00Z\"")), NULL },
        { "upper case is another", BODY(SECRET("\"AA8\"", "\"2027-05-01T00:00:00Z\"")), NULL },
        { "no hint", BODY(SECRET("null", "\"2027-05-01T00:00:00Z\"")), NULL },
        { "an empty hint", BODY(SECRET("\"\"", "\"2027-05-01T00:00:00Z\"")), NULL },
        { "two alike: the first to end", BODY(SECRET("\"Aa8\"", "\"2027-05-01T00:00:00Z\"") ","
              SECRET("\"Aa8\"", "\"2027-01-01T00:00:00.1234567Z\"")), "2027-01-01T00:00:00.1234567Z" },
        { "one that has ended is not in use", BODY(SECRET("\"Aa8\"", "\"2026-05-01T00:00:00Z\"") ","
              SECRET("\"Aa8\"", "\"2028-01-01T00:00:00Z\"")), "2028-01-01T00:00:00Z" },
        { "only one that has ended", BODY(SECRET("\"Aa8\"", "\"2026-05-01T00:00:00Z\"")), NULL },
        { "no date", BODY(SECRET("\"Aa8\"", "null")), NULL }, { "not a date", BODY(SECRET("\"Aa8\"", "\"soon\"")), NULL },
        { "none", BODY(""), NULL }, { "not an object", BODY("7"), NULL },
    };
    static const char *const bad[] = { "", "[]", "{}", "{\"passwordCredentials\":[]}", "{\"keyCredentials\":[]}",
                                       "{\"passwordCredentials\":{},\"keyCredentials\":[]}", "<html>" };
    const ticks now = at("2026-11-30T12:00:00Z");
    struct app_ends ends;
    struct err err;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK(app_ends_read(rows[i].body, strlen(rows[i].body), "Aa8~the rest", NULL, now, &ends, &err), "%s", rows[i].name);
        CHECK(rows[i].end ? ends.has_secret && ends.secret == at(rows[i].end) : !ends.has_secret, "%s", rows[i].name);
        CHECK(app_ends_read(rows[i].body, strlen(rows[i].body), NULL, NULL, now, &ends, &err) && !ends.has_secret,
              "%s, without a secret", rows[i].name);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        CHECK(!app_ends_read(bad[i], strlen(bad[i]), "Aa8", NULL, now, &ends, &err) && err.kind == ERR_INPUT, "%s", bad[i]);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_urls),
    cmocka_unit_test(test_owner),
    cmocka_unit_test(test_secrets),
};

UNIT(app_ends, cases, NULL, NULL)
