/* command/once.h - what a command needs that acts for one input and ends: the loop, splunkd, the login service.
 *
 * Beside the collector: a new refresh token is discarded (command/token_once.h). */
#pragma once

#include "auth/principal.h"
#include "splunk/data_inputs.h"

struct once {
    struct loop *loop;
    struct http *http;
    struct limiter *limiter;
    struct rest *rest;
    struct passwords *passwords;
    struct data_inputs *inputs;
    struct principals *principals;
};

/* Opens all parts. splunkd answers within answer_s or not at all; requests_most go to Microsoft at once. */
void once_open(struct once *once, const char *server_uri, const char *session_key, int answer_s,
               unsigned requests_most);
/* Closes them, in the order that they need. What the caller has made of them is freed before. */
void once_close(struct once *once);
