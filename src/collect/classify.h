/* collect/classify.h - what a response of an alert API means for the worker that requested it. */
#pragma once

#include "base/err.h"
#include "microsoft/page.h"
#include "net/http.h"

enum answer_class {
    ANSWER_READ,        /* a complete page; its records have been written */
    ANSWER_NEW_TOKEN,   /* 401: once more with a new token */
    ANSWER_BAD_REQUEST, /* 400: once more, perhaps with a simpler query */
    ANSWER_THROTTLED,   /* wait as the service asks */
    ANSWER_BROKEN,      /* complete, but the JSON breaks among the records: find the broken one */
    ANSWER_FAILED,      /* passes: try again */
    ANSWER_REFUSED      /* a person has to act: try again slowly */
};

/* What classify() needs to know about the request. */
struct classify_facts {
    struct page *page;      /* fed with the body */
    bool bad_records;       /* the page has records that are not JSON */
    bool rejected;          /* the token is a new one, fetched because of a 401 */
    bool can_simplify;      /* a simpler variant of the query exists */
    bool has_filter;        /* the user's own filter is in the query */
    const char *permission; /* that the API needs */
};

struct classified {
    enum answer_class class;
    bool may_be_size;   /* ANSWER_FAILED: asking for less may help */
    bool may_be_window; /* ANSWER_FAILED: a response came, so another window may get a better one */
    struct err err;     /* for all but ANSWER_READ and ANSWER_NEW_TOKEN */
};

struct classified classify(const struct http_result *result, const struct classify_facts *facts);
