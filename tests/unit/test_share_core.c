/* Rounds of forwarders that share inputs, over a store that can fail. Times are those of a clock that all share; the
 * simulator (tests/cores) has clocks that drift. */
#include "share/core.h"

#include <stdlib.h>

#include "base/mem.h"
#include "check.h"
#include "share_store.h"

#define FORWARDERS 4
#define STEP_MS    500
#define SINCE      "0123456789abcdef"

enum link { LINK_GOOD, LINK_CUT, LINK_LAGS, LINK_READ_ONLY, LINK_OFF, LINK_NO_INSERT };

/* A group of forwarders. */
struct group {
    struct store store;
    struct share_core *cores[FORWARDERS];
    enum link links[FORWARDERS];
    bool frozen[FORWARDERS];
    int calls[FORWARDERS];
    uint64_t random;
    int64_t now_ms;
    bool lags;     /* the second node stays back */
    bool bodyless; /* bodies of tables are lost */
    char events[FORWARDERS][4000];
};

static struct group *group;

static int set_up(void **state UNUSED)
{
    json_init();
    return 0;
}

static void begin(void)
{
    group = mem_alloc(sizeof(*group));
    group->now_ms = 1000000;
}

static void end(void)
{
    for (size_t i = 0; i < FORWARDERS; i++)
        share_core_free(group->cores[i]);
    store_free(&group->store);
    free(group);
}

static uint64_t next_random(void *ctx UNUSED)
{
    return group->random += UINT64_C(0x1000000000000001);
}

/* Starts hf1, hf2, ... with inputs named by letters. */
static struct share_core *start_as(size_t i, const char *name, const char *inputs, bool stops)
{
    const char *texts[26];
    char letters[26][2] = { "" };
    size_t count = strlen(inputs);

    for (size_t k = 0; k < count; k++) {
        letters[k][0] = inputs[k];
        texts[k] = letters[k];
    }
    share_core_free(group->cores[i]);
    group->cores[i] = share_core_new(&(struct share_core_spec){ .group = "g",
                                                                .forwarder = name,
                                                                .program = "1.2.3",
                                                                .stops = stops,
                                                                .now_ms = group->now_ms,
                                                                .random = next_random },
                                     texts, count);
    return group->cores[i];
}

static struct share_core *start(size_t i, const char *inputs)
{
    static const char *const names[FORWARDERS] = { "hf1", "hf2", "hf3", "hf4" };

    return start_as(i, names[i], inputs, false);
}

static void stop(size_t i)
{
    share_core_free(group->cores[i]);
    group->cores[i] = NULL;
}

static void take_events(size_t i)
{
    static const char *const words[] = { "joined", "taken", "given",     "paused", "alone",    "back", "dead",
                                         "rolled", "twin",  "twin gone", "newer",  "left out", "bad" };
    char *to = group->events[i] + strlen(group->events[i]);
    struct share_event event;

    while (share_core_take_event(group->cores[i], &event))
        to += snprintf(to, (size_t)(group->events[i] + sizeof(group->events[i]) - to), "[%s %zu %s|%s]",
                       words[event.kind], event.count, event.from, event.why);
}

/* Does one call. Returns the next one. */
static const struct share_call *do_call(size_t i, const struct share_call *call)
{
    struct kvstore_answer answer = { .fault = KVSTORE_OK };
    enum link link = group->links[i];
    cJSON *tree = NULL;

    group->calls[i]++;
    if (link == LINK_CUT || link == LINK_OFF || (link == LINK_NO_INSERT && call->kind == SHARE_CALL_INSERT) ||
        (link == LINK_READ_ONLY && store_is_write(call)))
        answer.fault = link == LINK_CUT ? KVSTORE_AWAY : KVSTORE_OFF;
    else if (store_is_write(call) && group->bodyless && strstr(call->body, "\"kind\":\"body\""))
        answer.fault = KVSTORE_OK;
    else if (store_is_write(call))
        answer.fault = store_apply(&group->store, call);
    else
        answer = store_read(link == LINK_LAGS ? &group->store.lag : &group->store.prime, call, &tree);
    call = share_core_answered(group->cores[i], &answer, group->now_ms);
    cJSON_Delete(tree);
    return call;
}

/* Lets time pass for all. */
static void pass(int64_t ms)
{
    int64_t step_ms = ms < 3600000 ? STEP_MS : 300000; /* hours: rounds that are far apart */

    for (int64_t until = group->now_ms + ms; group->now_ms < until; group->now_ms += step_ms) {
        if (!group->lags)
            store_catch_up(&group->store, SIZE_MAX);
        for (size_t i = 0; i < FORWARDERS; i++) {
            const struct share_call *call;

            if (!group->cores[i] || group->frozen[i] || group->now_ms < share_core_round_ms(group->cores[i]))
                continue;
            for (call = share_core_begin(group->cores[i], group->now_ms); call;)
                call = do_call(i, call);
            take_events(i);
        }
    }
}

/* The states of all inputs of a forwarder: e, w, r, p, a for elsewhere, waiting, reading, paused, alone. */
static const char *states(size_t i)
{
    static char text[30];
    struct share_summary summary;

    share_core_summary(group->cores[i], group->now_ms, &summary);
    for (size_t k = 0; k < summary.of; k++)
        text[k] = "ewrpa"[share_core_state(group->cores[i], k, group->now_ms)];
    text[summary.of] = '\0';
    return text;
}

