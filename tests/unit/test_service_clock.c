/* Which of three clocks is right: the Date, the host's, and what was known before. */
#include "collect/service_clock.h"

#include "check.h"

#define S INT64_C(1000)
#define M (60 * S)
#define H (60 * M)
#define D (24 * H)
#define T INT64_C(1793520000000)    /* the true time at the first response; responses come a minute apart */
#define MOST 6

struct said {
    int64_t date, host;     /* less the true time */
    int64_t took;
    bool    believed;
    int64_t now;            /* the service's time as it is known afterwards, less the true time */
};

/* promise: Events: Wrong clocks lose no alert */
static void test_three_witnesses(void **state UNUSED)
{
    static const struct {
        const char *name;
        struct said said[MOST];
        size_t      count;
    } rows[] = {
        { "all agree", { { 0, 0, 0, true, 0 }, { 0, 0, 0, true, 0 } }, 2 },
        { "a host that is a little off", { { 0, -4 * M, 0, true, 0 } }, 1 },
        { "40 days ahead at the first start",
          { { 40 * D, 0, 0, false, 0 }, { 0, 0, 0, true, 0 }, { 0, 0, 0, true, 0 } }, 3 },
        { "two days in the past at the start", { { -2 * D, 0, 0, false, 0 }, { 0, 0, 0, true, 0 } }, 2 },
        { "one wrong Date among many",
          { { 0, 0, 0, true, 0 }, { -2 * D, 0, 0, false, 0 }, { 0, 0, 0, true, 0 }, { 40 * D, 0, 0, false, 0 } }, 4 },
        { "two wrong Dates that differ",
          { { 0, 0, 0, true, 0 }, { -2 * D, 0, 0, false, 0 }, { 40 * D, 0, 0, false, 0 }, { 0, 0, 0, true, 0 } }, 4 },
        { "wrong Dates that take turns with good ones",
          { { 3 * D, 0, 0, false, 0 }, { 0, 0, 0, true, 0 }, { 3 * D, 0, 0, false, 0 }, { 0, 0, 0, true, 0 } }, 4 },
        { "the host is 40 days behind at the first start",
          { { 0, -40 * D, 0, false, -40 * D }, { 0, -40 * D, 0, false, -40 * D }, { 0, -40 * D, 0, false, -40 * D },
            { 0, -40 * D, 0, true, 0 } }, 4 },
        { "a wrong Date between good ones that the host, which is behind, contradicts",
          { { 0, -D, 0, false, -D }, { 0, -D, 0, false, -D }, { 0, -D, 0, false, -D }, { 9 * D, -D, 0, false, -D },
            { 0, -D, 0, false, -D } }, 5 },
        { "the host has always been an hour ahead",
          { { 0, H, 0, false, H }, { 0, H, 0, true, 0 }, { 0, H, 0, true, 0 } }, 3 },
        { "the host is 40 days ahead at the start", { { 0, 40 * D, 0, false, 40 * D }, { 0, 40 * D, 0, true, 0 } }, 2 },
        { "ten hours ahead at the start, and the host is behind",
          { { 10 * H, -2 * D, 0, false, -2 * D }, { 0, -2 * D, 0, false, -2 * D }, { 0, -2 * D, 0, false, -2 * D },
            { 0, -2 * D, 0, false, -2 * D }, { 0, -2 * D, 0, true, 0 } }, 5 },
        { "the host jumps while the process runs",
          { { 0, 0, 0, true, 0 }, { 0, 3 * H, 0, true, 0 }, { 0, -3 * H, 0, true, 0 } }, 3 },
        { "host and Date are wrong at once",
          { { 0, 0, 0, true, 0 }, { 5 * D, -3 * H, 0, false, 0 }, { 0, -3 * H, 0, true, 0 } }, 3 },
        { "the service's clock is corrected",
          { { H, 0, 0, false, 0 }, { H, 0, 0, false, 0 }, { H, 0, 0, false, 0 }, { H, 0, 0, true, H }, { 0, 0, 0, true, 0 } },
          5 },
        { "the service's clock is behind, and is corrected",
          { { -H, 0, 0, false, 0 }, { -H, 0, 0, true, -H }, { 0, 0, 0, true, 0 } }, 3 },
        { "two wrong Dates that are half a minute apart by chance",
          { { 0, 0, 0, true, 0 }, { -D, 0, 0, false, 0 }, { -D + M / 2, 0, 0, false, 0 }, { 0, 0, 0, true, 0 } }, 4 },
        { "three Dates of one of the service's servers in a row",
          { { 0, 0, 0, true, 0 }, { 9 * D, 3 * H, 0, false, 0 }, { 9 * D, 3 * H, 0, false, 0 }, { 9 * D, 3 * H, 0, false, 0 },
            { 0, 3 * H, 0, true, 0 }, { 9 * D, 3 * H, 0, false, 0 } }, 6 },
        { "Dates of one clock, which have whole seconds",
          { { 0, 0, 0, true, 0 }, { 9 * D, H, 0, false, 0 }, { 9 * D - S, H, 0, false, 0 }, { 9 * D + S, H, 0, false, 0 },
            { 9 * D, H, 0, true, 9 * D } }, 5 },
        { "a response that took twenty minutes",
          { { 0, 0, 0, true, 0 }, { -20 * M, 0, 21 * M, true, 0 }, { -20 * M, 0, 10 * M, false, 0 },
            { 0, 0, 21 * M, true, 0 } }, 4 },
    };
    size_t i, k;

    for (i = 0; i < COUNT_OF(rows); i++) {
        struct service_clock clock = { .known = false };

        for (k = 0; k < rows[i].count; k++) {
            const struct said *said = &rows[i].said[k];
            int64_t passed = (int64_t)k * M, now_ms = 777 * S + passed;
            struct clock_facts facts = { T + passed + said->host, now_ms, said->took };
            bool believed = service_clock_take(&clock, T + passed + said->date, &facts);
            int64_t known = service_clock_now(&clock, facts.wall_ms, now_ms) - T - passed;

            CHECK(believed == said->believed, "%s, response %zu: believed %d", rows[i].name, k, believed);
            CHECK(known == said->now, "%s, response %zu: the time is %lld s off", rows[i].name, k,
                  (long long)known / 1000);
        }
    }
}

