/* collect/tenant_private.h - the state of an input, for tenant.c (from beginning to end), tenant_share.c (if other
 * forwarders have it, too), tenant_health.c (what it reports) and tenant_state.c (its record). */
#pragma once

#include "collect/audit.h"
#include "collect/health.h"
#include "collect/manifest.h"
#include "collect/opening.h"
#include "collect/saver.h"
#include "collect/status.h"
#include "collect/target.h"
#include "collect/tenant.h"
#include "collect/worker.h"

/* What an input needs that several forwarders have. */
struct tenant_share {
    struct share_lease lease;
    struct buf text; /* checkpoint of the shared store, until it is joined with the file's */
    bool has_text;
    bool granted; /* it is this forwarder's turn, or paused */
    bool leaving; /* the turn is over, but not all is saved yet */
    bool saved_last;
    bool settles;  /* it was not its turn: what a process before this one left is settled */
    bool renewing; /* the opening renews the refresh token, or has */
    int64_t leave_until_ms;
    int64_t failing_ms; /* since when requests get no answer; 0: they do */
    struct timer leave_timer, renew_timer;
};

struct tenant {
    const struct env *env;
    struct input input;
    char *label;
    struct target target;
    struct feed feed;
    struct claim claim;
    struct saver saver;
    struct manifest manifest;
    struct audit audit;
    bool known; /* a process before this one has saved a checkpoint */
    struct opening opening;
    struct worker workers[WORKER_COUNT];
    struct token_listener listener;
    struct principal *principal; /* NULL until the proxy is settled */
    char *proxy;                 /* with its password; secret; NULL: the environment's */
    enum health_state state;
    struct timer status_timer; /* for the next regular line */
    struct state_record record;
    int64_t look_ms;            /* when the next regular look is due */
    bool ending;                /* the process saves for the last time */
    struct tenant_share *share; /* NULL: no other forwarder has this input */
};

/* Logs a status line, and sets the timer of the next regular one. */
void tenant_log_status(struct tenant *t, int64_t now_ms);
/* The same because something has changed: the record of the input is due, too. */
void tenant_tell_status(struct tenant *t, int64_t now_ms);
/* Returns what the status line says, at now_ms. */
struct status tenant_status(const struct tenant *t, int64_t now_ms);
/* The same without the credential and when it ends: enough for status_facts(). */
struct status tenant_brief_status(const struct tenant *t, int64_t now_ms);
/* What the input's record is made of. */
extern const struct state_source tenant_state;
/* Looks at the input's health and logs a status line if its state has changed. Returns true if it may change without
 * anything happening. */
bool tenant_update_health(struct tenant *t, int64_t now_ms);
/* Notes that something happened to the input. */
void tenant_changed(struct tenant *t);
/* Ends what the workers do, without a result, and lets them begin again. */
void tenant_reset_workers(struct tenant *t);
/* Lets the workers and the audit of an open input go on. */
void tenant_wake(struct tenant *t);

/* tenant_share.c */

void tenant_share_init(struct tenant *t);
void tenant_share_free(struct tenant *t);
void tenant_share_start(struct tenant *t);
/* Joins what the store found in the file with the shared checkpoint, and hands it to the opening. */
void tenant_share_loaded(struct tenant *t, enum store_found found, const struct buf *own, const struct err *err);
/* The password store was read. */
void tenant_share_secrets(struct tenant *t);
/* Renews the refresh token in a week, or within a day after the start, unless the input is read here. */
void tenant_share_renew_later(struct tenant *t);
/* opening_owner.stopped. */
void tenant_share_stopped(void *ctx);
/* feed_owner.may_read. */
bool tenant_may_read(void *ctx);
/* Hands over what the shared store should know between two saves. settled: as in saver_tick(). */
void tenant_share_tick(struct tenant *t, uint64_t settled, int64_t now_ms);
/* Tells whether requests of this input get answers at all. */
void tenant_share_health(struct tenant *t, int64_t now_ms);
/* Returns true if this forwarder reads the input, or would if the shared store answered. */
bool tenant_is_here(const struct tenant *t);
/* Returns true if another forwarder is known to read it. */
bool tenant_is_elsewhere(const struct tenant *t);
