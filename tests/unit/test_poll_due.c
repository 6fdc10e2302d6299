/* When an input is polled next. */
#include "collect/poll_due.h"

#include "base/clock.h"
#include "check.h"

#define BEGIN_MS INT64_C(86400000)

/* Polls an input, and each poll is answered took_ms later. The requests are to spare for half of the time, and the
 * input is active for some of it. Returns the longest wait; *ret_shortest_ms is the shortest one after the first. */
static int64_t longest_wait(int64_t interval_s, size_t number, int64_t begin_ms, int64_t took_ms,
                            int64_t *ret_shortest_ms)
{
    struct input input = { .poll_interval = interval_s };
    struct rate rate;
    struct feed feed = { .input = &input, .number = number, .rate = &rate };
    int64_t due_ms = begin_ms, next_ms, longest_ms = 0;
    int polls;

    rate_start(&rate, rate_limits_for(150, 0), begin_ms);
    *ret_shortest_ms = interval_s * 1000;
    for (polls = 0; polls < 200; polls++) {
        rate_was_not_used(&rate);
        rate.scarce_until_ms = polls % 14 < 7 ? due_ms + 3600000 : 0;
        feed.newest_alert = polls % 5 < 2 ? ticks_from_ms(clock_wall_ms()) : 0;
        next_ms = poll_due_ms(&feed, due_ms, due_ms + took_ms);
        CHECK(next_ms > due_ms + took_ms, "in the past");
        if (next_ms - due_ms > longest_ms)
            longest_ms = next_ms - due_ms;
        if (polls && next_ms - due_ms < *ret_shortest_ms)
            *ret_shortest_ms = next_ms - due_ms;
        feed.read_ms = due_ms + took_ms;
        due_ms = next_ms;
    }
    return longest_ms;
}

/* The moments of an interval are others than those of a half or a third of it, and a process starts at none of them. */
static void test_the_longest_wait(void **state UNUSED)
{
    static const int64_t intervals_s[] = { 1, 2, 9, 10, 11, 15, 20, 29, 30, 60, 61, 300, 3600, 86400 };
    size_t i, number;
    int64_t begin_ms, took_ms, shortest_ms, longest_ms;

    for (i = 0; i < COUNT_OF(intervals_s); i++) {
        int64_t most_ms = intervals_s[i] * 1000;

        for (number = 0; number < 3; number++)
            for (begin_ms = BEGIN_MS; begin_ms < BEGIN_MS + most_ms; begin_ms += most_ms / 7 + 1)
                for (took_ms = 20; took_ms < most_ms; took_ms += most_ms / 3) {
                    longest_ms = longest_wait(intervals_s[i], number, begin_ms, took_ms, &shortest_ms);
                    CHECK(longest_ms <= most_ms, "poll_interval %lld: waits %lld ms", (long long)intervals_s[i],
                          (long long)longest_ms);
                    CHECK(shortest_ms >= (most_ms < 10000 ? most_ms / 2 : 5000), "poll_interval %lld: %lld ms",
                          (long long)intervals_s[i], (long long)shortest_ms);
                }
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_the_longest_wait),
};

UNIT(poll_due, cases, NULL, NULL)
