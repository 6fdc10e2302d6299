#include "state/acks.h"

#include "check.h"

static struct cursor at(ticks newest)
{
    return (struct cursor){ .watermark = newest };
}

static void add(struct acks *acks, ticks newest, uint64_t pos, int64_t now_ms)
{
    struct cursor cursor = at(newest);

    acks_add(acks, &cursor, pos, now_ms);
}

/* The newest time of the place that may be saved; -1: none. */
static long long behind(struct acks *acks, uint64_t pos)
{
    const struct pending_cursor *found = acks_confirmed(acks, pos);

    return found ? (long long)found->cursor.watermark : -1;
}

static void test_behind(void **state UNUSED)
{
    struct acks acks = { .count = 0 };

    CHECK(behind(&acks, 1000) == -1, "no place yet");
    add(&acks, 1, 10, 0);
    add(&acks, 2, 20, 5000);
    add(&acks, 3, 30, 10000);
    CHECK(behind(&acks, 9) == -1, "nothing is safe");
    CHECK(behind(&acks, 10) == 1, "exactly up to the first");
    CHECK(behind(&acks, 29) == 2, "never one whose events are not safe");
    CHECK(behind(&acks, 19) == -1, "what is older was dropped");
    CHECK(behind(&acks, 1000) == 3, "the newest");
    CHECK(behind(&acks, 1000) == 3 && acks.count == 1, "which stays");
    acks_release(&acks);
    CHECK(!acks.count && behind(&acks, 1000) == -1, "released");
}

static void test_marks_become_one(void **state UNUSED)
{
    struct acks acks = { .count = 0 };
    int i;

    add(&acks, 1, 0, 0);
    add(&acks, 2, 10, 10);         /* the first mark never moves away, however busy the input is */
    CHECK(behind(&acks, 0) == 1, "the first is kept apart");
    for (i = 0; i < 100; i++)
        add(&acks, 100 + i, 20 + (uint64_t)i, 20 + i);
    CHECK(acks.count == 2, "%zu marks in a second", acks.count);
    CHECK(behind(&acks, 118) == 1 && behind(&acks, 119) == 199, "the joined one is the newest, with its position");
    add(&acks, 300, 119, 60000);
    CHECK(acks.count == 1 && behind(&acks, 119) == 300, "no new events: the newer place takes over");
    for (i = 1; i <= 60; i++)
        add(&acks, 300 + i, 119 + (uint64_t)i, 60000 + i * 1000);
    CHECK(acks.count == 61, "one mark a second, %zu", acks.count);
    CHECK(behind(&acks, 149) == 330, "in between");
    acks_release(&acks);
}

/* A quiet input whose neighbours write: polls for a year must leave no more marks than one. */
static void test_the_same_place(void **state UNUSED)
{
    struct acks acks = { .count = 0 };
    int i;

    add(&acks, 1, 0, 0);
    add(&acks, 2, 10, 60000);
    for (i = 0; i < 525600; i++)
        add(&acks, 2, 20 + (uint64_t)i, 120000 + INT64_C(60000) * i);
    CHECK(acks.count == 2, "%zu marks", acks.count);
    CHECK(behind(&acks, 10) == 2, "the place is as safe as it was");
    add(&acks, 3, 600000, INT64_C(60000) * 600000);
    CHECK(behind(&acks, 599999) == 2 && behind(&acks, 600000) == 3, "and the next one has its own position");
    acks_release(&acks);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_behind),
    cmocka_unit_test(test_marks_become_one),
    cmocka_unit_test(test_the_same_place),
};

UNIT(acks, cases, NULL, NULL)