static const char *word(size_t i)
{
    struct share_summary summary;

    share_core_summary(group->cores[i], group->now_ms, &summary);
    return summary.state;
}

#define CHECK_STATES(i, want)                                                                                          \
    CHECK(!strcmp(states(i), want), "hf%zu is '%s', want '%s', %s", (size_t)(i) + 1, states(i), want, word(i))
#define CHECK_EVENT(i, text)    CHECK(strstr(group->events[i], text), "'%s' is not told: %s", text, group->events[i])
#define CHECK_NO_EVENT(i, text) CHECK(!strstr(group->events[i], text), "told: %s", group->events[i])

static void wish(const char *name, const char *text)
{
    char *record = mem_format("{\"_key\":\"g.wish.%s\",\"group\":\"g\",\"kind\":\"wish\",\"text\":\"%s\"}", name, text);

    store_put(&group->store, SHARE_COLLECTION, record);
    free(record);
}

static int64_t table_number(size_t i)
{
    struct share_summary summary;

    share_core_summary(group->cores[i], group->now_ms, &summary);
    return summary.table;
}

/* Returns how many records of a kind the store has. */
static size_t stored(const char *kind)
{
    size_t count = 0;

    for (size_t i = 0; i < group->store.prime.count; i++)
        count += !strcmp(json_text(group->store.prime.records[i]->json, "kind"), kind);
    return count;
}

/* Returns the text of the member's list of inputs; "": the store has none. */
static const char *list_of(const char *name)
{
    char *key = mem_format("g.inputs.%s", name);
    size_t at = store_place(&group->store.prime, PLACES_COLLECTION, key);
    const char *text = at < group->store.prime.count ? json_text(group->store.prime.records[at]->json, "text") : NULL;

    free(key);
    return text ? text : "";
}

/* Two forwarders, half of the inputs each, for a while. */
static void settle(const char *inputs)
{
    start(0, inputs);
    pass(40000);
    start(1, inputs);
    pass(120000);
}

/* promise: Sharing: A forwarder that joins gets its share within two minutes, and nobody reads an input beside it */
static void test_join(void **state UNUSED)
{
    begin();
    start(0, "abcd");
    pass(SHARE_ROUND_MS);
    CHECK_STATES(0, "eeee");
    CHECK_TEXT(word(0), "member");
    pass(SHARE_WAIT_MS - SHARE_ROUND_MS - STEP_MS); /* since the table was inserted; this one made it */
    CHECK_STATES(0, "wwww");
    pass(2 * STEP_MS);
    CHECK_STATES(0, "rrrr");
    CHECK_EVENT(0, "[joined 4 |][taken 4 |nobody had it]");
    start(1, "abcd");
    pass(25000);
    CHECK_STATES(1, "eeee");
    pass(95000);
    CHECK_STATES(0, "eerr");
    CHECK_STATES(1, "rree");
    CHECK_EVENT(0, "[given 2 hf2|to make the shares equal]");
    CHECK_EVENT(1, "[taken 2 hf1|to make the shares equal]");
    CHECK_TEXT(share_core_owner(group->cores[0], 0), "hf2");
    CHECK_TEXT(share_core_owner(group->cores[1], 3), "hf1");
    end();
}

/* A read that does not show the own heartbeat, a write that fails, an answer that is none: the round is not good. */
static void test_good_rounds(void **state UNUSED)
{
    static const struct {
        const char *name;
        enum link link;
    } rows[] = { { "old reads", LINK_LAGS },
                 { "no writes", LINK_READ_ONLY },
                 { "no answer", LINK_CUT },
                 { "503", LINK_OFF } };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        begin();
        settle("ab");
        CHECK_STATES(0, "er");
        group->lags = true;
        group->links[0] = rows[i].link;
        pass(SHARE_FENCE_MS - SHARE_ROUND_MS - STEP_MS);
        CHECK(!strcmp(states(0), "er"), "%s: paused too early", rows[i].name);
        pass(SHARE_ROUND_MS + STEP_MS);
        CHECK(!strcmp(states(0), "ep") && !strcmp(word(0), "paused"), "%s: %s", rows[i].name, states(0));
        group->links[0] = LINK_GOOD;
        pass(SHARE_ROUND_MS + STEP_MS);
        CHECK(!strcmp(states(0), "er"), "%s: no way back: %s", rows[i].name, states(0));
        CHECK_EVENT(0, "[paused 1 |][back 1 |]");
        CHECK_NO_EVENT(0, "alone");
        end();
    }
}

/* A node that is always a moment behind shows the heartbeat before: that confirms as of its own round. */
static void test_behind(void **state UNUSED)
{
    struct share_summary summary;

    begin();
    group->links[0] = group->links[1] = LINK_LAGS;
    settle("ab");
    CHECK_STATES(0, "er");
    CHECK_STATES(1, "re");
    CHECK_NO_EVENT(0, "paused");
    share_core_summary(group->cores[0], group->now_ms, &summary);
    CHECK(summary.lag_ms == SHARE_ROUND_MS && summary.confirmed_ms >= SHARE_ROUND_MS, "lag %lld",
          (long long)summary.lag_ms);
    group->lags = true; /* from now on it shows nothing new */
    pass(SHARE_FENCE_MS);
    CHECK_STATES(0, "ep");
    end();
}

