/* command/share_probe.h - one address of the shared store, tried with a token: whether it does what sharing relies on
 * (share/self_test.h), and whether the collection of checkpoints may be written, too. */
#pragma once

#include "share/self_test.h"

/* Lives inside its owner, which fills in the first part. */
struct share_probe {
    struct loop *loop;
    struct http *http;
    const char *group, *ca_file; /* ca_file NULL: Splunk's own */
    void (*done)(void *ctx, struct share_probe *probe);
    void *ctx;

    char *url;
    struct share_link *link; /* stays for further calls */
    struct share_self_test *test;
    char *key; /* of the record in the collection of checkpoints */
    struct buf text;
    struct share_call call;
    bool finished, ok, unfit;
    int64_t seen_ms; /* until an own write was read back; -1: it was not */
    struct err err;  /* unless ok */
};

/* Starts. url and token are copied. done() is called once, later. */
void share_probe_start(struct share_probe *probe, const char *url, const char *token);
void share_probe_release(struct share_probe *probe);

/* Adds to the reason of a failed call who has to act, if it does not say so: where the store is away or off. */
void share_explain(struct err *err);
