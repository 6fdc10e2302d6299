/* command/check_endpoint.h - the services that `check` tries: each once by each way, for all inputs that go there alike. */
#pragma once

#include "command/check_report.h"
#include "net/http.h"

struct endpoint {
    struct endpoint        *next;
    struct endpoints       *endpoints;
    char               *base, *url, *ca_file, *proxy;   /* proxy is secret */
    struct http_route   route;          /* for the requests that follow; good as long as sites */
    struct http_request *request;
    struct finding      found;          /* .done: it has been tried */
    int64_t             clock_offset_ms;    /* service minus ours */
    bool                has_clock;
};

struct endpoints;

/* done is called as each site has been tried. */
struct endpoints *endpoints_new(struct http *http, void (*done)(void *ctx, const struct endpoint *endpoint), void *ctx);
void endpoints_free(struct endpoints *endpoints);   /* after the transport; NULL is fine */

/* The site of these, begun now or before. ca_file and proxy may be NULL. Owned by sites. */
struct endpoint *endpoints_get(struct endpoints *endpoints, const char *base, const char *ca_file, const char *proxy);

/* Is it of no use to go on? Then err says what is wrong on the way to it. */
bool endpoint_failed(const struct endpoint *endpoint, struct err *err);
