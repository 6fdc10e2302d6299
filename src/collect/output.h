/* collect/output.h - stdout: flushes the outbox, and lets the downloads continue when splunkd reads again. */
#pragma once

#include "net/http.h"
#include "pacing/limiter.h"
#include "splunk/events.h"

struct output {
    struct loop *loop;
    struct http *http;
    struct limiter *limiter;
    struct outbox *outbox;
    struct watch watch;
    struct timer flush_timer;
};

/* Opens the stream on out_fd. */
void output_init(struct output *output, struct loop *loop, struct http *http, struct limiter *limiter, int out_fd);
void output_free(struct output *output);

/* Writes what the pipe takes. Stops the loop if splunkd has closed its end. */
void output_flush(struct output *output);
/* Events were appended: flushes at once if they are many, else in the next round of the loop. */
void output_wrote(struct output *output);

/* Returns false, and stops the loop, if splunkd has closed its end. */
bool output_is_read(struct output *output);
