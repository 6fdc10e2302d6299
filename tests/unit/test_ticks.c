#include "base/ticks.h"

#include <stdlib.h>

#include "check.h"

static void test_parse(void **state UNUSED)
{
    static const struct { const char *text; ticks want; } rows[] = {
        { "1970-01-01", 0 },
        { "1970-01-01T00:00:00Z", 0 },
        { "1970-01-01T00:00:00.0000001Z", 1 },
        { "1969-12-31T23:59:59.9999999Z", -1 },
        { "2026-11-01T08:35:12Z", INT64_C(17935221120000000) },
        { "2026-11-01T08:35:12", INT64_C(17935221120000000) },
        { "2026-11-01 08:35:12z", INT64_C(17935221120000000) },
        { "2026-11-01t08:35:12.9Z", INT64_C(17935221129000000) },
        { "2026-11-01T08:35:12,9Z", INT64_C(17935221129000000) },
        { "2026-11-01T08:35:12.13Z", INT64_C(17935221121300000) },
        { "2026-11-01T08:35:12.1333333Z", INT64_C(17935221121333333) },
        { "2026-11-01T08:35:12.35743Z", INT64_C(17935221123574300) },
        { "2026-11-01T08:35:12.133333399Z", INT64_C(17935221121333333) },     /* past the seventh: dropped */
        { "2026-11-01T08:35Z", INT64_C(17935221000000000) },
        { "2026-11-01T10:35:12+02:00", INT64_C(17935221120000000) },
        { "2026-11-01T03:05:12.5-0530", INT64_C(17935221125000000) },
        { "2026-11-01T08:35:60Z", INT64_C(17935221590000000) },
        { "2024-02-29T00:00:00Z", INT64_C(17091648000000000) },
        { "2000-02-29", INT64_C(9517824000000000) },
        { "0001-01-01T00:00:00Z", INT64_C(-621355968000000000) },
        { "9999-12-31T23:59:59.9999999Z", INT64_C(2534023007999999999) },
    };
    ticks got;

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(ticks_parse(rows[i].text, strlen(rows[i].text), &got) && got == rows[i].want, "'%s': %lld, not %lld",
              rows[i].text, (long long)got, (long long)rows[i].want);
}

static void test_bad(void **state UNUSED)
{
    static const char *const rows[] = {
        "", "2026", "2026-11", "2026-1-1", "26-11-01", "2026-11-01T", "2026-11-01T08", "2026-11-01T08:", "2026-13-01",
        "2026-00-01", "2026-11-00", "2026-11-31", "2026-02-29", "1900-02-29", "0000-01-01", "10000-01-01",
        "2026-11-01T24:00:00Z", "2026-11-01T08:60:00Z", "2026-11-01T08:35:61Z", "2026-11-01T08:35:12.Z",
        "2026-11-01T08:35:12.1234567890Z", "2026-11-01T08:35:12ZZ", "2026-11-01T08:35:12 Z", " 2026-11-01",
        "2026-11-01 ", "2026-11-01T08:35:12+", "2026-11-01T08:35:12+2", "2026-11-01T08:35:12+24:00",
        "2026-11-01T08:35:12+02:60", "2026-11-01T08:35:12X", "2026-11-01Z", "-026-11-01", "2026/11/01", "now",
        "2026-11-01T-8:35:12Z", "2026-11-01T08:35:12.-1Z", "2026-11-01T08:35:1\xC2\xB2Z",
    };
    ticks got;

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(!ticks_parse(rows[i], strlen(rows[i]), &got), "'%s' is taken", rows[i]);
    CHECK(ticks_parse("2026-11-01T08:35:12Z", 10, &got) && got == INT64_C(17934912000000000), "not the length rules");
    CHECK(!ticks_parse("2026-11-01\0", 11, &got), "a zero byte is taken");
}

static void test_text(void **state UNUSED)
{
    static const struct { ticks time; int digits; const char *want; } rows[] = {
        { 0, 7, "1970-01-01T00:00:00.0000000Z" },
        { -1, 7, "1969-12-31T23:59:59.9999999Z" },
        { -1, 0, "1969-12-31T23:59:59Z" },
        { INT64_C(17935221121333333), 7, "2026-11-01T08:35:12.1333333Z" },
        { INT64_C(17935221121999999), 3, "2026-11-01T08:35:12.199Z" },
        { INT64_C(17935221129999999), 1, "2026-11-01T08:35:12.9Z" },
        { INT64_C(17935221129999999), 0, "2026-11-01T08:35:12Z" },
        { INT64_C(-621355968000000000), 7, "0001-01-01T00:00:00.0000000Z" },
        { INT64_C(-621355968000000001), 7, "0001-01-01T00:00:00.0000000Z" },
        { INT64_MIN, 7, "0001-01-01T00:00:00.0000000Z" },
        { INT64_C(2534023008000000000), 7, "9999-12-31T23:59:59.9999999Z" },
        { TICKS_OPEN, 7, "9999-12-31T23:59:59.9999999Z" },
    };
    char text[TICKS_TEXT_MAX];

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ticks_text_digits(rows[i].time, rows[i].digits, text);
        CHECK_TEXT(text, rows[i].want);
    }
    ticks_text(INT64_C(17935221120000000), text);
    CHECK_TEXT(text, "2026-11-01T08:35:12.0000000Z");
}

