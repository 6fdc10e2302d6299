/* command/consent_watch_private.h - one customer, and all of them: for consent_watch.c and consent_watch_try.c. */
#pragma once

#include "auth/principal.h"
#include "auth/token_source.h"
#include "command/consent_watch.h"
#include "command/import_send.h"

/* A customer. */
struct watched {
    struct consents *watch;
    struct customer *customer;
    struct token_source *source; /* NULL: not tried yet */
    struct token_listener listener;
    struct http_route route;
    char *proxy; /* secret */
    bool trying, sending;
    uint64_t token; /* number of the token that lacked the permission; 0: none */
    int tries;
};

/* All. */
struct consents {
    const struct watch_spec *spec;
    struct limiter *limiter;
    struct principals *principals;
    struct import_sending secrets;
    struct watched *list; /* one for each customer */
    struct timer tick;
    size_t trying, sending, waiting;
    int64_t list_due_ms; /* the next look at splunkd's inputs */
    bool failed, listing;
    struct err err;
};

enum {
    CONSENT_EACH_MS = 500 /* all customers together: two tries a second */
};

/* consent_watch_try.c */

/* Returns true if something is left to do for the customer. */
bool watched_is_open(const struct watched *each);
/* Returns true if its input signs in for a user. */
bool watched_is_delegated(const struct watched *each);
void watched_set(struct watched *each, enum customer_state state, const char *why);
/* Signs in as the customer's input would. Ends in another state, perhaps before this returns. */
void watched_try(struct watched *each);
/* Creates or changes the input of a customer that has consented. */
void watched_send(struct watched *each);

/* consent_watch.c */

/* Ends the command. */
void consents_fail(struct consents *watch, const struct err *err);
/* A customer has another state. */
void consents_changed(struct consents *watch);
