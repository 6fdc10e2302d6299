/* collect/collector.h - all inputs of one process, and what they share. */
#pragma once

#include <sys/stat.h>

#include "auth/principal.h"
#include "auth/secret_watch.h"
#include "state/lock.h"
#include "collect/tenant.h"
#include "splunk/config.h"

struct collector {
    struct loop     *loop;
    struct http     *http;
    struct limiter     *limiter;
    struct outbox   *outbox;
    struct splunkd  *splunkd;
    struct secret_watch *secret_watch;
    struct principals *principals;
    struct lock_file *lock;
    char            *checkpoint_dir;

    struct tenant  **tenants;
    size_t           count;
    struct shared_rate *rates;

    struct watch     stdout_watch;
    struct timer     flush_timer;
    struct timer     tick_timer;
    struct timer     start_timer;       /* tenants are started a few at a time */
    size_t           begun;
    struct stat      folder;            /* the checkpoint folder at the last look ... */
    unsigned         folder_alike;      /* ... and how often it has been like that since */
    struct tenant   *stirred, **stirred_end;    /* a queue of those that the rounds look at; all others are at rest */
    size_t           stirred_count;
    int64_t          started_ms, metrics_due_ms, files_due_ms;
    uint64_t         metrics_events;
};

/* Takes the stanzas of the config: bad ones are named in the log and left out. checkpoint folder and lock are opened;
 * while they cannot be, the inputs wait. */
struct collector *collector_new(struct loop *loop, const struct config *config, int out_fd);
/* Collects until the loop is stopped, then saves what may be saved and closes the stream. */
void collector_run(struct collector *col);
void collector_free(struct collector *col);

/* For tenants. */

/* From the next second on the rounds look at it, until its state is steady and nothing is left to be saved now. */
void collector_stir(struct collector *col, struct tenant *t);
void collector_events_added(struct collector *col);
struct rate *collector_rate(struct collector *col, const char *tenant_id, const char *client_id,
                                const struct api *api);
/* The shared lock file, opened (again) if need be; NULL with err while it cannot be. */
struct lock_file *collector_lock(struct collector *col, struct err *err);
