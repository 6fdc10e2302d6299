/* splunk/rest_private.h - shared by rest.c and rest_call.c. */
#pragma once

#include "splunk/rest.h"

struct rest {
    struct loop *loop;
    struct http *http;
    struct http_route route;
    char *ca_file;       /* owned, for the route */
    char *server_uri;    /* without a slash at its end */
    char *authorization; /* secret; NULL: none yet */
    int64_t try_for_ms;  /* how long a call that fails is repeated */
    bool key_is_entered;
    bool is_remote;
    int timeout_s, connect_timeout_s;
    void (*refused)(void *ctx); /* NULL: nobody listens */
    void *refused_ctx;
};
