#include "net/http_pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* Returns the length of scheme://host:port. */
static size_t origin_len(const char *url)
{
    const char *host = strstr(url, "://");

    host = host ? host + strlen("://") : url;
    return (size_t)(host - url) + strcspn(host, "/?#");
}

struct pool *pool_find(struct pool **list, const char *url, const char *proxy, const char *ca_file)
{
    char *key = mem_format("%.*s %s %s", (int)origin_len(url), url, proxy ? proxy : "", ca_file ? ca_file : "");
    struct pool *pool;

    for (pool = *list; pool && !text_same(pool->key, key); pool = pool->next)
        ;
    if (pool) {
        mem_free_secret(key);
        return pool;
    }
    pool = mem_alloc(sizeof(*pool));
    pool->key = key;
    pool->next = *list;
    *list = pool;
    return pool;
}

void pools_free(struct pool **list)
{
    struct pool *pool;

    while ((pool = *list)) {
        *list = pool->next;
        mem_free_secret(pool->key);
        free(pool);
    }
}

unsigned pool_use(struct pool *pool, int64_t now_ms)
{
    if (pool->born_ms && now_ms - pool->born_ms >= POOL_AGE_MS)
        pool_retire(pool, pool->generation);
    if (!pool->born_ms)
        pool->born_ms = now_ms;
    return pool->generation;
}

void pool_heard(struct pool *pool, unsigned generation, bool http2, int64_t now_ms)
{
    if (generation != pool->generation)
        return;
    pool->heard_ms = now_ms;
    pool->http2 = http2;
}

void pool_retire(struct pool *pool, unsigned generation)
{
    if (generation != pool->generation)
        return;
    pool->generation++;
    pool->born_ms = pool->heard_ms = 0;
    pool->http2 = false;
}

bool pool_is_silent(const struct pool *pool, unsigned generation, int64_t sent_ms, int64_t now_ms)
{
    if (now_ms - sent_ms < POOL_SILENT_MS)
        return false;
    return generation != pool->generation || (pool->http2 && now_ms - pool->heard_ms >= POOL_SILENT_MS);
}

bool pool_is_doubtful(const struct pool *pool, unsigned generation, int64_t sent_ms)
{
    return generation == pool->generation && (pool->http2 || pool->heard_ms < sent_ms);
}
