/* command/check_endpoint.h - the endpoints that `check` tries: a URL, by a proxy and a CA file, once for all inputs.
 * Only the connection is tried, TLS included: an answer may take its time. */
#pragma once

#include "command/check_report.h"
#include "net/http.h"

struct endpoint {
    struct endpoint *next;
    struct endpoints *endpoints;
    char *base, *url, *ca_file, *proxy; /* proxy is a secret */
    struct http_route route;            /* for the requests that follow; valid as long as the endpoints */
    struct http_request *request;
    struct finding found; /* .done: it has been tried */
};

struct endpoints;

/* done is called for each endpoint when it has been tried. */
struct endpoints *endpoints_new(struct http *http, void (*done)(void *ctx, const struct endpoint *endpoint), void *ctx);
void endpoints_free(struct endpoints *endpoints); /* after http; NULL is allowed */

/* Returns the endpoint of a base URL, and starts to try it the first time. ca_file and proxy may be NULL. Owned by
 * endpoints. */
struct endpoint *endpoints_get(struct endpoints *endpoints, const char *base, const char *ca_file, const char *proxy);

/* Returns true if the endpoint cannot be reached; err says why. */
bool endpoint_failed(const struct endpoint *endpoint, struct err *err);
