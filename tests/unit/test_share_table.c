/* Who reads what next: few moves, equal shares, wishes, and bodies that anybody may have written. */
#include "share/table.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "check.h"

#define OLD_ID "00000000000000aa"
#define NEW_ID "00000000000000bb"

/* A table as text: "a1 b2": input a is read by hf1, b by hf2. */
static struct share_body body_of(const char *text)
{
    struct share_body body = { .entries = mem_grow(NULL, strlen(text) + 1, sizeof(*body.entries)) };

    for (; *text; text += 2 + (text[2] == ' ')) {
        struct share_entry *entry = &body.entries[body.count++];

        *entry = (struct share_entry){ .input = mem_text_n(text, 1),
                                       .owner = mem_format("hf%c", text[1]),
                                       .number = 7 };
        memcpy(entry->since, OLD_ID, SHARE_ID_MAX);
    }
    return body;
}

static void body_text(const struct share_body *body, char *ret)
{
    char *start = ret;

    for (size_t i = 0; i < body->count; i++)
        ret += sprintf(ret, "%s%s%s", ret == start ? "" : " ", body->entries[i].input, body->entries[i].owner + 2);
    *ret = '\0';
}

struct crowd {
    struct share_candidate candidates[9];
    size_t count;
    char *texts[400]; /* owned */
    size_t text_count;
};

static const char *const *letters(struct crowd *crowd, const char *text, size_t len)
{
    char **ret = &crowd->texts[crowd->text_count];

    for (size_t i = 0; i < len; i++)
        crowd->texts[crowd->text_count++] = mem_text_n(text + i, 1);
    return (const char *const *)ret;
}

/* Forwarders as text: "1:abc 2:ab/n": what each has, and n: newcomer, u: not well, d: drains, t: takes all, or what
 * follows. */
static void crowd_of(struct crowd *crowd, const char *text)
{
    *crowd = (struct crowd){ 0 };
    while (*text) {
        struct share_candidate *candidate = &crowd->candidates[crowd->count++];
        size_t has = strcspn(text + 2, " /");
        const char *flag = text + 2 + has;

        *candidate = (struct share_candidate){ .well = true, .input_count = has };
        crowd->texts[crowd->text_count++] = mem_format("hf%c", *text);
        candidate->name = crowd->texts[crowd->text_count - 1];
        candidate->inputs = letters(crowd, text + 2, has);
        for (; *flag && *flag != ' '; flag++) {
            candidate->newcomer = candidate->newcomer || *flag == 'n';
            candidate->well = candidate->well && *flag != 'u';
            candidate->drains = candidate->drains || *flag == 'd';
            if (*flag != 't')
                continue;
            candidate->take_count = strcspn(flag + 1, " ");
            candidate->takes_all = !candidate->take_count;
            candidate->takes = letters(crowd, flag + 1, candidate->take_count);
            flag += candidate->take_count;
        }
        text = flag + (*flag == ' ');
    }
}

static void crowd_free(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->text_count; i++)
        free(crowd->texts[i]);
}

/* Checks that only what moved has another since, and that the same arguments give the same, also after that. */
static void check_plan(const char *name, const struct share_body *old, const struct crowd *crowd,
                       const struct share_body *plan)
{
    struct share_body again;

    for (size_t i = 0; i < plan->count; i++) {
        const struct share_entry *entry = &plan->entries[i], *was = share_body_find(old, entry->input);
        bool stays = was && !strcmp(was->owner, entry->owner);

        CHECK(!strcmp(entry->since, stays ? OLD_ID : NEW_ID) && entry->number == (stays ? 7 : 8),
              "%s: %s has the since %s", name, entry->input, entry->since);
    }
    share_plan(plan, crowd->candidates, crowd->count, NEW_ID, 9, &again);
    CHECK(share_body_same(plan, &again), "%s: the next plan is another one", name);
    share_body_free(&again);
}

