/* auth/token_source_private.h - the state machine of a token source. For token_source_next.c (decides), token_source.c
 * (acts), token_source_fetch.c (request and response), token_source_store.c (a new refresh token) and the unit test. */
#pragma once

#include "auth/credential.h"
#include "auth/token_source.h"
#include "microsoft/token.h"
#include "pacing/limiter.h"

enum source_state {
    SOURCE_IDLE,      /* nothing to do until somebody asks */
    SOURCE_RETRY,     /* the last try failed; the next one is not before retry_ms */
    SOURCE_ASSERTION, /* waits for an assertion that somebody else issues (auth/federation.h) */
    SOURCE_WAIT,      /* waits while another source of the principal redeems the refresh token */
    SOURCE_QUEUED,    /* waits for a slot of the limiter */
    SOURCE_REQUEST,   /* request in flight */
    SOURCE_STORING,   /* a new refresh token is on its way into the password store */
    SOURCE_STORE_WAIT /* the store did not take it; the timer starts another try */
};

enum source_event {
    ON_ASK,        /* somebody asked for a token */
    ON_CODE,       /* an authorization code is to be exchanged */
    ON_CREDENTIAL, /* a credential of the principal has changed */
    ON_REDEEMED,   /* no source of the principal redeems any more */
    ON_ASSERTION,  /* the assertion has come, or has not: its owner knows why */
    ON_SLOT,       /* the limiter lets the request through */
    ON_TOKEN,      /* the response has an access token and nothing to store */
    ON_ROTATED,    /* the response has a new refresh token too */
    ON_OTHER_FORM, /* the response refuses the form of our assertion; there is another one */
    ON_FAILURE,    /* no request could be built, or the response has no token */
    ON_STORED,
    ON_NOT_STORED,
    ON_TIMER
};

enum source_action {
    DO_NOTHING,
    DO_TELL, /* tell the listeners */
    DO_FETCH_ASSERTION,
    DO_ACQUIRE, /* ask the limiter for a slot */
    DO_RELEASE, /* give the slot back */
    DO_SEND,
    DO_STORE,
    DO_STORE_LATER, /* report the failure and set the timer */
    DO_USE,         /* make the fetched token the present one; ends the try */
    DO_FAIL,        /* plan the next try, by the error; ends the try */
    DO_REFUSE,      /* the same for want of a credential, without a try */
    DO_FAIL_CODE,   /* report that the code failed: the other credentials are not to blame; ends the try */
    DO_FORGIVE      /* forget earlier failures */
};

/* What a decision depends on besides the state and the event. */
struct source_facts {
    bool due;             /* no usable token, or it is time to renew it */
    bool retry_due;       /* retry_ms is reached */
    bool lacks_assertion; /* somebody else has to issue an assertion first */
    bool credential;      /* there is something to sign in with */
    bool redeems;         /* a request now would redeem a refresh token or an authorization code ... */
    bool redeemer_busy;   /* ... while another source of the principal does so */
    bool code_sent;       /* the request in flight exchanges an authorization code */
};

struct source_next {
    enum source_state state;
    enum source_action action;
};

/* Returns what follows from an event. Pure. */
struct source_next token_next(enum source_state state, enum source_event event, const struct source_facts *facts);

/* A request to exchange an authorization code; see token_source_exchange(). */
struct code_exchange {
    struct code_exchange *next;
    char *code; /* secret */
    char *redirect_uri;
    char *hosts; /* see token_source_exchange() */
    void (*done)(void *ctx, bool ok, const struct err *err);
    void *ctx;
};

struct token_source {
    struct credential_user user; /* one of the principal's */
    struct principal *principal;
    char *resource;
    bool v1;
    char *api; /* see token_source_get() */

    enum source_state state; /* set by token_source_step() only */
    struct token token;
    uint64_t token_number;       /* counts the tokens */
    int64_t token_ms;            /* when the token came */
    struct token fetched;        /* not used before its refresh token is stored */
    enum token_grant grant;      /* of the request in flight */
    struct code_exchange *codes; /* waiting, first in, first out */
    struct slot slot;
    struct http_request *request;
    struct timer store_timer;

    struct err err;         /* of the last failure */
    uint64_t failed;        /* tries, in all */
    int failures, refusals; /* in a row; both 0: the last try succeeded */
    int64_t retry_ms;
    int64_t clock_offset_ms; /* the login service's clock minus ours, if has_clock */
    bool has_clock;
    struct token_listener *listeners;
};

/* Takes the decision on an event, sets the state and acts. */
void token_source_step(struct token_source *source, enum source_event event, int64_t now_ms);

/* Tells the listeners that the state has changed. */
void token_source_tell(struct token_source *source);

/* token_source_fetch.c */

/* Returns the grant that a request now would use. */
enum token_grant token_fetch_grant(const struct token_source *source);
/* Returns false if a credential that a request now would use may not serve the source's API. */
bool token_fetch_may_serve(const struct token_source *source, struct err *err);
/* Starts the request. Ends in ON_TOKEN, ON_ROTATED, ON_OTHER_FORM or ON_FAILURE (then source->err is set), with the
 * slot given back. An unreadable certificate fails before this returns. */
void token_fetch_start(struct token_source *source, int64_t now_ms);

/* token_source_store.c */

/* Puts the new refresh token into the password store. Ends in ON_STORED or ON_NOT_STORED (then source->err is set). */
void token_store(struct token_source *source);
/* Counts the failure, and sets the timer of the next try. */
void token_store_later(struct token_source *source, int64_t now_ms);
