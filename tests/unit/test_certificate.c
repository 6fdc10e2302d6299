/* When the end of a certificate is spoken of: 30, 7 and 1 days ahead, once each, however often it is looked at. */
#include "auth/certificate.h"

#include "check.h"

static void test_days_go_by(void **state UNUSED)
{
    static const struct { int64_t days_left; bool news; } rows[] = {
        { 365, false }, { 31, false }, { 30, true }, { 30, false }, { 29, false }, { 8, false }, { 7, true },
        { 7, false }, { 2, false }, { 1, true }, { 1, false }, { 0, false }, { -1, false }
    };
    int64_t warned = 0;
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++)
        CHECK(certificate_end_is_news(rows[i].days_left, &warned) == rows[i].news, "row %zu", i);
}

/* A program that starts late says only the nearest. */
static void test_late_starts(void **state UNUSED)
{
    static const int64_t days[] = { 25, 6, 1, 0 };
    size_t i;

    for (i = 0; i < COUNT_OF(days); i++) {
        int64_t warned = 0;

        CHECK(certificate_end_is_news(days[i], &warned), "row %zu", i);
        CHECK(!certificate_end_is_news(days[i], &warned), "row %zu a second time", i);
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_days_go_by),
    cmocka_unit_test(test_late_starts),
};

UNIT(certificate, cases, NULL, NULL)