/* promise: Sharing: Who newly gets an input waits for 20 s; who has it goes on, whatever changes for others */
static void test_since(void **state UNUSED)
{
    char since[SHARE_ID_MAX];
    int64_t number;

    begin();
    settle("abcd");
    memcpy(since, share_core_since(group->cores[0], 2, &number), SHARE_ID_MAX);
    CHECK(number == 1 && strlen(since) == 16, "since '%s', number %lld", since, (long long)number);
    CHECK(!*share_core_since(group->cores[0], 0, &number) && !number, "an input that is not held has a since");
    start(2, "abcd");
    pass(120000);
    CHECK(table_number(0) == 3, "table %lld", (long long)table_number(0));
    CHECK(!strcmp(share_core_since(group->cores[0], 3, &number), since) && number == 1,
          "another since for the same reader");
    CHECK_STATES(2, "eere");
    share_core_since(group->cores[2], 2, &number);
    CHECK(number == 3, "number %lld", (long long)number);
    end();
}

/* promise: Sharing: With the store gone each forwarder goes on with what it held, unless share_lost = stop */
static void test_alone(void **state UNUSED)
{
    begin();
    settle("abcd");
    start_as(2, "hf3", "abcd", true);
    pass(120000);
    CHECK_STATES(2, "eere");
    for (size_t i = 0; i < 3; i++)
        group->links[i] = LINK_CUT;
    pass(50000);
    CHECK_STATES(0, "eeep");
    pass(16000);
    CHECK_STATES(0, "eeea");
    CHECK_STATES(1, "aaee");
    CHECK_STATES(2, "eepe");
    CHECK_TEXT(word(0), "alone");
    CHECK_TEXT(word(2), "paused");
    CHECK_EVENT(0, "[paused 1 |][alone 1 |]");
    CHECK_NO_EVENT(2, "alone");
    for (size_t i = 0; i < 3; i++)
        group->links[i] = LINK_GOOD;
    pass(SHARE_ROUND_MS + STEP_MS);
    CHECK_STATES(0, "eeer");
    CHECK_STATES(2, "eere");
    CHECK_EVENT(0, "[alone 1 |][back 1 |]");
    pass(60000);
    CHECK_NO_EVENT(0, "dead");
    CHECK(table_number(0) == 3, "a table was made");
    end();
}

/* promise: Sharing: A restart goes on without a wait, also while the store is gone */
static void test_restart(void **state UNUSED)
{
    char since[SHARE_ID_MAX];
    int64_t number;

    begin();
    settle("ab");
    memcpy(since, share_core_since(group->cores[0], 1, &number), SHARE_ID_MAX);
    share_core_restore(start(0, "ab"), 1, since, number);
    CHECK_STATES(0, "ew");
    CHECK_TEXT(word(0), "waiting");
    pass(STEP_MS);
    CHECK_STATES(0, "er");
    share_core_restore(start(0, "ab"), 1, SINCE, 7); /* somebody had it between */
    pass(STEP_MS);
    CHECK_STATES(0, "ew");
    share_core_restore(start(0, "ab"), 0, SINCE, 7); /* it is another one's now */
    pass(STEP_MS);
    CHECK_STATES(0, "ew");
    CHECK_EVENT(0, "[given 1 hf2");
    group->links[0] = LINK_OFF;
    share_core_restore(start(0, "ab"), 1, since, number);
    pass(SHARE_ALONE_MS + STEP_MS);
    CHECK_STATES(0, "ea");
    end();
}

/* What changes by time alone, and when. */
static void test_changes(void **state UNUSED)
{
    int64_t change;

    begin();
    start(0, "a");
    CHECK(share_core_change_ms(group->cores[0], group->now_ms) == INT64_MAX, "nothing is held");
    pass(10000);
    change = share_core_change_ms(group->cores[0], group->now_ms);
    CHECK(share_core_state(group->cores[0], 0, change - 1) == share_core_state(group->cores[0], 0, group->now_ms),
          "it changes earlier");
    pass(30000);
    group->links[0] = LINK_CUT;
    for (int i = 0; i < 150; i++) {
        enum share_state now = share_core_state(group->cores[0], 0, group->now_ms);

        change = share_core_change_ms(group->cores[0], group->now_ms);
        CHECK(change > group->now_ms, "a change in the past");
        CHECK(share_core_state(group->cores[0], 0, group->now_ms + STEP_MS - 1) == now ||
                  change < group->now_ms + STEP_MS,
              "a change that was not announced");
        pass(STEP_MS);
    }
    CHECK_STATES(0, "a");
    end();
}

/* promise: Sharing: A store that loses its last writes is told, and the table that is left counts */
static void test_rollback(void **state UNUSED)
{
    begin();
    start(0, "abcd");
    pass(60000);
    group->lags = true;
    start(1, "abcd");
    pass(100000);
    CHECK_STATES(1, "rree");
    store_roll_back(&group->store);
    group->lags = false;
    pass(SHARE_ROUND_MS + STEP_MS);
    CHECK_STATES(0, "wwrr");
    CHECK_STATES(1, "eeee");
    CHECK_EVENT(0, "[rolled 1 hf1|]");
    CHECK_EVENT(1, "[given 2 hf1|");
    pass(120000);
    CHECK_STATES(0, "eerr");
    CHECK_STATES(1, "rree");
    end();
}

