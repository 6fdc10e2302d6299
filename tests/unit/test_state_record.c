/* The record of a customer: when it is due, since when a condition lasts, what is kept of an earlier process. */
#include "collect/state_writer.h"

#include <stdlib.h>

#include "base/text.h"
#include "check.h"

#define NOW  INT64_C(1796040000)
#define NOON (NOW / HISTORY_QUARTER_S * HISTORY_QUARTER_S)

/* A source that says what the test wants. */
static struct state_look says;

static void look(void *ctx UNUSED, int64_t now_ms UNUSED, struct state_look *ret)
{
    *ret = says;
}

static void add_facts(void *ctx UNUSED, struct fields *fields, int64_t now_ms)
{
    fields_number(fields, "up_s", now_ms / 1000);
    fields_text(fields, "why", "it \"fails\"\x1b\xE2\x80\xAE\xFF.");
}

static const struct state_source source = { look, add_facts };

static char record_key[] = "a%01%2Fb";

static struct state_record new_record(void)
{
    says = (struct state_look){ .condition = CONDITION_WAITING, .rank = 10 };
    return (struct state_record){ .input_name = "a\x01/b", .key = record_key, .source = &source };
}

/* Looks, and checks whether that made the record due, and since when it has its condition. */
static void check_look(struct state_record *record, const char *name, enum condition condition, int rank, int64_t at_s,
                       bool due, int64_t since_s)
{
    says.condition = condition;
    says.rank = rank;
    record->due = false;
    state_record_look(record, 0, at_s);
    CHECK(record->due == due, "%s: due %d", name, record->due);
    CHECK(record->since_s == since_s, "%s: since %lld", name, (long long)(record->since_s - NOW));
}

static void test_due(void **state UNUSED)
{
    struct state_record record = new_record();

    check_look(&record, "the first look", CONDITION_WAITING, 10, NOW, true, NOW);
    check_look(&record, "nothing new", CONDITION_WAITING, 10, NOW + 1, false, NOW);
    check_look(&record, "another condition", CONDITION_OK, 11, NOW + 2, true, NOW + 2);
    check_look(&record, "throttled", CONDITION_THROTTLED, 6, NOW + 3, true, NOW + 3);
    check_look(&record, "for long", CONDITION_THROTTLED, 4, NOW + 4, true, NOW + 3);
    check_look(&record, "and on", CONDITION_THROTTLED, 4, NOW + 5, false, NOW + 3);
}

static const struct row {
    const char *name, *stored;
    bool       before;      /* the record was stored before the first look */
    enum condition first, then;
    int64_t    first_since_s, then_since_s;
} rows[] = {
    { "it goes on after a moment", "{\"condition\":\"ok\",\"since\":1796000000}", false, CONDITION_WAITING, CONDITION_OK,
      NOW, 1796000000 },
    { "it goes on at once", "{\"condition\":\"refused\",\"since\":1796000000}", false, CONDITION_REFUSED,
      CONDITION_REFUSED, 1796000000, 1796000000 },
    { "the same before the first look", "{\"condition\":\"refused\",\"since\":1796000000}", true, CONDITION_REFUSED,
      CONDITION_REFUSED, 1796000000, 1796000000 },
    { "it waited before", "{\"condition\":\"waiting\",\"since\":1796000000}", false, CONDITION_WAITING, CONDITION_OK,
      1796000000, NOW + 9 },
    { "it is another one", "{\"condition\":\"ok\",\"since\":1796000000}", false, CONDITION_WAITING, CONDITION_FAILING,
      NOW, NOW + 9 },
    { "it was another one in between", "{\"condition\":\"ok\",\"since\":1796000000}", false, CONDITION_FAILING,
      CONDITION_OK, NOW, NOW + 9 },
    { "since the future", "{\"condition\":\"ok\",\"since\":1896000000}", false, CONDITION_WAITING, CONDITION_OK, NOW,
      NOW + 9 },
    { "types that are wrong", "{\"condition\":[],\"since\":{},\"history\":7,\"history_at\":[]}", false,
      CONDITION_WAITING, CONDITION_OK, NOW, NOW + 9 },
    { "no object", "[1]", false, CONDITION_WAITING, CONDITION_OK, NOW, NOW + 9 },
};

static void test_since(void **state UNUSED)
{
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        struct state_record record = new_record();
        cJSON *stored = json_parse(row->stored, strlen(row->stored));

        if (row->before)
            state_record_take_stored(&record, stored, NOW);
        says.condition = row->first;
        state_record_look(&record, 0, NOW);
        if (!row->before)
            state_record_take_stored(&record, stored, NOW + 1);
        CHECK(record.since_s == row->first_since_s, "%s: first %lld", row->name, (long long)(record.since_s - NOW));
        says.condition = row->then;
        state_record_look(&record, 0, NOW + 9);
        CHECK(record.since_s == row->then_since_s, "%s: %lld", row->name, (long long)(record.since_s - NOW));
        cJSON_Delete(stored);
    }
}

