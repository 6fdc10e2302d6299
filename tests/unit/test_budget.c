/* One bound for many buffers: who has to give up. */
#include "base/budget.h"

#include "check.h"

#define COUNT 6

struct owner {
    struct holding holding;
    int gave_up;
};

static void give_up(void *ctx)
{
    struct owner *owner = ctx;

    owner->gave_up++;
}

static void init(struct owner owners[COUNT])
{
    for (int i = 0; i < COUNT; i++)
        owners[i] = (struct owner){ .holding = { .give_up = give_up, .ctx = &owners[i] } };
}

static void test_who_gives_up(void **state UNUSED)
{
    static const struct {
        const char *name;
        struct { int who; size_t bytes; bool ok; } steps[COUNT];
        const char *gave_up;    /* one digit for each owner */
        size_t used;
    } rows[] = {
        { "all fit", { { 0, 30, true }, { 1, 30, true }, { 2, 40, true } }, "000000", 100 },
        { "the largest is another", { { 0, 60, true }, { 1, 30, true }, { 2, 20, true } }, "100000", 50 },
        { "the largest is the one that grows", { { 0, 30, true }, { 1, 30, true }, { 2, 50, false } }, "000000", 60 },
        { "of equals the other", { { 0, 50, true }, { 1, 50, true }, { 2, 50, true } }, "010000", 100 },
        { "growing is counted once", { { 0, 10, true }, { 0, 20, true }, { 0, 90, true }, { 1, 10, true } }, "000000",
          100 },
        { "one is enough", { { 0, 34, true }, { 1, 33, true }, { 2, 33, true }, { 3, 1, true }, { 3, 34, true } },
          "100000", 100 },
        { "more than there is", { { 0, 101, false } }, "000000", 0 },
        { "nothing is no share", { { 0, 50, true }, { 0, 0, true }, { 1, 60, true } }, "000000", 60 },
        { "shrinking", { { 0, 90, true }, { 0, 5, true }, { 1, 95, true } }, "000000", 100 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct budget budget = { .limit = 100 };
        struct owner owners[COUNT];
        int k;

        init(owners);
        for (k = 0; k < COUNT && rows[i].steps[k].bytes + (size_t)rows[i].steps[k].ok; k++)
            CHECK(budget_hold(&budget, &owners[rows[i].steps[k].who].holding, rows[i].steps[k].bytes) ==
                  rows[i].steps[k].ok, "%s: step %d", rows[i].name, k);
        for (k = 0; k < COUNT; k++)
            CHECK(owners[k].gave_up == rows[i].gave_up[k] - '0', "%s: owner %d", rows[i].name, k);
        CHECK(budget.used == rows[i].used, "%s: %zu used", rows[i].name, budget.used);
        for (k = 0; k < COUNT; k++)
            budget_release(&owners[k].holding);
        CHECK(!budget.used && !budget.first, "%s: %zu left", rows[i].name, budget.used);
    }
}

static void test_no_budget(void **state UNUSED)
{
    struct owner owner = { .holding = { .give_up = give_up, .ctx = &owner } };

    CHECK(budget_hold(NULL, &owner.holding, SIZE_MAX) && !owner.gave_up, "no budget bounds nothing");
    budget_release(&owner.holding);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_who_gives_up),
    cmocka_unit_test(test_no_budget),
};

UNIT(budget, cases, NULL, NULL)
