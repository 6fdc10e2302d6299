/* command/batch.h - many inputs that a command tries, some at a time, and the line that shows how far it is:
 * "[#####.....] 150 of 300 inputs tried, 2 not ok".
 *
 * The command owns the inputs, and knows them by their numbers from 0. */
#pragma once

#include "net/loop.h"
#include "splunk/stanza.h"

struct batch_kind {
    size_t at_once;
    const char *done, *noted; /* in the line: "tried", "not ok" */
    void (*begin)(void *ctx, size_t number); /* ends in batch_one_done(), perhaps before it returns */
    bool (*is_finished)(void *ctx, size_t number);
    bool (*is_noted)(void *ctx, size_t number); /* counts in the line */
};

/* Set the first three; the rest is zero at first. */
struct batch {
    const struct batch_kind *kind;
    void *ctx;
    struct loop *loop;
    size_t count; /* inputs */
    size_t finished;
    /* private: */
    size_t next, running;
    bool ready;
    struct timer timer;
};

/* Returns true if the stanza is of an input that takes part. only: the name of the one that does; NULL: all that are
 * enabled. */
bool batch_wants(const struct raw_stanza *stanza, const char *only);
/* The next input is there. It may be finished already. */
void batch_add(struct batch *batch);

/* Shows from now on how far it is. */
void batch_start(struct batch *batch);
/* What all inputs need is there: the first of them begin. */
void batch_go(struct batch *batch);
/* An input that was begun is finished: others may begin. */
void batch_one_done(struct batch *batch);
/* Returns true if all are finished. */
bool batch_is_over(const struct batch *batch);
