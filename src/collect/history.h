/* collect/history.h - what an input counted in each quarter hour of the last day.
 *
 * Pure: the time is an argument, in unix seconds. Quarter hours are those of UTC. About 1.2 KB an input. */
#pragma once

#include "base/buf.h"
#include "base/json.h"

enum { HISTORY_QUARTERS = 96, HISTORY_QUARTER_S = 15 * 60 };

/* Counts of a quarter hour; those beyond the types' limits stay at them. */
struct quarter {
    uint32_t new_events;
    uint16_t requests, throttled, failed;
    bool known; /* the program ran */
};

struct history {
    struct quarter quarters[HISTORY_QUARTERS]; /* oldest first; the last one is running */
    int64_t last;                              /* number of the running one since 1970; 0: nothing was added yet */
};

/* Counts, or differences of counts. */
struct history_counts {
    uint64_t new_events, requests, throttled, failed;
};

/* Adds the counts to the quarter hour of now_s. */
void history_add(struct history *history, const struct history_counts *counts, int64_t now_s);

/* Adds what an earlier process saved: the array of history_print() and the beginning of its last quarter hour. What
 * cannot be read counts as not known. */
void history_merge(struct history *history, const cJSON *array, int64_t last_at_s, int64_t now_s);

/* Adds a JSON array with [new, requests, throttled, failed] for each quarter hour, oldest first, or null where the
 * program did not run. */
void history_print(const struct history *history, struct buf *to);
/* Returns when the running quarter hour began. */
int64_t history_last_at_s(const struct history *history);
