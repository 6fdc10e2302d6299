/* net/http_private.h - what the files of net/http share: the transport, a request, and who does what of it. Private to
 * them.
 *
 *   http.c           the transport; a request from its start to its result
 *   http_options.c   what curl is told about a request
 *   http_answer.c    the answer while it arrives: its headers, its body
 *   http_fault.c     why there is no whole answer, for the program and for people
 *   http_trace.c     the way to the service, for people who look for what is wrong
 *   http_check.c     what an answer means; knows no curl */
#pragma once

#include "base/buf.h"
#include "net/http.h"
#include "net/inflate.h"
#include "net/transport.h"

enum {
    INFLATERS_KEPT  = 4,
    HEADER_TEXT_MAX = 512,      /* longer values of the headers kept here are cut */
    PATIENT_BYTES   = 16384     /* an answer that is longer was not what a patient request expected */
};

struct http {
    struct loop          *loop;
    CURLM                *multi;
    CURLSH               *share;        /* TLS sessions, so that a new connection costs no full handshake */
    struct http_request  *first;        /* all under way ... */
    unsigned              hurried;      /* ... and how many of them are not patient */
    struct http_request  *unsent;       /* could not be sent. The results of these and the next come from the timer */
    struct http_request  *parked;       /* over, but their sinks were not ready for what was collected */
    struct timer          results_timer;
    char                 *ca_good;      /* the CA file that could be read last, ... */
    int64_t               ca_good_until_ms;     /* ... which is not tried again before */
    struct inflater      *inflaters[INFLATERS_KEPT];
    int                   inflaters_kept;
};

struct http_request {
    struct http            *http;
    struct http_request    *next, **slot;
    CURL                   *easy;
    struct curl_slist      *headers;
    char                   *url;
    char                   *form;           /* secret */
    const struct http_route *route;
    struct http_sink        sink;
    http_done_fn           *done;
    void                   *ctx;
    bool                    has_sink;
    bool                    held;           /* paused until http_resume_all() */
    bool                    gzip;
    bool                    begun;          /* the first byte of the body has come */
    bool                    to_sink;
    bool                    collects;       /* the body stands in `collected` until it is whole */
    bool                    unchanged;
    enum http_fault         fault;          /* set from inside a callback; HTTP_DONE until then */
    enum diagnosis            unsendable;     /* why, when the fault is HTTP_BAD_REQUEST */
    struct inflater        *inflater;       /* from the first byte that is decoded on */
    struct buf              body;
    struct buf              collected;      /* as it came */
    struct hash128          seen, print;
    char                    why[512];       /* our own words for a fault; "": curl's */
    char                    curl_error[CURL_ERROR_SIZE];
    char                    content_type[HEADER_TEXT_MAX];
    char                    encoding[32];
    char                    retry_after[64];
    char                    date[64];
    char                    request_id[128];
    char                    authenticate[HEADER_TEXT_MAX];
    uint64_t                wire_bytes;
    int64_t                 started_ms;
    bool                    hurried;
    bool                    traced, unverified;
};

/* http_options.c. The headers of *spec are copied. */
void http_set_options(struct http_request *req, const struct http_spec *spec);
const char *http_ca_file(const struct http_request *req);       /* NULL: none was found */
/* False for what curl would refuse only after a connection, or not clearly: the reason is in the request. */
bool http_may_be_sent(struct http_request *req);

/* http.c. Somebody waits for this one; or (false) it is patient again, or over. */
void http_hurry(struct http_request *req, bool hurried);

/* http_answer.c: curl's callbacks, with the request as their ctx, and letting go of what they made. */
size_t http_on_header(char *line, size_t size, size_t count, void *ctx);
size_t http_on_body(char *bytes, size_t size, size_t count, void *ctx);
/* curl has all of the answer: what was collected of it goes to the sink, unless that need not see it. False: the sink
 * is not ready, to be called again. */
bool http_answer_ends(struct http_request *req);
void http_answer_free(struct http_request *req);

/* http_fault.c. The fault, once curl has ended with code; then its trouble and its reason into *result. */
enum http_fault http_fault_of(struct http_request *req, CURLcode code);
void http_fault_describe(struct http_request *req, CURLcode code, struct http_result *result);

/* http_trace.c */
void http_trace_read(CURL *easy, struct http_trace *trace);
