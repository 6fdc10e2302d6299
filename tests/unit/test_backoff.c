#include "base/backoff.h"

#include "check.h"

#define DAY  INT64_C(86400000)
#define HALF UINT32_C(0x80000000)

/* promise: Trouble: What fails for a while is retried forever. Tries are at most five minutes apart. */
static void test_wait(void **state UNUSED)
{
    static const struct { int failures; int64_t asked; uint32_t random; int64_t want; } rows[] = {
        { 1, 0, 0, 500 },           { 1, 0, UINT32_MAX, 999 },      { 1, 0, HALF, 750 },
        { 2, 0, 0, 1000 },          { 3, 0, 0, 2000 },              { 9, 0, 0, 128000 },
        { 10, 0, 0, 150000 },       { 10, 0, UINT32_MAX, 299999 },  { 1000000, 0, HALF, 225000 },
        { 0, 0, 0, 500 },           { -5, 0, 0, 500 },              { 1, -1, 0, 500 },
        { 1, 60000, 0, 60000 },     { 5, 60000, UINT32_MAX, 65999 }, { 1, 2128, HALF, 2234 },
        /* a server that asks for little, each time: our own pause counts */
        { 1, 1, UINT32_MAX, 999 },  { 2, 1000, 0, 1000 },           { 5, 1000, 0, 8000 },
        { 9, 1000, UINT32_MAX, 255999 }, { 20, 1000, 0, 150000 },   { 20, 600000, 0, 600000 },
          { 1, INT64_MAX, 0, DAY },       { 1, 2 * DAY, UINT32_MAX, DAY + DAY / 10 - 1 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t got = backoff_wait_ms(rows[i].failures, rows[i].asked, rows[i].random);

        CHECK(got == rows[i].want, "row %zu: %lld, not %lld", i, (long long)got, (long long)rows[i].want);
    }
}

/* promise: Trouble: Refusals are retried slowly. */
static void test_refused(void **state UNUSED)
{
    static const struct { int refusals; int64_t minutes; } rows[] = {
        { -1, 15 }, { 0, 15 }, { 1, 15 }, { 2, 30 }, { 3, 60 }, { 4, 120 }, { 5, 240 }, { 6, 240 }, { INT32_MAX, 240 }
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(backoff_refused_ms(rows[i].refusals) == rows[i].minutes * 60000, "after %d refusals", rows[i].refusals);
}

/* promise: Trouble: A refusal that lasts seconds costs seconds. */
static void test_quick(void **state UNUSED)
{
    static const struct { int tries; int64_t want_ms; } rows[] = {
        { 0, 2000 }, { 1, 2000 }, { 2, 10000 }, { 3, 60000 }, { 4, 0 }, { 5, 0 }, { INT32_MAX, 0 }
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(backoff_quick_ms(rows[i].tries) == rows[i].want_ms, "repetition %d", rows[i].tries);
}

static void test_full_query(void **state UNUSED)
{
    static const struct { int times; int64_t minutes; } rows[] = {
        { 0, 10 }, { 1, 10 }, { 2, 20 }, { 3, 40 }, { 4, 80 }, { 5, 160 }, { 6, 240 }, { INT32_MAX, 240 }
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(backoff_full_query_ms(rows[i].times) == rows[i].minutes * 60000, "time %d", rows[i].times);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_quick),
    cmocka_unit_test(test_full_query),
    cmocka_unit_test(test_wait),
    cmocka_unit_test(test_refused),
};

UNIT(backoff, cases, NULL, NULL)
