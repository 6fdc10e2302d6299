/* collect/verdict.h - what an alert API's answer means for the lane that asked. */
#pragma once

#include "base/err.h"
#include "net/http.h"

struct worker;

enum verdict_kind {
    VERDICT_READ,       /* a whole page of JSON; its records have been written */
    VERDICT_TOKEN,      /* the token was not accepted: once with a new one */
    VERDICT_VARIANT,       /* 400: the same in another form */
    VERDICT_THROTTLED,  /* wait as asked */
    VERDICT_BROKEN,     /* whole, but its JSON breaks among the records: smaller pieces, and what stays broken is left
                           behind */
    VERDICT_FAILED,     /* passes by itself: try again */
    VERDICT_REFUSED     /* a person must act: try again slowly */
};

struct verdict {
    enum verdict_kind kind;
    struct err err;         /* for those that go wrong */
    bool may_be_size;       /* asking for less may help */
};

/* ": code 'message'" of the service's JSON error body, cut to a readable length; "" when there is none. */
#define VERDICT_WORDS_MAX 400
void verdict_own_words(const struct http_result *result, char ret[VERDICT_WORDS_MAX]);

/* Sets err for a refusal of an alert API: the row's text with the service's own words, and the advice. permission: the
 * one that the API wants, for the rows that name it; NULL for the others. */
void verdict_refuse(const struct http_result *result, enum diagnosis diagnosis, const char *permission, struct err *err);

void verdict_of(struct worker *worker, const struct http_result *result, struct verdict *ret);
