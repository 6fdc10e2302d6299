/* About how many different values were seen. */
#include "base/sketch.h"

#include "base/digest.h"
#include "check.h"

static uint64_t hash_of(uint64_t value)
{
    return hash128_of(&value, sizeof(value)).high;
}

/* promise: Log lines: Status lines tell bytes, versions and about how many alerts were written. */
static void test_counts(void **state UNUSED)
{
    static const struct { uint64_t values; double off; } rows[] = {
        { 0, 0 }, { 1, 0 }, { 2, 0 }, { 10, 0.11 }, { 100, 0.1 }, { 600, 0.15 }, { 1000, 0.15 }, { 100000, 0.15 },
        { 1000000, 0.15 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sketch sketch = { .most = { 0 } };
        double count, error;

        for (int times = 0; times < 2; times++)
            for (uint64_t value = 0; value < rows[i].values; value++)
                sketch_add(&sketch, hash_of(value));
        count = (double)sketch_count(&sketch);
        error = count - (double)rows[i].values;
        CHECK(error * error <= rows[i].off * rows[i].off * (double)rows[i].values * (double)rows[i].values, "%llu: %.0f",
              (unsigned long long)rows[i].values, count);
    }
}

static void test_extremes(void **state UNUSED)
{
    struct sketch sketch = { .most = { 0 } };

    sketch_add(&sketch, 0);
    CHECK(sketch.most[0] == 56, "%d", sketch.most[0]);
    for (uint64_t cell = 0; cell < SKETCH_CELLS; cell++)
        sketch_add(&sketch, cell);
    CHECK(sketch_count(&sketch) > 1000000, "%llu", (unsigned long long)sketch_count(&sketch));
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_counts),
    cmocka_unit_test(test_extremes),
};

UNIT(sketch, cases, NULL, NULL)
