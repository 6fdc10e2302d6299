/* How many lines of a kind an input may write, and what is told of the others. */
#include "messages/log_cap.h"

#include "base/mem.h"
#include "check.h"

/* Takes that many lines at a time. Returns how many may be written. */
static int take(struct log_cap *cap, enum event event, int count, int64_t now_ms)
{
    int written = 0, i;

    for (i = 0; i < count; i++) {
        CLEANUP(mem_freep) char *text = mem_format("line %d", i);

        written += log_cap_take(cap, event, text, now_ms);
    }
    return written;
}

/* promise: Log lines: Of one kind of line, an input writes five and then a count each minute */
static void test_flood(void **state UNUSED)
{
    struct log_cap *cap = log_cap_new();
    struct log_left_out out;

    CHECK(take(cap, EVENT_BAD_RECORD, 100000, 1000) == LOG_CAP_FIRST, "the first few");
    CHECK(!log_cap_due(cap, false, 60999, &out), "before the minute is over");
    CHECK(log_cap_due(cap, false, 61000, &out) && out.event == EVENT_BAD_RECORD && out.count == 99995 &&
          out.for_s == 60, "%llu in %lld s", (unsigned long long)out.count, (long long)out.for_s);
    CHECK_TEXT(out.text, "line 99999");
    CHECK(!log_cap_due(cap, false, 61000, &out), "told twice");
    log_cap_free(cap);
}

/* While it goes on, there is a count each minute and nothing else; after a minute of rest the first ones are written. */
static void test_goes_on(void **state UNUSED)
{
    struct log_cap *cap = log_cap_new();
    struct log_left_out out;
    int64_t now_ms = 0;
    int minute;

    CHECK(take(cap, EVENT_TROUBLE, 9, now_ms) == LOG_CAP_FIRST, "the first few");
    for (minute = 1; minute <= 5; minute++) {
        now_ms += LOG_CAP_MS + 3000;
        CHECK(log_cap_due(cap, false, now_ms, &out) && out.count == (minute == 1 ? 4 : 7) && out.for_s == 63,
              "minute %d: %llu", minute, (unsigned long long)out.count);
        CHECK(take(cap, EVENT_TROUBLE, 7, now_ms + 1000) == 0, "minute %d: a line", minute);
    }
    now_ms += LOG_CAP_MS;
    CHECK(log_cap_due(cap, false, now_ms, &out) && !log_cap_due(cap, true, now_ms, &out), "the last count");
    CHECK(take(cap, EVENT_TROUBLE, 1, now_ms + LOG_CAP_MS - 1) == 0, "within the minute");
    CHECK(log_cap_due(cap, false, now_ms + LOG_CAP_MS, &out) && out.count == 1, "%llu", (unsigned long long)out.count);
    CHECK(take(cap, EVENT_TROUBLE, 9, now_ms + 2 * LOG_CAP_MS) == LOG_CAP_FIRST, "after a minute of rest");
    log_cap_free(cap);
}

/* Lines that come once in a while are all written. Kinds do not count for one another. */
static void test_few_and_kinds(void **state UNUSED)
{
    struct log_cap *cap = log_cap_new();
    struct log_left_out out;
    uint64_t total = 0;
    int i;

    for (i = 0; i < 100; i++)
        CHECK(log_cap_take(cap, EVENT_CLOCK, "x", i * INT64_C(13000)), "line %d", i);
    CHECK(!log_cap_due(cap, true, 10000000, &out), "nothing was left out");
    CHECK(take(cap, EVENT_BAD_RECORD, 8, 10000000) + take(cap, EVENT_TROUBLE, 6, 10000000) == 2 * LOG_CAP_FIRST,
          "each kind has its own");
    for (i = 0; log_cap_due(cap, true, 10001000, &out); i++)
        total += out.count;
    CHECK(i == 2 && total == 4, "%d counts of %llu", i, (unsigned long long)total);
    log_cap_free(cap);
    log_cap_free(NULL);
}

/* The kinds that a service decides about are capped; states, and what a person has to do, never. */
static void test_rows(void **state UNUSED)
{
    static const enum event capped[] = { EVENT_TROUBLE, EVENT_RECOVERED, EVENT_BAD_RECORD, EVENT_QUARANTINED,
                                         EVENT_ODD_RECORD, EVENT_REPLACED, EVENT_FORM, EVENT_FORM_FULL,
                                         EVENT_BACKFILL_DONE, EVENT_CLOCK };
    size_t i, k, found = 0;

    for (i = 0; i < EVENT_COUNT; i++) {
        bool is = event_table[i].flags & EVENT_CAPPED;

        for (k = 0; k < COUNT_OF(capped) && capped[k] != (enum event)i; k++)
            ;
        CHECK(is == (k < COUNT_OF(capped)), "%s", event_table[i].word);
        found += is;
    }
    CHECK(found == COUNT_OF(capped), "%zu", found);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_flood),
    cmocka_unit_test(test_goes_on),
    cmocka_unit_test(test_few_and_kinds),
    cmocka_unit_test(test_rows),
};

UNIT(log_cap, cases, NULL, NULL)
