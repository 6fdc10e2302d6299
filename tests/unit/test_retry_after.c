#include "net/retry_after.h"

#include "base/compiler.h"
#include "check.h"

#define DAY  INT64_C(86400000)

/* promise: Trouble: The wait that a 429 or a 503 asks for is kept, also as a date. */
static void test_date(void **state UNUSED)
{
    static const struct { const char *text; int64_t seconds; } good[] = {
        { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
        { "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
        { "Sun Nov  6 08:49:37 1994", 784111777 },
        { "Sun Nov 06 08:49:37 1994", 784111777 },
        { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
        { "wed, 31 dec 1969 23:59:59 GMT", -1 },
        { "Thu, 29 Feb 2024 12:00:00 GMT ", 1709208000 },
        { "Friday, 01-Jan-69 00:00:00 GMT", 3124224000 },
        { "Fri, 30 Jun 2028 23:59:60 GMT", 1846022399 },      /* a leap second counts as the one before */
    };
    static const char *const bad[] = {
        "", "Sun", "06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 2024 00:00:00 GMT", "Sun, 29 Feb 2023 00:00:00 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT more", "Xyz, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Xyz 1994 08:49:37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994", "2026-11-01T08:35:12Z", "784111777",
    };
    int64_t ms;

    for (size_t i = 0; i < COUNT_OF(good); i++)
        CHECK(http_date_ms(good[i].text, &ms) && ms == good[i].seconds * 1000, "'%s': %lld", good[i].text,
              (long long)ms);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        CHECK(!http_date_ms(bad[i], &ms), "'%s' was taken", bad[i]);
}

/* promise: Trouble: The wait that a 429 or a 503 asks for is kept, in seconds and fractions. */
static void test_header(void **state UNUSED)
{
    static const int64_t now = INT64_C(784111777000);      /* Sun, 06 Nov 1994 08:49:37 GMT */
    static const struct { const char *value; int64_t want; } rows[] = {
        { "60", 60000 }, { " 60 ", 60000 }, { "0", 0 }, { "2.128", 2128 }, { "0.5", 500 }, { "1.0001", 1001 },
        { "1.0000", 1000 }, { "007", 7000 }, { "86400", DAY }, { "86401", DAY }, { "172800", DAY }, { "2592000", DAY },
        { "2592001", -1 }, { "99999999999999999999999999", -1 }, { "-1", -1 }, { "+1", -1 }, { "", -1 }, { " ", -1 },
        { "abc", -1 }, { "1e3", -1 }, { "0x10", -1 }, { "5 s", -1 }, { "5.", -1 }, { ".5", -1 }, { "1,5", -1 },
        { "10, 20", -1 }, { "nan", -1 }, { "inf", -1 },
        { "Sun, 06 Nov 1994 08:50:37 GMT", 60000 }, { "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
        { "Sun, 06 Nov 1994 08:48:37 GMT", 0 }, { "Sunday, 06-Nov-94 08:49:38 GMT", 1000 },
        { "Sun Nov  6 08:49:47 1994", 10000 }, { "Tue, 08 Nov 1994 08:49:37 GMT", DAY },
        { "Fri, 31 Dec 9999 23:59:59 GMT", -1 }, { "Sat, 01 Jan 0001 00:00:00 GMT", 0 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t got = retry_after_ms(rows[i].value, now);

        CHECK(got == rows[i].want, "'%s': %lld, not %lld", rows[i].value, (long long)got, (long long)rows[i].want);
    }
}

/* promise: Trouble: The wait that a 429 or a 503 asks for is kept, also in the body. */
static void test_body(void **state UNUSED)
{
    static const struct { const char *body; int64_t want; } rows[] = {
        { "{\"error\":{\"message\":\"You can send requests again in 52 seconds.\"}}", 52000 },
        { "Try again in 1 second", 1000 }, { "please retry after 10 seconds", 10000 }, { "In 3 SECONDS", 3000 },
        { "again in 2.5 seconds", 2500 }, { "in 5 minutes", -1 }, { "within 5 seconds", -1 },
        { "hereafter 5 seconds", -1 },
        { "in 5", -1 }, { "in seconds", -1 }, { "in -5 seconds", -1 }, { "", -1 }, { "Too Many Requests", -1 },
        { "used up in 2026; again in 7 seconds or in 8 seconds", 7000 }, { "in 9999999999999999999999 seconds", -1 },
        { "{\"retryAfter\":30}", 30000 }, { "{\"retryAfter\" : \"30\"}", 30000 },
        { "{\"a\":{\"retry_after\":\n1.5}}", 1500 },
        { "{\"retryAfter\":null}", -1 }, { "{\"retryAfter\":-3}", -1 }, { "{\"retryAfterwards\":3}", -1 },
        { "\"retryAfter\"", -1 }, { "\"retryAfter\":", -1 }, { "{\"retryAfter\":864000}", DAY },
    };
    static const char cut[] = "again in 52 seconds";

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t got = retry_after_in_body_ms(rows[i].body, strlen(rows[i].body));

        CHECK(got == rows[i].want, "'%s': %lld, not %lld", rows[i].body, (long long)got, (long long)rows[i].want);
    }
    /* The length rules, not a zero. */
    CHECK(retry_after_in_body_ms(cut, 12) == -1, "read past the end");
    CHECK(retry_after_in_body_ms("\0in 4 seconds", 13) == 4000, "a zero byte ended the body");
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_date),
    cmocka_unit_test(test_header),
    cmocka_unit_test(test_body),
};

UNIT(retry_after, cases, NULL, NULL)
