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

/* Against a naive model: keys are made of their number, which the entry bears as its time; the model is a plain list of
 * what stream position a number was put in with last, 0: not there. */

#define MANY 200000

static uint64_t *model;
static size_t model_count;

static struct hash128 key_of(size_t number)
{
    return known_key((const char *)&number, sizeof(number), 0);
}

static void put(struct known *known, size_t number, uint64_t pos)
{
    model_count += !model[number];
    model[number] = pos;
    known_add(known, (struct known_entry){ .key = key_of(number), .time = (ticks)number, .pos = pos });
}

static void same_as_model(void *ctx, const struct known_entry *entry)
{
    struct hash128 key = key_of((size_t)entry->time);

    CHECK(entry->pos && model[entry->time] == entry->pos && entry->key.high == key.high && entry->key.low == key.low,
          "entry %lld at %llu", (long long)entry->time, (unsigned long long)entry->pos);
    ++*(size_t *)ctx;
}

static void check_model(const struct known *known, const char *when)
{
    size_t i, seen = 0, wrong = 0;

    for (i = 0; i < MANY; i++)
        wrong += known_has(known, key_of(i)) != (model[i] != 0);
    known_each(known, same_as_model, &seen);
    CHECK(!wrong && seen == model_count && known_count(known) == model_count, "%s: %zu wrong, %zu seen, %zu counted, "
          "%zu put in", when, wrong, seen, known_count(known), model_count);
}

/* Keeps one in `of`, by a rule that has nothing to do with the order, and takes the others out of the model. */
static bool keep_one_in(void *ctx, const struct known_entry *entry)
{
    size_t of = *(size_t *)ctx;

    if (of && (size_t)entry->time * 2654435761u / 64 % of == 0)
        return true;
    CHECK(model[entry->time], "entry %lld is asked for once", (long long)entry->time);
    model_count -= model[entry->time] != 0;
    model[entry->time] = 0;
    return false;
}

static void prune_model(struct known *known, size_t of)
{
    known_prune(known, keep_one_in, &of);
}

static void test_growth(void)
{
    struct known *known = known_new();
    size_t i, of[] = { 1, 2, 50, 0, 3 }, round;

    model = calloc(MANY, sizeof(*model));
    prune_model(known, 0);                  /* of nothing */
    check_model(known, "empty");
    for (i = 0; i < MANY; i++) {
        put(known, i, i + 1);
        CHECK(known_count(known) == i + 1 && known_has(known, key_of(i / 2)) && !known_has(known, key_of(i + 1)),
              "entry %zu", i);
        if (i < 40 || i == 507 || i == 508 || i == 1019 || i == 1020)     /* about the first blocks' ends */
            check_model(known, "growing");
    }
    check_model(known, "grown");
    for (round = 0; round < sizeof(of) / sizeof(*of); round++) {
        prune_model(known, of[round]);
        check_model(known, "pruned");
        for (i = 0; i < MANY / 2; i++)      /* new ones and replaced ones */
            put(known, (size_t)rand() % MANY, MANY + round * MANY + i);
        check_model(known, "grown again");
    }
    prune_model(known, 0);
    check_model(known, "nothing left");
    put(known, 7, 1);
    check_model(known, "one");
    known_free(known);
    free(model);
}

static bool keep_none(void *ctx, const struct known_entry *entry)
{
    (void)ctx;
    (void)entry;
    return false;
}

static bool keep_odd_low(void *ctx, const struct known_entry *entry)
{
    (void)ctx;
    return entry->key.low % 2;
}

/* Keys of which one half is the same: no slot and no tag tells them apart, or all begin at the same slot. */
static void test_alike(void)
{
    static const uint64_t halves[] = { 0, 1, UINT64_MAX, 0x8000000000000000, 0x00000000ffffffff };
    const size_t count = 300;
    size_t i, k;

    for (k = 0; k < sizeof(halves) / sizeof(*halves); k++) {
        struct known *known = known_new();
        uint64_t half = halves[k];

        for (i = 1; i <= count; i++) {
            CHECK(!known_has(known, (struct hash128){ half, i << 8 }), "high %zu is not there", i);
            known_add(known, (struct known_entry){ .key = { half, i << 8 } });
            known_add(known, (struct known_entry){ .key = { i << 8, half } });
            known_add(known, (struct known_entry){ .key = { i << 8 | 1, (i << 8) + 3 } });
            known_add(known, (struct known_entry){ .key = { i << 8 | 1, (i << 8) + 3 }, .pos = 5 });
        }
        CHECK(known_count(known) == 3 * count, "%zu entries", known_count(known));
        CHECK(!known_has(known, (struct hash128){ half, (count + 1) << 8 }) &&
              !known_has(known, (struct hash128){ (count + 1) << 8, half }), "another half: another key");
        known_prune(known, keep_odd_low, NULL);
        for (i = 1; i <= count; i++)
            CHECK(!known_has(known, (struct hash128){ half, i << 8 }) &&
                  known_has(known, (struct hash128){ i << 8, half }) == half % 2 &&
                  known_has(known, (struct hash128){ i << 8 | 1, (i << 8) + 3 }), "entry %zu", i);
        known_prune(known, keep_none, NULL);
        CHECK(!known_count(known) && !known_has(known, (struct hash128){ 257, 259 }), "nothing left");
        known_free(known);
    }
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
        trail_add(&trail, &(struct cursor){ .watermark = (ticks)i }, i / 3 * 10, (int64_t)i * 400);
    for (pos = 0; pos < 3400; pos += 7) {
        mark = trail_behind(&trail, pos);
        CHECK(mark && mark->pos <= pos, "a mark at %llu", (unsigned long long)pos);
        CHECK(mark && mark->cursor.watermark / 3 * 10 <= (ticks)pos && (pos - mark->pos <= 40 || mark->cursor.watermark == 999),
              "place %lld, asked %llu", (long long)mark->cursor.watermark, (unsigned long long)pos);
    }
    CHECK(mark->cursor.watermark == 999, "the last place");
    trail_release(&trail);
    /* A busy input: the first mark stays to be saved, however often a new place comes in the same second. */
    for (i = 0; i < 100; i++)
        trail_add(&trail, &(struct cursor){ .watermark = (ticks)i }, i + 1, 0);
    mark = trail_behind(&trail, 1);
    CHECK(mark && mark->cursor.watermark == 0 && trail.count == 2, "%zu marks", trail.count);
    trail_release(&trail);
}

int main(void)
{
    test_set();
    test_growth();
    test_alike();
    test_keys();
    test_trail();
    return check_summary();
}
