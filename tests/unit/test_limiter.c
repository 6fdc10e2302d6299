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

struct guest {
    struct slot slot;
    int  went;              /* how often go() was called */
    int  order;             /* of its last call */
    bool leaves_at_once;
};

static struct guest guests[MANY];
static int          calls, depth, deepest;

static void go(void *ctx)
{
    struct guest *guest = ctx;

    guest->went++;
    guest->order = ++calls;
    deepest = ++depth > deepest ? depth : deepest;
    if (guest->leaves_at_once)
        limiter_release(&guest->slot);
    depth--;
}

static void begin(void)
{
    size_t i;

    calls = 0;
    for (i = 0; i < MANY; i++) {
        guests[i] = (struct guest){ .went = 0 };
        guests[i].slot.go = go;
        guests[i].slot.ctx = &guests[i];
        guests[i].slot.page = true;
    }
}

static void leave_all(void)
{
    size_t i;

    for (i = 0; i < MANY; i++)
        limiter_release(&guests[MANY - 1 - i].slot);
}

/* What the loop does when the ticket has been in for too long. */
static void passes_long(struct loop *loop, struct guest *guest)
{
    timer_cancel(loop, &guest->slot.slow);
    guest->slot.slow.fire(guest->slot.slow.ctx, clock_ms());
}

static int went(int from, int until)
{
    int count = 0;

    for (; from < until; from++)
        count += guests[from].went;
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
        limiter_acquire(limiter, &guests[i].slot);
    CHECK(went(0, 5) == 2, "%d went, 2 may", went(0, 5));
    limiter_acquire(limiter, &guests[4].slot);
    limiter_acquire(limiter, &guests[0].slot);
    CHECK(guests[0].went == 1, "asked again while in: %d calls", guests[0].went);
    limiter_release(&guests[1].slot);
    CHECK(guests[2].went == 1 && guests[3].went == 0, "one leaves, the first of the queue comes");
    limiter_release(&guests[3].slot);      /* from the middle of the queue */
    limiter_release(&guests[0].slot);
    CHECK(guests[3].went == 0 && guests[4].went == 1, "who left the queue is passed over");
    CHECK(guests[2].order == 3 && guests[4].order == 4, "in turn");
    CHECK(slot_is_free(&guests[3].slot) && !slot_is_free(&guests[4].slot), "states");
    leave_all();
    limiter_release(&guests[4].slot);
    CHECK(slot_is_free(&guests[4].slot), "leaving twice is fine");
    limiter_acquire(limiter, &guests[4].slot);
    CHECK(guests[4].went == 2, "and it may come again");
    leave_all();
}

static void test_tokens_apart(void **state)
{
    struct limiter *limiter = ((struct fixture *)*state)->limiter;
    int i;

    begin();
    for (i = 0; i < 3; i++)
        limiter_acquire(limiter, &guests[i].slot);
    for (i = 3; i < 6; i++) {
        guests[i].slot.page = false;
        limiter_acquire(limiter, &guests[i].slot);
    }
    CHECK(went(0, 3) == 2 && went(3, 6) == 2, "%d pages, %d tokens", went(0, 3), went(3, 6));
    limiter_release(&guests[3].slot);
    CHECK(went(0, 3) == 2 && went(3, 6) == 3, "a token's place goes to a token");
    leave_all();
}

static void test_leaves_from_inside(void **state)
{
    struct limiter *limiter = ((struct fixture *)*state)->limiter;
    int i;

    begin();
    for (i = 0; i < 6; i++) {
        guests[i].leaves_at_once = i != 2;
        limiter_acquire(limiter, &guests[i].slot);
    }
    CHECK(went(0, 6) == 6, "%d of 6 went", went(0, 6));
    leave_all();
    begin();
    for (i = 0; i < MANY; i++) {
        guests[i].leaves_at_once = i > 1;
        guests[i].slot.patient = true;
        limiter_acquire(limiter, &guests[i].slot);
    }
    limiter_release(&guests[0].slot);
    CHECK(went(0, MANY) == MANY && deepest == 1, "%d went, %d of them inside of each other", went(0, MANY), deepest);
    leave_all();
}

/* promise: Trouble: One customer's trouble delays nobody else. */
static void test_slow(void **state)
{
    struct limiter *limiter = ((struct fixture *)*state)->limiter;
    struct loop *loop = ((struct fixture *)*state)->loop;
    int64_t wait_ms;

    begin();
    limiter_acquire(limiter, &guests[0].slot);
    limiter_acquire(limiter, &guests[1].slot);
    limiter_acquire(limiter, &guests[2].slot);
    limiter_acquire(limiter, &guests[3].slot);
    wait_ms = guests[0].slot.slow.due_ms - loop_now(loop);
    CHECK(wait_ms >= 1000 && wait_ms <= 10000, "slow after %lld ms", (long long)wait_ms);
    passes_long(loop, &guests[0]);
    CHECK(guests[2].went == 1 && guests[3].went == 0, "what is slow counts no longer");
    limiter_release(&guests[0].slot);
    CHECK(guests[3].went == 0, "and gives no second place back");
    CHECK(!guests[0].slot.slow.heap_index, "no timer is left behind");
    limiter_release(&guests[1].slot);
    CHECK(guests[3].went == 1, "an ordinary one does");
    CHECK(!guests[1].slot.slow.heap_index && guests[3].slot.slow.heap_index, "its timer went with it");
    leave_all();
}