/* promise: Sharing: When all records of the store were deleted, tables go on above the numbers that checkpoints have */
static void test_emptied(void **state UNUSED)
{
    struct share_summary before, after;

    begin();
    settle("abcd");
    share_core_summary(group->cores[0], group->now_ms, &before);
    store_node_free(&group->store.prime);
    store_node_free(&group->store.lag);
    pass(2 * SHARE_ROUND_MS);
    CHECK_EVENT(0, "[rolled 1 |]");
    pass(120000);
    CHECK_STATES(0, "rere");
    CHECK_STATES(1, "erer");
    share_core_summary(group->cores[0], group->now_ms, &after);
    CHECK(after.table > before.table, "table %lld, after %lld", (long long)after.table, (long long)before.table);
    end();
}

/* promise: Sharing: Of two hosts with one name, one stays outside and says so, until the other is gone */
static void test_twin(void **state UNUSED)
{
    for (int64_t later_ms = 0; later_ms < SHARE_ROUND_MS; later_ms += 2 * STEP_MS) {
        begin();
        start(0, "ab");
        pass(60000 + later_ms);
        CHECK_STATES(0, "rr");
        start_as(1, "hf1", "ab", false); /* with the larger start, of the two */
        for (int i = 0; i < 120; i++) {
            pass(STEP_MS);
            CHECK(!strpbrk(states(1), "r"), "both read, %lld ms later", (long long)later_ms);
        }
        CHECK_TEXT(word(1), "outside");
        CHECK_STATES(0, "rr");
        CHECK_EVENT(1, "[twin 1 hf1|]");
        CHECK_NO_EVENT(0, "twin");
        stop(0);
        pass(60000);
        CHECK_EVENT(1, "[twin gone 1 hf1|]");
        CHECK_STATES(1, "rr");
        end();
        begin(); /* the one that was there first gives way if its start is the larger one */
        group->random = UINT64_C(0xe000000000000000);
        start(0, "ab");
        pass(60000 + later_ms);
        group->random = 0;
        start_as(1, "hf1", "ab", false);
        for (int i = 0; i < 120; i++) {
            pass(STEP_MS);
            CHECK(!strpbrk(states(0), "r") || strcmp(states(1), "rr") != 0, "both read, %lld ms later",
                  (long long)later_ms);
        }
        CHECK_TEXT(word(0), "outside");
        CHECK_STATES(1, "rr");
        end();
    }
}

/* A write of the process before, which comes late, makes no twin. */
static void test_late_start(void **state UNUSED)
{
    begin();
    group->random = UINT64_C(0xe000000000000000);
    start(0, "ab");
    pass(60000);
    store_put(&group->store, SHARE_COLLECTION,
              "{\"_key\":\"g.start.hf1\",\"group\":\"g\",\"kind\":\"start\",\"text\":"
              "\"{\\\"start\\\":\\\"0000000000000001\\\"}\"}");
    store_put(&group->store, SHARE_COLLECTION,
              "{\"_key\":\"g.member.hf1\",\"group\":\"g\",\"kind\":\"member\",\"text\":"
              "\"{\\\"start\\\":\\\"0000000000000001\\\",\\\"beat\\\":3}\"}");
    for (int i = 0; i < 60; i++) {
        pass(STEP_MS);
        CHECK_STATES(0, "rr");
    }
    CHECK_NO_EVENT(0, "twin");
    end();
}

/* promise: Sharing: A table of a newer program is not followed: the forwarder stays outside and says so */
static void test_newer(void **state UNUSED)
{
    begin();
    settle("ab");
    store_put(&group->store, SHARE_COLLECTION,
              "{\"_key\":\"g.table.000000000900\",\"group\":\"g\",\"kind\":\"table\",\"text\":"
              "\"{\\\"by\\\":\\\"hf9\\\",\\\"format\\\":2}\"}");
    pass(SHARE_ROUND_MS + STEP_MS);
    CHECK_STATES(0, "ee");
    CHECK_TEXT(word(0), "outside");
    CHECK_EVENT(0, "[newer 1 hf9|]");
    group->links[0] = LINK_CUT;
    pass(100000);
    CHECK_STATES(0, "ee");
    group->links[0] = LINK_GOOD;
    CHECK(store_apply(&group->store, &(struct share_call){ .kind = SHARE_CALL_DELETE,
                                                           .collection = SHARE_COLLECTION,
                                                           .query = "{\"_key\":\"g.table.000000000900\"}" }) ==
              KVSTORE_OK,
          "it is not deleted");
    pass(60000);
    CHECK_TEXT(word(0), "member");
    CHECK_STATES(0, "er");
    end();
}

/* The body of a table comes later, or never. */
static void test_no_body(void **state UNUSED)
{
    begin();
    start(0, "abcd");
    pass(40000);
    start(1, "abcd");
    group->bodyless = true;
    while (table_number(0) < 2 && group->now_ms < 2000000)
        pass(STEP_MS);
    pass(SHARE_ROUND_MS);
    CHECK(store_place(&group->store.prime, SHARE_COLLECTION, "g.table.000000000002") < group->store.prime.count,
          "there is no second table");
    group->bodyless = false;
    CHECK_STATES(0, "eerr"); /* it made the table and knows the body */
    CHECK_STATES(1, "eeee");
    pass(60000);
    CHECK(table_number(1) > 2, "table %lld", (long long)table_number(1));
    CHECK_STATES(0, "eerr");
    CHECK_STATES(1, "rree");
    end();
}

