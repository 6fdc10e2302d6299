#include "pacing/limiter.h"

#include "base/clock.h"
#include "base/compiler.h"
#include "check.h"

#define MANY 700

/* What each case has of its own. */
struct fixture {
    struct loop    *loop;
    struct limiter *limiter;
};

struct request {
    struct slot slot;
    int  went;              /* calls of go() */
    int  order;             /* of its last call */
    bool releases_at_once;
};

static struct request requests[MANY];
static int          calls, depth, deepest;

static void go(void *ctx)
{
    struct request *request = ctx;

    request->went++;
    request->order = ++calls;
    deepest = ++depth > deepest ? depth : deepest;
    if (request->releases_at_once)
        limiter_release(&request->slot);
    depth--;
}

static void begin(void)
{
    size_t i;

    calls = 0;
    for (i = 0; i < MANY; i++) {
        requests[i] = (struct request){ .went = 0 };
        requests[i].slot.go = go;
        requests[i].slot.ctx = &requests[i];
        requests[i].slot.page = true;
    }
}

static void release_all(void)
{
    size_t i;

    for (i = 0; i < MANY; i++)
        limiter_release(&requests[MANY - 1 - i].slot);
}

/* Fires the timer as the loop does after SLOW_AFTER_MS. */
static void becomes_slow(struct loop *loop, struct request *request)
{
    timer_cancel(loop, &request->slot.slow_timer);
    request->slot.slow_timer.fire(request->slot.slow_timer.ctx, clock_ms());
}

static int went(int from, int until)
{
    int count = 0;

    for (; from < until; from++)
        count += requests[from].went;
    return count;
}

static void test_never_asked(void **state UNUSED)
{
    struct slot never = { .go = go };

    limiter_release(&never);
    CHECK(slot_is_free(&never), "one that never asked");
    limiter_free(NULL);
}

static void test_limit_and_order(void **state)
{
    struct limiter *limiter = ((struct fixture *)*state)->limiter;
    int i;

    begin();
    for (i = 0; i < 5; i++)
        limiter_acquire(limiter, &requests[i].slot);
    CHECK(went(0, 5) == 2, "%d went, 2 may", went(0, 5));
    limiter_acquire(limiter, &requests[4].slot);
    limiter_acquire(limiter, &requests[0].slot);
    CHECK(requests[0].went == 1, "asked again while in: %d calls", requests[0].went);
    limiter_release(&requests[1].slot);
    CHECK(requests[2].went == 1 && requests[3].went == 0, "one leaves, the first of the queue comes");
    limiter_release(&requests[3].slot);      /* from the middle of the queue */
    limiter_release(&requests[0].slot);
    CHECK(requests[3].went == 0 && requests[4].went == 1, "one that left the queue is skipped");
    CHECK(requests[2].order == 3 && requests[4].order == 4, "in turn");
    CHECK(slot_is_free(&requests[3].slot) && !slot_is_free(&requests[4].slot), "states");
    release_all();
    limiter_release(&requests[4].slot);
    CHECK(slot_is_free(&requests[4].slot), "leaving twice is fine");
    limiter_acquire(limiter, &requests[4].slot);
    CHECK(requests[4].went == 2, "and it may come again");
    release_all();
}

static void test_tokens_apart(void **state)
{
    struct limiter *limiter = ((struct fixture *)*state)->limiter;
    int i;

    begin();
    for (i = 0; i < 3; i++)
        limiter_acquire(limiter, &requests[i].slot);
    for (i = 3; i < 6; i++) {
        requests[i].slot.page = false;
        limiter_acquire(limiter, &requests[i].slot);
    }
    CHECK(went(0, 3) == 2 && went(3, 6) == 2, "%d pages, %d tokens", went(0, 3), went(3, 6));
    limiter_release(&requests[3].slot);
    CHECK(went(0, 3) == 2 && went(3, 6) == 3, "a token's slot goes to a token");
    release_all();
}

