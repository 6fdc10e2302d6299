#include "net/http_pool.h"

#include "check.h"

#define MINUTE (60 * 1000)
#define START  INT64_C(1000000)

static struct pool *list;

static struct pool *fresh(void)
{
    pools_free(&list);
    return pool_find(&list, "https://graph.test/v1.0/alerts", NULL, "/ca.pem");
}

static void test_what_shares_a_pool(void **state UNUSED)
{
    static const struct { const char *url, *proxy, *ca_file; bool same; } rows[] = {
        { "https://graph.test/other?x=https://graph.test", NULL, "/ca.pem", true },
        { "https://graph.test", NULL, "/ca.pem", true },
        { "https://graph.test?$top=1", NULL, "/ca.pem", true },
        { "https://graph.test:8443/v1.0/alerts", NULL, "/ca.pem", false },
        { "http://graph.test/v1.0/alerts", NULL, "/ca.pem", false },
        { "https://login.test/v1.0/alerts", NULL, "/ca.pem", false },
        { "https://graph.test/v1.0/alerts", "http://u:p@proxy:3128", "/ca.pem", false },
        { "https://graph.test/v1.0/alerts", NULL, "/other.pem", false },
        { "https://graph.test/v1.0/alerts", NULL, NULL, false },
    };
    struct pool *pool = fresh();

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK((pool_find(&list, rows[i].url, rows[i].proxy, rows[i].ca_file) == pool) == rows[i].same, "%s",
              rows[i].url);
    pools_free(&list);
}

static void test_age(void **state UNUSED)
{
    struct pool *pool = fresh();

    CHECK(pool_use(pool, START) == 0 && pool_use(pool, START + 54 * MINUTE) == 0, "for most of an hour");
    CHECK(pool_use(pool, START + 55 * MINUTE) == 1, "never for all of it");
    CHECK(pool_use(pool, START + 109 * MINUTE) == 1 && pool_use(pool, START + 110 * MINUTE) == 2, "and so on");
    pools_free(&list);
}

static void test_many_failures_retire_it_once(void **state UNUSED)
{
    struct pool *pool = fresh();
    unsigned generation = pool_use(pool, START);

    for (int i = 0; i < 30; i++)
        pool_retire(pool, generation);
    CHECK(pool_use(pool, START + 1) == generation + 1, "generation %u", pool->generation);
    CHECK(!pool->http2 && !pool->heard_ms, "nothing is known of the new one");
    pools_free(&list);
}

/* Returns a pool whose connection was used at START, and answered that much later. */
static struct pool *used(bool http2, int heard_s, bool retired)
{
    struct pool *pool = fresh();

    pool_use(pool, START);
    pool_heard(pool, 0, http2, START + heard_s * 1000);
    if (retired)
        pool_retire(pool, 0);
    return pool;
}

/* One request was sent at START; the time in a row counts from there. */
static void test_silence(void **state UNUSED)
{
    static const struct { const char *name; bool http2; int heard_s, now_s; bool retired, silent; } rows[] = {
        { "answered others a moment ago", true, 20, 26, false, false },
        { "silent for long enough", true, 1, 26, false, true },
        { "silent, but asked only now", true, -100, 24, false, false },
        { "a service that is slow for one of them", true, 299, 300, false, false },
        { "HTTP/1.1: a connection of its own", false, 1, 50, false, false },
        { "given up because of another request", true, 20, 26, true, true },
        { "given up, but asked only now", true, 20, 24, true, false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pool *pool = used(rows[i].http2, rows[i].heard_s, rows[i].retired);

        CHECK(pool_is_silent(pool, 0, START, START + rows[i].now_s * 1000) == rows[i].silent, "%s", rows[i].name);
    }
    pools_free(&list);
}

static void test_a_pool_that_never_answered_is_not_called_silent(void **state UNUSED)
{
    struct pool *pool = fresh();

    pool_use(pool, START);
    CHECK(!pool_is_silent(pool, 0, START, START + 10 * MINUTE), "the service may just be slow");
    CHECK(pool_is_doubtful(pool, 0, START), "but a timeout retires it");
    pools_free(&list);
}

static void test_a_timeout_casts_doubt(void **state UNUSED)
{
    static const struct { const char *name; bool http2; int heard_s; bool retired, doubtful; } rows[] = {
        { "HTTP/2: the connection is shared", true, 59, false, true },
        { "HTTP/1.1, and others were answered: it was only this one", false, 59, false, false },
        { "HTTP/1.1, and nothing came since", false, -1, false, true },
        { "given up already", true, 59, true, false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pool *pool = used(rows[i].http2, rows[i].heard_s, rows[i].retired);

        CHECK(pool_is_doubtful(pool, 0, START) == rows[i].doubtful, "%s", rows[i].name);
    }
    pools_free(&list);
}

static void test_an_old_connection_says_nothing_about_the_new_one(void **state UNUSED)
{
    struct pool *pool = fresh();

    pool_use(pool, START);
    pool_heard(pool, 0, true, START);
    pool_retire(pool, 0);
    pool_use(pool, START + 1000);
    pool_heard(pool, 0, true, START + 2000);
    CHECK(!pool->heard_ms && !pool->http2, "heard of it");
    pool_heard(pool, 1, true, START + 3000);
    CHECK(pool->heard_ms == START + 3000 && pool->http2, "not heard of it");
    pools_free(&list);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_what_shares_a_pool),
    cmocka_unit_test(test_age),
    cmocka_unit_test(test_many_failures_retire_it_once),
    cmocka_unit_test(test_silence),
    cmocka_unit_test(test_a_pool_that_never_answered_is_not_called_silent),
    cmocka_unit_test(test_a_timeout_casts_doubt),
    cmocka_unit_test(test_an_old_connection_says_nothing_about_the_new_one),
};

UNIT(http_pool, cases, NULL, NULL)
