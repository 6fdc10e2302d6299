/* net/transport.h - the part of the loop that knows curl. Private to src/net. */
#pragma once

#include <curl/curl.h>

struct loop;

/* CURLOPT_PRIVATE of every easy handle in the loop's multi handle points to a struct transfer. */
struct transfer {
    /* Is called once, from the loop, after the transfer ended. The handle is still in the multi handle. */
    void (*ended)(struct transfer *transfer, CURL *easy, CURLcode code);
};

/* Returns the multi handle that the loop drives. Borrowed; valid until loop_free(). */
CURLM *loop_multi(struct loop *loop);
