#include "base/buf.h"

#include <stdlib.h>

#include "check.h"

static void test_growth(void **state UNUSED)
{
    struct buf buf = BUF_INIT(1000000);
    size_t right = 0;

    CHECK_TEXT(buf_text(&buf), "");
    for (int i = 0; i < 100000; i++)
        buf_add_char(&buf, (char)('a' + i % 26));
    for (int i = 0; i < 100000; i++)
        right += buf.data[i] == 'a' + i % 26;
    CHECK(buf.len == 100000 && right == 100000 && !buf.data[100000], "length %zu, %zu right", buf.len, right);
    buf_clear(&buf);
    CHECK(buf.len == 0 && !*buf_text(&buf) && buf.data, "not cleared");
    buf_free(&buf);
    CHECK(!buf.data && buf.limit == 1000000, "not freed");
    CHECK(buf_add_text(&buf, "again"), "not usable after buf_free()");
    buf_free_secret(&buf);
    buf_free_secret(&buf);
}

static void test_numbers(void **state UNUSED)
{
    static const int64_t numbers[] = { 0, 7, -7, 10, 1234567890123, INT64_MAX, INT64_MIN };

    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct buf buf = BUF_INIT(20);
        char want[32];

        snprintf(want, sizeof(want), "%lld", (long long)numbers[i]);
        CHECK(buf_add_number(&buf, numbers[i]), "%s", want);
        CHECK_TEXT(buf_text(&buf), want);
        buf_free(&buf);
    }
}

/* At the limit nothing is added in part, and what was there stays. */
static void test_limit(void **state UNUSED)
{
    struct buf buf = BUF_INIT(10);

    CHECK(buf_add_text(&buf, "12345678") && !buf.full, "'%s'", buf_text(&buf));
    CHECK(!buf_add_text(&buf, "90x") && buf.full, "past the limit");
    CHECK_TEXT(buf_text(&buf), "12345678");
    CHECK(buf_add_text(&buf, "90") && buf.full, "full is forgotten");
    CHECK_TEXT(buf_text(&buf), "1234567890");
    CHECK(!buf_add_char(&buf, 'x') && !buf_add_format(&buf, "%d", 5) && !buf_room(&buf, 1), "past the limit");
    CHECK(buf_room(&buf, 0) && buf_add(&buf, NULL, 0), "nothing has room always");
    CHECK(!buf_room(&buf, SIZE_MAX), "SIZE_MAX has room");
    CHECK_TEXT(buf_text(&buf), "1234567890");
    buf_clear(&buf);
    CHECK(!buf.full && buf_add_format(&buf, "%s-%d", "abc", 12345), "not usable after buf_clear()");
    CHECK_TEXT(buf_text(&buf), "abc-12345");
    buf_free(&buf);
}

/* Growth ends at what is needed or at the limit, however large that is. */
static void test_large_limits(void **state UNUSED)
{
    static const struct { size_t limit, first, then; } rows[] = {
        { SIZE_MAX - 1, 10, 1000 }, { SIZE_MAX / 2, 1000, 10 }, { 100, 90, 5 }, { 1000, 100, 100 }, { 60, 1, 1 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf buf = BUF_INIT(rows[i].limit);

        buf_room(&buf, rows[i].first);
        buf.len = rows[i].first;
        CHECK(buf_room(&buf, rows[i].then) && buf.cap >= rows[i].first + rows[i].then + 1 && buf.cap < 2000 &&
              buf.cap <= rows[i].limit + 1, "row %zu: %zu", i, buf.cap);
        buf.len = 0;
        CHECK(!buf_room(&buf, SIZE_MAX) && buf.full, "row %zu: SIZE_MAX has room", i);
        buf_free(&buf);
    }
}

static void test_no_limit_left(void **state UNUSED)
{
    struct buf buf = BUF_INIT(0);

    CHECK(!buf_add_char(&buf, 'x') && buf.full, "a byte in no room");
    CHECK(buf_add_text(&buf, ""), "nothing in no room");
    buf_free(&buf);
}

/* buf_put() goes past a call where there is room; its bytes are the same. */
static void test_put(void **state UNUSED)
{
    struct buf buf = BUF_INIT(300);
    size_t right = 0;

    for (int i = 0; i < 400; i++)
        buf_put(&buf, (char)i);
    CHECK(buf.len == 300 && buf.full, "length %zu", buf.len);
    for (int i = 0; i < 300; i++)
        right += buf.data[i] == (char)i;
    CHECK(right == 300, "%zu bytes are right", right);
    buf_free(&buf);
}

static void test_cut_and_take(void **state UNUSED)
{
    struct buf buf = BUF_INIT(100);
    char *text;

    buf_cut_front(&buf, 0);
    buf_add(&buf, "ab\0cdef", 7);
    buf_cut_front(&buf, 0);
    CHECK(buf.len == 7, "length %zu", buf.len);
    buf_cut_front(&buf, 3);
    CHECK_TEXT(buf_text(&buf), "cdef");
    text = buf_take(&buf);
    CHECK_TEXT(text, "cdef");
    CHECK(!buf.data && !buf.len && buf.limit == 100, "taken, but still there");
    free(text);
    text = buf_take(&buf);
    CHECK_TEXT(text, "");
    free(text);
    buf_add_text(&buf, "x");
    buf_cut_front(&buf, 1);
    CHECK_TEXT(buf_text(&buf), "");
    buf_free(&buf);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_growth),
    cmocka_unit_test(test_numbers),
    cmocka_unit_test(test_limit),
    cmocka_unit_test(test_large_limits),
    cmocka_unit_test(test_no_limit_left),
    cmocka_unit_test(test_put),
    cmocka_unit_test(test_cut_and_take),
};

UNIT(buf, cases, NULL, NULL)
