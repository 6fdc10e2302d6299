/* auth/secret_watch.h - keeps this process's view of Splunk's password store current, and notices a lost session key.
 *
 * Reads the store at the start, every 30 s until that succeeds, and then every minute while the owner wants it: a
 * person may have stored a new secret for an input that is refused. */
#pragma once

#include "splunk/passwords.h"

struct secret_watch;

struct secret_watch_owner {
    void (*loaded)(void *ctx);       /* the store was read for the first time */
    void (*reloaded)(void *ctx);     /* the store was read again; it may hold the same as before */
    bool (*wanted)(void *ctx);       /* Returns true while some input waits for a new secret. */
    void (*session_over)(void *ctx); /* the grace time after a lost session key has passed: end the process */
    void *ctx;
};

/* Copies *owner. loop and splunkd must outlive the watch. Never returns NULL. */
struct secret_watch *secret_watch_new(struct loop *loop, struct passwords *passwords,
                                      const struct secret_watch_owner *owner);
/* NULL is allowed. To be freed after the loop has ended, before splunkd is freed. */
void secret_watch_free(struct secret_watch *watch);

/* Reads the store and goes on from there. To be called once. Failures are logged, each cause once. */
void secret_watch_start(struct secret_watch *watch);
/* Returns true once the store has been read. */
bool secret_watch_loaded(const struct secret_watch *watch);

/* Returns when the store is read next, monotonic; 0: it is being read. */
int64_t secret_watch_next_ms(const struct secret_watch *watch);

/* A call to splunkd was refused our session key: reads the store now, which shows whether the key is lost. ctx is a
 * struct secret_watch *; the type fits rest_listen(). */
void secret_watch_doubt_session(void *ctx);

/* splunkd refuses our session key (401): logs it, and calls session_over() after 60 s. Inputs go on until then. Further
 * calls do nothing. ctx is a struct secret_watch *; the type fits principals_new(). */
void secret_watch_session_lost(void *ctx);
