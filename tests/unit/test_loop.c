#include "net/loop.h"

#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "check.h"

#define TIMERS 200

struct entry {
    struct timer timer;
    int  fired;
    int  order;
};

static struct loop *loop;
static struct entry entries[TIMERS], last;
static int          calls, rounds;

static void fired(void *ctx, int64_t now_ms)
{
    struct entry *entry = ctx;

    CHECK(now_ms >= entry->timer.due_ms && !timer_is_set(&entry->timer), "not before its time, and no longer waiting");
    entry->fired++;
    entry->order = ++calls;
}

static void ends(void *ctx, int64_t now_ms UNUSED)
{
    struct entry *entry = ctx;

    entry->order = ++calls;
    loop_stop(loop);
}

static void start(struct entry *entry, void (*fire)(void *ctx, int64_t now_ms), int64_t due_ms)
{
    entry->timer.fire = fire;
    entry->timer.ctx = entry;
    timer_set(loop, &entry->timer, due_ms);
}

/* Due times in a shuffled order, some moved, some cancelled: they fire in order of time. */
static void test_timers(void **state UNUSED)
{
    int64_t now_ms = clock_ms();
    int i, before = 0;

    loop = loop_new();
    for (i = 0; i < TIMERS; i++)
        start(&entries[i], fired, now_ms + 20 + (i * 73) % TIMERS);
    for (i = 0; i < TIMERS; i += 3)
        timer_set(loop, &entries[i].timer, now_ms + 20 + (i * 31) % TIMERS);
    for (i = 1; i < TIMERS; i += 5)
        timer_cancel(loop, &entries[i].timer);
    timer_cancel(loop, &entries[1].timer);
    start(&last, ends, now_ms + 30 + TIMERS);
    loop_run(loop);
    for (i = 0; i < TIMERS; i++)
        CHECK(entries[i].fired == (i % 5 != 1), "timer %d fired %d times", i, entries[i].fired);
    for (int64_t due_ms = now_ms; due_ms < now_ms + 30 + TIMERS; due_ms++) {
        int highest = before;

        for (i = 0; i < TIMERS; i++) {
            if (!entries[i].fired || entries[i].timer.due_ms != due_ms)
                continue;
            CHECK(entries[i].order > before, "timer %d came too early", i);
            highest = entries[i].order > highest ? entries[i].order : highest;
        }
        before = highest;
    }
    CHECK(last.order == calls && loop_stopping(loop), "the last one ends it");
    loop_free(loop);
}

/* Moments of an own one on a machine that was just started lie behind a time below zero. */
static void test_next_moment(void **state UNUSED)
{
    CHECK(clock_next(0, 100) == 100 && clock_next(1, 100) == 100 && clock_next(100, 100) == 200, "behind, never at");
    CHECK(clock_next(-1, 100) == 0 && clock_next(-99, 100) == 0, "the next one is zero");
    CHECK(clock_next(-100, 100) == 0 && clock_next(-101, 100) == -100, "behind, never at, below zero");
}

static int  pipe_fds[2];
static bool was_read;

static void again(void *ctx, int64_t now_ms)
{
    struct entry *entry = ctx;
    char byte = 'x';

    if (++rounds == 50 && write(pipe_fds[1], &byte, 1) != 1)
        CHECK(false, "write");
    timer_set(loop, &entry->timer, now_ms);
}

static void ready(void *ctx UNUSED, short revents)
{
    char byte;

    CHECK(revents & POLLIN, "revents %d", revents);
    was_read = read(pipe_fds[0], &byte, 1) == 1;
    loop_stop(loop);
}

/* A timer that sets itself to "now" waits for the next round, so descriptors are not starved. */
static void test_watch_beside_an_eager_timer(void **state UNUSED)
{
    struct entry eager = { .fired = 0 }, guard = { .fired = 0 };
    struct watch watch = { .events = POLLIN, .ready = ready }, idle = { .fd = 0, .events = 0, .ready = ready };

    if (pipe(pipe_fds))
        return;
    loop = loop_new();
    watch.fd = pipe_fds[0];
    watch_add(loop, &idle);
    watch_add(loop, &watch);
    watch_remove(loop, &idle);
    start(&eager, again, clock_ms());
    start(&guard, ends, clock_ms() + 10000);
    loop_run(loop);
    CHECK(was_read && rounds >= 50, "%d rounds", rounds);
    CHECK(loop_take_longest_round_ms(loop) >= 0 && loop_take_longest_round_ms(loop) == 0, "taken once");
    loop_free(loop);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void hung_up(void *ctx UNUSED, short revents)
{
    CHECK(revents & POLLERR && !(revents & (POLLIN | POLLOUT)), "revents %d", revents);
    was_read = true;
    loop_stop(loop);
}

static void close_reader(void *ctx UNUSED, int64_t now_ms UNUSED)
{
    close(pipe_fds[0]);
}

/* A watch that waits for nothing hears all the same that the other end is gone, and nothing before. */
static void test_watch_hears_a_hang_up(void **state UNUSED)
{
    struct entry closer = { .fired = 0 }, guard = { .fired = 0 };
    struct watch watch = { .events = 0, .ready = hung_up };
    int64_t began_ms = clock_ms();

    if (pipe(pipe_fds))
        return;
    was_read = false;
    loop = loop_new();
    watch.fd = pipe_fds[1];
    watch_add(loop, &watch);
    start(&closer, close_reader, began_ms + 100);
    start(&guard, ends, began_ms + 10000);
    loop_run(loop);
    CHECK(was_read && clock_ms() - began_ms >= 100, "heard after %lld ms", (long long)(clock_ms() - began_ms));
    loop_free(loop);
    close(pipe_fds[1]);
}

static void test_free_nothing(void **state UNUSED)
{
    loop_free(NULL);
    CHECK(true, "it returns");
}

/* promise: Log lines: A wait is told in seconds, and from a minute on by the clock */
static void test_again(void **state UNUSED)
{
    static const struct { int64_t wait_ms; const char *want; } rows[] = {
        { 0, "retrying in 0 s" },
        { 1, "retrying in 1 s" },
        { 30000, "retrying in 30 s" },
        { 60000, "again at 00:00 (in 1 min)" },
        { 899900, "again at 00:00 (in 15 min)" },
        { 4 * 3600000, "again at 00:00 (in 240 min)" },
    };
    char ret[CLOCK_AGAIN_MAX], at[CLOCK_TEXT_MAX];
    size_t i, k;

    for (i = 0; i < COUNT_OF(rows); i++) {
        clock_again(rows[i].wait_ms, ret);
        if (rows[i].wait_ms >= 60000)
            for (k = 9; k < 14; k++)
                ret[k] = ret[k] >= '0' && ret[k] <= '9' ? '0' : ret[k];
        CHECK_TEXT(ret, rows[i].want);
    }
    CHECK(strlen(clock_text_after(90000, at)) == 5 && strlen(clock_text_after(9000, at)) == 8, "%s", at);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_next_moment),
    cmocka_unit_test(test_timers),
    cmocka_unit_test(test_watch_beside_an_eager_timer),
    cmocka_unit_test(test_watch_hears_a_hang_up),
    cmocka_unit_test(test_free_nothing),
    cmocka_unit_test(test_again),
};

UNIT(loop, cases, NULL, NULL)
