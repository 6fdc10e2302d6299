/* collect/state_writer.h - the state of each customer as a record in Splunk's KV store, where the customers page and
 * searches read it. A forwarder's own log is not searchable on it.
 *
 * A record is written when the condition of its customer changes, and each five minutes. Changes are collected for two
 * seconds, and calls are ten seconds apart, so that hundreds of customers that change together are one call. The records
 * of an earlier process are read once at the start: they hold the history. Records of inputs that are gone are removed
 * (collect/state_prune.h).
 *
 * Nothing depends on the store: while it does not work, that is logged once, and what is not written is only marked. */
#pragma once

#include "collect/condition.h"
#include "collect/fields.h"
#include "collect/history.h"
#include "net/loop.h"
#include "splunk/data_inputs.h"
#include "splunk/kvstore.h"

#define STATE_COLLECTION "defender_state" /* default/collections.conf */

struct state_look {
    enum condition condition;
    int rank;
    struct history_counts counts; /* since the process started */
};

/* What a record is made of: an input. */
struct state_source {
    void (*look)(void *ctx, int64_t now_ms, struct state_look *ret);
    void (*add)(void *ctx, struct fields *fields, int64_t now_ms);
};

/* Lives inside its owner, which outlives the writer. Set the first three members; the rest is the writer's. */
struct state_record {
    const char *input_name;
    const struct state_source *source;
    void *ctx;

    char *key; /* as in the names of checkpoints */
    struct history history;
    struct history_counts counted; /* what the history has of the counts */
    struct state_look at;          /* as of the last look */
    int64_t since_s;               /* 0: nobody has looked yet */
    int64_t stored_since_s;        /* of the stored record, as long as its condition may go on; 0: it has ended */
    char stored_condition[16];
    bool taken;   /* the stored record was */
    bool due;     /* to be written */
    bool in_call; /* part of the call in flight */
    struct state_record *next;
};

struct state_writer;

struct state_writer_spec {
    struct loop *loop;
    struct kvstore *kvstore;         /* in a hurry: rest_hurry() */
    struct data_inputs *data_inputs; /* the same */
    const char *forwarder;           /* name of this Splunk instance */
};

/* Copies *spec, and the name of the instance. Never returns NULL. */
struct state_writer *state_writer_new(const struct state_writer_spec *spec);
/* Before the KV store; NULL is allowed. */
void state_writer_free(struct state_writer *writer);

/* Adds a record, before the start. */
void state_writer_add(struct state_writer *writer, struct state_record *record);
/* To be called once. */
void state_writer_start(struct state_writer *writer);

/* Something that the record says has changed. */
void state_writer_changed(struct state_writer *writer, struct state_record *record);

/* Adds the record as JSON, as it is at now_ms, monotonic; wall_s is the date. */
void state_record_add(const struct state_record *record, const char *forwarder, struct buf *to, int64_t now_ms,
                      int64_t wall_s);
/* Looks at the record's source: counts, and whether the condition is another one. */
void state_record_look(struct state_record *record, int64_t now_ms, int64_t wall_s);
/* Returns true while the stored record says more than the present one: splunkd restarts the program with each input that
 * is saved, and then all customers wait for a moment. */
bool state_record_settles(const struct state_record *record, int64_t up_ms);
/* Takes over what an earlier process stored, once. */
void state_record_take_stored(struct state_record *record, const cJSON *stored, int64_t wall_s);
