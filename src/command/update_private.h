/* command/update_private.h - the state of an update, for update.c (begin and end), update_customer.c (whose credential) and
 * update_requests.c (what is sent, and what is told of it). */
#pragma once

#include "auth/binding.h"
#include "auth/token_source.h"
#include "command/once.h"
#include "command/update.h"
#include "command/update_judge.h"
#include "splunk/action.h"
#include "splunk/receiver.h"

#define UPDATE_SPLUNKD_S 20 /* for an answer of splunkd */
#define UPDATE_TELL_S    40 /* for the result events after the end */

struct update {
    struct action action;
    struct change change;
    bool has_change;
    struct once once;
    struct rest *receiver_rest; /* result events are tried for longer than questions */
    struct receiver *receiver;
    struct token_source *source;
    struct token_listener listener;
    struct timer again, deadline;
    struct input input;
    bool has_input;
    char *index;
    char *proxy; /* secret */
    struct http_route route;
    struct destination to;
    struct http_request *request;
    uint64_t token; /* the number of the one that the request has */
    bool commenting, new_token;
    int tries;
    int posting; /* result events on their way */
    bool ended, told_no_event;
    enum update_result result;
};

/* Returns the name of the input that is asked for; "": none. */
const char *update_customer(const struct update *update);
/* Begins to look for the customer, and sends the change once a token is there. */
void update_find_customer(struct update *update);

/* Gets a token for the destination, and sends what is to be sent next. For token_listener. */
void update_continue(void *ctx);
/* The same for a timer: the time to try again has come. */
void update_again_fired(void *ctx, int64_t now_ms);
/* Says that the result events that are on their way will not arrive. */
void update_events_lost(struct update *update, const char *why);
/* Ends the update before anything was sent to Microsoft. */
void update_end_before(struct update *update, enum update_result result, const char *why);