static void test_release_from_inside(void **state)
{
    struct limiter *limiter = ((struct fixture *)*state)->limiter;
    int i;

    begin();
    for (i = 0; i < 6; i++) {
        requests[i].releases_at_once = i != 2;
        limiter_acquire(limiter, &requests[i].slot);
    }
    CHECK(went(0, 6) == 6, "%d of 6 went", went(0, 6));
    release_all();
    begin();
    for (i = 0; i < MANY; i++) {
        requests[i].releases_at_once = i > 1;
        limiter_acquire(limiter, &requests[i].slot);
    }
    limiter_release(&requests[0].slot);
    CHECK(went(0, MANY) == MANY && deepest == 1, "%d went, %d of them inside of each other", went(0, MANY), deepest);
    release_all();
}

/* promise: Trouble: One customer's trouble delays nobody else. */
static void test_slow(void **state)
{
    struct limiter *limiter = ((struct fixture *)*state)->limiter;
    struct loop *loop = ((struct fixture *)*state)->loop;
    int64_t wait_ms;

    begin();
    limiter_acquire(limiter, &requests[0].slot);
    limiter_acquire(limiter, &requests[1].slot);
    limiter_acquire(limiter, &requests[2].slot);
    limiter_acquire(limiter, &requests[3].slot);
    wait_ms = requests[0].slot.slow_timer.due_ms - loop_now(loop);
    CHECK(wait_ms >= 1000 && wait_ms <= 10000, "slow after %lld ms", (long long)wait_ms);
    becomes_slow(loop, &requests[0]);
    CHECK(requests[2].went == 1 && requests[3].went == 0, "a slow one no longer counts");
    limiter_release(&requests[0].slot);
    CHECK(requests[3].went == 0, "and frees no second slot");
    CHECK(!timer_is_set(&requests[0].slot.slow_timer), "its timer is canceled");
    limiter_release(&requests[1].slot);
    CHECK(requests[3].went == 1, "an ordinary one does");
    CHECK(!timer_is_set(&requests[1].slot.slow_timer) && timer_is_set(&requests[3].slot.slow_timer),
          "its timer went with it");
    release_all();
}

static void test_slow_is_bounded(void **state)
{
    struct limiter *limiter = ((struct fixture *)*state)->limiter;
    struct loop *loop = ((struct fixture *)*state)->loop;
    int i, most;

    begin();
    for (i = 0; i < MANY; i++)
        limiter_acquire(limiter, &requests[i].slot);
    for (i = 0; i < MANY; i++)
        if (requests[i].slot.state == SLOT_HELD)
            becomes_slow(loop, &requests[i]);
    most = went(0, MANY);
    CHECK(most == 502, "%d hold a connection", most);
    CHECK(timer_is_set(&requests[501].slot.slow_timer), "one that may not become slow yet is checked again");
    limiter_release(&requests[0].slot);
    becomes_slow(loop, &requests[501]);
    CHECK(went(0, MANY) == 503, "a slow one ends, another becomes slow, the next goes: %d", went(0, MANY));
    release_all();
    begin();
    for (i = 0; i < 3; i++)
        limiter_acquire(limiter, &requests[i].slot);
    CHECK(went(0, 3) == 2, "all counts are back: %d", went(0, 3));
    release_all();
}

static void ends(void *ctx, int64_t now_ms UNUSED)
{
    loop_stop(ctx);
}