/* promise: Sharing: Whoever is not heard for 20 s is dead: others read its inputs within a minute */
static void test_death(void **state UNUSED)
{
    int64_t died;

    begin();
    settle("abcd");
    start(2, "abcd");
    pass(120000);
    died = group->now_ms;
    stop(0);
    while (!strchr(states(2), 'w') && group->now_ms < died + 60000)
        pass(STEP_MS);
    CHECK(group->now_ms - died <= 35000, "known after %lld ms", (long long)(group->now_ms - died));
    pass(died + 60000 - group->now_ms);
    CHECK_STATES(1, "rree");
    CHECK_STATES(2, "eerr");
    CHECK_EVENT(1, "[dead 1 hf1|]");
    CHECK_EVENT(2, "[taken 1 hf1|it is not heard]");
    CHECK_NO_EVENT(1, "[given");
    end();
}

/* A forwarder that could not hear does not take the others for dead, and one that comes back in time is not. */
static void test_silence(void **state UNUSED)
{
    begin();
    settle("abcd");
    group->frozen[0] = true;
    pass(10000);
    group->frozen[0] = false;
    pass(60000);
    group->links[0] = group->links[1] = LINK_OFF;
    pass(300000);
    group->links[0] = LINK_GOOD;
    pass(10000);
    group->links[1] = LINK_GOOD;
    pass(60000);
    CHECK_NO_EVENT(0, "dead");
    CHECK_NO_EVENT(1, "dead");
    CHECK(table_number(0) == 2, "table %lld", (long long)table_number(0));
    end();
}

/* promise: Sharing: A forwarder that was frozen and wakes up reads nothing that went to others */
static void test_freeze(void **state UNUSED)
{
    const struct share_call *call;

    begin();
    settle("abcd");
    group->frozen[0] = true;
    pass(80000);
    CHECK_STATES(0, "eepp");
    CHECK_STATES(1, "rrrr");
    group->links[0] = LINK_CUT;
    group->frozen[0] = false;
    pass(50000);
    CHECK_STATES(0, "eepp"); /* a minute without the store begins when it wakes up */
    pass(12000);
    CHECK_STATES(0, "eeaa");
    end();
    begin();
    settle("abcd"); /* an answer that was under way during the freeze confirms nothing */
    while (group->now_ms < share_core_round_ms(group->cores[0]))
        pass(STEP_MS);
    call = share_core_begin(group->cores[0], group->now_ms);
    group->frozen[0] = true;
    while (call && call->kind != SHARE_CALL_FIND)
        call = do_call(0, call);
    group->now_ms += 20000;
    CHECK(!do_call(0, call), "the round goes on");
    CHECK_STATES(0, "eepp");
    end();
}

/* The first by name makes tables; each further one waits 10 s longer. */
static void test_turn(void **state UNUSED)
{
    static const struct {
        const char *name;
        size_t maker; /* the others cannot write tables */
        int64_t least_ms, most_ms;
    } rows[] = { { "the first", 0, 20000, 25000 },
                 { "the second", 1, 30000, 35500 },
                 { "the third", 2, 40000, 45500 } };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t died, number;

        begin();
        settle("abcd");
        start(2, "abcd");
        start(3, "abcd");
        pass(300000);
        number = table_number(0);
        died = group->now_ms;
        stop(3);
        for (size_t k = 0; k < rows[i].maker; k++)
            group->links[k] = LINK_NO_INSERT;
        while (stored("table") == (size_t)number && group->now_ms < died + 60000)
            pass(STEP_MS);
        died = group->now_ms - died;
        CHECK(died >= rows[i].least_ms && died <= rows[i].most_ms, "%s: after %lld ms", rows[i].name, (long long)died);
        end();
    }
}

/* promise: Sharing: A forwarder that dies three times in ten minutes gets nothing more for five */
static void test_three_deaths(void **state UNUSED)
{
    begin();
    settle("abcd");
    for (int i = 0; i < 3; i++) {
        start(1, "abcd");
        pass(45000);
        stop(1);
        pass(45000);
    }
    start(1, "abcd");
    pass(200000);
    CHECK_STATES(1, "eeee");
    pass(200000);
    CHECK_STATES(1, "rree");
    end();
}

/* promise: Sharing: share drain moves all inputs away, share take moves them here, share undrain ends both */
static void test_wishes(void **state UNUSED)
{
    begin();
    settle("abcd");
    wish("hf2", "{\\\"drain\\\":true}");
    pass(90000);
    CHECK_STATES(0, "rrrr");
    CHECK_STATES(1, "eeee");
    CHECK_EVENT(1, "[given 2 hf1|this forwarder drains]");
    CHECK_EVENT(0, "[taken 2 hf2|it drains]");
    wish("hf2", "{\\\"take\\\":[\\\"a\\\",\\\"b\\\",\\\"c\\\"]}");
    pass(90000);
    CHECK_STATES(1, "rrre");
    CHECK_EVENT(1, "[taken 3 hf1|on a wish]");
    wish("hf1", "{\\\"drain\\\":true}");
    wish("hf2", "{\\\"drain\\\":true}");
    pass(90000);
    CHECK(strlen(states(0)) == 4 && strchr(states(0), 'r') && strchr(states(1), 'r'), "all drain: %s", states(1));
    CHECK(store_apply(&group->store, &(struct share_call){ .kind = SHARE_CALL_DELETE,
                                                           .collection = SHARE_COLLECTION,
                                                           .query = "{\"kind\":\"wish\"}" }) == KVSTORE_OK,
          "not deleted");
    pass(90000);
    CHECK(strchr(states(0), 'e') && strchr(states(0), 'r'), "hf1 '%s'", states(0));
    wish("hf1", "[]");
    pass(SHARE_ROUND_MS + STEP_MS);
    CHECK_EVENT(0, "[bad 1 g.wish.hf1|");
    end();
}

