#include "pacing/rate_pool.h"

#include "base/compiler.h"
#include "check.h"

#define NOW 1000000

/* Asks as a poll that does not wait. */
static int64_t ask(struct rate *rate, int64_t now_ms)
{
    struct rate_waiter waiter = { .backfill = false };
    int64_t wait = rate_take(rate, &waiter, now_ms);

    rate_leave(rate, &waiter);
    return wait;
}

static struct rate *get(struct rate_pool *pool, const char *tenant_id, const char *client_id, const char *family)
{
    return rate_pool_get(pool, tenant_id, client_id, family, 100, 1500, NOW);
}

/* The three texts together make the key, by content and not by address. */
static void test_key(void **state)
{
    struct rate_pool *pool = *state;
    char tenant_id[] = "t1";
    struct rate *rate = get(pool, tenant_id, "c1", "defender");

    tenant_id[1] = '2';
    CHECK(get(pool, "t1", "c1", "defender") == rate, "the same three");
    CHECK(get(pool, tenant_id, "c1", "defender") != rate, "another tenant");
    CHECK(get(pool, "t1", "c2", "defender") != rate, "another app");
    CHECK(get(pool, "t1", "c1", "graph") != rate, "another API family");
    CHECK(get(pool, "t1c", "1", "defender") != rate, "the texts are compared one by one");
    CHECK(get(pool, "T1", "c1", "defender") != rate, "exactly");
    CHECK(get(pool, "t1", "c1", "defender") == rate, "it is still found after the others");
}

/* All who use a rate wait for what one of them was told, and nobody else. */
static void test_shared(void **state)
{
    struct rate_pool *pool = *state;

    rate_throttled(get(pool, "t1", "c1", "defender"), 5000, 0, NOW);
    CHECK(ask(get(pool, "t1", "c1", "defender"), NOW) == 5000, "the same rate waits");
    CHECK(ask(get(pool, "t1", "c2", "defender"), NOW) == 0, "another does not");
}

/* The limits count when the rate is created. */
static void test_limits(void **state)
{
    struct rate_pool *pool = *state;
    struct rate *small = rate_pool_get(pool, "t9", "c", "f", 20, 0, NOW);
    struct rate *large = rate_pool_get(pool, "t9", "d", "f", 2000, 0, NOW);
    int i, from_small = 0, from_large = 0;

    CHECK(rate_pool_get(pool, "t9", "c", "f", 2000, 0, NOW) == small, "found with other limits");
    for (i = 0; i < 50; i++) {
        from_small += ask(small, NOW) == 0;
        from_large += ask(large, NOW) == 0;
    }
    CHECK(from_small < 5 && from_large == 50, "%d and %d requests at once", from_small, from_large);
}

static void test_was_used(void **state UNUSED)
{
    struct rate_pool *pool = rate_pool_new();
    struct rate *one = get(pool, "t1", "c1", "f"), *two = get(pool, "t2", "c1", "f");

    rate_pool_was_used(pool);
    CHECK(ask(one, NOW) > 0 && ask(two, NOW) > 0, "nothing is left of the minute");
    CHECK(ask(get(pool, "t3", "c1", "f"), NOW) == 0, "a later one is not affected");
    rate_pool_free(pool);
}

/* A new pool in its ordinary state. */
static int open_pool(void **state)
{
    *state = rate_pool_new();
    return 0;
}

static int close_pool(void **state)
{
    rate_pool_free(*state);
    rate_pool_free(NULL);
    return 0;
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test_setup_teardown(test_key, open_pool, close_pool),
    cmocka_unit_test_setup_teardown(test_shared, open_pool, close_pool),
    cmocka_unit_test_setup_teardown(test_limits, open_pool, close_pool),
    cmocka_unit_test(test_was_used),
};

UNIT(rate_pool, cases, NULL, NULL)