static void test_slow_is_bounded(void **state)
{
    struct limiter *limiter = ((struct fixture *)*state)->limiter;
    struct loop *loop = ((struct fixture *)*state)->loop;
    int i, most;

    begin();
    for (i = 0; i < MANY; i++)
        limiter_acquire(limiter, &guests[i].slot);
    for (i = 0; i < MANY; i++)
        if (guests[i].slot.state == SLOT_HELD)
            passes_long(loop, &guests[i]);
    most = went(0, MANY);
    CHECK(most == 502, "%d hold a connection", most);
    CHECK(guests[501].slot.slow.heap_index, "who found no place among the slow is looked at again");
    limiter_release(&guests[0].slot);
    passes_long(loop, &guests[501]);
    CHECK(went(0, MANY) == 503, "a slow one ends, another becomes slow, the next goes: %d", went(0, MANY));
    leave_all();
    begin();
    for (i = 0; i < 3; i++)
        limiter_acquire(limiter, &guests[i].slot);
    CHECK(went(0, 3) == 2, "all counts are back: %d", went(0, 3));
    leave_all();
}

static void ends(void *ctx, int64_t now_ms UNUSED)
{
    loop_stop(ctx);
}

/* Many that ask at once are let through over several rounds of the loop, in turn, and pages before tokens. */
static void test_portions(void **state UNUSED)
{
    struct loop *loop = loop_new();
    struct limiter *limiter = limiter_new(loop, 100, 4);
    struct timer guard = { .fire = ends, .ctx = loop };
    int i, first;

    begin();
    for (i = 0; i < 30; i++) {
        guests[i].slot.page = i >= 10;
        limiter_acquire(limiter, &guests[i].slot);
    }
    first = went(0, 30);
    CHECK(went(0, 10) == 4 && went(10, 30) == 4, "%d of 30 went in the first round", first);
    timer_set(loop, &guard, clock_ms() + 50);
    loop_run(loop);
    CHECK(went(0, 30) == 30, "%d of 30 went in the end", went(0, 30));
    CHECK(guests[14].order == 9 && guests[4].order == 13, "pages first: order %d, %d", guests[14].order,
          guests[4].order);
    for (i = 11; i < 30; i++)
        CHECK(guests[i].order > guests[i - 1].order, "page %d out of turn", i);
    leave_all();
    limiter_free(limiter);
    loop_free(loop);
}

/* Those whose answers nobody waits for go in one round, up to the limit, and take no place of a portion. */
static void test_patience(void **state UNUSED)
{
    struct loop *loop = loop_new();
    struct limiter *limiter = limiter_new(loop, 20, 4);
    int i;

    begin();
    for (i = 0; i < 30; i++) {
        guests[i].slot.patient = i < 10 || i >= 16;
        limiter_acquire(limiter, &guests[i].slot);
    }
    CHECK(went(0, 10) == 10, "%d of 10 patient ones went", went(0, 10));
    CHECK(went(10, 16) == 4, "%d of those that are not", went(10, 16));
    CHECK(went(16, 30) == 0, "%d went before their turn", went(16, 30));
    limiter_release(&guests[14].slot);
    limiter_release(&guests[15].slot);
    CHECK(went(16, 30) == 0, "none of the queue before another asks or leaves");
    limiter_release(&guests[0].slot);
    CHECK(went(16, 30) == 7, "%d went, 7 had a place", went(16, 30));
    leave_all();
    limiter_free(limiter);
    loop_free(loop);
}

/* The owners of tickets are freed one by one: none that is freed later may send anything in between. */
static void test_closed(void **state)
{
    struct limiter *limiter = ((struct fixture *)*state)->limiter;
    int i;

    begin();
    for (i = 0; i < 10; i++)
        limiter_acquire(limiter, &guests[i].slot);
    CHECK(went(0, 10) == 2, "two are let through");
    limiter_close(limiter);
    for (i = 0; i < 10; i++)
        limiter_release(&guests[i].slot);
    CHECK(went(0, 10) == 2, "and no more");
}

static int open_limiter(void **state)
{
    static struct fixture fixture;

    fixture.loop = loop_new();
    fixture.limiter = limiter_new(fixture.loop, 2, MANY);
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
    cmocka_unit_test_setup_teardown(test_leaves_from_inside, open_limiter, close_limiter),
    cmocka_unit_test_setup_teardown(test_slow, open_limiter, close_limiter),
    cmocka_unit_test_setup_teardown(test_slow_is_bounded, open_limiter, close_limiter),
    cmocka_unit_test_setup_teardown(test_closed, open_limiter, close_limiter),
    cmocka_unit_test(test_portions),
    cmocka_unit_test(test_patience),
};

UNIT(limiter, cases, NULL, NULL)
