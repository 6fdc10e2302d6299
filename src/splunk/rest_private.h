/* splunk/rest_private.h - shared by rest.c and rest_call.c. */
#pragma once

#include "splunk/rest.h"

struct rest {
    struct loop *loop;
    struct http *http;
    struct http_route route;
    char *ca_file;       /* owned, for the route */
    char *server_uri;    /* without a slash at its end */
    char *authorization; /* secret */
};
