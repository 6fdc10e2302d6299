/* collect/metrics.h - the log line about the process as a whole. */
#pragma once

#include "base/compiler.h"

struct metrics {
    size_t inputs;
    uint64_t events, requests, bytes; /* since the process started, of all inputs */
    uint64_t events_before;           /* ... at the line before this one, every_ms ago */
    int64_t every_ms;
    size_t pending_bytes; /* events not written yet */
    int64_t loop_ms;      /* longest round of the event loop since the line before */
    int64_t up_ms;        /* since the process started */
};

void metrics_log(const struct metrics *metrics);
