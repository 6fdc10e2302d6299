/* collect/log_output.h - stderr: writes the log lines that wait as soon as splunkd reads again. */
#pragma once

#include "net/loop.h"

struct log_output {
    struct loop *loop;
    struct watch watch;
    bool waits; /* the watch is added */
};

/* Writes what waits from now on. There is one at a time. */
void log_output_init(struct log_output *output, struct loop *loop);
void log_output_free(struct log_output *output);
