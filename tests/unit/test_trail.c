#include "collect/trail.h"

#include "check.h"

static struct cursor at(ticks newest)
{
    return (struct cursor){ .watermark = newest };
}

static void add(struct trail *trail, ticks newest, uint64_t pos, int64_t now_ms)
{
    struct cursor cursor = at(newest);

    trail_add(trail, &cursor, pos, now_ms);
}

/* The newest time of the place that may be saved; -1: none. */
static long long behind(struct trail *trail, uint64_t pos)
{
    const struct trail_mark *mark = trail_behind(trail, pos);

    return mark ? (long long)mark->cursor.watermark : -1;
}

static void test_behind(void)
{
    struct trail trail = { .count = 0 };

    CHECK(behind(&trail, 1000) == -1, "no place yet");
    add(&trail, 1, 10, 0);
    add(&trail, 2, 20, 5000);
    add(&trail, 3, 30, 10000);
    CHECK(behind(&trail, 9) == -1, "nothing is safe");
    CHECK(behind(&trail, 10) == 1, "exactly up to the first");
    CHECK(behind(&trail, 29) == 2, "never one whose events are not safe");
    CHECK(behind(&trail, 19) == -1, "what is older was dropped");
    CHECK(behind(&trail, 1000) == 3, "the newest");
    CHECK(behind(&trail, 1000) == 3 && trail.count == 1, "which stays");
    trail_release(&trail);
    CHECK(!trail.count && behind(&trail, 1000) == -1, "released");
}

static void test_marks_become_one(void)
{
    struct trail trail = { .count = 0 };
    int i;

    add(&trail, 1, 0, 0);
    add(&trail, 2, 10, 10);         /* the first mark never moves away, however busy the input is */
    CHECK(behind(&trail, 0) == 1, "the first is kept apart");
    for (i = 0; i < 100; i++)
        add(&trail, 100 + i, 20 + (uint64_t)i, 20 + i);
    CHECK(trail.count == 2, "%zu marks in a second", trail.count);
    CHECK(behind(&trail, 118) == 1 && behind(&trail, 119) == 199, "the joined one is the newest, with its position");
    add(&trail, 300, 119, 60000);
    CHECK(trail.count == 1 && behind(&trail, 119) == 300, "no new events: the newer place takes over");
    for (i = 1; i <= 60; i++)
        add(&trail, 300 + i, 119 + (uint64_t)i, 60000 + i * 1000);
    CHECK(trail.count == 61, "one mark a second, %zu", trail.count);
    CHECK(behind(&trail, 149) == 330, "in between");
    trail_release(&trail);
}

/* A quiet input whose neighbours write: polls for a year must leave no more marks than one. */
static void test_the_same_place(void)
{
    struct trail trail = { .count = 0 };
    int i;

    add(&trail, 1, 0, 0);
    add(&trail, 2, 10, 60000);
    for (i = 0; i < 525600; i++)
        add(&trail, 2, 20 + (uint64_t)i, 120000 + INT64_C(60000) * i);
    CHECK(trail.count == 2, "%zu marks", trail.count);
    CHECK(behind(&trail, 10) == 2, "the place is as safe as it was");
    add(&trail, 3, 600000, INT64_C(60000) * 600000);
    CHECK(behind(&trail, 599999) == 2 && behind(&trail, 600000) == 3, "and the next one has its own position");
    trail_release(&trail);
}

int main(void)
{
    test_behind();
    test_marks_become_one();
    test_the_same_place();
    return check_summary();
}
