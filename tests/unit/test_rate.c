/* However it is asked, no minute and no hour sees more requests than the service allows. */
#include "pacing/rate.h"

#include <stdlib.h>

#include "base/digest.h"
#include "check.h"

#define MOST 40000

static int64_t taken[MOST];

/* Those who ask: one poll, one backfill. */
static struct rate_waiter poll, fill = { .backfill = true };

/* Asks as a poll or as a backfill. */
static int64_t ask(struct rate *rate, bool backfill, int64_t now_ms)
{
    return rate_take(rate, backfill ? &fill : &poll, now_ms);
}

static void start(struct rate *rate, int per_minute, int per_hour, int64_t now_ms)
{
    poll = (struct rate_waiter){ .backfill = false };
    fill = (struct rate_waiter){ .backfill = true };
    rate_start(rate, rate_limits_for(per_minute, per_hour), now_ms);
}

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

    start(&rate, per_minute, per_hour, now);
    for (asked = 0; asked < 200000 && count < MOST; asked++) {
        wait = ask(&rate, random_below(4) == 0, now);
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

    start(&rate, 100, 1500, 0);
    while (!(wait = ask(&rate, 0, 0)))
        n++;
    /* What the limit leaves beside a whole minute of the process before. */
    CHECK(n >= 5 && n <= 10, "%d at once", n);
    CHECK(ask(&rate, 0, wait - 2) > 0 && ask(&rate, 0, wait) == 0,
          "the wait of %lld ms is not exact", (long long)wait);
    CHECK(rate_throttled(&rate, 50000, 0, 50000) == 50000 && rate_throttled(&rate, 5000, 0, 60000) == 5000, "the wait");
    CHECK(ask(&rate, 0, 90000) == 10000 && ask(&rate, 0, 100000) == 0, "the hold");
    CHECK(ask(&rate, 0, 0) >= 0, "a clock that goes back");
}

/* promise: Cost: After a minute of rest a process may send ten requests at once */
static void test_a_start_after_a_rest(void **state UNUSED)
{
    static const int limits[][2] = { { 100, 1500 }, { 150, 0 } };

    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        struct rate rate;
        size_t count = 0;
        int n = 0;

        start(&rate, limits[i][0], limits[i][1], 0);
        rate_was_not_used(&rate);
        for (int64_t now = 0; now < 58000; now += 50)      /* a life that uses everything */
            while (!ask(&rate, false, now))
                taken[count++] = now;
        start(&rate, limits[i][0], limits[i][1], 120000);
        rate_was_not_used(&rate);
        for (; !ask(&rate, true, 120000); n++)
            taken[count++] = 120000;
        CHECK(n >= 10, "%d pages of a backfill at once", n);
        for (int64_t now = 120000; now < 200000; now += 50)
            while (!ask(&rate, false, now))
                taken[count++] = now;
        CHECK(within(count, 60000) <= (size_t)limits[i][0], "%zu in a minute", within(count, 60000));
    }
}

/* Polls that would use everything leave a waiting back-fill every third request; one that is gone takes nothing. */
static void test_share(void **state UNUSED)
{
    int64_t now = 0, fill_due = 0, wait;
    int polls = 0, fills = 0;
    struct rate rate;

    start(&rate, 100, 0, 0);
    for (; now < 600000; now += 100) {
        if (now >= fill_due && (wait = ask(&rate, true, now)))
            fill_due = now + wait;
        else if (now >= fill_due)
            fills++;
        while (!ask(&rate, false, now))
            polls++;
    }
    CHECK(fills * 4 > polls, "%d of the back-fill beside %d of polls", fills, polls);
    rate_leave(&rate, &fill);
    for (polls = 0; now < 660000; now += 100)
        polls += !ask(&rate, false, now);
    CHECK(polls > 50, "%d polls in the minute after the back-fill", polls);
}

