/* collect/sharing.h - what the inputs of a process need to share with other forwarders (share/share.h). */
#pragma once

#include "collect/env.h"
#include "splunk/config.h"

/* Part of the collector. All zeros: no input is shared. */
struct sharing {
    struct env *env; /* env->share is made for the first shared input */
    char *first;     /* that input's name */
    char *url, *group, *ca_file;
    int lost;
    uint64_t taken;   /* position up to which splunkd had the stream when it was looked last ... */
    int64_t moved_ms; /* ... and since when it is there although events wait */
};

/* Takes note of an input with share_url. All of a process must agree in what they share by; returns false with err if
 * this one differs from the first. */
bool sharing_take(struct sharing *sharing, struct env *env, const struct config *config, const struct input *input,
                  struct err *err);
void sharing_release(struct sharing *sharing);

/* The process ends: sends what was saved last, until until_ms at most. */
void sharing_end(struct sharing *sharing, int64_t until_ms);
