/* Quarter hours: how they move on, what is kept of an earlier process, how they are printed. */
#include "collect/history.h"

#include "check.h"

#define Q    HISTORY_QUARTER_S
#define NOON (INT64_C(1796040000) / Q * Q)      /* the beginning of a quarter hour */

static void add(struct history *history, uint64_t new_events, int64_t at_s)
{
    history_add(history, &(struct history_counts){ new_events, 2, 1, 0 }, at_s);
}

/* Checks the last elements of the printed array; the ones before them are null. */
static void check_end(const char *name, const struct history *history, const char *want, int64_t last_at_s)
{
    struct buf text = BUF_INIT(8192), whole = BUF_INIT(8192);
    cJSON *array;
    int i, count;

    history_print(history, &text);
    array = json_parse(text.data, text.len);
    CHECK(cJSON_GetArraySize(array) == HISTORY_QUARTERS, "%s: %d elements", name, cJSON_GetArraySize(array));
    cJSON_Delete(array);
    array = json_parse(want, strlen(want));
    count = cJSON_GetArraySize(array);
    cJSON_Delete(array);
    buf_add_char(&whole, '[');
    for (i = count; i < HISTORY_QUARTERS; i++)
        buf_add_text(&whole, "null,");
    buf_add_text(&whole, want + 1);
    CHECK(strcmp(buf_text(&text), buf_text(&whole)) == 0, "%s: %s", name, buf_text(&text));
    CHECK(history_last_at_s(history) == last_at_s, "%s: %lld", name, (long long)history_last_at_s(history));
    buf_free(&text);
    buf_free(&whole);
}

static void test_moves_on(void **state UNUSED)
{
    struct history history = { .last = 0 };

    add(&history, 5, NOON);
    add(&history, 1, NOON + Q - 1);
    check_end("one", &history, "[[6,4,2,0]]", NOON);
    add(&history, 0, NOON + Q);
    check_end("the next", &history, "[[6,4,2,0],[0,2,1,0]]", NOON + Q);
    add(&history, 7, NOON + 3 * Q);
    check_end("the machine slept", &history, "[[6,4,2,0],[0,2,1,0],null,[7,2,1,0]]", NOON + 3 * Q);
    add(&history, 1, NOON);
    check_end("the clock was set back", &history, "[[6,4,2,0],[0,2,1,0],null,[8,4,2,0]]", NOON);
    add(&history, 9, NOON + HISTORY_QUARTERS * Q);
    check_end("a day later", &history, "[[9,2,1,0]]", NOON + HISTORY_QUARTERS * Q);
    history_add(&history, &(struct history_counts){ .failed = 0 }, NOON + (HISTORY_QUARTERS + 1) * Q);
    check_end("nothing happened", &history, "[[9,2,1,0],[0,0,0,0]]", NOON + (HISTORY_QUARTERS + 1) * Q);
}

static void test_limits(void **state UNUSED)
{
    struct history history = { .last = 0 };
    int i;

    for (i = 0; i < 3; i++)
        history_add(&history, &(struct history_counts){ UINT64_MAX, 40000, 65535, 1 }, NOON);
    check_end("all that fits", &history, "[[4294967295,65535,65535,3]]", NOON);
}

static const struct row {
    const char *name, *stored;
    int64_t    stored_at_s;
    const char *want;
} rows[] = {
    { "of the same quarter hour", "[[3,1,0,0]]", NOON, "[[4,3,1,0]]" },
    { "of the one before", "[[3,1,0,0]]", NOON - Q, "[[3,1,0,0],[1,2,1,0]]" },
    { "with a pause", "[[3,1,0,0],null]", NOON - Q, "[[3,1,0,0],null,[1,2,1,0]]" },
    { "of a day ago", "[[3,1,0,0]]", NOON - HISTORY_QUARTERS * Q, "[[1,2,1,0]]" },
    { "of the future", "[[3,1,0,0]]", NOON + 9 * Q, "[[1,2,1,0]]" },
    { "before 1970", "[[3,1,0,0]]", -Q, "[[1,2,1,0]]" },
    { "no list", "{\"a\":1}", NOON - Q, "[[1,2,1,0]]" },
    { "no JSON", "[[3,1", NOON - Q, "[[1,2,1,0]]" },
    { "empty", "[]", NOON - Q, "[[1,2,1,0]]" },
    { "elements that are none", "[7,[1],[1,2,3,4,5],[1,2,\"3\",4],[-1,0,0,0],[1e99,0,0,0],[2,0,0,0]]", NOON - Q,
      "[[2,0,0,0],[1,2,1,0]]" },
};

static void test_kept(void **state UNUSED)
{
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        struct history history = { .last = 0 };
        cJSON *stored = json_parse(row->stored, strlen(row->stored));

        add(&history, 1, NOON + 1);
        history_merge(&history, stored, row->stored_at_s, NOON + 2);
        check_end(row->name, &history, row->want, NOON);
        cJSON_Delete(stored);
    }
}

/* More elements than there are: the newest ones count. */
static void test_too_many(void **state UNUSED)
{
    struct history history = { .last = 0 };
    struct buf text = BUF_INIT(8192);
    cJSON *stored;
    int i;

    for (i = 0; i < 150; i++)
        buf_add_format(&text, "%s[%d,0,0,0]", i ? "," : "[", i);
    buf_add_char(&text, ']');
    stored = json_parse(text.data, text.len);
    history_merge(&history, stored, NOON, NOON);
    CHECK(history.quarters[0].new_events == 54, "%u", (unsigned)history.quarters[0].new_events);
    CHECK(history.quarters[HISTORY_QUARTERS - 1].new_events == 149, "%u",
          (unsigned)history.quarters[HISTORY_QUARTERS - 1].new_events);
    cJSON_Delete(stored);
    buf_free(&text);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_moves_on),
    cmocka_unit_test(test_limits),
    cmocka_unit_test(test_kept),
    cmocka_unit_test(test_too_many),
};

UNIT(history, cases, NULL, NULL)
