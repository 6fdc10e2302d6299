#include "command/check_endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/tls.h"

#define TIMEOUT_S      6
#define CONNECT_S      4
#define LOOK_TIMEOUT_S 2

struct endpoints {
    struct http *http;
    struct endpoint *first;
    void (*done)(void *ctx, const struct endpoint *endpoint);
    void *ctx;
};

struct endpoints *endpoints_new(struct http *http, void (*done)(void *ctx, const struct endpoint *endpoint), void *ctx)
{
    struct endpoints *endpoints = mem_alloc(sizeof(*endpoints));

    *endpoints = (struct endpoints){ .http = http, .done = done, .ctx = ctx };
    return endpoints;
}

void endpoints_free(struct endpoints *endpoints)
{
    struct endpoint *endpoint;

    while (endpoints && (endpoint = endpoints->first)) {
        endpoints->first = endpoint->next;
        free(endpoint->base);
        free(endpoint->url);
        free(endpoint->ca_file);
        mem_free_secret(endpoint->proxy);
        free(endpoint);
    }
    free(endpoints);
}

static void endpoint_done(struct endpoint *endpoint)
{
    endpoint->found.done = true;
    endpoint->endpoints->done(endpoint->endpoints->ctx, endpoint);
}

static void certificate_read(void *ctx, const struct http_result *result)
{
    struct endpoint *endpoint = ctx;

    endpoint->request = NULL;
    if (result->trace->issuer[0])
        memcpy(endpoint->found.trace.issuer, result->trace->issuer, sizeof(endpoint->found.trace.issuer));
    endpoint_done(endpoint);
}

/* Reads the certificate that was not accepted. It is mostly that of a proxy that inspects TLS, and its issuer is the CA
 * that is missing. */
static void look_unverified(struct endpoint *endpoint)
{
    endpoint->request = http_start(endpoint->endpoints->http, &(struct http_spec){ .url = endpoint->url,
                                                                                   .route = &endpoint->route,
                                                                                   .done = certificate_read,
                                                                                   .ctx = endpoint,
                                                                                   .timeout_s = LOOK_TIMEOUT_S,
                                                                                   .connect_timeout_s = LOOK_TIMEOUT_S,
                                                                                   .traced = true,
                                                                                   .unverified = true });
}

static void endpoint_answered(void *ctx, const struct http_result *result)
{
    struct endpoint *endpoint = ctx;

    endpoint->request = NULL;
    endpoint->found.trace = *result->trace;
    endpoint->found.fault = result->fault;
    endpoint->found.diagnosis = result->diagnosis;
    memcpy(endpoint->found.reason, result->reason, sizeof(endpoint->found.reason));
    if (result->fault == HTTP_NO_TLS)
        look_unverified(endpoint);
    else
        endpoint_done(endpoint);
}

static struct endpoint *endpoint_new(struct endpoints *endpoints, const char *base, const char *ca_file,
                                     const char *proxy)
{
    struct endpoint *endpoint = mem_alloc(sizeof(*endpoint));

    endpoint->endpoints = endpoints;
    endpoint->base = mem_text(base);
    endpoint->url = mem_format("%s/", base);
    endpoint->ca_file = mem_text(ca_file);
    endpoint->proxy = mem_text(proxy);
    endpoint->route = (struct http_route){ .ca_file = endpoint->ca_file, .proxy = endpoint->proxy };
    endpoint->found = (struct finding){ .url = endpoint->base,
                                        .proxied = proxy != NULL,
                                        .ca_file = !text_starts(base, "https:") ? NULL
                                                   : ca_file                    ? endpoint->ca_file
                                                                                : tls_ca_bundle() };
    endpoint->next = endpoints->first;
    return endpoints->first = endpoint;
}

struct endpoint *endpoints_get(struct endpoints *endpoints, const char *base, const char *ca_file, const char *proxy)
{
    struct endpoint *endpoint;

    for (endpoint = endpoints->first; endpoint; endpoint = endpoint->next)
        if (text_same(endpoint->base, base) && text_same(endpoint->ca_file, ca_file) &&
            text_same(endpoint->proxy, proxy))
            return endpoint;
    endpoint = endpoint_new(endpoints, base, ca_file, proxy);
    endpoint->request = http_start(endpoints->http, &(struct http_spec){ .url = endpoint->url,
                                                                         .route = &endpoint->route,
                                                                         .done = endpoint_answered,
                                                                         .ctx = endpoint,
                                                                         .timeout_s = TIMEOUT_S,
                                                                         .connect_timeout_s = CONNECT_S,
                                                                         .traced = true,
                                                                         .connect_only = true });
    return endpoint;
}

bool endpoint_failed(const struct endpoint *endpoint, struct err *err)
{
    struct buf text = BUF_INIT(sizeof(err->text));

    if (endpoint->found.fault == HTTP_DONE)
        return false;
    buf_add_text(&text, endpoint->found.reason);
    if (endpoint->found.trace.issuer[0])
        buf_add_format(&text, "; the certificate shown was issued by '%s'", endpoint->found.trace.issuer);
    diagnosis_add_advice(&text, endpoint->found.diagnosis, NULL);
    err_set(err, ERR_RETRY, "%s", buf_text(&text));
    buf_free(&text);
    diagnosis_blame(err, endpoint->found.diagnosis);
    return true;
}
