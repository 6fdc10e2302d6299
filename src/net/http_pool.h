/* net/http_pool.h - which connections may carry another request.
 *
 * libcurl reuses a connection for as long as it is open, even if a transfer on it has just timed out, and over HTTP/2
 * all requests to a host share one. It cannot be told to use one connection no more while others are still using it.
 *
 * A pool is the connections to one origin, by one proxy, with one CA file. It has a generation, which is part of what
 * libcurl compares before it reuses a connection (http_options.c). Retiring a pool starts the next generation: the next
 * requests open a new connection, and those in flight keep theirs. A pool is retired
 *   - when it is nearly an hour old,
 *   - when a transfer on it timed out,
 *   - when it has been silent for a while although a request waits: what waits is then sent again,
 *   - when a request on it failed before any byte of its response.
 *
 * Times are monotonic milliseconds (base/clock.h). */
#pragma once

#include "base/compiler.h"

#define POOL_AGE_MS    (55 * 60 * 1000) /* no connection is used for more than an hour */
#define POOL_SILENT_MS 25000            /* HTTP/2: silent for so long, a connection is as good as dead */

struct pool {
    struct pool *next;
    char *key; /* may hold a proxy's password */
    unsigned generation;
    int64_t born_ms;  /* first use of this generation */
    int64_t heard_ms; /* a byte of any response of this generation came last; 0: none yet */
    int64_t named_ms; /* when a request was last seen that had its host's name looked up; 0: never */
    bool http2;       /* this generation answers by HTTP/2: its requests share a connection */
};

/* Returns the pool for a request, from the list or new. proxy and ca_file may be NULL. The list owns it. */
struct pool *pool_find(struct pool **list, const char *url, const char *proxy, const char *ca_file);
void pools_free(struct pool **list);

/* A request is about to be sent. Returns the generation for it. */
unsigned pool_use(struct pool *pool, int64_t now_ms);
/* A byte of a response came over a connection of that generation. */
void pool_heard(struct pool *pool, unsigned generation, bool http2, int64_t now_ms);
/* Starts the next generation, unless that has been done since `generation` was given out. */
void pool_retire(struct pool *pool, unsigned generation);

/* Returns true if a request of that generation, sent at sent_ms and without a byte of response, waits in vain: its
 * connection has been given up, or is silent. */
bool pool_is_silent(const struct pool *pool, unsigned generation, int64_t sent_ms, int64_t now_ms);
/* Returns true if the timeout of a request sent at sent_ms casts doubt on connections that others may use: it shared
 * one, or nothing at all has come since. */
bool pool_is_doubtful(const struct pool *pool, unsigned generation, int64_t sent_ms);
