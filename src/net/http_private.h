/* net/http_private.h - the transport and a request, for the files of net/http:
 *
 *   http.c           the transport; a request from its start to its result
 *   http_pool.c      which connections may carry another request (http_pool.h); needs no curl
 *   http_again.c     connections that died: what waits on them is sent again
 *   http_hold.c      transfers that pause because splunkd does not read
 *   http_options.c   curl's options for a request
 *   http_answer.c    the answer while it arrives: headers and body
 *   http_fault.c     why there is no whole answer: a code for the program, a text for people
 *   http_trace.c     times, address and certificate issuer of a traced request
 *   http_check.c     maps a result to an err; needs no curl */
#pragma once

#include "base/buf.h"
#include "net/http.h"
#include "net/http_pool.h"
#include "net/inflate.h"
#include "net/transport.h"

enum {
    INFLATERS_KEPT = 4,
    UNFINISHED_MOST = 32 * 1024 * 1024, /* bytes of all bodies and records that are not complete */
    HEADER_TEXT_MAX = 512               /* longer values of the headers kept here are truncated */
};

struct http {
    struct loop *loop;
    CURLM *multi;
    CURLSH *share; /* TLS sessions, so that a new connection needs no full handshake */
    struct http_request *in_flight;
    struct http_request *unsent; /* could not be sent; unsent_timer gives their results */
    struct timer unsent_timer;
    struct pool *pools;
    struct timer look_timer; /* set while requests are in flight */
    bool held;               /* a sink was not ready: who found that waits for http_resume_all() */
    int64_t resumed_ms;      /* 0: never */
    struct timer turn_timer;
    unsigned turn;
    bool delivered; /* something went to a sink since turn_timer fired */
    struct budget budget;
    struct inflater *inflaters[INFLATERS_KEPT];
    int inflaters_kept;
};

/* How a request was sent last. */
struct attempt {
    struct pool *pool; /* NULL if it could not be sent */
    unsigned generation;
    int64_t sent_ms;
    bool http2;  /* answered by HTTP/2 */
    bool heard;  /* a byte of the response has arrived */
    bool resent; /* is not sent again */
};

/* What went to the sink in the transport's turn of that number (http_hold.c). */
struct ration {
    unsigned turn;
    size_t bytes;
};

/* Headers of the response; "": it has none of that name. */
struct http_head {
    char content_type[HEADER_TEXT_MAX];
    char encoding[32];
    char retry_after[64];
    char date[64];
    char request_id[128];
    char authenticate[HEADER_TEXT_MAX];
};

/* Where the body goes. */
struct http_body {
    bool to_sink;
    bool gzip;
    struct inflater *inflater; /* NULL before the first byte that is decoded */
    struct buf text;           /* decoded, if it does not go to the sink */
    struct holding holding;    /* its share of the budget */
};

/* Why there is no whole response. */
struct http_failure {
    enum http_fault fault;     /* set from inside a callback; HTTP_DONE until then */
    enum diagnosis unsendable; /* why, if the fault is HTTP_BAD_REQUEST */
    char why[512];             /* our own words for the fault; "": curl's */
    char curl_error[CURL_ERROR_SIZE];
};

struct http_request {
    struct transfer transfer; /* first: CURLOPT_PRIVATE points to it */
    struct http *http;
    struct http_request *next, **link; /* in one of the transport's lists */
    CURL *easy;                        /* NULL if it could not be sent */
    struct curl_slist *headers;
    char *url;
    char *form; /* secret */
    const struct http_route *route;
    struct http_sink sink;
    http_done_fn *done;
    bool (*may_repeat)(void *ctx); /* NULL: it always may */
    void *ctx;
    bool has_sink;
    bool traced, unverified, metadata;
    struct attempt attempt;
    struct ration ration;
    bool is_tls;
    bool begun;  /* the first byte of the body has arrived */
    bool paused; /* until http_resume_all() */
    struct http_head head;
    struct http_body body;
    struct http_failure failure;
    uint64_t wire_bytes;
    int64_t started_ms;
};

/* http_hold.c
 *
 * Over HTTP/2, transfers share a socket. When libcurl reads it for one of them, it buffers what comes for the
 * others, up to 10 MB each (32 MB in older versions). Two rules bound that while splunkd is late. A transfer whose sink
 * is not ready pauses before it takes a byte. When they go on, they take turns, and each delivers at most RATION_BYTES
 * in a turn: no response is buffered for the sake of another. 100 customers with 4 MB each and a slow reader take 28 MB;
 * without turns, they took 293 (tests/e2e/test_connections.py). */

/* Returns false if the transfer has to pause. */
bool http_may_deliver(struct http_request *req);
/* Counts bytes that the sink gets. */
void http_delivers(struct http_request *req, size_t len);
/* The function of turn_timer. */
void http_turn_fire(void *ctx, int64_t now_ms);

/* http_again.c */

/* Sends a request, or one that has ended, over a connection of its pool. */
void http_send(struct http_request *req);
/* Sends a request whose transfer ended with this code again, if it deserves it. Returns false if it does not. */
bool http_send_again(struct http_request *req, CURLcode code);
/* A transfer timed out: sees to it that its connection is not used again. */
void http_blame(struct http_request *req);
/* The function of look_timer. */
void http_look(void *ctx, int64_t now_ms);
/* Makes the kernel notice that a peer is gone. */
void http_watch_sockets(CURL *easy);

/* http_options.c */

/* Sets all options of req->easy. Copies the headers of *spec. */
void http_set_options(struct http_request *req, const struct http_spec *spec);
/* Makes the transfer use connections of its attempt's generation only. */
void http_set_generation(struct http_request *req);
/* Returns the CA file of the route, else the system's; NULL if there is none. */
const char *http_ca_file(const struct http_request *req);
/* Returns false if the request must not be sent; the reason is then in req->why and req->unsendable. */
bool http_may_be_sent(struct http_request *req);

/* http_answer.c */

/* The callbacks of curl for a header line and for body bytes. ctx is the request. */
size_t http_on_header(char *line, size_t size, size_t count, void *ctx);
size_t http_on_body(char *bytes, size_t size, size_t count, void *ctx);
/* Frees the body for the sake of others, and fails the request. ctx is the request. */
void http_give_up(void *ctx);
/* Frees what the callbacks allocated. */
void http_answer_free(struct http_request *req);

/* http_fault.c */

/* Returns true if the request went out, at least in part. */
bool http_was_sent(CURL *easy);
/* Returns the fault for the code that curl ended with. */
enum http_fault http_fault_of(struct http_request *req, CURLcode code);
/* Fills in the diagnosis and the reason of *result, if it has a fault. */
void http_fault_describe(struct http_request *req, CURLcode code, struct http_result *result);

/* http_trace.c */

void http_trace_read(CURL *easy, struct http_trace *trace);
