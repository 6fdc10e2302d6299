/* However it is asked, no minute and no hour sees more requests than the service allows. */
#include "pacing/rate.h"

#include <stdlib.h>

#include "base/digest.h"
#include "check.h"

#define MOST 40000

static int64_t taken[MOST];

static size_t within(size_t count, int64_t ms)
{
    size_t from = 0, i, most = 0;

    for (i = 0; i < count; i++) {
        while (taken[i] - taken[from] >= ms)
            from++;
        most = i - from + 1 > most ? i - from + 1 : most;
    }
    return most;
}

static void check_windows(int per_minute, int per_hour, uint32_t pause_most_ms)
{
    struct rate rate;
    int64_t now = 1000, wait;
    size_t count = 0, asked;

    rate_start(&rate, rate_limits_for(per_minute, per_hour), now);
    for (asked = 0; asked < 200000 && count < MOST; asked++) {
        wait = rate_take(&rate, random_below(4) == 0, now);
        CHECK(wait >= 0, "a negative wait");
        if (!wait)
            taken[count++] = now;
        else if (random_below(2))
            now += wait;            /* as told */
        now += random_below(100) ? random_below(pause_most_ms + 1) : random_below(600000);
    }
    CHECK(within(count, 60000) <= (size_t)per_minute, "%zu in a minute, %d allowed", within(count, 60000), per_minute);
    CHECK(!per_hour || within(count, 3600000) <= (size_t)per_hour, "%zu in an hour, %d allowed", within(count, 3600000),
          per_hour);
    CHECK(count > 1000, "only %zu in all", count);
}

static void test_wait(void **state UNUSED)
{
    struct rate rate;
    int64_t wait;
    int n = 0;

    rate_start(&rate, rate_limits_for(100, 1500), 0);
    while (!(wait = rate_take(&rate, 0, 0)))
        n++;
    /* What the limit leaves beside a whole minute of the process before. */
    CHECK(n >= 5 && n <= 10, "%d at once", n);
    CHECK(rate_take(&rate, 0, wait - 2) > 0 && rate_take(&rate, 0, wait) == 0,
          "the wait of %lld ms is not exact", (long long)wait);
    rate_hold(&rate, 100000);
    rate_hold(&rate, 50000);
    CHECK(rate_take(&rate, 0, 90000) == 10000 && rate_take(&rate, 0, 100000) == 0, "the hold");
    CHECK(rate_take(&rate, 0, 0) >= 0, "a clock that goes back");
}

/* Polls that would use everything leave a waiting back-fill every third request; one that is gone takes nothing. */
static void test_share(void **state UNUSED)
{
    int64_t now = 0, fill_due = 0, wait;
    int polls = 0, fills = 0;
    struct rate rate;

    rate_start(&rate, rate_limits_for(100, 0), 0);
    for (; now < 600000; now += 100) {
        if (now >= fill_due && (wait = rate_take(&rate, true, now)))
            fill_due = now + wait;
        else if (now >= fill_due)
            fills++;
        while (!rate_take(&rate, false, now))
            polls++;
    }
    CHECK(fills * 4 > polls, "%d of the back-fill beside %d of polls", fills, polls);
    for (polls = 0; now < 660000; now += 100)
        polls += !rate_take(&rate, false, now);
    CHECK(polls > 50, "%d polls in the minute after the back-fill", polls);
}

/* A back-fill beside polls of each minute: several requests in a row, and no fewer in all than one by one. */
static void check_together(int per_minute, int per_hour, int64_t until_ms, int least)
{
    int64_t now = 0, wait, poll_due = 0;
    int fills = 0, waits = 0;
    struct rate rate;

    rate_start(&rate, rate_limits_for(per_minute, per_hour), 0);
    while (now < until_ms) {
        if (now >= poll_due && !rate_take(&rate, false, now))
            poll_due = now + 60000;
        wait = rate_take(&rate, true, now);
        fills += !wait;
        waits += wait > 0;
        now += wait ? wait : 20;
    }
    CHECK(fills >= least, "%d requests of a back-fill, at least %d can be made", fills, least);
    CHECK(waits * 3 < fills, "%d pauses for %d requests", waits, fills);
}

/* Lives of seconds that are killed, each of which asks as often as it may: the minute's limit holds for all of them. */
static void check_lives(int per_minute, int64_t life_ms)
{
    int64_t now, until = 600000, sent[8000];
    size_t count = 0, first = 0, most = 0;
    struct rate rate;

    for (now = 0; now < until; now += 50) {
        if (now % life_ms == 0) {
            rate_start(&rate, rate_limits_for(per_minute, 0), now);
            if (now)
                rate_was_used(&rate);
        }
        while (count < COUNT_OF(sent) && !rate_take(&rate, false, now))
            sent[count++] = now;
        while (first < count && sent[first] <= now - 60000)
            first++;
        most = count - first > most ? count - first : most;
    }
    CHECK(most <= (size_t)per_minute, "%zu requests in a minute over lives of %lld ms", most, (long long)life_ms);
    CHECK(life_ms < 2000 || count > 600, "%zu in ten minutes", count);
}

static const uint32_t pauses[] = { 0, 10, 700, 5000 };

/* promise: Trouble: Requests stay below the published limits by design. */
static void test_windows_of_a_minute(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(pauses); i++)
        check_windows(150, 0, pauses[i]);
}

/* promise: Trouble: Requests stay below the published limits by design. */
static void test_windows_of_a_minute_and_an_hour(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(pauses); i++)
        check_windows(100, 1500, pauses[i]);
}

static void test_together_for_minutes(void **state UNUSED)
{
    check_together(100, 0, 600000, 650);
}

static void test_together_for_an_hour(void **state UNUSED)
{
    check_together(100, 1500, 3600000, 1080);
}

static void test_lives_of_seconds(void **state UNUSED)
{
    check_lives(150, 1000);
    check_lives(150, 3000);
    check_lives(100, 6500);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_windows_of_a_minute),
    cmocka_unit_test(test_windows_of_a_minute_and_an_hour),
    cmocka_unit_test(test_wait),
    cmocka_unit_test(test_share),
    cmocka_unit_test(test_together_for_minutes),
    cmocka_unit_test(test_together_for_an_hour),
    cmocka_unit_test(test_lives_of_seconds),
};

UNIT(rate, cases, NULL, NULL)