/* promise: Sharing: The inputs of a forwarder that is gone, drains or is not well go to others, in equal shares */
static void test_plan(void **state UNUSED)
{
    static const struct {
        const char *name, *old, *crowd, *want;
    } rows[] = {
        { "nobody", "", "", "" },
        { "the first one", "", "1:abc", "a1 b1 c1" },
        { "two at once", "", "1:abcd/n 2:abcd/n", "a1 b2 c1 d2" },
        { "nothing to do", "a1 b2", "1:ab 2:ab", "a1 b2" },
        { "orphans", "a1 b1 c2 d3", "2:abcd 3:abcd", "a2 b3 c2 d3" },
        { "orphans go to whoever has least", "a1 b2 c2 d3 e3", "2:abcde 3:abcde 4:abcde", "a4 b2 c2 d3 e3" },
        { "a newcomer waits", "a1 b1 c1 d1", "1:abcd 2:abcd/n", "a1 b1 c1 d1" },
        { "a newcomer that is settled", "a1 b1 c1 d1", "1:abcd 2:abcd", "a2 b2 c1 d1" },
        { "one more is no reason to move", "a1 b1 c2", "1:abc 2:abc", "a1 b1 c2" },
        { "two more are", "a1 b1 c1 d2", "1:abcd 2:abcd", "a2 b1 c1 d2" },
        { "an orphan that only a newcomer has", "a1", "2:ab/n", "a2 b2" },
        { "nobody has it", "a1 b1", "1:a 2:a", "a1" },
        { "its owner has it no longer", "a1 b1", "1:b 2:ab", "a2 b1" },
        { "only one has them", "a1 b1 c1", "1:abc 2:d", "a1 b1 c1 d2" },
        { "passed on by a third one", "a1 b1 c2 d2", "1:ab 2:bcd 3:d", "a1 b1 c2 d3" },
        { "a chain", "a1 b1 c1 d2 e2 f3", "1:abc 2:cde 3:ef", "a1 b1 c2 d2 e3 f3" },
        { "a longer chain", "a1 b1 c1 d2 e2", "1:abc 2:cde 3:e", "a1 b1 c2 d2 e3" },
        { "drains", "a1 b1 c2", "1:abc/d 2:abc", "a2 b2 c2" },
        { "drains, and nobody else has one", "a1 b1 c2", "1:abc/d 2:ac", "a2 b1 c2" },
        { "drains, and the other one is not settled", "a1 b1", "1:ab/d 2:ab/n", "a1 b1" },
        { "all drain", "a1 b1 c1 d1", "1:abcd/d 2:abcd/d", "a2 b2 c1 d1" },
        { "orphans do not go to who drains", "a3 b2", "1:ab/d 2:ab", "a2 b2" },
        { "not well: the probe stays", "a1 b1 c1 d2", "1:abcd/u 2:abcd", "a1 b2 c2 d2" },
        { "not well: it gets no second one", "a1 b2 c2 d2 e2", "1:abcde/u 2:abcde", "a1 b2 c2 d2 e2" },
        { "not well: it gets a probe", "a2 b2 c2", "1:abc/u 2:abc", "a1 b2 c2" },
        { "not well, and nobody else has them", "a1 b1 c1", "1:abc/u 2:a", "a2 b1 c1" },
        { "all are not well", "a1 b1 c2 d2", "1:abcd/u 2:abcd/u", "a1 b1 c2 d2" },
        { "who is well drains", "a1 b1", "1:ab/u 2:ab/d", "a1 b1" },
        { "takes all", "a1 b1 c1", "1:abc 2:abc/t", "a2 b2 c2" },
        { "takes some", "a1 b1 c1", "1:abc 2:abc/tac", "a2 b1 c2" },
        { "takes what it has not", "a1 b1", "1:ab 2:a/tab", "a2 b1" },
        { "takes before it is settled", "a1 b1", "1:ab 2:ab/nt", "a1 b1" },
        { "two take", "a1 b2", "1:ab/t 2:ab/t", "a1 b2" },
        { "two take what a third one has", "a3", "1:a/t 2:a/t 3:a", "a1" },
        { "takes and drains", "a1 b1 c1", "1:abc/dta 2:abc", "a1 b2 c2" },
        { "takes and is not well", "a1 b1", "1:ab 2:ab/ut", "a2 b1" },
        { "the rest is shared equally", "a1 b1 c1 d1", "1:abcd 2:abcd/ta 3:abcd", "a2 b3 c1 d1" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct share_body old = body_of(rows[i].old), plan;
        struct crowd crowd;
        char got[200];

        crowd_of(&crowd, rows[i].crowd);
        share_plan(&old, crowd.candidates, crowd.count, NEW_ID, 8, &plan);
        body_text(&plan, got);
        CHECK(!strcmp(got, rows[i].want), "%s: got '%s', want '%s'", rows[i].name, got, rows[i].want);
        check_plan(rows[i].name, &old, &crowd, &plan);
        share_body_free(&plan);
        share_body_free(&old);
        crowd_free(&crowd);
    }
}

/* Returns how many inputs of living owners have to move, at the least, if everybody has all. */
static size_t fewest_moves(const size_t *kept, size_t count, size_t inputs)
{
    size_t part = inputs / count, more = inputs % count, moves = 0, sorted[9];

    memcpy(sorted, kept, count * sizeof(*kept));
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            if (sorted[k] > sorted[i]) {
                size_t other = sorted[i];

                sorted[i] = sorted[k];
                sorted[k] = other;
            }
    for (size_t i = 0; i < count; i++) {
        size_t want = part + (i < more);

        moves += sorted[i] > want ? sorted[i] - want : 0;
    }
    return moves;
}

/* promise: Sharing: Shares differ by one at most, and no more inputs move than that takes */
static void test_few_moves(void **state UNUSED)
{
    for (int round = 0; round < 300; round++) {
        size_t inputs = random_below(20) + 1, alive = random_below(4) + 1, kept[9] = { 0 }, held[9] = { 0 }, moves = 0;
        char old_text[100] = "", crowd_text[200] = "", all[21] = "abcdefghijklmnopqrst";
        struct share_body old, plan;
        struct crowd crowd;

        all[inputs] = '\0';
        for (size_t i = 0; i < inputs; i++)
            if (random_below(5))
                sprintf(old_text + strlen(old_text), "%s%c%u", *old_text ? " " : "", all[i], random_below(6) + 1);
        for (size_t c = 1; c <= alive; c++)
            sprintf(crowd_text + strlen(crowd_text), "%s%zu:%s", *crowd_text ? " " : "", c, all);
        old = body_of(old_text);
        crowd_of(&crowd, crowd_text);
        share_plan(&old, crowd.candidates, crowd.count, NEW_ID, 8, &plan);
        for (size_t i = 0; i < old.count; i++)
            if ((size_t)(old.entries[i].owner[2] - '1') < alive) {
                kept[old.entries[i].owner[2] - '1']++;
                moves += strcmp(share_body_find(&plan, old.entries[i].input)->owner, old.entries[i].owner) != 0;
            }
        for (size_t i = 0; i < plan.count; i++)
            held[plan.entries[i].owner[2] - '1']++;
        for (size_t c = 0; c < alive; c++)
            CHECK(held[c] == inputs / alive || held[c] == (inputs + alive - 1) / alive, "'%s' for '%s': %zu has %zu",
                  old_text, crowd_text, c, held[c]);
        CHECK(plan.count == inputs && moves == fewest_moves(kept, alive, inputs),
              "'%s' for '%s': %zu moves, %zu are enough", old_text, crowd_text, moves,
              fewest_moves(kept, alive, inputs));
        check_plan(old_text, &old, &crowd, &plan);
        share_body_free(&plan);
        share_body_free(&old);
        crowd_free(&crowd);
    }
}

/* With any wishes and any lists: everything that somebody has is read by one who has it, and the plan is final. */
static void test_any_crowd(void **state UNUSED)
{
    for (int round = 0; round < 500; round++) {
        char old_text[100] = "", crowd_text[300] = "";
        struct share_body old, plan;
        struct crowd crowd;

        for (char input = 'a'; input < 'k'; input++)
            if (random_below(4))
                sprintf(old_text + strlen(old_text), "%s%c%u", *old_text ? " " : "", input, random_below(5) + 1);
        for (unsigned c = 1; c < 5; c++) {
            static const char *const flags[] = { "", "", "", "/n", "/u", "/d", "/t", "/tbd", "/nu", "/dt", "/ud" };

            if (!random_below(4))
                continue;
            sprintf(crowd_text + strlen(crowd_text), "%s%u:", *crowd_text ? " " : "", c);
            for (char input = 'a'; input < 'l'; input++)
                if (random_below(3))
                    sprintf(crowd_text + strlen(crowd_text), "%c", input);
            strcat(crowd_text, flags[random_below(COUNT_OF(flags))]);
        }
        old = body_of(old_text);
        crowd_of(&crowd, crowd_text);
        share_plan(&old, crowd.candidates, crowd.count, NEW_ID, 8, &plan);
        for (size_t c = 0; c < crowd.count; c++)
            for (size_t i = 0; i < crowd.candidates[c].input_count; i++)
                CHECK(share_body_find(&plan, crowd.candidates[c].inputs[i]), "'%s' for '%s': %s is left out", old_text,
                      crowd_text, crowd.candidates[c].inputs[i]);
        for (size_t i = 0; i < plan.count; i++)
            for (size_t c = 0; c < crowd.count; c++) {
                bool has = false;

                for (size_t k = 0; k < crowd.candidates[c].input_count; k++)
                    has = has || !strcmp(crowd.candidates[c].inputs[k], plan.entries[i].input);
                CHECK(has || strcmp(crowd.candidates[c].name, plan.entries[i].owner) != 0, "%s does not have %s",
                      plan.entries[i].owner, plan.entries[i].input);
            }
        check_plan(crowd_text, &old, &crowd, &plan);
        share_body_free(&plan);
        share_body_free(&old);
        crowd_free(&crowd);
    }
}

static void test_body(void **state UNUSED)
{
    static const char hostile[] = "{\"b\\n\\\"\\u00e4\":[\"hf1\",\"0123456789abcdef\",999999999999],"
                                  "\"a\":[\"hf2\",\"fedcba9876543210\",1]}";
    CLEANUP(buf_free) struct buf text = BUF_INIT(10000);
    struct share_body body, again, copy;
    struct err err = { .text = "" };

    CHECK(share_body_parse(hostile, &body, &err) && body.count == 2, "%s", err.text);
    CHECK_TEXT(body.entries[0].input, "a");
    CHECK(share_body_find(&body, "b\n\"\xc3\xa4") == &body.entries[1] && !share_body_find(&body, "c"),
          "an entry is not found");
    share_body_format(&body, &text);
    CHECK(share_body_parse(buf_text(&text), &again, &err), "%s", err.text);
    share_body_copy(&body, &copy);
    CHECK(share_body_same(&body, &again) && share_body_same(&copy, &body), "'%s' is another body", buf_text(&text));
    CHECK(again.entries[1].number == 999999999999 && !strcmp(again.entries[1].since, "0123456789abcdef"), "%s",
          buf_text(&text));
    share_body_free(&body);
    CHECK(!share_body_same(&body, &again) && !share_body_find(&body, "a"), "a body that is empty");
    share_body_free(&again);
    share_body_free(&copy);
}

/* promise: Sharing: A table that somebody else wrote, or half of one, is not followed */
static void test_bad_body(void **state UNUSED)
{
    static const struct {
        const char *name, *text;
    } rows[] = {
        { "nothing", "" },
        { "no JSON", "{\"a\":" },
        { "a list", "[]" },
        { "text after it", "{} x" },
        { "no list in it", "{\"a\":\"hf1\"}" },
        { "a list that is short", "{\"a\":[\"hf1\",\"0123456789abcdef\"]}" },
        { "a list that is long", "{\"a\":[\"hf1\",\"0123456789abcdef\",1,2]}" },
        { "no name", "{\"\":[\"hf1\",\"0123456789abcdef\",1]}" },
        { "no owner", "{\"a\":[\"\",\"0123456789abcdef\",1]}" },
        { "an owner that is a number", "{\"a\":[1,\"0123456789abcdef\",1]}" },
        { "a short since", "{\"a\":[\"hf1\",\"0123456789abcde\",1]}" },
        { "a long since", "{\"a\":[\"hf1\",\"0123456789abcdef0\",1]}" },
        { "a since with capitals", "{\"a\":[\"hf1\",\"0123456789ABCDEF\",1]}" },
        { "the number 0", "{\"a\":[\"hf1\",\"0123456789abcdef\",0]}" },
        { "a fraction", "{\"a\":[\"hf1\",\"0123456789abcdef\",1.5]}" },
        { "a number that is too large", "{\"a\":[\"hf1\",\"0123456789abcdef\",1000000000000]}" },
        { "a number that is text", "{\"a\":[\"hf1\",\"0123456789abcdef\",\"1\"]}" },
        { "an input twice", "{\"a\":[\"hf1\",\"0123456789abcdef\",1],\"a\":[\"hf2\",\"0123456789abcdef\",1]}" },
    };
    struct share_body body;
    struct err err;
    char *large = mem_alloc(400);

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        err.text[0] = '\0';
        CHECK(!share_body_parse(rows[i].text, &body, &err) && err.text[0], "%s counts as a table", rows[i].name);
    }
    CHECK(!share_body_parse(NULL, &body, &err), "no text counts as a table");
    sprintf(large, "{\"a\":[\"%0256d\",\"0123456789abcdef\",1]}", 1);
    CHECK(!share_body_parse(large, &body, &err), "an owner of 256 bytes");
    free(large);
}

