/* share/share.h - several forwarders share the customers: this one's part, on the loop.
 *
 * Makes rounds (share/core.h) over a link (share/link.h), keeps checkpoints in the store (share/checkpoints.h), and tells
 * each shared input when it may read. Exists only if an input has share_url. One process of a host makes rounds: the byte
 * "share" of the lock file (state/lock.h) sees to that; without it, all shared inputs wait.
 *
 * <checkpoint folder>/share.own.json keeps what this forwarder was reading, so that a restart goes on without a wait. */
#pragma once

#include "share/checkpoints.h"
#include "share/core.h"

struct share;

/* What an input is told. Never from inside of a call to share. */
struct share_lease_owner {
    /* It may read. text: the shared checkpoint to begin from; NULL: none, or its own file is as new. Valid during the call. */
    void (*granted)(void *ctx, const struct buf *text);
    void (*elsewhere)(void *ctx); /* at the start: another forwarder has it, so far as is known */
    void (*paused)(void *ctx);    /* no requests, no events, from now on; what is known stays */
    void (*resumed)(void *ctx);   /* after paused: goes on with what it knows */
    /* It is another forwarder's. Stops reading, and saves for the last time once splunkd has taken all it wrote (or after
     * 5 s); then calls share_lease_let_go(). */
    void (*taken)(void *ctx);
    void (*resave)(void *ctx); /* saves its checkpoint within a minute, changed or not */
};

#define SHARE_NOT_HERE SIZE_MAX

/* Lives inside its owner. Set the first three members, and lacks_secret before share_secrets_loaded(); the rest is the
 * share's. */
struct share_lease {
    const char *input;
    const struct share_lease_owner *owner;
    void *ctx;
    bool lacks_secret; /* its secret is not on this forwarder: it cannot be read here; see share_secret_came() */

    struct share *share;
    size_t number;            /* of the input in the core; SHARE_NOT_HERE: it has none */
    enum share_state told;    /* as the owner knows it */
    char since[SHARE_ID_MAX]; /* under which it reads, until it has let go */
    int64_t since_number;
    bool letting_go;
    bool told_elsewhere;
    bool others;  /* when it was granted: another forwarder may have written to it since it was read here */
    bool lapsed;  /* something was refused before the owner was told */
    bool sent;    /* it was let go, and the store may not have its last checkpoint yet */
    bool loading; /* the shared checkpoint */
    bool unasked; /* it was granted without a look at the shared checkpoints */
    int tries;
    int64_t load_due_ms;
    enum share_reach { SHARE_REACH_UNKNOWN, SHARE_REACH_OK, SHARE_REACH_NONE } reach;
    struct share_lease *next;
};

struct share_spec {
    struct loop *loop;
    struct http *http;
    struct passwords *passwords;        /* holds the token: share_token.<group>, of this app */
    const char *urls, *group, *ca_file; /* parameters of the inputs */
    bool stops;
    const char *forwarder;         /* server_host */
    const char *checkpoint_folder; /* of share.own.json */
    const char *splunk_home;
    bool (*claim_host)(void *ctx, struct err *err); /* tries to get the byte "share" of the lock file */
    bool (*is_stuck)(void *ctx);                    /* splunkd took nothing for five minutes while events wait */
    void *ctx;
};

/* Copies the texts. Never returns NULL. */
struct share *share_new(const struct share_spec *spec);
void share_free(struct share *share); /* NULL is allowed; after the leases' owners */

/* Before the start. */
void share_add(struct share *share, struct share_lease *lease);
/* The password store has been read: begins with rounds once there is a token. To be called again after each reading. */
void share_secrets_loaded(struct share *share);
/* Returns true if the password store is to be read again from time to time: it lacks a token or a secret. */
bool share_wants_secrets(const struct share *share);
/* The input's secret is here now: it takes part from the next round on. */
void share_secret_came(struct share_lease *lease);

/* Returns true if the input may be asked for, or events of it written, now. Cheap: asked before each request, when bytes
 * of a page arrive and before events are appended. */
bool share_lease_may_read(struct share_lease *lease);
/* The input's checkpoint was composed for its file: it goes into the store with the next round. */
void share_lease_composed(struct share_lease *lease, const struct buf *text);
/* The file is on the disk: a restart may go on with it alone. */
void share_lease_saved(struct share_lease *lease);
/* The file cannot be written. If no input's can for two minutes, this forwarder is of no use (share_core_set_well()). */
void share_lease_unsaved(struct share_lease *lease);
/* The input was granted without a shared checkpoint, since its own file should be as new, and there is none. Returns
 * true if it is to be stopped: granted() comes again, with what the store has. */
bool share_lease_lacks_file(struct share_lease *lease);
/* After taken(): the owner has stopped, and its last checkpoint was composed. */
void share_lease_let_go(struct share_lease *lease);
/* Every request of the input has failed below HTTP for two minutes; or one succeeded. */
void share_lease_unreachable(struct share_lease *lease, bool unreachable);

/* The loop came back later than it wanted (a frozen process, a suspended host): looks at once which inputs may still read,
 * before anything else is done. */
void share_look(struct share *share, int64_t now_ms);

/* The process ends: what is composed until then is sent, best effort, until busy() is false or the caller gives up. */
void share_ends(struct share *share);
bool share_is_busy(const struct share *share);

/* For status lines: word of the input's state: "reading", "waiting", "paused", "alone", "elsewhere"; and who reads it.
 * owner may be NULL. */
const char *share_lease_word(const struct share_lease *lease);
const char *share_lease_reader(const struct share_lease *lease);
