#include "collect/state_writer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "collect/state_prune.h"
#include "messages/log_events.h"

enum {
    LOOK_MS = 60 * 1000,
    REGULAR_MS = 5 * 60 * 1000,
    COLLECT_MS = 2000, /* changes come together: a proxy that fails, a store that is locked */
    APART_MS = 10000,  /* between calls */
    RETRY_MS = 5000,   /* after the first failure, doubled up to RETRY_MOST_MS */
    RETRY_MOST_MS = 5 * 60 * 1000,
    LARGER_MS = 15 * 60 * 1000, /* after a smaller or larger batch, before a larger one is tried */
    PAGE_ROWS = 100, /* read at a time: about 120 KB */
    ROWS_MOST = 20000
};
#define RECORD_MAX (16 * 1024)
#define BATCH_MAX  (1024 * 1024) /* about 550 records */
#define STORED     "_key,input,forwarder,updated,condition,since,history,history_at"

struct state_writer {
    struct state_writer_spec spec;
    char *forwarder;
    struct state_record *records, **end;
    struct state_prune *prune;
    struct timer look_timer;
    struct timer call_timer; /* for the next call; not set while one is in flight, or nothing is due */
    int64_t started_ms;
    int64_t regular_ms; /* when all records are due */
    int64_t called_ms;  /* when the last call ended */
    int rows_read;      /* of the stored records */
    bool stored_read;   /* all of them were: only then may records be written */
    bool in_call;
    int failures; /* in a row; one was logged if there is any */
    int batch_most;
    int64_t larger_ms;         /* when a larger batch may be tried */
    struct state_record *next; /* first of the next batch: a small one reaches all in turn */
    size_t batch_len;          /* the longest so far: with all records */
    struct buf text;           /* of the record that is composed */
};

static void make_call(void *ctx, int64_t now_ms);

/* When. */

static void call_at(struct state_writer *writer, int64_t at_ms)
{
    if (!writer->in_call)
        timer_set(writer->spec.loop, &writer->call_timer, at_ms);
}

/* Sets the timer of the next call unless it is set: what waits for a retry goes with it. */
static void call_soon(struct state_writer *writer, int64_t now_ms)
{
    int64_t at_ms = now_ms + COLLECT_MS;

    if (timer_is_set(&writer->call_timer) || !writer->stored_read)
        return;
    if (writer->called_ms && at_ms < writer->called_ms + APART_MS)
        at_ms = writer->called_ms + APART_MS;
    call_at(writer, at_ms);
}

static bool look_at_all(struct state_writer *writer, int64_t now_ms)
{
    int64_t wall_s = clock_wall_ms() / 1000;
    bool regular = now_ms >= writer->regular_ms, any = false;
    struct state_record *record;

    if (regular)
        writer->regular_ms = clock_next(now_ms, REGULAR_MS);
    for (record = writer->records; record; record = record->next) {
        state_record_look(record, now_ms, wall_s);
        record->due = record->due || regular;
        any = any || record->due;
    }
    return any;
}

static void look_fired(void *ctx, int64_t now_ms)
{
    struct state_writer *writer = ctx;

    timer_set(writer->spec.loop, &writer->look_timer, clock_next(now_ms, LOOK_MS));
    if (look_at_all(writer, now_ms))
        call_soon(writer, now_ms);
}

void state_writer_changed(struct state_writer *writer, struct state_record *record)
{
    record->due = true;
    call_soon(writer, loop_now(writer->spec.loop));
}

/* The end of a call. */

static void failed(struct state_writer *writer, const struct kvstore_answer *answer)
{
    int64_t wait_ms = RETRY_MS;
    int i;

    for (i = 0; i < writer->failures && wait_ms < RETRY_MOST_MS; i++)
        wait_ms *= 2;
    if (wait_ms > RETRY_MOST_MS)
        wait_ms = RETRY_MOST_MS;
    if (!writer->failures++)
        log_event(EVENT_KVSTORE,
                  "why=%s the state of the customers cannot be kept in Splunk's KV store; alerts are "
                  "collected as usual, and it is tried again",
                  QUOTED(answer->err->text));
    else if (answer->fault == KVSTORE_REFUSED && writer->batch_most > 1) { /* this store takes less at a time */
        writer->batch_most /= 2;
        writer->larger_ms = writer->called_ms + LARGER_MS;
    }
    call_at(writer, clock_ms() + wait_ms);
}

/* Returns true if the call worked. */
static bool call_ended(struct state_writer *writer, const struct kvstore_answer *answer)
{
    writer->in_call = false;
    writer->called_ms = clock_ms();
    if (answer->fault == KVSTORE_OK)
        return true;
    failed(writer, answer);
    return false;
}

/* The records that an earlier process stored. */

static struct state_record *find(const struct state_writer *writer, const char *key)
{
    struct state_record *record = writer->records;

    while (record && strcmp(record->key, key) != 0)
        record = record->next;
    return record;
}

static void take_row(struct state_writer *writer, const cJSON *row, int64_t wall_s)
{
    const char *key = json_text(row, "_key");
    struct state_record *record = key ? find(writer, key) : NULL;

    if (record)
        state_record_take_stored(record, row, wall_s);
    else if (key)
        state_prune_take(writer->prune, row, wall_s);
}

