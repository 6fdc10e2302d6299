#include "collect/condition.h"

#include "messages/notes.h"

#define SILENT_AFTER_S (30 * 60)
#define LATE_AFTER_S   (10 * 60)
#define QUIET_AFTER_S  86400
#define POLLS_MISSED   3 /* an input that polls seldom is given three of its intervals */

static const struct entry {
    const char *word, *todo;
    int rank;
    enum todo says;
} table[CONDITION_COUNT] = {
    [CONDITION_LOST] = { "lost", "See why", 3, TODO_ADVICE },
    [CONDITION_REFUSED] = { "refused", "See why", 2, TODO_ADVICE },
    [CONDITION_FAILING] = { "failing", "See why", 3, TODO_ADVICE },
    [CONDITION_THROTTLED] = { "throttled", "Nothing: it waits as asked", 6, TODO_NEXT },
    [CONDITION_HELD_UP] = { "held up", "See why", 3, TODO_ADVICE },
    [CONDITION_SILENT] = { "silent", "It runs, but no poll is complete: see why", 1, TODO_OF_TABLE },
    [CONDITION_LATE] = { "late", "Watch it: it answers, but slowly", 5, TODO_OF_TABLE },
    [CONDITION_BAD_RECORDS] = { "bad records", NOTE_BAD_RECORDS, 7, TODO_OF_TABLE },
    [CONDITION_QUIET] = { "quiet", "Does the customer still have Defender, and does a filter hide its alerts?", 8,
                          TODO_OF_TABLE },
    [CONDITION_BACK_FILLING] = { "back-filling" /* the macro's word, lint: words */,
                                 "Nothing: new alerts come at once, the past follows", 9, TODO_OF_TABLE },
    [CONDITION_WAITING] = { "waiting", "Nothing yet: it starts", 10, TODO_OF_TABLE },
    [CONDITION_NO_ALERT_YET] = { "no alert yet", "Nothing", 10, TODO_NOTE },
    [CONDITION_OK] = { "ok", "Nothing", 11, TODO_OF_TABLE },
    [CONDITION_ELSEWHERE] = { "elsewhere", "Nothing: another forwarder reads it", 11, TODO_OF_TABLE }
};

#define THROTTLED_LONG_RANK 4
#define THROTTLED_LONG      "Throttled for long: who else uses this app registration in that tenant?"

/* Returns true if no poll was complete for longer than that, or than three polls take. */
static bool silent_for(const struct condition_facts *facts, int64_t limit_s)
{
    int64_t silent_s = facts->read_age_s < 0 ? facts->up_s : facts->read_age_s;
    int64_t patience_s = POLLS_MISSED * facts->poll_s;

    return silent_s > (limit_s > patience_s ? limit_s : patience_s);
}

static enum condition of_polls(const struct condition_facts *facts)
{
    if (silent_for(facts, SILENT_AFTER_S))
        return CONDITION_SILENT;
    if (silent_for(facts, LATE_AFTER_S))
        return CONDITION_LATE;
    if (facts->bad_records)
        return CONDITION_BAD_RECORDS;
    if (facts->lag_s > QUIET_AFTER_S)
        return CONDITION_QUIET;
    if (facts->back_filling)
        return CONDITION_BACK_FILLING;
    if (facts->state == HEALTH_WAITING)
        return CONDITION_WAITING;
    return facts->has_note ? CONDITION_NO_ALERT_YET : CONDITION_OK;
}

enum condition condition_of(const struct condition_facts *facts)
{
    if (facts->elsewhere)
        return CONDITION_ELSEWHERE;
    switch (facts->state) {
    case HEALTH_REFUSED: return facts->lost ? CONDITION_LOST : CONDITION_REFUSED;
    case HEALTH_FAILING: return CONDITION_FAILING;
    case HEALTH_THROTTLED: return CONDITION_THROTTLED;
    case HEALTH_WAITING:
        if (facts->needs_somebody)
            return CONDITION_HELD_UP;
        break;
    default: break;
    }
    return of_polls(facts);
}

const char *condition_word(enum condition condition)
{
    return table[condition].word;
}

static bool throttled_long(enum condition condition, const struct condition_facts *facts)
{
    return condition == CONDITION_THROTTLED && silent_for(facts, SILENT_AFTER_S);
}

int condition_rank(enum condition condition, const struct condition_facts *facts)
{
    return throttled_long(condition, facts) ? THROTTLED_LONG_RANK : table[condition].rank;
}

enum todo condition_todo(enum condition condition, const struct condition_facts *facts)
{
    return throttled_long(condition, facts) ? TODO_OF_TABLE : table[condition].says;
}

const char *condition_todo_of_table(enum condition condition, const struct condition_facts *facts)
{
    return throttled_long(condition, facts) ? THROTTLED_LONG : table[condition].todo;
}
