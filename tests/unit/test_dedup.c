/* The set and the trail against a plain list of what was put in. */
#include "state/dedup.h"

#include <stdlib.h>

#include "check.h"
#include "state/acks.h"

#define ENTRIES 5000

static struct dedup_entry list[ENTRIES];
static bool in[ENTRIES];

static bool keep_some(void *ctx, const struct dedup_entry *entry)
{
    return entry->time >= *(ticks *)ctx;
}

static void count(void *ctx, const struct dedup_entry *entry)
{
    size_t *sum = ctx;

    CHECK(entry->time >= 0 && entry->time < ENTRIES && in[entry->time] && entry->pos == list[entry->time].pos,
          "an entry %lld", (long long)entry->time);
    ++*sum;
}

static void check_all(const struct dedup *dedup)
{
    size_t i, want = 0, seen = 0;

    for (i = 0; i < ENTRIES; i++) {
        CHECK(dedup_has(dedup, list[i].key) == in[i], "entry %zu", i);
        want += in[i];
    }
    dedup_each(dedup, count, &seen);
    CHECK(seen == want && dedup_count(dedup) == want, "%zu seen, %zu counted, %zu put in", seen, dedup_count(dedup),
          want);
}

static void test_set(void **state UNUSED)
{
    struct dedup *dedup = dedup_new();
    ticks from = 0;
    size_t i, round;

    check_all(dedup);
    for (i = 0; i < ENTRIES; i++) {
        /* Every other one collides in the low bits that pick the slot. */
        list[i] = (struct dedup_entry){ .key = i % 2 ? dedup_key((char *)&i, sizeof(i), (ticks)i) :
                                               (struct hash128){ (uint64_t)i << 40, i + 1 }, .time = (ticks)i,
                                               .pos = i + 1 };
    }
    for (round = 0; round < 20; round++) {
        for (i = 0; i < ENTRIES / 4; i++) {
            size_t pick = (size_t)rand() % ENTRIES;

            list[pick].pos += !in[pick] ? 0 : 7;
            in[pick] = true;
            dedup_add(dedup, list[pick]);
        }
        check_all(dedup);
        from = rand() % ENTRIES;
        for (i = 0; i < (size_t)from; i++)
            in[i] = false;
        dedup_prune(dedup, keep_some, &from);
        check_all(dedup);
    }
    from = ENTRIES;
    dedup_prune(dedup, keep_some, &from);
    memset(in, 0, sizeof(in));
    check_all(dedup);
    dedup_free(dedup);
    dedup_free(NULL);
}

/* Against a naive model: keys are made of their number, which the entry bears as its time; the model is a plain list of
 * what stream position a number was put in with last, 0: not there. */

#define MANY 200000

static uint64_t *model;
static size_t model_count;

static struct hash128 key_of(size_t number)
{
    return dedup_key((const char *)&number, sizeof(number), 0);
}

static void put(struct dedup *dedup, size_t number, uint64_t pos)
{
    model_count += !model[number];
    model[number] = pos;
    dedup_add(dedup, (struct dedup_entry){ .key = key_of(number), .time = (ticks)number, .pos = pos });
}

static void same_as_model(void *ctx, const struct dedup_entry *entry)
{
    struct hash128 key = key_of((size_t)entry->time);

    CHECK(entry->pos && model[entry->time] == entry->pos && entry->key.high == key.high && entry->key.low == key.low,
          "entry %lld at %llu", (long long)entry->time, (unsigned long long)entry->pos);
    ++*(size_t *)ctx;
}

static void check_model(const struct dedup *dedup, const char *when)
{
    size_t i, seen = 0, wrong = 0;

    for (i = 0; i < MANY; i++)
        wrong += dedup_has(dedup, key_of(i)) != (model[i] != 0);
    dedup_each(dedup, same_as_model, &seen);
    CHECK(!wrong && seen == model_count && dedup_count(dedup) == model_count, "%s: %zu wrong, %zu seen, %zu counted, "
          "%zu put in", when, wrong, seen, dedup_count(dedup), model_count);
}

/* Keeps one in `of`, by a rule that has nothing to do with the order, and takes the others out of the model. */
static bool keep_one_in(void *ctx, const struct dedup_entry *entry)
{
    size_t of = *(size_t *)ctx;

    if (of && (size_t)entry->time * 2654435761u / 64 % of == 0)
        return true;
    CHECK(model[entry->time], "entry %lld is asked for once", (long long)entry->time);
    model_count -= model[entry->time] != 0;
    model[entry->time] = 0;
    return false;
}

static void prune_model(struct dedup *dedup, size_t of)
{
    dedup_prune(dedup, keep_one_in, &of);
}