/* A back-fill beside polls of each minute: several requests in a row, and no fewer in all than one by one. */
static void check_together(int per_minute, int per_hour, int64_t until_ms, int least)
{
    int64_t now = 0, wait, poll_due = 0;
    int fills = 0, waits = 0;
    struct rate rate;

    start(&rate, per_minute, per_hour, 0);
    while (now < until_ms) {
        if (now >= poll_due && !ask(&rate, false, now))
            poll_due = now + 60000;
        wait = ask(&rate, true, now);
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
    static int64_t sent[8000];
    int64_t now, until = 600000;
    size_t count = 0, first = 0, most = 0;
    struct rate rate;

    for (now = 0; now < until; now += 50) {
        if (now % life_ms == 0) {
            start(&rate, per_minute, 0, now);
            if (now)
                rate_was_used(&rate);
        }
        while (count < COUNT_OF(sent) && !ask(&rate, false, now))
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

/* Many who poll: who waits longest goes first, so nobody waits longer than all of them take. */

#define MANY 500

struct crowd {
    struct rate_waiter waiter[MANY];
    int64_t due_ms[MANY], last_ms[MANY], taken[MANY];
    int64_t worst_ms;           /* between two requests of one of them, once all have begun */
};

/* Lets `count` ask every `interval_ms` until until_ms. Their timers are late by some milliseconds. `fills` of them are
 * backfills, which ask again at once. */
static void run_crowd(struct crowd *crowd, struct rate *rate, int count, int fills, int64_t interval_ms,
                      int64_t until_ms)
{
    int64_t now, wait;

    for (int i = 0; i < count; i++) {
        crowd->waiter[i] = (struct rate_waiter){ .backfill = i < fills };
        crowd->due_ms[i] = random_below((uint32_t)interval_ms);
        crowd->last_ms[i] = 0;
        crowd->taken[i] = 0;
    }
    crowd->worst_ms = 0;
    for (now = 0; now < until_ms; now += 20) {
        for (int i = 0; i < count; i++) {
            if (now < crowd->due_ms[i])
                continue;
            wait = rate_take(rate, &crowd->waiter[i], now);
            crowd->due_ms[i] = now + (wait ? wait : i < fills ? 100 : interval_ms) + random_below(10);
            if (wait)
                continue;
            if (i >= fills && crowd->taken[i]++ && now - crowd->last_ms[i] > crowd->worst_ms)
                crowd->worst_ms = now - crowd->last_ms[i];
            crowd->last_ms[i] = now;
        }
    }
}

/* promise: Trouble: Inputs that share a rate limit are served in turn. */
static void test_in_turn(void **state UNUSED)
{
    static const struct { const char *name; int per_minute, per_hour, count, fills; int64_t interval_ms; double fair_s; }
    rows[] = {
        { "60 that poll each second", 150, 0, 60, 0, 1000, 36 },
        { "60 that poll every ten seconds", 150, 0, 60, 0, 10000, 36 },
        { "60 that need no more than there is", 150, 0, 60, 0, 60000, 60 },
        { "60 beside a backfill that has every third", 150, 0, 61, 1, 1000, 54 },
        { "60 beside 20 backfills", 150, 0, 80, 20, 1000, 54 },
        { "30 with a limit of the hour", 100, 1500, 30, 0, 1000, 107 },
        { "300", 150, 0, 300, 0, 10000, 178 },
        { "2", 150, 0, 2, 0, 100, 1.3 },
    };
    static struct crowd crowd;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct rate rate;

        rate_start(&rate, rate_limits_for(rows[i].per_minute, rows[i].per_hour), 0);
        run_crowd(&crowd, &rate, rows[i].count, rows[i].fills, rows[i].interval_ms, 1800000);
        CHECK(crowd.worst_ms <= rows[i].fair_s * 1100 + 200, "%s: the worst gap is %.1f s, %.1f s are fair",
              rows[i].name,              (double)crowd.worst_ms / 1000, rows[i].fair_s);
        for (int n = rows[i].fills; n < rows[i].count; n++)
            CHECK(crowd.taken[n] > 5, "%s: number %d had %lld requests", rows[i].name, n, (long long)crowd.taken[n]);
    }
}

static void test_leaving(void **state UNUSED)
{
    struct rate_waiter first = { .backfill = false }, second = first, third = first;
    struct rate rate;
    int64_t now = 0, wait;

    start(&rate, 150, 0, 0);
    while (!rate_take(&rate, &first, now))
        ;
    wait = rate_take(&rate, &second, now);
    CHECK(rate_take(&rate, &third, now) > wait, "the third waits longest");
    rate_leave(&rate, &second);
    rate_leave(&rate, &second);
    CHECK(rate_take(&rate, &third, now) == wait, "it moved up");
    CHECK(rate_take(&rate, &second, now) > wait, "who left is the last");
    now += wait;
    CHECK(!rate_take(&rate, &first, now) && !rate_take(&rate, &third, now), "both have their request");
}

/* promise: Trouble: While throttling goes on, waits grow, whatever the service asks for. */
static void test_throttled_again_and_again(void **state UNUSED)
{
    static const struct { const char *name; int64_t asked_ms; int times; int64_t least_ms, most_ms; } rows[] = {
        { "the first: as the service asks", 1000, 1, 1000, 1000 },
        { "the second", 1000, 2, 1000, 2000 },
        { "the fifth", 1000, 5, 8000, 16000 },
        { "the tenth: five minutes at most", 1000, 10, 150000, 300000 },
        { "the thousandth", 1000, 1000, 150000, 300000 },
        { "a long wait is kept", 600000, 10, 600000, 600000 },
        { "nothing asked", 0, 3, 2000, 4000 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct rate rate;
        int64_t now = 0, wait = 0;

        start(&rate, 150, 0, 0);
        for (int n = 0; n < rows[i].times; n++, now += wait + 1) { /* the others may wait a millisecond longer */
            wait = rate_throttled(&rate, rows[i].asked_ms, random_below(UINT32_MAX), now);
            /* The other requests that were in flight say the same, or succeed. */
            for (int other = 0; other < 20; other++)
                rate_throttled(&rate, 1, 0, now + 1);
            rate_succeeded(&rate, now + 1);
        }
        CHECK(wait >= rows[i].least_ms && wait <= rows[i].most_ms, "%s: %lld ms", rows[i].name, (long long)wait);
        rate_succeeded(&rate, now);
        CHECK(rate_throttled(&rate, 1000, 0, now) == 1000, "%s: after a success it begins again", rows[i].name);
    }
}

/* One life after another, each asking as often as it may. Returns the requests in the worst hour. */
static size_t lives(int64_t life_ms, int64_t pause_ms, bool killed)
{
    int64_t now = 0, ended_ms = 0;
    size_t count = 0;
    double left = 0;
    struct rate rate;

    while (now < 4 * 3600000) {
        start(&rate, 100, 1500, now);
        if (now && killed)
            rate_resume_unknown(&rate);
        else if (now)
            rate_resume(&rate, left, now - ended_ms);
        rate_was_used(&rate);
        for (ended_ms = now + life_ms; now < ended_ms; now += 50)
            while (count < MOST && !ask(&rate, false, now))
                taken[count++] = now;
        left = rate_hour_left(&rate, now);
        now += pause_ms;
    }
    return within(count, 3600000);
}

/* promise: Trouble: Requests stay below the published limits by design. */
static void test_the_hour_holds_across_restarts(void **state UNUSED)
{
    static const struct { const char *name; int64_t life_ms, pause_ms; bool killed; size_t least; } rows[] = {
        { "restarts every two minutes", 120000, 0, false, 1000 },
        { "restarts every two minutes, with a pause", 120000, 10000, false, 1000 },
        { "restarts every ten seconds", 10000, 0, false, 800 },
        { "restarts every hour", 3600000, 0, false, 1000 },
        { "a kill every two minutes", 120000, 0, true, 1000 },
        { "a kill every ten minutes", 600000, 0, true, 1000 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t most = lives(rows[i].life_ms, rows[i].pause_ms, rows[i].killed);

        CHECK(most <= 1500 && most >= rows[i].least, "%s: %zu in an hour", rows[i].name, most);
    }
}

static void test_resume(void **state UNUSED)
{
    static const struct { const char *name; int per_hour; double left; int64_t ago_ms; double want; } rows[] = {
        { "as it was left", 1500, 50, 0, 50 },
        { "some time has passed", 1500, 50, 60000, 66.9 },
        { "the clock went back", 1500, 50, -60000, 50 },
        { "never more than at any start", 1500, 300, 0, 135 },
        { "a day later", 1500, 0, 86400000, 135 },
        { "no hourly limit", 0, 5, 0, -1 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct rate rate;
        double left;

        start(&rate, 100, rows[i].per_hour, 0);
        rate_resume(&rate, rows[i].left, rows[i].ago_ms);
        rate_resume(&rate, 1e6, 0);             /* another input knows less */
        left = rate_hour_left(&rate, 0);
        CHECK(left > rows[i].want - 0.1 && left < rows[i].want + 0.1, "%s: %.1f", rows[i].name, left);
    }
}

/* promise: Cost: Polls that could wait take nothing from a backfill, nor from a limit that others have used up */
static void test_spare(void **state UNUSED)
{
    enum { UNTOUCHED, FULL, BACKFILL, WAITER, THROTTLED, LONG_AGO };
    static const struct { const char *name; int kind, per_hour; bool want; } rows[] = {
        { "a start after a rest, a minute's limit", UNTOUCHED, 0, true },
        { "a start after a rest, an hour's limit", UNTOUCHED, 1500, true },
        { "an hour without requests", FULL, 1500, true },
        { "a backfill is as fast as the minute allows", BACKFILL, 0, false },
        { "a backfill is as fast as the hour allows", BACKFILL, 1500, false },
        { "an input waits", WAITER, 0, false },
        { "the service asked to wait a while ago", THROTTLED, 0, false },
        { "the service asked to wait long ago", LONG_AGO, 0, true },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t now = rows[i].kind == FULL ? 3600000 : 0;
        struct rate rate;
        bool spare;

        start(&rate, 100, rows[i].per_hour, 0);
        rate_was_not_used(&rate);
        for (; rows[i].kind == BACKFILL && now < 3600000; now += 200)
            ask(&rate, true, now);
        rate_leave(&rate, &fill);
        while (rows[i].kind == WAITER && !ask(&rate, false, now))
            ;
        now += rows[i].kind == WAITER ? 60000 : 0;
        if (rows[i].kind == THROTTLED || rows[i].kind == LONG_AGO)
            now += rate_throttled(&rate, 5000, 0, now) + (rows[i].kind == LONG_AGO ? 1800000 : 1799000);
        spare = rate_has_spare(&rate, now);
        CHECK(spare == rows[i].want, "%s: %d", rows[i].name, spare);
        CHECK(rate_has_spare(&rate, now) == spare, "%s: it was taken", rows[i].name);
    }
}

/* Any number of inputs of one limit: those that are polled sooner than they have to leave the others their polls. */
static void test_sooner_polls_delay_no_poll(void **state UNUSED)
{
    for (int inputs = 1; inputs <= 15; inputs += 7) {
        struct rate_waiter each[15] = { { .backfill = false } };
        int64_t due[15] = { 0 }, asked[15] = { 0 }, latest = 0;
        struct rate rate;
        size_t count = 0;

        start(&rate, 100, 1500, 0);
        rate_was_not_used(&rate);
        for (int64_t now = 0; now < 4 * 3600000; now += 1000)
            for (int i = 0; i < inputs; i++) {
                if (now < due[i] || rate_take(&rate, &each[i], now))
                    continue;
                taken[count++] = now;
                latest = now - asked[i] > latest ? now - asked[i] : latest;
                asked[i] = now;
                due[i] = now + (rate_has_spare(&rate, now) ? 20000 : 60000);
            }
        CHECK(within(count, 3600000) <= 1500, "%d inputs: %zu in an hour", inputs, within(count, 3600000));
        CHECK(latest <= 61000, "%d inputs: %lld ms between two polls", inputs, (long long)latest);
    }
}

/* promise: Completeness: An audit has a third of a tenant's requests at most, takes none while polls or backfill wait, and leaves enough for the next poll */
static void test_share_of_audits(void **state UNUSED)
{
    static const struct { const char *name; int per_minute, per_hour; } rows[] = { { "graph", 150, 0 }, { "endpoint", 100, 1500 } };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t sent[5000] = { 0 }, now_ms = 1000000, wait_ms, most_hour = rows[i].per_hour ? rows[i].per_hour * 3 / 10 : 1000000;
        size_t count = 0, k, from;
        struct rate rate;

        start(&rate, rows[i].per_minute, rows[i].per_hour, now_ms);
        rate_was_not_used(&rate);
        while (now_ms < 1000000 + 7200000) {
            wait_ms = rate_take_spare(&rate, now_ms);
            if (!wait_ms)
                sent[count++] = now_ms;
            now_ms += wait_ms;
        }
        for (k = 0, from = 0; k < count; k++) {
            while (sent[from] <= sent[k] - 60000)
                from++;
            CHECK(k - from + 1 <= (size_t)rows[i].per_minute * 3 / 10 + 1, "%s: %zu in a minute", rows[i].name, k - from + 1);
        }
        for (k = 0, from = 0; k < count; k++) {
            while (sent[from] <= sent[k] - 3600000)
                from++;
            CHECK((int64_t)(k - from + 1) <= most_hour + 1, "%s: %zu in an hour", rows[i].name, k - from + 1);
        }
        CHECK(count > (rows[i].per_hour ? 500u : 3500u), "%s: %zu in two hours", rows[i].name, count);
        for (k = 0; k < 5; k++)
            CHECK(!rate_take(&rate, &poll, now_ms), "%s: poll %zu waits", rows[i].name, k);
        while (!rate_take(&rate, &fill, now_ms))
            ;
        CHECK(rate_take_spare(&rate, now_ms + 30000) == 1000, "%s: the backfill waits", rows[i].name);
        rate_leave(&rate, &fill);
        CHECK(rows[i].per_hour || !rate_take_spare(&rate, now_ms + 30000), "%s: nobody waits", rows[i].name);
        rate_throttled(&rate, 5000, 0, now_ms + 30000);
        CHECK(rate_take_spare(&rate, now_ms + 30000) >= 5000, "%s: the service asked to wait", rows[i].name);
    }
}

/* A request that was lost with its connection counts like any other, and waits when the service asks all to wait. */
static void test_what_goes_out_again(void **state UNUSED)
{
    struct rate rate;
    int64_t now = 1000;
    int sent = 0;

    start(&rate, 60, 600, now);
    CHECK(rate_take_again(&rate, now), "there are requests left");
    rate_throttled(&rate, 30000, 0, now);
    CHECK(!rate_take_again(&rate, now + 29999), "Retry-After is not over");
    CHECK(rate_take_again(&rate, now + 30001), "it is over");

    start(&rate, 60, 600, now);
    while (rate_take_again(&rate, now) && sent < 1000)
        sent++;
    CHECK(sent > 0 && sent < 60 && ask(&rate, false, now), "%d go out, and a poll as well", sent);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_spare),
    cmocka_unit_test(test_sooner_polls_delay_no_poll),
    cmocka_unit_test(test_in_turn),
    cmocka_unit_test(test_leaving),
    cmocka_unit_test(test_what_goes_out_again),
    cmocka_unit_test(test_throttled_again_and_again),
    cmocka_unit_test(test_the_hour_holds_across_restarts),
    cmocka_unit_test(test_resume),
    cmocka_unit_test(test_windows_of_a_minute),
    cmocka_unit_test(test_windows_of_a_minute_and_an_hour),
    cmocka_unit_test(test_wait),
    cmocka_unit_test(test_a_start_after_a_rest),
    cmocka_unit_test(test_share),
    cmocka_unit_test(test_together_for_minutes),
    cmocka_unit_test(test_together_for_an_hour),
    cmocka_unit_test(test_lives_of_seconds),
    cmocka_unit_test(test_share_of_audits),
};

UNIT(rate, cases, NULL, NULL)
