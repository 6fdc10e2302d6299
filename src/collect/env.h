/* collect/env.h - what the collector lends to its tenants. Outlives them. */
#pragma once

#include "auth/expiry.h"
#include "auth/principal.h"
#include "auth/token_source.h"
#include "auth/secret_gate.h"
#include "auth/secret_watch.h"
#include "collect/state_writer.h"
#include "net/http.h"
#include "net/loop.h"
#include "pacing/limiter.h"
#include "pacing/rate_pool.h"
#include "share/share.h"
#include "splunk/data_inputs.h"
#include "splunk/events.h"
#include "splunk/notices.h"
#include "splunk/passwords.h"
#include "state/store.h"

struct env {
    struct loop *loop;
    struct http *http;
    struct outbox *outbox;
    struct limiter *limiter;
    struct rate_pool *rates;
    struct principals *principals;
    struct expiries *expiries; /* when the credentials of apps end; NULL: nobody asks */
    struct passwords *passwords;
    struct data_inputs *data_inputs;
    struct notices *notices; /* of inputs whose sign-in could not be tried when they were saved */
    struct state_writer *states;
    struct secret_watch *secrets;
    struct secret_gates *gates;
    struct store *store;
    struct share *share; /* NULL: no other forwarder has any of the inputs */
    size_t *audits;      /* inputs that are audited at present */
    int64_t started_ms;

    void (*wrote)(void *ctx);   /* events were appended to the outbox */
    void (*changed)(void *ctx); /* something happened to a tenant: its regular look is due soon */
    void *ctx;
};
