/* Which variant of the query comes next: rows of what was answered. */
#include "collect/variant.h"

#include "base/backoff.h"
#include "check.h"

#define VARIANTS 4
#define MINUTE   INT64_C(60000)

/* One step: minutes pass, a request is sent, its answer comes. */
struct step {
    int  minutes;
    int  want;              /* variant of the request */
    enum { WORKS, REFUSED, FAILS } answer;
    bool ret;               /* what variant_worked() or variant_refused() says */
};

static const struct { const char *name; struct step steps[16]; } rows[] = {
    { "the full query works", { { 0, 0, WORKS, false }, { 1, 0, WORKS, false }, { 600, 0, WORKS, false } } },
    { "the second simpler one works, and after ten minutes the full one",
      { { 0, 0, REFUSED, true }, { 0, 1, REFUSED, true }, { 0, 2, WORKS, false }, { 9, 2, WORKS, false },
        { 1, 0, WORKS, true }, { 0, 0, WORKS, false } } },
    { "the full one is tried at growing intervals",
      { { 0, 0, REFUSED, true }, { 0, 1, WORKS, false }, { 10, 0, REFUSED, true }, { 0, 1, WORKS, false },
        { 19, 1, WORKS, false }, { 1, 0, REFUSED, true }, { 0, 1, WORKS, false }, { 39, 1, WORKS, false },
        { 1, 0, REFUSED, true }, { 0, 1, WORKS, false }, { 79, 1, WORKS, false }, { 1, 0, WORKS, true },
        { 0, 0, REFUSED, true }, { 0, 1, WORKS, false }, { 9, 1, WORKS, false }, { 1, 0, WORKS, true } } },
    { "none works: then the full one again",
      { { 0, 0, REFUSED, true }, { 0, 1, REFUSED, true }, { 0, 2, REFUSED, true }, { 0, 3, REFUSED, false },
        { 15, 0, REFUSED, true }, { 0, 1, REFUSED, true }, { 0, 2, REFUSED, true }, { 0, 3, REFUSED, false },
        { 30, 0, WORKS, false }, { 0, 0, WORKS, false } } },
    { "the simplest one worked for a while: the search begins with the full one",
      { { 0, 0, REFUSED, true }, { 0, 1, REFUSED, true }, { 0, 2, REFUSED, true }, { 0, 3, WORKS, false },
        { 1, 3, REFUSED, true }, { 0, 0, REFUSED, true }, { 0, 1, WORKS, false }, { 1, 1, WORKS, false } } },
    { "the return finds one that is better than before",
      { { 0, 0, REFUSED, true }, { 0, 1, REFUSED, true }, { 0, 2, WORKS, false }, { 10, 0, REFUSED, true },
        { 0, 1, WORKS, false }, { 1, 1, WORKS, false } } },
    { "a failure ends the return",
      { { 0, 0, REFUSED, true }, { 0, 1, WORKS, false }, { 10, 0, FAILS, false }, { 0, 1, WORKS, false },
        { 19, 1, WORKS, false }, { 1, 0, WORKS, true } } },
    { "a failure in the first search changes nothing",
      { { 0, 0, REFUSED, true }, { 0, 1, FAILS, false }, { 0, 1, FAILS, false }, { 0, 1, WORKS, false } } },
};

static void test_rows(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct variant variant = { .current = 0 };
        int64_t now_ms = 1000000;
        bool last = false;

        for (size_t n = 0; n < COUNT_OF(rows[i].steps) && !last; n++) {
            const struct step *step = &rows[i].steps[n];
            bool ret = false;
            int used;

            last = n && !step->minutes && !step->want && !step->answer && !step->ret;
            used = variant_choose(&variant, now_ms += step->minutes * MINUTE);
            CHECK(used == step->want || last, "%s: step %zu: variant %d", rows[i].name, n, used);
            if (step->answer == WORKS)
                ret = variant_worked(&variant, used, now_ms);
            else if (step->answer == REFUSED)
                ret = variant_refused(&variant, used, VARIANTS);
            else
                variant_failed(&variant, used, now_ms);
            CHECK(ret == step->ret || last, "%s: step %zu: %d", rows[i].name, n, ret);
        }
    }
}

/* The other worker's full query works again: this one searches at once. */
static void test_search(void **state UNUSED)
{
    struct variant variant = { .current = 0 };

    variant_search(&variant);
    CHECK(variant_choose(&variant, 0) == 0 && variant.state == VARIANT_FULL, "the full query is in use: nothing to search for");
    variant_refused(&variant, 0, VARIANTS);
    variant_worked(&variant, 1, 0);
    CHECK(variant_choose(&variant, 1) == 1, "settled");
    variant_search(&variant);
    CHECK(variant_choose(&variant, 1) == 0 && variant_refused(&variant, 0, VARIANTS), "without repetitions");
    CHECK(!variant_worked(&variant, 1, 1) && variant_choose(&variant, 2) == 1, "back at what works");
    CHECK(!variant_worked(&variant, 0, 2) && variant_choose(&variant, 2) == 1, "an older answer says nothing");
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_rows),
    cmocka_unit_test(test_search),
};

UNIT(variant, cases, NULL, NULL)
