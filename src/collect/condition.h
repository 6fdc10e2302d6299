/* collect/condition.h - the condition of a customer: one word for what a person wants to know of it.
 *
 * The same words in the same order as the macro defender_mssp_health (docs/searching.md), with its default thresholds.
 * Pure. */
#pragma once

#include "collect/health.h"

enum condition {
    CONDITION_LOST,
    CONDITION_REFUSED,
    CONDITION_FAILING,
    CONDITION_THROTTLED,
    CONDITION_HELD_UP,
    CONDITION_SILENT,
    CONDITION_LATE,
    CONDITION_BAD_RECORDS,
    CONDITION_QUIET,
    CONDITION_BACK_FILLING,
    CONDITION_WAITING,
    CONDITION_NO_ALERT_YET,
    CONDITION_OK,
    CONDITION_ELSEWHERE, /* only of records: such an input writes no status lines */
    CONDITION_COUNT
};

struct condition_facts {
    enum health_state state;
    bool elsewhere;                   /* another forwarder reads it */
    bool lost;                        /* it is refused in a way that means that the customer has left */
    bool needs_somebody;              /* who has to act is somebody */
    int64_t read_age_s, up_s, poll_s; /* as in the status line; -1: no complete poll yet */
    int64_t lag_s;                    /* -1: no alert yet */
    uint64_t bad_records;
    bool back_filling;
    bool has_note;
};

enum condition condition_of(const struct condition_facts *facts);

/* Returns the word. */
const char *condition_word(enum condition condition);
/* Returns 1 for the worst to 11 for CONDITION_OK. */
int condition_rank(enum condition condition, const struct condition_facts *facts);

/* What tells a person what to do: a text of the input, or the table's if the input has none. */
enum todo {
    TODO_OF_TABLE,
    TODO_ADVICE, /* who has to act and what to do */
    TODO_NEXT,   /* when it goes on */
    TODO_NOTE
};
enum todo condition_todo(enum condition condition, const struct condition_facts *facts);
const char *condition_todo_of_table(enum condition condition, const struct condition_facts *facts);
