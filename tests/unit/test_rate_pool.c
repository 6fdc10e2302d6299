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
    CHECK(get(pool, "T1", "C1", "defender") == rate, "in any case of letters");
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

/* Takes all that goes at once. Returns the number of requests. */
static int take_all(struct rate *rate, int64_t now_ms)
{
    int taken = 0;

    while (taken < 1000 && ask(rate, now_ms) == 0)
        taken++;
    return taken;
}

/* A tenant has a GUID and domains. Once the GUIDs of the domains are known, all names together have one limit, of which
 * what was taken by any name is used up, whoever comes first. */
static void test_names_of_one_tenant(void **state UNUSED)
{
    static const struct { const char *name; int by_guid, by_domain; bool guid_first; } rows[] = {
        { "nothing was taken", .guid_first = true },
        { "nothing was taken, and the GUID comes later", .by_guid = 0 },
        { "by the GUID", .by_guid = 8, .guid_first = true },
        { "by the domain", .by_domain = 8, .guid_first = true },
        { "by the domain, and the GUID comes later", .by_domain = 8 },
        { "by both", .by_guid = 5, .by_domain = 4, .guid_first = true },
        { "all of both", .by_guid = 9, .by_domain = 9, .guid_first = true },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct rate_pool *pool = rate_pool_new();
        struct rate *guid = rows[i].guid_first ? get(pool, "guid-1", "c1", "f") : NULL;
        struct rate *domain = get(pool, "example.org", "c1", "f"), *other = get(pool, "example.net", "c1", "f");
        int sum = 0, at_once = take_all(get(pool, "x", "c1", "f"), NOW);
        struct rate_waiter waiter = { .backfill = false };

        for (int n = 0; n < rows[i].by_guid; n++)
            sum += ask(guid, NOW) == 0;
        for (int n = 0; n < rows[i].by_domain; n++)
            sum += ask(domain, NOW) == 0;
        rate_pool_name(pool, domain, "GUID-1", "c1", "f", NOW);
        rate_pool_name(pool, other, "guid-1", "C1", "f", NOW);
        rate_pool_name(pool, domain, "guid-1", "c1", "f", NOW); /* each token says so */
        sum += take_all(get(pool, "guid-1", "c1", "f"), NOW) + take_all(domain, NOW) + take_all(other, NOW);
        CHECK(sum == at_once || (sum > at_once && rows[i].by_guid + rows[i].by_domain == sum), "%s: %d requests, %d by one",
              rows[i].name, sum, at_once);
        sum = 0;
        for (int ms = 0; ms < 60000; ms += 100)
            sum += (ask(domain, NOW + ms) == 0) + (ask(get(pool, "guid-1", "c1", "f"), NOW + ms) == 0) +
                   (ask(other, NOW + ms) == 0);
        CHECK(sum + (rows[i].by_guid + rows[i].by_domain) <= 90, "%s: %d in a minute", rows[i].name, sum);
        rate_throttled(other, 5000, 0, NOW + 60000);
        CHECK(rate_hold_until(domain) == NOW + 65000, "%s: one waits for all", rows[i].name);
        CHECK(rate_take(domain, &waiter, NOW + 60000) > 0, "%s: a place in the queue", rows[i].name);
        rate_leave(domain, &waiter);
        CHECK(ask(get(pool, "guid-1", "c2", "f"), NOW) == 0, "%s: another app has its own", rows[i].name);
        rate_pool_free(pool);
    }
}

/* Who waits for a rate when it is joined keeps the place. */
static void test_waiters_of_one_tenant(void **state)
{
    struct rate_pool *pool = *state;
    struct rate *guid = get(pool, "guid-2", "c1", "f"), *domain = get(pool, "example.com", "c1", "f");
    struct rate_waiter first = { .backfill = false }, second = { .backfill = false };

    take_all(guid, NOW);
    take_all(domain, NOW);
    CHECK(rate_take(domain, &first, NOW) > 0 && rate_take(guid, &second, NOW) > 0, "both wait");
    rate_pool_name(pool, domain, "guid-2", "c1", "f", NOW);
    CHECK(rate_take(domain, &first, NOW + 60000) == 0 && rate_take(guid, &second, NOW + 60000) == 0, "both are served");
    CHECK(!first.waits && !second.waits, "nobody waits");
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
    cmocka_unit_test(test_names_of_one_tenant),
    cmocka_unit_test_setup_teardown(test_waiters_of_one_tenant, open_pool, close_pool),
    cmocka_unit_test(test_was_used),
};

UNIT(rate_pool, cases, NULL, NULL)
