/* Prints what collect/condition.c makes of many facts, one JSON object a line: with it tests/splunk compares the macro
 * defender_mssp_health, which makes the same of status lines. The names are those of a status line. */
#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "collect/condition.h"
#include "collect/fields.h"

#define LINE_MAX 4096
#define STEP     7 /* of all combinations, these: each pair of values is among them */

static const int64_t read_ages[] = { -1, 20, 700, 2000, 20000 }, ups[] = { 30, 4000 }, polls[] = { 60, 3600 },
                     lags[] = { -1, 60, 100000 };

/* Returns digit number `*rest % base`, and takes it off. */
static size_t digit(size_t *rest, size_t base)
{
    size_t ret = *rest % base;

    *rest /= base;
    return ret;
}

static const char next[] = "waits until 03:10", note[] = "no alert since";

static const char *todo_of(enum condition condition, const struct condition_facts *facts)
{
    switch (condition_todo(condition, facts)) {
    case TODO_ADVICE: return facts->needs_somebody ? "our administrator: free disk space" : "nothing: it passes";
    case TODO_NEXT: return next;
    case TODO_NOTE: return note;
    default: return condition_todo_of_table(condition, facts);
    }
}

static void print(const struct condition_facts *facts)
{
    CLEANUP(buf_free) struct buf line = BUF_INIT(LINE_MAX);
    struct fields fields = { .to = &line, .as_json = true };
    enum condition condition = condition_of(facts);

    buf_add_char(&line, '{');
    fields_word(&fields, "state", health_word(facts->state));
    if (facts->state != HEALTH_OK) {
        fields_text(&fields, "who", facts->needs_somebody ? "our administrator" : "no action needed");
        fields_text(&fields, "remedy", facts->needs_somebody ? "free disk space" : "nothing: it passes");
        fields_text(&fields, "next", next);
    }
    if (facts->lost)
        fields_word(&fields, "lost", "yes");
    fields_number(&fields, "read_age_s", facts->read_age_s);
    fields_number(&fields, "up_s", facts->up_s);
    fields_number(&fields, "poll_s", facts->poll_s);
    fields_number(&fields, "lag_s", facts->lag_s);
    fields_number(&fields, "bad", (int64_t)facts->bad_records);
    if (facts->back_filling)
        fields_number(&fields, "backfill_percent", 12);
    if (facts->has_note)
        fields_text(&fields, "note", note);
    fields_text(&fields, "want_condition", condition_word(condition));
    fields_number(&fields, "want_rank", condition_rank(condition, facts));
    fields_text(&fields, "want_todo", todo_of(condition, facts));
    printf("%s}\n", buf_text(&line));
}

int main(void)
{
    size_t number, all = 5 * 2 * COUNT_OF(read_ages) * COUNT_OF(ups) * COUNT_OF(polls) * COUNT_OF(lags) * 2 * 2 * 2;

    for (number = 0; number < all; number += STEP) {
        struct condition_facts facts = { .elsewhere = false };
        size_t rest = number;

        facts.state = (enum health_state)digit(&rest, 5);
        facts.needs_somebody = digit(&rest, 2);
        facts.read_age_s = read_ages[digit(&rest, COUNT_OF(read_ages))];
        facts.up_s = ups[digit(&rest, COUNT_OF(ups))];
        facts.poll_s = polls[digit(&rest, COUNT_OF(polls))];
        facts.lag_s = lags[digit(&rest, COUNT_OF(lags))];
        facts.bad_records = 2 * digit(&rest, 2);
        facts.back_filling = digit(&rest, 2);
        facts.lost = facts.state == HEALTH_REFUSED && rest % 2;
        facts.has_note = facts.state == HEALTH_OK && digit(&rest, 2);
        print(&facts);
    }
    return fflush(stdout) ? 1 : 0;
}
