/* collect/health.h - whether an input is well. A query: it changes nothing and logs nothing. */
#pragma once

#include "auth/token_source.h"

enum health_state { HEALTH_WAITING, HEALTH_OK, HEALTH_THROTTLED, HEALTH_FAILING, HEALTH_REFUSED };

struct health_facts {
    const struct err *held; /* why a stored secret must not be used as the input says; NULL: it may */
    bool reading;           /* the input has got as far as signing in */
    bool polled;            /* a poll was complete since the start */
    int failures, refusals; /* in a row, the most of the live and the backfill worker */
    int64_t hold_until_ms;  /* the service asked to wait until then */
    bool store_fails;       /* a new refresh token cannot be stored at present */
    enum token_state token;
    const struct token_view *view;
    enum health_state before;
};

/* What is known at now_ms, monotonic. */
struct health {
    enum health_state state;
    bool by_clock;             /* it may change without anything happening */
    const struct err *sign_in; /* the sign-in fails, and why; NULL: it does not */
};

struct health health_of(const struct health_facts *facts, int64_t now_ms);

/* Returns the word of the status line. */
const char *health_word(enum health_state state);