/* promise: Sharing: Of a forwarder that is not well, others get all inputs but one, and give them back */
static void test_unwell(void **state UNUSED)
{
    struct share_member members[FORWARDERS];

    begin();
    settle("abcdef");
    share_core_set_well(group->cores[1], false);
    pass(90000);
    CHECK_STATES(1, "reeeee");
    CHECK_STATES(0, "errrrr");
    CHECK_EVENT(1, "[given 2 hf1|this forwarder is not well]");
    CHECK_EVENT(0, "[taken 2 hf2|it is not well]");
    CHECK(share_core_members(group->cores[0], members, FORWARDERS) == 2 && !members[1].well && members[1].alive &&
              members[0].is_self && members[0].held == 5 && !strcmp(members[1].program, "1.2.3"),
          "the members");
    CHECK(share_core_members(group->cores[0], members, 1) == 2, "the number of members");
    share_core_set_well(group->cores[1], true);
    pass(120000);
    CHECK(table_number(0) == 4, "table %lld", (long long)table_number(0));
    CHECK_STATES(1, "rrreee");
    end();
}

/* Inputs that differ, that come, and that nobody has any more. */
static void test_inputs(void **state UNUSED)
{
    begin();
    settle("abcd");
    start(1, "cde"); /* an administrator has edited it */
    pass(60000);
    CHECK_STATES(0, "rrer");
    CHECK_STATES(1, "rer");
    CHECK(share_core_add_input(group->cores[0], "f") == 4, "the number of an input that comes later");
    pass(120000);
    CHECK_STATES(0, "rreer");
    CHECK_STATES(1, "rrr");
    start(1, "cdf");
    pass(120000);
    CHECK_STATES(0, "rreer");
    CHECK_STATES(1, "rre");
    end();
    begin();
    settle("ab");
    start(0, "b");
    start(1, "b");
    pass(120000);
    CHECK(strstr(group->events[0], "[left out 1 |no live forwarder has it]") ||
              strstr(group->events[1], "[left out 1 |no live forwarder has it]"),
          "nobody tells: %s", group->events[0]);
    end();
}

/* One that has never joined says so for a minute only: nothing is read until then, and somebody has to look. */
static void test_never_joined(void **state UNUSED)
{
    begin();
    group->links[0] = LINK_OFF;
    start_as(0, "hf1", "ab", true);
    pass(50000);
    CHECK_TEXT(word(0), "waiting");
    pass(20000);
    CHECK_TEXT(word(0), "paused");
    group->links[0] = LINK_GOOD;
    pass(10000);
    CHECK_TEXT(word(0), "member");
    end();
}

/* What anybody may have written into the store. */
static void test_bad_records(void **state UNUSED)
{
    static const struct {
        const char *key, *kind, *text;
        bool fine;
    } rows[] = {
        { "g.member.hf9", "member", "nonsense", false },
        { "g.member.hf8", "member", "{\\\"start\\\":\\\"x\\\",\\\"beat\\\":1}", false },
        { "g.member.hf7", "member", "{\\\"start\\\":\\\"" SINCE "\\\",\\\"beat\\\":-1}", false },
        { "g.member.", "member", "{\\\"start\\\":\\\"" SINCE "\\\",\\\"beat\\\":1}", false },
        { "g.member.a%2", "member", "{\\\"start\\\":\\\"" SINCE "\\\",\\\"beat\\\":1}", false },
        { "g.member.%41", "member", "{\\\"start\\\":\\\"" SINCE "\\\",\\\"beat\\\":1}", false },
        { "other.member.hf1", "member", "{\\\"start\\\":\\\"" SINCE "\\\",\\\"beat\\\":1}", false },
        { "g.table.000000000001x", "table", "{\\\"id\\\":\\\"" SINCE "\\\",\\\"format\\\":1}", false },
        { "g.table.900", "table", "{\\\"id\\\":\\\"" SINCE "\\\",\\\"format\\\":1}", false },
        { "g.table.000000000000", "table", "{\\\"id\\\":\\\"" SINCE "\\\",\\\"format\\\":1}", false },
        { "g.table.000000000950", "table", "{\\\"format\\\":1}", false },
        { "g.table.999999999999", "table", "{\\\"id\\\":\\\"" SINCE "\\\",\\\"format\\\":1}", false },
        { "g.table.000000000002", "table", "{}", false },
        { "g.wish.hf6", "wish", "{\\\"take\\\":\\\"a\\\"}", false },
        { "g.wish.hf5", "wish", "{\\\"take\\\":[1]}", false },
        { "g.start.hf1", "start", "{}", true }, /* replaced at once */
        { "g.test.1234", "test", "x", true },
        { "g.fancy.1", "fancy", "x", true },
    };

    begin();
    start(0, "ab");
    pass(60000);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *record = mem_format("{\"_key\":\"%s\",\"group\":\"g\",\"kind\":\"%s\",\"text\":\"%s\"}", rows[i].key,
                                  rows[i].kind, rows[i].text);

        store_put(&group->store, SHARE_COLLECTION, record);
        free(record);
    }
    store_put(&group->store, SHARE_COLLECTION, "{\"_key\":\"g.1\",\"group\":\"g\",\"kind\":5,\"text\":[]}");
    pass(20000);
    CHECK_STATES(0, "rr");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *event = mem_format("[bad 1 %s|", rows[i].key);

        if (!rows[i].fine)
            CHECK(strstr(group->events[0], event), "not told: %s", rows[i].key);
        else if (strcmp(rows[i].kind, "start") != 0)
            CHECK(!strstr(group->events[0], event), "told: %s", rows[i].key);
        free(event);
    }
    group->events[0][0] = '\0';
    start(1, "ab"); /* the key of the next table is taken by one that cannot be used */
    pass(120000);
    CHECK_STATES(1, "re");
    CHECK_NO_EVENT(0, "bad");
    end();
}

