/* net/transport.h - what loop.c and http.c share: the curl multi handle. Private to src/net. */
#pragma once

#include <curl/curl.h>

#include "net/loop.h"

CURLM *loop_multi(struct loop *loop);

/* A transfer ended (http.c). The handle is still in the multi. */
void http_transfer_ended(CURL *easy, CURLcode code);
