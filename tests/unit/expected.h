/* How many cases each module of unit tests has. A full run fails when a case or a module is missing, and when one is
 * not counted here. */
#pragma once

#include <stddef.h>

static const struct { const char *module; size_t cases; } expected[] = {
    { "aad", 7 },
    { "acks", 3 },
    { "api", 5 },
    { "assertion", 5 },
    { "buf", 5 },
    { "certificate", 2 },
    { "checkpoint", 5 },
    { "claims", 3 },
    { "config", 7 },
    { "csv", 2 },
    { "cursor", 4 },
    { "dedup", 5 },
    { "digest", 5 },
    { "events", 9 },
    { "file", 6 },
    { "harvest", 5 },
    { "http", 8 },
    { "inflate", 15 },
    { "json", 5 },
    { "limiter", 9 },
    { "lock", 4 },
    { "loop", 5 },
    { "messages", 3 },
    { "page", 9 },
    { "page_bytes", 5 },
    { "page_large", 5 },
    { "params", 10 },
    { "rate", 7 },
    { "retry", 5 },
    { "scan", 3 },
    { "scheme", 2 },
    { "signin", 5 },
    { "splunkd_ca", 3 },
    { "splunkd_secrets", 4 },
    { "text", 11 },
    { "ticks", 7 },
    { "token", 7 },
    { "url", 4 },
    { "verdict", 3 },
    { "week", 2 },
#if defined(__x86_64__)      /* the release program brings its own functions there */
    { "copy", 2 },
    { "find", 4 },
#endif
};