static void test_epoch(void **state UNUSED)
{
    static const struct { ticks time; const char *want; } rows[] = {
        { 0, "0.0000000" },             { 1, "0.0000001" },             { -1, "-0.0000001" },
        { -2500000, "-0.2500000" },     { -12500000, "-1.2500000" },    { -10000000, "-1.0000000" },
        { INT64_C(17935221121333333), "1793522112.1333333" },           { -9999999, "-0.9999999" },
        { INT64_MAX, "922337203685.4775807" },                          { INT64_MIN, "-922337203685.4775808" },
    };
    char text[TICKS_TEXT_MAX];

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t len = ticks_epoch_text(rows[i].time, text);

        CHECK_TEXT(text, rows[i].want);
        CHECK(len == strlen(text), "length %zu of '%s'", len, text);
    }
}

/* Every day from year 1 to 9999 has one text, the next day's is greater, and it is read back as what it was. */
static void test_every_day(void **state UNUSED)
{
    char text[TICKS_TEXT_MAX], last[TICKS_TEXT_MAX] = "";
    const ticks day = 86400 * TICKS_PER_SECOND;
    ticks time = INT64_C(-621355968000000000), again;
    size_t wrong = 0, days = 0;

    for (; days < 3652059; days++, time += day, memcpy(last, text, sizeof(last))) {
        ticks_text(time, text);
        if (strcmp(last, text) >= 0 || !ticks_parse(text, strlen(text), &again) || again != time)
            wrong++;
    }
    CHECK(wrong == 0, "%zu days are wrong", wrong);
    CHECK_TEXT(text, "9999-12-31T00:00:00.0000000Z");
}

/* The order of times is not the order of their texts; that is why there are ticks. */
static void test_order(void **state UNUSED)
{
    static const char *const rising[] = {
        "2026-11-01T08:35:12Z", "2026-11-01T08:35:12.13Z", "2026-11-01T08:35:12.1333333Z", "2026-11-01T08:35:12.5Z",
        "2026-11-01T08:35:12.9Z", "2026-11-01T08:35:12.9333333Z", "2026-11-01T08:35:13Z", "2026-11-01T12:00:00+02:00",
    };
    ticks last = INT64_MIN, time;

    for (size_t i = 0; i < COUNT_OF(rising); i++, last = time)
        CHECK(ticks_parse(rising[i], strlen(rising[i]), &time) && time > last, "'%s' is not later", rising[i]);
}

static void test_arithmetic(void **state UNUSED)
{
    static const struct { ticks time; int64_t seconds; ticks ahead, back; } rows[] = {
        { 0, 1, 10000000, -10000000 },
        { 5, -1, -9999995, 10000005 },
        { TICKS_OPEN, 5, TICKS_OPEN, TICKS_OPEN },
        { TICKS_OPEN - 1, 1, TICKS_OPEN - 1, TICKS_OPEN - 10000001 },
        { INT64_MIN, 1, INT64_MIN + 10000000, INT64_MIN },
        { 0, INT64_MAX, TICKS_OPEN - 1, INT64_MIN },
        { 0, INT64_MIN, INT64_MIN, TICKS_OPEN - 1 },
    };
    static const struct { int64_t ms; ticks time; } times[] = {
        { 0, 0 }, { 1, 10000 }, { -1, -10000 }, { INT64_MAX, INT64_MAX - 1 }, { INT64_MIN, INT64_MIN },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK(ticks_ahead(rows[i].time, rows[i].seconds) == rows[i].ahead, "row %zu ahead: %lld", i,
              (long long)ticks_ahead(rows[i].time, rows[i].seconds));
        CHECK(ticks_back(rows[i].time, rows[i].seconds) == rows[i].back, "row %zu back: %lld", i,
              (long long)ticks_back(rows[i].time, rows[i].seconds));
    }
    for (size_t i = 0; i < COUNT_OF(times); i++)
        CHECK(ticks_from_ms(times[i].ms) == times[i].time, "%lld ms", (long long)times[i].ms);
    CHECK(ticks_to_ms(19999) == 1 && ticks_to_ms(-1) == -1 && ticks_to_ms(-10000) == -1 && ticks_to_ms(-10001) == -2,
          "not rounded down");
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_parse),
    cmocka_unit_test(test_bad),
    cmocka_unit_test(test_text),
    cmocka_unit_test(test_epoch),
    cmocka_unit_test(test_every_day),
    cmocka_unit_test(test_order),
    cmocka_unit_test(test_arithmetic),
};

UNIT(ticks, cases, NULL, NULL)
