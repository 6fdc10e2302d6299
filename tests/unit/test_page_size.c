#include "collect/page_size.h"

#include "check.h"

static void test_top(void **state UNUSED)
{
    static const struct { const char *name; size_t size, most, want; } rows[] = {
        { "nothing failed: the API's own size", 0, 1000, 1000 },
        { "a smaller size after failures", 250, 1000, 250 },
        { "never more than the API gives", 2000, 1000, 1000 },
        { "the service's own choice stays its choice", 250, 0, 0 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t got = page_size_top(&(struct page_size){ .size = rows[i].size }, rows[i].most);

        CHECK(got == rows[i].want, "%s: %zu", rows[i].name, got);
    }
}

/* promise: Trouble: A page that keeps failing is asked for in smaller pieces. */
static void test_shrinks_to_one(void **state UNUSED)
{
    static const size_t sizes[] = { 250, 62, 15, 3, 1, 1 };
    struct page_size page = { .size = 0 };

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        CHECK(page_size_can_shrink(&page, 1000) == (i < 5), "step %zu", i);
        page_size_shrink(&page, 1000);
        CHECK(page_size_top(&page, 1000) == sizes[i], "step %zu: %zu", i, page_size_top(&page, 1000));
    }
}

static void test_a_service_that_chooses_cannot_be_asked_for_less(void **state UNUSED)
{
    struct page_size page = { .size = 0 };

    CHECK(!page_size_can_shrink(&page, 0), "it can shrink");
    page_size_shrink(&page, 0);
    CHECK(!page_size_top(&page, 0), "%zu", page_size_top(&page, 0));
}

static void test_grows_while_pages_succeed(void **state UNUSED)
{
    static const size_t sizes[] = { 124, 248, 496, 992, 1000, 1000 };
    struct page_size page = { .size = 62 };

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        page_size_worked(&page, 1000);
        CHECK(page_size_top(&page, 1000) == sizes[i], "step %zu: %zu", i, page_size_top(&page, 1000));
    }
}

/* The size that fails each time it is reached is not tried again with every other page. */
static void test_a_size_that_failed_is_avoided(void **state UNUSED)
{
    struct page_size page = { .size = 250 };
    int pages;

    page_size_worked(&page, 1000);
    CHECK(page_size_top(&page, 1000) == 500, "%zu", page_size_top(&page, 1000));
    CHECK(page_size_failed(&page, 1, true), "the growth is to blame");
    page_size_shrink(&page, 1000);
    for (pages = 1; pages <= 20; pages++) {
        page_size_worked(&page, 1000);
        CHECK(page_size_top(&page, 1000) == 250, "page %d: %zu", pages, page_size_top(&page, 1000));
    }
    page_size_worked(&page, 1000);
    CHECK(page_size_top(&page, 1000) == 500, "after 20 pages it is tried: %zu", page_size_top(&page, 1000));
}

static void test_what_is_not_to_blame(void **state UNUSED)
{
    static const struct { const char *name; struct page_size page; int failures; bool may_be_size; } rows[] = {
        { "nothing had grown", { .size = 0, .successes = 5 }, 1, true },
        { "the second failure in a row", { .size = 500, .successes = 5 }, 2, true },
        { "a failure that has nothing to do with the size", { .size = 500, .successes = 5 }, 1, false },
        { "no page succeeded since the last failure", { .size = 500 }, 1, true },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct page_size page = rows[i].page;

        CHECK(!page_size_failed(&page, rows[i].failures, rows[i].may_be_size) && !page.too_large, "%s", rows[i].name);
        CHECK(!page.successes, "%s: successes in a row end", rows[i].name);
    }
}

static void test_a_size_that_is_refused(void **state UNUSED)
{
    struct page_size page = { .successes = 5 };

    CHECK(!page_size_refused(&page, 1000, 1000) && page.successes == 5, "no more than a poll asks for: not the size");
    CHECK(!page_size_refused(&page, 0, 1000), "the service chose the size");
    CHECK(page_size_refused(&page, 10000, 1000) && page_size_top(&page, 10000) == 1000, "as many as a poll");
    CHECK(!page_size_refused(&page, 1000, 1000), "it was not the size");
    page_size_worked(&page, 10000);
    CHECK(page_size_top(&page, 10000) == 2000, "a size in between is tried");
    CHECK(page_size_refused(&page, 2000, 1000) && page_size_top(&page, 10000) == 1000, "and refused");
    page_size_worked(&page, 10000);
    CHECK(page_size_top(&page, 10000) == 1000, "and not tried with every other page");
}

static void test_learns_the_cap(void **state UNUSED)
{
    static const struct { const char *name; size_t cap, count; bool has_link; size_t want; } rows[] = {
        { "a response that was cut short", 0, 50, true, 50 },
        { "another that was cut shorter", 50, 30, true, 50 },
        { "another with more", 50, 80, true, 80 },
        { "a whole response with more: there is no such cap", 50, 80, false, 0 },
        { "a whole response with less says nothing", 50, 40, false, 50 },
        { "a few records were cut for another reason", 0, 3, true, 20 },
        { "an empty page with a link says nothing", 0, 0, true, 0 },
        { "a whole response without a cap says nothing", 0, 80, false, 0 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct page_size page = { .cap = rows[i].cap };

        page_size_learn(&page, rows[i].count, rows[i].has_link);
        CHECK(page.cap == rows[i].want, "%s: %zu", rows[i].name, page.cap);
    }
    CHECK(page_size_capacity(&(struct page_size){ .cap = 50 }, 1000) == 50, "the cap counts");
    CHECK(page_size_capacity(&(struct page_size){ .cap = 2000 }, 1000) == 1000, "not above what is asked for");
    CHECK(page_size_capacity(&(struct page_size){ .cap = 0 }, 1000) == 1000, "without a cap");
}

static void test_asks_for_more(void **state UNUSED)
{
    static const struct { const char *name; size_t size, top, most, want; bool more; } rows[] = {
        { "twice as many", 16, 16, 1000, 32, true },
        { "as many as the API gives", 600, 600, 1000, 1000, true },
        { "the request was for fewer than the page", 16, 1, 1000, 16, true },
        { "the request was for the most", 0, 1000, 1000, 1000, false },
        { "a page that has grown beyond what the worker asks for", 800, 100, 100, 100, false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct page_size page = { .size = rows[i].size };

        CHECK(page_size_raise(&page, rows[i].top, rows[i].most) == rows[i].more, "%s", rows[i].name);
        CHECK(page_size_top(&page, rows[i].most) == rows[i].want, "%s: %zu", rows[i].name,
              page_size_top(&page, rows[i].most));
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_top),
    cmocka_unit_test(test_shrinks_to_one),
    cmocka_unit_test(test_a_service_that_chooses_cannot_be_asked_for_less),
    cmocka_unit_test(test_grows_while_pages_succeed),
    cmocka_unit_test(test_a_size_that_failed_is_avoided),
    cmocka_unit_test(test_what_is_not_to_blame),
    cmocka_unit_test(test_a_size_that_is_refused),
    cmocka_unit_test(test_learns_the_cap),
    cmocka_unit_test(test_asks_for_more),
};

UNIT(page_size, cases, NULL, NULL)