static void on_rows(void *ctx, const struct kvstore_answer *answer)
{
    struct state_writer *writer = ctx;
    int64_t wall_s = clock_wall_ms() / 1000;
    const cJSON *row;

    if (!call_ended(writer, answer))
        return;
    cJSON_ArrayForEach(row, answer->rows) take_row(writer, row, wall_s);
    writer->rows_read += PAGE_ROWS;
    writer->stored_read = cJSON_GetArraySize(answer->rows) < PAGE_ROWS || writer->rows_read >= ROWS_MOST;
    call_at(writer, writer->called_ms + (writer->stored_read ? COLLECT_MS : 0));
}

/* The batch. */

/* Some records had no room in the call that worked. */
static void try_larger(struct state_writer *writer)
{
    if (writer->batch_most == KVSTORE_BATCH_MOST || writer->called_ms < writer->larger_ms)
        return;
    writer->batch_most = writer->batch_most * 2 < KVSTORE_BATCH_MOST ? writer->batch_most * 2 : KVSTORE_BATCH_MOST;
    writer->larger_ms = writer->called_ms + LARGER_MS;
}

static void on_saved(void *ctx, const struct kvstore_answer *answer)
{
    struct state_writer *writer = ctx;
    bool ok = call_ended(writer, answer), more = false;
    struct state_record *record;

    for (record = writer->records; record; record = record->next) {
        record->due = record->due || (record->in_call && !ok);
        record->in_call = false;
        more = more || record->due;
    }
    if (!ok)
        return;
    if (writer->failures)
        log_event(EVENT_KVSTORE_BACK, "the state of the customers is kept in Splunk's KV store again");
    writer->failures = 0;
    if (more) {
        try_larger(writer);
        call_soon(writer, writer->called_ms);
    }
    state_prune_start(writer->prune);
}

/* Adds a record. Returns false if the batch has no room for it. */
static bool add_record(struct state_writer *writer, struct state_record *record, struct buf *batch, int64_t now_ms)
{
    struct buf *text = &writer->text;

    buf_clear(text);
    state_record_add(record, writer->forwarder, text, now_ms, clock_wall_ms() / 1000);
    if (batch->len + text->len + 2 > BATCH_MAX)
        return false;
    buf_add_char(batch, batch->len ? ',' : '[');
    buf_add(batch, text->data, text->len);
    record->due = false;
    record->in_call = true;
    return true;
}

/* Adds what is due, as much as a call may take, from writer->next on. */
static void compose(struct state_writer *writer, struct buf *batch, int64_t now_ms)
{
    struct state_record *first = writer->next ? writer->next : writer->records, *record = first;
    int count = 0;

    while (record && count < writer->batch_most) {
        if (record->due && !state_record_settles(record, now_ms - writer->started_ms)) {
            if (!add_record(writer, record, batch, now_ms))
                break;
            count++;
        }
        record = record->next ? record->next : writer->records;
        if (record == first)
            break;
    }
    writer->next = record;
    if (count)
        buf_add_char(batch, ']');
}

static void save(struct state_writer *writer, int64_t now_ms)
{
    CLEANUP(buf_free) struct buf batch = BUF_MAPPED(BATCH_MAX + 1);

    look_at_all(writer, now_ms);
    buf_room(&batch, writer->batch_len);
    compose(writer, &batch, now_ms);
    if (!batch.len)
        return;
    if (batch.len > writer->batch_len)
        writer->batch_len = batch.len;
    writer->in_call = true;
    kvstore_save(writer->spec.kvstore, &batch, on_saved, writer);
}

static void make_call(void *ctx, int64_t now_ms)
{
    struct state_writer *writer = ctx;

    if (writer->stored_read) {
        save(writer, now_ms);
        return;
    }
    writer->in_call = true;
    kvstore_find(writer->spec.kvstore,
                 &(struct kvstore_query){ .fields = STORED,
                                          .sort = "_key",
                                          .skip = writer->rows_read,
                                          .limit = PAGE_ROWS },
                 on_rows, writer);
}

/* From beginning to end. */

struct state_writer *state_writer_new(const struct state_writer_spec *spec)
{
    struct state_writer *writer = mem_alloc(sizeof(*writer));

    writer->spec = *spec;
    writer->forwarder = mem_text(spec->forwarder);
    writer->end = &writer->records;
    writer->prune = state_prune_new(spec->kvstore, spec->data_inputs, writer->forwarder);
    writer->look_timer = (struct timer){ .fire = look_fired, .ctx = writer };
    writer->call_timer = (struct timer){ .fire = make_call, .ctx = writer };
    writer->batch_most = KVSTORE_BATCH_MOST;
    writer->text = BUF_INIT(RECORD_MAX);
    return writer;
}

void state_writer_free(struct state_writer *writer)
{
    struct state_record *record;

    if (!writer)
        return;
    timer_cancel(writer->spec.loop, &writer->look_timer);
    timer_cancel(writer->spec.loop, &writer->call_timer);
    for (record = writer->records; record; record = record->next)
        mem_freep(&record->key);
    state_prune_free(writer->prune);
    buf_free(&writer->text);
    free(writer->forwarder);
    free(writer);
}

void state_writer_add(struct state_writer *writer, struct state_record *record)
{
    struct buf key = BUF_INIT(RECORD_MAX);

    buf_add_file_name(&key, record->input_name);
    record->key = buf_take(&key);
    *writer->end = record;
    writer->end = &record->next;
}

void state_writer_start(struct state_writer *writer)
{
    int64_t now_ms = clock_ms();

    writer->started_ms = now_ms;
    writer->regular_ms = clock_next(now_ms, REGULAR_MS);
    timer_set(writer->spec.loop, &writer->look_timer, clock_next(now_ms, LOOK_MS));
    look_at_all(writer, now_ms);
    call_at(writer, now_ms);
}
