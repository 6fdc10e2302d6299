/* The set and the trail against a plain list of what was put in. */
#include "collect/known.h"

#include <stdlib.h>

#include "check.h"
#include "collect/trail.h"

#define ENTRIES 5000

static struct known_entry list[ENTRIES];
static bool in[ENTRIES];

static bool keep_some(void *ctx, const struct known_entry *entry)
{
    return entry->time >= *(ticks *)ctx;
}

static void count(void *ctx, const struct known_entry *entry)
{
    size_t *sum = ctx;

    CHECK(entry->time >= 0 && entry->time < ENTRIES && in[entry->time] && entry->pos == list[entry->time].pos,
          "an entry %lld", (long long)entry->time);
    ++*sum;
}

static void check_all(const struct known *known)
{
    size_t i, want = 0, seen = 0;

    for (i = 0; i < ENTRIES; i++) {
        CHECK(known_has(known, list[i].key) == in[i], "entry %zu", i);
        want += in[i];
    }
    known_each(known, count, &seen);
    CHECK(seen == want && known_count(known) == want, "%zu seen, %zu counted, %zu put in", seen, known_count(known),
          want);
}

static void test_set(void)
{
    struct known *known = known_new();
    ticks from = 0;
    size_t i, round;

    check_all(known);
    for (i = 0; i < ENTRIES; i++) {
        /* Every other one collides in the low bits that pick the slot. */
        list[i] = (struct known_entry){ .key = i % 2 ? known_key((char *)&i, sizeof(i), (ticks)i) :
                                               (struct hash128){ (uint64_t)i << 40, i + 1 }, .time = (ticks)i,
                                               .pos = i + 1 };
    }
    for (round = 0; round < 20; round++) {
        for (i = 0; i < ENTRIES / 4; i++) {
            size_t pick = (size_t)rand() % ENTRIES;

            list[pick].pos += !in[pick] ? 0 : 7;
            in[pick] = true;
            known_add(known, list[pick]);
        }
        check_all(known);
        from = rand() % ENTRIES;
        for (i = 0; i < (size_t)from; i++)
            in[i] = false;
        known_prune(known, keep_some, &from);
        check_all(known);
    }
    from = ENTRIES;
    known_prune(known, keep_some, &from);
    memset(in, 0, sizeof(in));
    check_all(known);
    known_free(known);
    known_free(NULL);
}

static void test_keys(void)
{
    struct hash128 a = known_key("a", 1, 5), again = known_key("a", 1, 5);
    struct hash128 other = known_key("a", 1, 6), b = known_key("b", 1, 5);

    CHECK(a.high == again.high && a.low == again.low, "the same version, the same key");
    CHECK(a.low != other.low && (a.low != b.low || a.high != b.high), "another time, another id: another key");
}

static void test_trail(void)
{
    struct trail trail = { .count = 0 };
    const struct trail_mark *mark;
    uint64_t pos;
    size_t i;

    CHECK(!trail_behind(&trail, 100), "an empty trail");
    for (i = 0; i < 1000; i++)
        trail_add(&trail, &(struct place){ .newest = (ticks)i }, i / 3 * 10, (int64_t)i * 400);
    for (pos = 0; pos < 3400; pos += 7) {
        mark = trail_behind(&trail, pos);
        CHECK(mark && mark->pos <= pos, "a mark at %llu", (unsigned long long)pos);
        CHECK(mark && mark->place.newest / 3 * 10 <= (ticks)pos && (pos - mark->pos <= 40 || mark->place.newest == 999),
              "place %lld, asked %llu", (long long)mark->place.newest, (unsigned long long)pos);
    }
    CHECK(mark->place.newest == 999, "the last place");
    trail_release(&trail);
    /* A busy input: the first mark stays to be saved, however often a new place comes in the same second. */
    for (i = 0; i < 100; i++)
        trail_add(&trail, &(struct place){ .newest = (ticks)i }, i + 1, 0);
    mark = trail_behind(&trail, 1);
    CHECK(mark && mark->place.newest == 0 && trail.count == 2, "%zu marks", trail.count);
    trail_release(&trail);
}

int main(void)
{
    test_set();
    test_keys();
    test_trail();
    return check_summary();
}
