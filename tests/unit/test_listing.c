/* A day as an audit sees it. Keys are numbers. */
#include "state/listing.h"

#include <stdlib.h>

#include "base/mem.h"
#include "check.h"

#define LO INT64_C(1000000000)
#define HI INT64_C(2000000000)

static struct listing *new_listing(const uint64_t *keys, size_t count, size_t ids)
{
    static const struct window window = { LO, HI };
    uint64_t *copy = mem_alloc((count + 1) * sizeof(*copy));

    memcpy(copy, keys, count * sizeof(*copy));
    return listing_new(&window, copy, count, ids);
}

static void check_counts(const struct listing *listing, const char *want, const char *name)
{
    struct listing_counts counts;
    char got[100];

    listing_count(listing, &counts);
    snprintf(got, sizeof(got), "%zu/%zu missing %zu repaired %zu superseded %zu odd %zu", counts.listed, counts.written,
             counts.missing, counts.repaired, counts.superseded, counts.odd);
    CHECK(strcmp(got, want) == 0, "%s: '%s', not '%s'", name, got, want);
}

static void test_compare(void **state UNUSED)
{
    static const uint64_t keys[] = { 5, 3, UINT64_MAX - 1, 3, 7, 5, 0 };
    struct listing *listing = new_listing(keys, COUNT_OF(keys), 1);

    check_counts(listing, "0/5 missing 0 repaired 0 superseded 5 odd 0", "at first");
    CHECK(!listing_take(listing, 3, LO, "three", 5) && !listing_take(listing, 3, LO, "three", 5), "the ledger has it");
    CHECK(!listing_take(listing, UINT64_MAX - 1, HI - 1, "x", 1) && !listing_take(listing, 0, LO, "x", 1), "the ends");
    CHECK(!listing_take(listing, 100, LO - 1, "x", 1) && !listing_take(listing, 101, HI, "x", 1), "outside");
    check_counts(listing, "3/5 missing 0 repaired 0 superseded 2 odd 0", "all that is listed was written");
    CHECK(listing_take(listing, 8, LO, "eight", 5) && listing_take(listing, 8, LO, "eight", 5), "missing");
    CHECK(listing_take(listing, 9, LO, "nine", 4), "missing");
    listing_take_odd(listing, 77);
    listing_take_odd(listing, 77);
    check_counts(listing, "5/5 missing 2 repaired 0 superseded 2 odd 1", "two are missing");
    CHECK(strcmp(listing->others[0].id, "eight") == 0 && !listing->others[1].id, "one ID is kept");
    listing_settle(listing);
    listing_written(listing, 8, LO);
    listing_written(listing, 5, LO);
    listing_written(listing, 10, LO);
    listing_written(listing, 11, HI);
    check_counts(listing, "5/5 missing 1 repaired 1 superseded 2 odd 1", "one was written");
    CHECK(!listing_take(listing, 8, LO, "eight", 5) && !listing_take(listing, 10, LO, "ten", 3), "written since");
    check_counts(listing, "6/5 missing 1 repaired 1 superseded 2 odd 1", "one was written before it was listed");
    listing_free(listing);
    listing_free(NULL);
}

/* promise: Completeness: A version that is missing takes some 48 bytes of an audit's memory, and one that is not takes 8 */
static void test_memory(void **state UNUSED)
{
    uint64_t key = 1;
    struct listing *listing = new_listing(&key, 1, 20);
    size_t i, bytes;

    for (i = 0; i < 100000; i++)
        CHECK(listing_take(listing, 1000 + i * UINT64_C(0x9E3779B97F4A7C15), LO + (ticks)i, "id", 2), "%zu", i);
    check_counts(listing, "100000/1 missing 100000 repaired 0 superseded 1 odd 0", "many");
    bytes = listing->other_count * sizeof(*listing->others) + listing->slot_count * sizeof(*listing->slots);
    CHECK(bytes < 100000 * 48, "%zu bytes", bytes);
    CHECK(listing->ids == 20, "%zu IDs", listing->ids);
    listing_free(listing);
}

/* The windows that a repair asks for. */
static void test_spans(void **state UNUSED)
{
    static const struct {
        const char *name;
        ticks times[6], resolution;
        size_t most, count;
        struct window want[3];
    } rows[] = {
        { "none", { 0 }, 1, 3, 0, { { 0, 0 } } },
        { "one", { LO + 7 }, 1, 3, 1, { { LO + 7, LO + 8 } } },
        { "one time", { LO + 7, LO + 7, LO + 7 }, 1, 3, 1, { { LO + 7, LO + 8 } } },
        { "side by side", { LO + 8, LO + 7 }, 1, 3, 1, { { LO + 7, LO + 9 } } },
        { "three", { LO + 90, LO + 7, LO + 50 }, 1, 3, 3, { { LO + 7, LO + 8 }, { LO + 50, LO + 51 }, { LO + 90, LO + 91 } } },
        { "too many", { LO + 90, LO + 7, LO + 50, LO + 900000000 }, 1, 3, 2,
          { { LO + 7, LO + 91 }, { LO + 900000000, LO + 900000001 } } },
        { "far apart", { LO + 1, LO + 300000000, LO + 900000000 }, 1, 1, 1, { { LO + 1, LO + 900000001 } } },
        { "whole seconds", { LO + 7, LO + 15000000 }, 10000000, 3, 1, { { LO, LO + 20000000 } } },
    };
    struct window got[3];
    size_t i, k, count;

    for (i = 0; i < COUNT_OF(rows); i++) {
        uint64_t key = 1;
        struct listing *listing = new_listing(&key, 1, 0);

        for (k = 0; k < COUNT_OF(rows[i].times) && rows[i].times[k]; k++)
            listing_take(listing, 100 + k, rows[i].times[k], "x", 1);
        count = listing_spans(listing, rows[i].resolution, got, rows[i].most);
        CHECK(count == rows[i].count, "%s: %zu", rows[i].name, count);
        for (k = 0; k < count && k < rows[i].count; k++)
            CHECK(window_same(&got[k], &rows[i].want[k]), "%s: window %zu is [%lld, %lld)", rows[i].name, k,
                  (long long)(got[k].lo - LO), (long long)(got[k].hi - LO));
        listing_free(listing);
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_compare),
    cmocka_unit_test(test_memory),
    cmocka_unit_test(test_spans),
};

UNIT(listing, cases, NULL, NULL)
