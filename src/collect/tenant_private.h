/* collect/tenant_private.h - the state of an input, for tenant.c (from beginning to end), tenant_health.c (what it
 * reports) and tenant_state.c (its record). */
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
    bool ending;               /* the process saves for the last time */
};

/* Logs a status line, and sets the timer of the next regular one. */
void tenant_log_status(struct tenant *t, int64_t now_ms);
/* The same because something has changed: the record of the input is due, too. */
void tenant_tell_status(struct tenant *t, int64_t now_ms);
/* Returns what the status line says, at now_ms. */
struct status tenant_status(const struct tenant *t, int64_t now_ms);
/* What the input's record is made of. */
extern const struct state_source tenant_state;
/* Looks at the input's health and logs a status line if its state has changed. Returns true if it may change without
 * anything happening. */
bool tenant_update_health(struct tenant *t, int64_t now_ms);
/* Notes that something happened to the input. */
void tenant_changed(struct tenant *t);
