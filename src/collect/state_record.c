/* One record of collect/state_writer.h. */
#include "collect/state_writer.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define HISTORY_TEXT_MAX 8192
#define SETTLES_MS       60000

static uint64_t more(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

static void count(struct state_record *record, int64_t wall_s)
{
    const struct history_counts *now = &record->at.counts, *before = &record->counted;

    history_add(&record->history,
                &(struct history_counts){ .new_events = more(now->new_events, before->new_events),
                                          .requests = more(now->requests, before->requests),
                                          .throttled = more(now->throttled, before->throttled),
                                          .failed = more(now->failed, before->failed) },
                wall_s);
    record->counted = *now;
}

/* Notes a condition that begins. After a restart an input waits for a moment, and then may go on with what the last
 * process stored: that has not begun again. */
static void begin(struct state_record *record, enum condition condition, int64_t wall_s)
{
    bool goes_on = record->stored_since_s && text_same(condition_word(condition), record->stored_condition);

    record->since_s = goes_on ? record->stored_since_s : wall_s;
    if (condition != CONDITION_WAITING)
        record->stored_since_s = 0;
    record->due = true;
}

void state_record_look(struct state_record *record, int64_t now_ms, int64_t wall_s)
{
    struct state_look before = record->at;

    record->source->look(record->ctx, now_ms, &record->at);
    count(record, wall_s);
    if (!record->since_s || record->at.condition != before.condition)
        begin(record, record->at.condition, wall_s);
    else if (record->at.rank != before.rank)
        record->due = true;
}

bool state_record_settles(const struct state_record *record, int64_t up_ms)
{
    return up_ms < SETTLES_MS && record->at.condition == CONDITION_WAITING && record->stored_since_s &&
           !text_same(record->stored_condition, condition_word(CONDITION_WAITING)) &&
           !text_same(record->stored_condition, "off");
}

void state_record_take_stored(struct state_record *record, const cJSON *stored, int64_t wall_s)
{
    const char *history = json_text(stored, "history"), *condition = json_text(stored, "condition");
    CLEANUP(json_freep) cJSON *array = NULL;
    int64_t at_s;

    if (record->taken)
        return;
    record->taken = true;
    if (history && strlen(history) < HISTORY_TEXT_MAX && json_int64(stored, "history_at", 0, INT64_MAX, &at_s)) {
        array = json_parse(history, strlen(history));
        history_merge(&record->history, array, at_s, wall_s);
    }
    if (!condition || !json_int64(stored, "since", 1, wall_s, &record->stored_since_s))
        return;
    snprintf(record->stored_condition, sizeof(record->stored_condition), "%s", condition);
    if (record->since_s)
        begin(record, record->at.condition, record->since_s);
}

/* Nothing in the history's text has to be escaped in a JSON string. */
static void add_history(const struct state_record *record, const struct fields *fields)
{
    struct fields_mark mark = fields_begin(fields, "history");

    buf_add_char(fields->to, '"');
    history_print(&record->history, fields->to);
    buf_add_char(fields->to, '"');
    fields_end(fields, mark);
}

void state_record_add(const struct state_record *record, const char *forwarder, struct buf *to, int64_t now_ms,
                      int64_t wall_s)
{
    struct fields fields = { .to = to, .as_json = true };

    buf_add_char(to, '{');
    fields_word(&fields, "_key", record->key);
    fields_word(&fields, "input", record->input_name);
    fields_text(&fields, "forwarder", forwarder);
    fields_word(&fields, "version", VERSION);
    fields_number(&fields, "updated", wall_s);
    fields_word(&fields, "condition", condition_word(record->at.condition));
    fields_number(&fields, "rank", record->at.rank);
    fields_number(&fields, "since", record->since_s);
    record->source->add(record->ctx, &fields, now_ms);
    add_history(record, &fields);
    fields_number(&fields, "history_at", history_last_at_s(&record->history));
    buf_add_char(to, '}');
}