/* After a restart what was stored stays for a moment, unless there is something to say. */
static void test_settles(void **state UNUSED)
{
    static const struct { const char *name, *stored; enum condition condition; int64_t up_ms; bool want; } steps[] = {
        { "it starts", "{\"condition\":\"ok\",\"since\":1796000000}", CONDITION_WAITING, 5000, true },
        { "it still waits", "{\"condition\":\"ok\",\"since\":1796000000}", CONDITION_WAITING, 60000, false },
        { "it is held up", "{\"condition\":\"ok\",\"since\":1796000000}", CONDITION_HELD_UP, 5000, false },
        { "it waited before", "{\"condition\":\"waiting\",\"since\":1796000000}", CONDITION_WAITING, 5000, false },
        { "it was off before", "{\"condition\":\"off\",\"since\":1796000000}", CONDITION_WAITING, 5000, false },
        { "nothing is stored", "{}", CONDITION_WAITING, 5000, false },
    };
    size_t i;

    for (i = 0; i < COUNT_OF(steps); i++) {
        struct state_record record = new_record();
        cJSON *stored = json_parse(steps[i].stored, strlen(steps[i].stored));

        says.condition = steps[i].condition;
        state_record_look(&record, 0, NOW);
        state_record_take_stored(&record, stored, NOW);
        CHECK(state_record_settles(&record, steps[i].up_ms) == steps[i].want, "%s", steps[i].name);
        cJSON_Delete(stored);
    }
}

/* What was counted since the last look goes into the history once; a process that starts again counts from zero. */
static void test_counts(void **state UNUSED)
{
    static const char stored_text[] = "{\"history\":\"[[1,1,1,1],[5,6,7,8]]\",\"history_at\":1796039100}";
    struct state_record record = new_record();
    const struct quarter *last = &record.history.quarters[HISTORY_QUARTERS - 1];
    cJSON *stored = json_parse(stored_text, strlen(stored_text));

    CHECK(NOON == 1796040000 && stored, "%lld", (long long)NOON);
    says.counts = (struct history_counts){ 10, 20, 2, 3 };
    state_record_look(&record, 0, NOW);
    state_record_look(&record, 0, NOW + 1);
    CHECK(last->new_events == 10 && last->requests == 20 && last->throttled == 2 && last->failed == 3, "%u",
          (unsigned)last->new_events);
    says.counts.new_events = 11;
    state_record_look(&record, 0, NOW + HISTORY_QUARTER_S);
    CHECK(last->new_events == 1 && last->requests == 0 && last[-1].new_events == 10, "%u", (unsigned)last->new_events);
    state_record_take_stored(&record, stored, NOW + HISTORY_QUARTER_S);
    state_record_take_stored(&record, stored, NOW + HISTORY_QUARTER_S); /* a store that repeats itself */
    CHECK(last[-2].new_events == 5 && last[-2].failed == 8 && last[-3].requests == 1, "%u",
          (unsigned)last[-2].new_events);
    CHECK(last->new_events == 1 && last[-1].new_events == 10, "%u", (unsigned)last->new_events);
    cJSON_Delete(stored);
}

static void test_json(void **state UNUSED)
{
    static const struct { const char *name, *text; } texts[] = {
        { "_key", "a%01%2Fb" }, { "input", "a\x01/b" }, { "forwarder", "hf  1" }, { "condition", "ok" },
        { "why", "it \"fails\"  ?." }
    };
    static const struct { const char *name; int64_t number; } numbers[] = {
        { "rank", 11 }, { "since", NOW }, { "updated", NOW + 7 }, { "up_s", 5 }, { "history_at", NOON }
    };
    struct state_record record = new_record();
    struct buf text = BUF_INIT(16384);
    cJSON *tree;
    size_t i;

    check_look(&record, "ok", CONDITION_OK, 11, NOW, true, NOW);
    state_record_add(&record, "hf\x07 1", &text, 5000, NOW + 7);
    tree = json_parse(text.data, text.len);
    for (i = 0; i < COUNT_OF(texts); i++)
        CHECK(text_same(json_text(tree, texts[i].name), texts[i].text), "%s in %s", texts[i].name, buf_text(&text));
    for (i = 0; i < COUNT_OF(numbers); i++)
        CHECK(cJSON_GetNumberValue(json_member(tree, numbers[i].name)) == (double)numbers[i].number, "%s in %s",
              numbers[i].name, buf_text(&text));
    CHECK(text_starts(json_text(tree, "history"), "[null,"), "%s", buf_text(&text));
    cJSON_Delete(tree);
    buf_free(&text);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_due),
    cmocka_unit_test(test_since),
    cmocka_unit_test(test_settles),
    cmocka_unit_test(test_counts),
    cmocka_unit_test(test_json),
};

UNIT(state_record, cases, NULL, NULL)