static void test_tells_once_an_hour(void **state UNUSED)
{
    struct service_clock clock = { .known = false };

    CHECK(service_clock_tell(&clock, 0), "the first");
    CHECK(!service_clock_tell(&clock, 1), "not at once");
    CHECK(!service_clock_tell(&clock, H - 1), "nor soon");
    CHECK(service_clock_tell(&clock, H + 1), "an hour later");
    CHECK(!service_clock_tell(&clock, H + 2), "and not at once");
}

/* promise: Events: Wrong clocks lose no alert */
static void test_began_late(void **state UNUSED)
{
    static const struct {
        const char *name;
        int64_t began, good, host;      /* less the true time */
        bool    late;
    } rows[] = {
        { "all agree", 0, 0, 0, false },
        { "40 days ahead, and then not", 40 * D, 0, 0, true },
        { "an hour ahead, and then not", H, 0, 0, true },
        { "40 days ahead still", 40 * D, 40 * D, 0, false },
        { "less far ahead, but not by the host's clock", 40 * D, 20 * D, 0, false },
        { "40 days behind, and then not", -40 * D, 0, 0, false },
        { "behind later, by the services alone", 0, -40 * D, 0, false },
        { "the host is behind", 0, 0, -40 * D, false },
    };
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        struct service_clock clock = { .known = true, .good_ms = T + rows[i].began - H };

        CHECK(!service_clock_began_late(&clock, T + rows[i].host, H), "%s", rows[i].name);
        service_clock_begins(&clock, T + rows[i].host, H);
        clock.good_ms = T + rows[i].good - H;
        CHECK(service_clock_began_late(&clock, T + rows[i].host + M, H + M) == rows[i].late, "%s", rows[i].name);
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_three_witnesses),
    cmocka_unit_test(test_tells_once_an_hour),
    cmocka_unit_test(test_began_late),
};

UNIT(service_clock, cases, NULL, NULL)