static void test_growth(void **state UNUSED)
{
    struct dedup *dedup = dedup_new();
    size_t i, of[] = { 1, 2, 50, 0, 3 }, round;

    model = calloc(MANY, sizeof(*model));
    prune_model(dedup, 0);                  /* of nothing */
    check_model(dedup, "empty");
    for (i = 0; i < MANY; i++) {
        put(dedup, i, i + 1);
        CHECK(dedup_count(dedup) == i + 1 && dedup_has(dedup, key_of(i / 2)) && !dedup_has(dedup, key_of(i + 1)),
              "entry %zu", i);
        if (i < 40 || i == 507 || i == 508 || i == 1019 || i == 1020)     /* about the first blocks' ends */
            check_model(dedup, "growing");
    }
    check_model(dedup, "grown");
    for (round = 0; round < sizeof(of) / sizeof(*of); round++) {
        prune_model(dedup, of[round]);
        check_model(dedup, "pruned");
        for (i = 0; i < MANY / 2; i++)      /* new ones and replaced ones */
            put(dedup, (size_t)rand() % MANY, MANY + round * MANY + i);
        check_model(dedup, "grown again");
    }
    prune_model(dedup, 0);
    check_model(dedup, "nothing left");
    put(dedup, 7, 1);
    check_model(dedup, "one");
    dedup_free(dedup);
    free(model);
}

static bool keep_none(void *ctx, const struct dedup_entry *entry)
{
    (void)ctx;
    (void)entry;
    return false;
}

static bool keep_odd_low(void *ctx, const struct dedup_entry *entry)
{
    (void)ctx;
    return entry->key.low % 2;
}

/* Keys of which one half is the same: no slot and no tag tells them apart, or all begin at the same slot. */
static void test_alike(void **state UNUSED)
{
    static const uint64_t halves[] = { 0, 1, UINT64_MAX, 0x8000000000000000, 0x00000000ffffffff };
    const size_t count = 300;
    size_t i, k;

    for (k = 0; k < sizeof(halves) / sizeof(*halves); k++) {
        struct dedup *dedup = dedup_new();
        uint64_t half = halves[k];

        for (i = 1; i <= count; i++) {
            CHECK(!dedup_has(dedup, (struct hash128){ half, i << 8 }), "high %zu is not there", i);
            dedup_add(dedup, (struct dedup_entry){ .key = { half, i << 8 } });
            dedup_add(dedup, (struct dedup_entry){ .key = { i << 8, half } });
            dedup_add(dedup, (struct dedup_entry){ .key = { i << 8 | 1, (i << 8) + 3 } });
            dedup_add(dedup, (struct dedup_entry){ .key = { i << 8 | 1, (i << 8) + 3 }, .pos = 5 });
        }
        CHECK(dedup_count(dedup) == 3 * count, "%zu entries", dedup_count(dedup));
        CHECK(!dedup_has(dedup, (struct hash128){ half, (count + 1) << 8 }) &&
              !dedup_has(dedup, (struct hash128){ (count + 1) << 8, half }), "another half: another key");
        dedup_prune(dedup, keep_odd_low, NULL);
        for (i = 1; i <= count; i++)
            CHECK(!dedup_has(dedup, (struct hash128){ half, i << 8 }) &&
                  dedup_has(dedup, (struct hash128){ i << 8, half }) == half % 2 &&
                  dedup_has(dedup, (struct hash128){ i << 8 | 1, (i << 8) + 3 }), "entry %zu", i);
        dedup_prune(dedup, keep_none, NULL);
        CHECK(!dedup_count(dedup) && !dedup_has(dedup, (struct hash128){ 257, 259 }), "nothing left");
        dedup_free(dedup);
    }
}

static void test_keys(void **state UNUSED)
{
    struct hash128 a = dedup_key("a", 1, 5), again = dedup_key("a", 1, 5);
    struct hash128 other = dedup_key("a", 1, 6), b = dedup_key("b", 1, 5);

    CHECK(a.high == again.high && a.low == again.low, "the same version, the same key");
    CHECK(a.low != other.low && (a.low != b.low || a.high != b.high), "another time, another id: another key");
}

static void test_trail(void **state UNUSED)
{
    struct acks acks = { .count = 0 };
    const struct pending_cursor *found;
    uint64_t pos;
    size_t i;

    CHECK(!acks_confirmed(&acks, 100), "an empty trail");
    for (i = 0; i < 1000; i++)
        acks_add(&acks, &(struct cursor){ .watermark = (ticks)i }, i / 3 * 10, (int64_t)i * 400);
    for (pos = 0; pos < 3400; pos += 7) {
        found = acks_confirmed(&acks, pos);
        CHECK(found && found->pos <= pos, "a mark at %llu", (unsigned long long)pos);
        CHECK(found && found->cursor.watermark / 3 * 10 <= (ticks)pos && (pos - found->pos <= 40 || found->cursor.watermark == 999),
              "place %lld, asked %llu", (long long)found->cursor.watermark, (unsigned long long)pos);
    }
    CHECK(found->cursor.watermark == 999, "the last place");
    acks_release(&acks);
    /* A busy input: the first mark stays to be saved, however often a new place comes in the same second. */
    for (i = 0; i < 100; i++)
        acks_add(&acks, &(struct cursor){ .watermark = (ticks)i }, i + 1, 0);
    found = acks_confirmed(&acks, 1);
    CHECK(found && found->cursor.watermark == 0 && acks.count == 2, "%zu marks", acks.count);
    acks_release(&acks);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_set),
    cmocka_unit_test(test_growth),
    cmocka_unit_test(test_alike),
    cmocka_unit_test(test_keys),
    cmocka_unit_test(test_trail),
};

UNIT(dedup, cases, NULL, NULL)
