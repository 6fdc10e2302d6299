/* net/http.h - one HTTP request and its result. The only code that includes curl is in src/net.
 *
 * Rules that hold for every request: https, or http to a loopback host; redirects are not followed; TLS 1.2 or newer,
 * verified; bodies are limited; gzip is undone here. A request never blocks and never fails to give exactly one
 * result, from the loop, after http_start() has returned. */
#pragma once

#include "base/buf.h"
#include "base/compiler.h"
#include "base/digest.h"
#include "base/err.h"
#include "messages/diagnosis.h"
#include "net/loop.h"

/* How to get to a service. Lives as long as the requests that name it. */
struct http_route {
    const char *ca_file;        /* PEM bundle; NULL: tls_ca_bundle() */
    const char *proxy;          /* "http://user:password@host:port"; "": none, not even the environment's;
                                   NULL: the environment's */
    bool        loopback_name;  /* do not compare the certificate's name when the host is a loopback address: splunkd's
                                   certificate never carries it */
};

/* Where a 2xx body goes while it arrives. Without a sink the body is kept whole, up to HTTP_BODY_MAX. */
struct http_sink {
    /* Is there room for more? On false the transfer is held until http_resume_all(). */
    bool (*ready)(void *ctx);
    /* Decoded bytes. False ends the transfer with HTTP_STOPPED. */
    bool (*data)(void *ctx, const char *bytes, size_t len);
};

enum {
    HTTP_BODY_MAX = 4 * 1024 * 1024,    /* tokens, errors and splunkd's lists; alert pages go to a sink */
    HTTP_ERROR_BODY_MAX = 64 * 1024
};

enum http_fault {
    HTTP_DONE,          /* an answer came, whole: look at the status */
    HTTP_NO_NAME,       /* the host's name could not be looked up */
    HTTP_NO_CONNECTION, /* refused, unreachable */
    HTTP_NO_PROXY,      /* the proxy refused or asks for a login (407) */
    HTTP_NO_TLS,        /* certificate or handshake */
    HTTP_TIMEOUT,
    HTTP_CUT,           /* the connection ended inside the answer */
    HTTP_GARBLED,       /* the encoding of the body is broken, or the body is too large */
    HTTP_STOPPED,       /* the sink said so */
    HTTP_BAD_REQUEST    /* cannot even be sent: address not allowed, no CA file, or an unreadable one */
};

/* The way to the service, for people who look for what is wrong. */
struct http_trace {
    int  name_ms, connect_ms, tls_ms;   /* since the start, when the name was looked up, ...; -1: not reached */
    char address[64];                   /* numeric, of the host or its proxy; "" */
    char issuer[128];                   /* of the certificate that was shown; "" */
};

struct http_result {
    enum http_fault fault;
    enum diagnosis diagnosis;           /* when fault is not HTTP_DONE: its row of base/diagnosis.c */
    char        reason[768];        /* the same for people, without advice; no secrets */
    int         status;             /* 0 without an answer */
    const char *body;               /* "" when a sink took it */
    size_t      body_len;
    const char *content_type;       /* "" */
    int64_t     retry_after_ms;     /* what the Retry-After header asks for; -1: none */
    int64_t     date_ms;            /* the service's clock (Date header), unix milliseconds; 0: none */
    const char *request_id;         /* request-id or x-ms-request-id; "" */
    const char *authenticate;       /* WWW-Authenticate; "" */
    uint64_t    wire_bytes;         /* received body bytes before decoding */
    struct hash128 print;           /* stands for the body as it came, before decoding; zeros: not asked for with
                                       patient and sink, not a whole 200, or too long */
    bool        unchanged;          /* print is http_spec.seen: the sink has had nothing of it */
    int         duration_ms;
    bool        reused;             /* went over a connection that was open already */
    const struct http_trace *trace; /* NULL unless asked for */
};

typedef void http_done_fn(void *ctx, const struct http_result *result);

struct http_spec {
    const char *url;
    const char *form;               /* POST body, application/x-www-form-urlencoded; NULL: GET */
    const char *method;             /* another method than these two, such as "DELETE"; NULL: as form says */
    const char *authorization;      /* header value, secret; NULL: none */
    const char *const *headers;     /* NULL-terminated "Name: value" lines; NULL: none */
    const struct http_route *route;
    const struct http_sink *sink;   /* NULL: body in the result */
    http_done_fn *done;
    void *ctx;                      /* for done and the sink */
    int timeout_s;                  /* for the whole request without a sink; with one, the longest silence */
    int connect_timeout_s;          /* 0: 15 */
    bool patient;                   /* the answer is expected to be short and nobody waits for it. A sink has it when
                                       it is whole, or longer than expected */
    struct hash128 seen;            /* with patient: http_result.print of the answer that would bring nothing; zeros:
                                       none */
    bool traced;                    /* on a connection of its own, with a trace in the result */
    bool unverified;                /* with traced: to see who answers. Such a request carries nothing secret */
};

struct http;                        /* the transport: shared connections, TLS sessions and DNS answers */
struct http_request;

struct http *http_new(struct loop *loop);
void http_free(struct http *http);

/* Copies what it needs of *spec; route, sink and ctx must stay. Never NULL. The request frees itself after done. */
struct http_request *http_start(struct http *http, const struct http_spec *spec);
/* Ends it without a result. */
void http_cancel(struct http_request *request);

/* Lets the transfers go on whose sink was not ready. */
void http_resume_all(struct http *http);

/* Turns what is not a 2xx answer into an err: faults, throttling and 5xx are ERR_RETRY with the wait that was asked
 * for (header, else the body's "in N seconds"), an HTML page is ERR_RETRY naming the proxy as likely sender. True for
 * a 2xx answer. 4xx others are ERR_INPUT for the caller to refine. */
bool http_check(const struct http_result *result, struct err *err);

/* The CA bundle to use when none is configured: the first that exists of the places where Linux distributions keep
 * theirs, then Splunk's own. NULL when there is none; tls_ca_places() names what was tried. */
const char *tls_ca_bundle(void);
const char *tls_ca_places(void);

/* scheme://host[:port] with nothing behind it but an optional slash. https, or http for 127.0.0.0/8, ::1, localhost. */
bool url_is_base(const char *url);
bool url_is_loopback(const char *url);
/* Same scheme, host (any case) and port (default ports filled in)? */
bool url_same_origin(const char *a, const char *b);
/* Host without port, for messages; caller frees. "" when url is none. */
char *url_host(const char *url);
