/* command/consent_watch.h - waits until customers have consented, and creates or changes their inputs.
 *
 * Whether a customer has consented shows the sign-in as its app: a token, with the permission in it. A try takes one
 * request. A customer is tried at most once a minute, later every 15 minutes, and all of them together not more often
 * than twice a second. What exists already is not tried, so the command can be interrupted and started again. A
 * customer with delegated sign-in is not tried, which would use its refresh token: the consent is the user's, at the
 * sign-in. */
#pragma once

#include "command/consent_customers.h"
#include "splunk/data_inputs.h"

struct watch_spec {
    struct loop *loop;
    struct http *http;
    struct passwords *passwords; /* not read yet */
    struct data_inputs *inputs;
    struct import_rows *rows;
    struct customers *customers;
    int64_t end_ms;             /* monotonic; no customer is tried a second time after that. 0: no end */
    void (*changed)(void *ctx); /* a customer has another state, or a second has passed */
    void *ctx;
};

/* Runs the loop until every input is there or refused, or the time is up. Returns false with err if splunkd does not do
 * what is needed (its session key ends, for example). */
bool consent_watch(const struct watch_spec *spec, struct err *err);

/* Pure, for consent_watch.c and its test. */

/* Returns true if a sign-in failed since there is no consent yet, or the customer has to act otherwise. */
bool consent_is_missing(const struct err *err);
/* Returns the pause after that many tries of a customer. count: of customers that are waited for; asked_ms: what the
 * service asked for. random: uniform in 0..UINT32_MAX. */
int64_t consent_pause_ms(int tries, size_t count, int64_t asked_ms, uint32_t random);