/* Many requests at once start over several rounds of the loop, in order, pages before tokens. */
static void test_burst(void **state UNUSED)
{
    struct loop *loop = loop_new();
    struct limiter *limiter = limiter_new(loop, 100, 4);
    struct timer guard = { .fire = ends, .ctx = loop };
    int i, first;

    begin();
    for (i = 0; i < 30; i++) {
        requests[i].slot.page = i >= 10;
        limiter_acquire(limiter, &requests[i].slot);
    }
    first = went(0, 30);
    CHECK(went(0, 10) == 4 && went(10, 30) == 4, "%d of 30 went in the first round", first);
    for (i = 0; i < 100 && went(0, 30) < 30; i++) {
        timer_set(loop, &guard, clock_ms() + 50);
        loop_run(loop);
    }
    CHECK(went(0, 30) == 30, "%d of 30 went in the end", went(0, 30));
    CHECK(requests[14].order == 9 && requests[4].order == 13, "pages first: order %d, %d", requests[14].order,
          requests[4].order);
    for (i = 11; i < 30; i++)
        CHECK(requests[i].order > requests[i - 1].order, "page %d out of turn", i);
    release_all();
    limiter_free(limiter);
    loop_free(loop);
}

/* While the owners of slots are freed one by one, no other may start a request. */
static void test_closed(void **state)
{
    struct limiter *limiter = ((struct fixture *)*state)->limiter;
    int i;

    begin();
    for (i = 0; i < 10; i++)
        limiter_acquire(limiter, &requests[i].slot);
    CHECK(went(0, 10) == 2, "two are let through");
    limiter_close(limiter);
    for (i = 0; i < 10; i++)
        limiter_release(&requests[i].slot);
    CHECK(went(0, 10) == 2, "and no more");
}

/* promise: Trouble: While splunkd does not read, memory stays below 64 MB */
static void test_output_full(void **state)
{
    struct limiter *limiter = ((struct fixture *)*state)->limiter;
    struct loop *loop = ((struct fixture *)*state)->loop;
    int i;

    begin();
    limiter_acquire(limiter, &requests[0].slot);
    limiter_hold(limiter);
    limiter_hold(limiter);
    for (i = 1; i < 6; i++) {
        requests[i].slot.page = i < 4;
        limiter_acquire(limiter, &requests[i].slot);
    }
    CHECK(went(1, 4) == 0 && went(4, 6) == 2, "%d pages, %d tokens", went(1, 4), went(4, 6));
    becomes_slow(loop, &requests[0]);
    CHECK(requests[0].slot.state == SLOT_HELD && timer_is_set(&requests[0].slot.slow_timer), "splunkd is slow, not it");
    becomes_slow(loop, &requests[4]);
    CHECK(requests[4].slot.state == SLOT_SLOW, "a token has nothing to do with it");
    limiter_release(&requests[0].slot);
    CHECK(went(1, 4) == 0, "not even in place of another");
    limiter_resume(limiter);
    limiter_resume(limiter);
    CHECK(went(1, 4) == 2, "%d pages went on", went(1, 4));
    becomes_slow(loop, &requests[1]);
    CHECK(went(1, 4) == 2, "it may have been splunkd that was slow");
    release_all();
}

static int open_limiter(void **state)
{
    static struct fixture fixture;

    fixture.loop = loop_new();
    fixture.limiter = limiter_new(fixture.loop, 2, 100 * MANY);
    *state = &fixture;
    return 0;
}

static int close_limiter(void **state)
{
    struct fixture *fixture = *state;

    limiter_free(fixture->limiter);
    loop_free(fixture->loop);
    return 0;
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_never_asked),
    cmocka_unit_test_setup_teardown(test_limit_and_order, open_limiter, close_limiter),
    cmocka_unit_test_setup_teardown(test_tokens_apart, open_limiter, close_limiter),
    cmocka_unit_test_setup_teardown(test_release_from_inside, open_limiter, close_limiter),
    cmocka_unit_test_setup_teardown(test_slow, open_limiter, close_limiter),
    cmocka_unit_test_setup_teardown(test_slow_is_bounded, open_limiter, close_limiter),
    cmocka_unit_test_setup_teardown(test_output_full, open_limiter, close_limiter),
    cmocka_unit_test_setup_teardown(test_closed, open_limiter, close_limiter),
    cmocka_unit_test(test_burst),
};

UNIT(limiter, cases, NULL, NULL)