static void test_newest(void **state UNUSED)
{
    static const struct {
        const char *name;
        int64_t numbers[4];
        size_t count;
        int64_t known, want;
    } rows[] = {
        { "none", { 0 }, 0, 0, 0 },
        { "none, after some", { 0 }, 0, 7, 0 },
        { "one", { 1 }, 1, 0, 1 },
        { "in any order", { 5, 7, 4, 6 }, 4, 0, 7 },
        { "the last one is no group's", { 5, 999999999999, 6, 4 }, 4, 0, 6 },
        { "nor is the one before it", { 5, 999999999998 }, 2, 5, 5 },
        { "nor are both", { 999999999998, 999999999999, 5 }, 3, 0, 5 },
        { "nor is half of that", { 5, 500000000000 }, 2, 0, 5 },
        { "alone", { 999999999998 }, 1, 0, 0 },
        { "alone, after others that were followed", { 500000000000 }, 1, 8, 0 },
        { "alone, and others can come after it", { 500000000000 }, 1, 0, 500000000000 },
        { "going on from it", { 500000000000, 500000000001 }, 2, 0, 500000000001 },
        { "a gap", { 5, 1000 }, 2, 0, 1000 },
        { "it fell", { 3 }, 1, 5000, 3 },
        { "it fell, and went on", { 3, 5001 }, 2, 5000, 5001 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t numbers[4], got;

        memcpy(numbers, rows[i].numbers, sizeof(numbers));
        got = share_newest(numbers, rows[i].count, rows[i].known);
        CHECK(got == rows[i].want, "%s: %lld", rows[i].name, (long long)got);
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_plan), cmocka_unit_test(test_few_moves), cmocka_unit_test(test_any_crowd),
    cmocka_unit_test(test_body), cmocka_unit_test(test_bad_body),  cmocka_unit_test(test_newest),
};

UNIT(share_table, cases, NULL, NULL)
