/* command/update_judge.h - decides what an answer to a change means. Pure: no clock, nothing is sent. */
#pragma once

#include "base/err.h"
#include "microsoft/change.h"
#include "net/http.h"

enum update_result {
    UPDATE_DONE,
    UPDATE_AGAIN,     /* the same request, after wait_ms */
    UPDATE_NEW_TOKEN, /* the same request, with a fresh token */
    UPDATE_BAD_INPUT, /* what was asked for cannot be done; whoever set up the action has to act */
    UPDATE_REFUSED,   /* credential, permission or the customer's setting; err says who has to act */
    UPDATE_THROTTLED, /* Microsoft asks for a longer wait than an action may take */
    UPDATE_FAILED,    /* no answer, or one that makes no sense, again and again */
    UPDATE_UNKNOWN    /* a comment may have been added, or not */
};

struct update_facts {
    const struct change *change;
    bool comment;    /* the request adds a comment, which must not be added twice */
    bool new_token;  /* a fresh token was tried already */
    int tries;       /* including this one */
    int64_t left_ms; /* until the action has to end */
};

struct update_verdict {
    enum update_result result;
    int64_t wait_ms; /* UPDATE_AGAIN */
    struct err err;  /* unless UPDATE_DONE: a sentence */
};

/* Returns the word of the result event. */
const char *update_result_word(enum update_result result);

void update_judge(const struct http_result *result, const struct update_facts *facts, struct update_verdict *ret);
