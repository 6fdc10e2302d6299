/* net/http.h - one HTTP request and its result.
 *
 * Every request: https, or http to a loopback host (or, if it says so, to Azure's metadata service); TLS 1.2 or newer,
 * verified; redirects are not followed; bodies are limited; gzip is decoded. A request never blocks. It gives exactly one
 * result, from the loop, after http_start() has returned, unless it is canceled. */
#pragma once

#include "base/budget.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "messages/diagnosis.h"
#include "net/loop.h"

/* The way to a service. Must outlive the requests that use it. */
struct http_route {
    const char *ca_file; /* PEM bundle; NULL: tls_ca_bundle() */
    const char *proxy;   /* "http://user:password@host:port"; "": no proxy, not even the environment's;
                                   NULL: the environment's. Never used for a loopback host. */
    bool loopback_name;  /* if the host is a loopback address, the certificate's name is not compared: splunkd's
                                   certificate never carries it */
};

/* Takes a body with status 200 while it arrives. Without a sink the result holds the whole body, up to
 * HTTP_BODY_MAX. */
struct http_sink {
    /* Returns true if there is room for more. On false the transfer pauses until http_resume_all(). */
    bool (*ready)(void *ctx);
    /* Takes decoded bytes. On false the transfer ends with HTTP_STOPPED. */
    bool (*data)(void *ctx, const char *bytes, size_t len);
};

enum {
    HTTP_BODY_MAX = 4 * 1024 * 1024, /* tokens, errors and splunkd's lists; alert pages go to a sink */
    HTTP_ERROR_BODY_MAX = 64 * 1024
};

enum http_fault {
    HTTP_DONE,          /* a whole answer arrived: look at the status */
    HTTP_NO_NAME,       /* the host name was not resolved */
    HTTP_NO_CONNECTION, /* refused, unreachable */
    HTTP_NO_PROXY,      /* the proxy refused, or requires a login (407) */
    HTTP_NO_TLS,        /* certificate or handshake */
    HTTP_TIMEOUT,
    HTTP_CUT,        /* the connection ended inside the answer */
    HTTP_GARBLED,    /* the encoding of the body is broken, or the body is too large */
    HTTP_STOPPED,    /* by the sink */
    HTTP_BAD_REQUEST /* was not sent: the address is not allowed, or the CA file is missing or unreadable */
};

/* How the connection was made, for troubleshooting. */
struct http_trace {
    int name_ms, connect_ms, tls_ms; /* from the start to the end of each phase; -1: not reached */
    char address[64];                /* numeric, of the host or its proxy; "" */
    char issuer[128];                /* of the certificate that was presented; "" */
};

/* Everything in it is valid during the call of done(). */
struct http_result {
    enum http_fault fault;
    enum diagnosis diagnosis; /* if fault is not HTTP_DONE: its row of messages/diagnosis.c */
    char reason[768];         /* the same as text, without advice; no secrets */
    bool definite;            /* no retry helps until a person acts: certificate, CA file, refusal of the proxy */
    int status;               /* 0 without an answer */
    const char *body;         /* "" if a sink took it */
    size_t body_len;
    const char *content_type; /* "" */
    int64_t retry_after_ms;   /* delay of the Retry-After header; -1: none */
    int64_t date_ms;          /* the service's clock (Date header), Unix milliseconds; 0: none */
    const char *request_id;   /* request-id or x-ms-request-id; "" */
    const char *authenticate; /* WWW-Authenticate; "" */
    uint64_t wire_bytes;      /* body bytes received, before decoding */
    int duration_ms;
    bool reused;                    /* sent over a connection that was already open */
    const struct http_trace *trace; /* NULL unless requested */
};

typedef void http_done_fn(void *ctx, const struct http_result *result);

struct http_spec {
    const char *url;
    const char *form;           /* POST body, application/x-www-form-urlencoded; NULL: GET */
    const char *json;           /* POST body in place of a form; borrowed until the end of the request; NULL: none */
    const char *method;         /* any other method, such as "DELETE"; NULL: GET or POST, by body */
    const char *authorization;  /* header value, secret; NULL: none */
    const char *const *headers; /* NULL-terminated "Name: value" lines; NULL: none */
    const struct http_route *route;
    const struct http_sink *sink; /* NULL: the body is in the result */
    http_done_fn *done;
    /* Asked before a request that got no answer is sent once more, over another connection: false if that must not be
     * now. NULL: it always may. */
    bool (*may_repeat)(void *ctx);
    void *ctx;             /* for done, may_repeat and the sink */
    int timeout_s;         /* without a sink: for the whole request; with one: the longest silence */
    int connect_timeout_s; /* 0: 15 */
    bool traced;           /* uses a connection of its own; the result has a trace */
    bool unverified;       /* only with traced: accepts any certificate. Must not carry a secret. */
    bool metadata;         /* to Azure's metadata service: http to URL_METADATA_HOST is allowed; no proxy is used */
    bool once;             /* what it does must not be done twice: over a connection of its own, and never sent again */
    bool connect_only;     /* sends nothing: HTTP_DONE with status 0 once the connection is there, TLS included */
};

struct http; /* the transport: connections, TLS sessions and DNS answers in common */
struct http_request;

/* Creates the transport. Never returns NULL. The loop must outlive it. */
struct http *http_new(struct loop *loop);
/* Cancels all requests. NULL is allowed. */
void http_free(struct http *http);

/* Starts a request. Copies what it needs of *spec, but not route and ctx. Never returns NULL. The request frees itself
 * after done(). */
struct http_request *http_start(struct http *http, const struct http_spec *spec);
/* Ends a request without a result. Not allowed from inside its done() or its sink. */
void http_cancel(struct http_request *request);

/* Returns the budget of the memory for what has arrived but is not complete: bodies that go to no sink, and what sinks
 * keep. NULL for NULL. */
struct budget *http_budget(struct http *http);

/* Resumes the transfers that paused because their sink was not ready. */
void http_resume_all(struct http *http);

/* Returns true if the status tells what happened: the answer is whole, or it is a refusal or an error (300 to 599),
 * whose status and headers count although its body is cut, broken or late. A 407 of the proxy is a fault of its own. */
bool http_status_counts(const struct http_result *result);

/* Returns true if nothing of the request can have reached the service. */
bool http_was_not_sent(const struct http_result *result);

/* Returns true for a 2xx answer and maps every other result to an err. Faults, throttling (429, 408), 1xx, 3xx, 5xx,
 * 407 and HTML pages are ERR_RETRY; err->wait_ms is the delay that the header or else the body asks for. Other 4xx are
 * ERR_INPUT, for the caller to refine. */
bool http_check(const struct http_result *result, struct err *err);