/* A list that would cost minutes at each reading, and a number that leaves none for the next table. */
static void test_bad_sizes(void **state UNUSED)
{
    struct buf record = BUF_INIT(1 << 20);

    buf_add_text(&record, "{\"_key\":\"g.wish.hf6\",\"group\":\"g\",\"kind\":\"wish\",");
    buf_add_text(&record, "\"text\":\"{\\\"take\\\":[\\\"a\\\"");
    for (int i = 0; i < 10000; i++)
        buf_add_format(&record, ",\\\"i%d\\\"", i);
    buf_add_text(&record, "]}\"}");
    begin();
    start(0, "ab");
    pass(60000);
    store_put(&group->store, SHARE_COLLECTION, buf_text(&record));
    store_put(&group->store, SHARE_COLLECTION,
              "{\"_key\":\"g.table.999999999998\",\"group\":\"g\",\"kind\":\"table\","
              "\"text\":\"{\\\"id\\\":\\\"" SINCE "\\\",\\\"format\\\":1}\"}");
    pass(60000);
    CHECK(strstr(group->events[0], "[bad 1 g.wish.hf6|"), "not told: %s", group->events[0]);
    CHECK_EVENT(0, "[bad 1 g.table.999999999998|no group comes to its number");
    start(1, "ab"); /* tables go on below it */
    pass(120000);
    CHECK_STATES(0, "er");
    CHECK_STATES(1, "re");
    CHECK(table_number(1) == 2, "table %lld", (long long)table_number(1));
    buf_free(&record);
    end();
}

/* promise: Sharing: A list of inputs that the store lost, or that an earlier process replaced, is written again when missed */
static void test_lost_list(void **state UNUSED)
{
    static const struct share_call lose = { .kind = SHARE_CALL_DELETE,
                                            .collection = PLACES_COLLECTION,
                                            .query = "{\"kind\":\"inputs\"}" };
    static const struct {
        const char *name, *record;
    } rows[] = { { "all lists are lost", NULL },
                 { "an earlier process's", "{\"_key\":\"g.inputs.hf2\",\"group\":\"g\",\"kind\":\"inputs\","
                                           "\"number\":9,\"id\":\"" SINCE "\",\"text\":\"[]\"}" },
                 { "no list", "{\"_key\":\"g.inputs.hf2\",\"group\":\"g\",\"kind\":\"inputs\"}" } };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        begin();
        settle("ab");
        if (rows[i].record)
            store_put(&group->store, PLACES_COLLECTION, rows[i].record);
        else
            store_apply(&group->store, &lose);
        start(0, "ab"); /* asks for it */
        pass(40000);
        CHECK(!strcmp(list_of("hf2"), "[\"a\",\"b\"]"), "%s: '%s'", rows[i].name, list_of("hf2"));
        end();
    }
}

/* Two nodes, one of which is behind, show an earlier process of a member and the present one by turns: no list is read
 * again and again, and one that is dead does not live on. */
static void test_two_ages(void **state UNUSED)
{
    begin();
    settle("ab");
    group->lags = true;
    start(1, "ab");
    pass(10000);
    memset(group->calls, 0, sizeof(group->calls));
    for (int i = 0; i < 12; i++) {
        group->links[0] = i % 2 ? LINK_GOOD : LINK_LAGS;
        pass(SHARE_ROUND_MS);
    }
    CHECK(group->calls[0] <= 26, "%d calls", group->calls[0]);
    stop(1);
    for (int i = 0; i < 12; i++) {
        group->links[0] = i % 2 ? LINK_GOOD : LINK_LAGS;
        pass(SHARE_ROUND_MS);
    }
    CHECK_EVENT(0, "[dead 1 hf2|]");
    end();
}

/* A table that was inserted is not made again while all nodes are a round behind. */
static void test_made_once(void **state UNUSED)
{
    begin();
    group->lags = true;
    group->links[0] = LINK_LAGS;
    start(0, "ab");
    for (int i = 0; i < 30; i++) {
        size_t before = group->store.log_count;

        pass(SHARE_ROUND_MS);
        store_catch_up(&group->store, before);
        if (i == 15)
            share_core_add_input(group->cores[0], "c");
    }
    CHECK(stored("table") == 2 && stored("body") == stored("table"), "%zu bodies of %zu tables", stored("body"),
          stored("table"));
    end();
}

/* promise: Sharing: A forwarder makes 28 calls a minute at most for the agreement, whatever the others do */
static void test_calls_in_trouble(void **state UNUSED)
{
    begin();
    settle("abcd");
    for (int i = 0; i < 60; i++) { /* another one starts again and again, and wishes this and that */
        char *record =
            mem_format("{\"_key\":\"g.member.hf3\",\"group\":\"g\",\"kind\":\"member\",\"text\":\"{\\\"start\\\":"
                       "\\\"%016d\\\",\\\"beat\\\":%d,\\\"inputs\\\":%d,\\\"lacks\\\":[\\\"hf1\\\"]}\"}",
                       i, i + 1, i + 1);

        if (i % 12 == 0)
            memset(group->calls, 0, sizeof(group->calls));
        store_put(&group->store, SHARE_COLLECTION, record);
        wish("hf1", i % 2 ? "{}" : "{\\\"drain\\\":true}");
        pass(SHARE_ROUND_MS);
        free(record);
        CHECK(group->calls[0] <= 28 && group->calls[1] <= 28, "%d, %d calls", group->calls[0], group->calls[1]);
    }
    end();
}

/* promise: Sharing: Old tables, and checkpoints that no table needs, are deleted once an hour */
static void test_cleaning(void **state UNUSED)
{
    size_t tables = 0, bodies = 0;
    int64_t number;
    char *record;

    begin();
    settle("ab");
    for (int i = 0; i < 50; i++) { /* a table each */
        wish("hf1", i % 2 ? "{}" : "{\\\"drain\\\":true}");
        pass(65000);
    }
    wish("hf1", "{}");
    store_put(&group->store, PLACES_COLLECTION,
              "{\"_key\":\"g.place.x.a\",\"group\":\"g\",\"kind\":\"place\",\"number\":5,"
              "\"input\":\"a\",\"text\":\"{}\"}");
    store_put(&group->store, PLACES_COLLECTION,
              "{\"_key\":\"g.place.y.a\",\"group\":\"g\",\"kind\":\"place\",\"number\":49,"
              "\"input\":\"a\",\"text\":\"{}\"}");
    pass(180000);
    CHECK(*share_core_since(group->cores[1], strchr(states(1), 'r') - states(1), &number), "hf2 has nothing");
    record = mem_format("{\"_key\":\"g.place.z.b\",\"group\":\"g\",\"kind\":\"place\",\"number\":%lld}",
                        (long long)number);
    store_put(&group->store, PLACES_COLLECTION, record);
    free(record);
    pass(3600000);
    for (size_t i = 0; i < group->store.prime.count; i++) {
        const char *kind = json_text(group->store.prime.records[i]->json, "kind");

        tables += !strcmp(kind, "table");
        bodies += !strcmp(kind, "body");
    }
    CHECK(tables >= 20 && tables <= 40 && bodies >= 20 && bodies <= 40, "%zu tables, %zu bodies", tables, bodies);
    CHECK(store_place(&group->store.prime, PLACES_COLLECTION, "g.place.x.a") < group->store.prime.count,
          "it is not a day old");
    pass(26 * INT64_C(3600000));
    CHECK(store_place(&group->store.prime, PLACES_COLLECTION, "g.place.x.a") == group->store.prime.count,
          "a day has passed");
    CHECK(store_place(&group->store.prime, PLACES_COLLECTION, "g.place.y.a") < group->store.prime.count,
          "a table is kept");
    CHECK(store_place(&group->store.prime, PLACES_COLLECTION, "g.place.z.b") < group->store.prime.count,
          "it is read under it");
    CHECK_NO_EVENT(0, "bad");
    end();
}

/* promise: Sharing: A forwarder makes 24 calls a minute, and few more when a table changes */
static void test_calls(void **state UNUSED)
{
    struct share_summary summary;

    begin();
    settle("abcd");
    memset(group->calls, 0, sizeof(group->calls));
    pass(600000);
    CHECK(group->calls[0] <= 250 && group->calls[1] <= 250, "%d and %d calls in ten minutes", group->calls[0],
          group->calls[1]);
    share_core_summary(group->cores[0], group->now_ms, &summary);
    CHECK(summary.members == 2 && summary.held == 2 && summary.of == 4 && summary.table == 2 &&
              summary.confirmed_ms >= 0 && summary.confirmed_ms < SHARE_ROUND_MS + STEP_MS && summary.lag_ms == 0,
          "the summary");
    end();
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_join),         cmocka_unit_test(test_good_rounds),  cmocka_unit_test(test_behind),
    cmocka_unit_test(test_since),        cmocka_unit_test(test_alone),        cmocka_unit_test(test_restart),
    cmocka_unit_test(test_changes),      cmocka_unit_test(test_rollback),     cmocka_unit_test(test_twin),
    cmocka_unit_test(test_late_start),   cmocka_unit_test(test_newer),        cmocka_unit_test(test_no_body),
    cmocka_unit_test(test_death),        cmocka_unit_test(test_silence),      cmocka_unit_test(test_freeze),
    cmocka_unit_test(test_turn),         cmocka_unit_test(test_three_deaths), cmocka_unit_test(test_wishes),
    cmocka_unit_test(test_unwell),       cmocka_unit_test(test_inputs),       cmocka_unit_test(test_bad_records),
    cmocka_unit_test(test_cleaning),     cmocka_unit_test(test_calls),        cmocka_unit_test(test_emptied),
    cmocka_unit_test(test_never_joined), cmocka_unit_test(test_bad_sizes),    cmocka_unit_test(test_lost_list),
    cmocka_unit_test(test_two_ages),     cmocka_unit_test(test_made_once),    cmocka_unit_test(test_calls_in_trouble),
};

UNIT(share_core, cases, set_up, NULL)
