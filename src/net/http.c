#include "net/http.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/inflate.h"
#include "net/retry.h"
#include "net/transport.h"

#define CONNECT_TIMEOUT_S     15
#define SLOWEST_BYTES_A_S     64        /* a sink's transfer that stays below this for its timeout is given up */
#define CONNECTIONS_KEPT      8         /* idle ones; over HTTP/2 one a host carries everything */
#define INFLATERS_KEPT        4
#define HEADER_TEXT_MAX       512       /* longer values of the headers kept here are cut */
#define USER_AGENT            "TA-defender-mssp/" VERSION

struct http {
    struct loop          *loop;
    CURLM                *multi;
    CURLSH               *share;        /* TLS sessions, so that a new connection costs no full handshake */
    struct http_request  *first;        /* all under way */
    struct http_request  *unsent;       /* could not be sent: their result comes from the timer */
    struct timer          unsent_timer;
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
    enum http_fault         fault;          /* set from inside a callback; HTTP_DONE until then */
    enum trouble            unsendable;     /* why, when the fault is HTTP_BAD_REQUEST */
    struct inflater        *inflater;
    struct buf              body;
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
    bool                    traced, unverified;
};

static void unsent_fire(void *ctx, int64_t now_ms);

struct http *http_new(struct loop *loop)
{
    struct http *http = mem_alloc(sizeof(*http));

    http->loop = loop;
    http->multi = loop_multi(loop);
    http->share = curl_share_init();
    if (!http->share)
        log_die("libcurl cannot be initialised");
    curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    http->unsent_timer = (struct timer){ .fire = unsent_fire, .ctx = http };
    return http;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    while (http->first)
        http_cancel(http->first);
    while (http->unsent)
        http_cancel(http->unsent);
    timer_cancel(http->loop, &http->unsent_timer);
    while (http->inflaters_kept)
        inflater_free(http->inflaters[--http->inflaters_kept]);
    curl_share_cleanup(http->share);
    free(http);
}

/* Linking a request into one of the two lists, and out of whichever it is in. */
static void list_put(struct http_request **list, struct http_request *req)
{
    req->next = *list;
    req->slot = list;
    if (req->next)
        req->next->slot = &req->next;
    *list = req;
}

static void list_take(struct http_request *req)
{
    *req->slot = req->next;
    if (req->next)
        req->next->slot = req->slot;
}

static void request_free(struct http_request *req)
{
    struct http *http = req->http;

    list_take(req);
    if (req->inflater) {
        if (http->inflaters_kept < INFLATERS_KEPT)
            http->inflaters[http->inflaters_kept++] = req->inflater;
        else
            inflater_free(req->inflater);
    }
    if (req->easy)
        curl_easy_cleanup(req->easy);
    for (struct curl_slist *line = req->headers; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data));     /* one of them is the Authorization */
    curl_slist_free_all(req->headers);
    buf_free_secret(&req->body);
    mem_free_secret(req->form);
    free(req->url);
    free(req);
}

void http_cancel(struct http_request *req)
{
    if (req->easy)
        curl_multi_remove_handle(req->http->multi, req->easy);
    request_free(req);
}

/* The answer's headers. */

static void keep_header(const char *line, size_t len, const char *name, char *to, size_t size)
{
    size_t name_len = strlen(name);

    if (len <= name_len || line[name_len] != ':' || strncasecmp(line, name, name_len))
        return;
    line += name_len + 1;
    len -= name_len + 1;
    while (len && (*line == ' ' || *line == '\t'))
        line++, len--;
    while (len && strchr(" \t\r\n", line[len - 1]))
        len--;
    snprintf(to, size, "%.*s", (int)(len < size ? len : size - 1), line);
}

static void forget_headers(struct http_request *req)
{
    req->content_type[0] = req->encoding[0] = req->retry_after[0] = req->date[0] = '\0';
    req->request_id[0] = req->authenticate[0] = '\0';
}

static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
    struct http_request *req = ctx;
    size_t len = size * count;

    if (len > 5 && !strncmp(line, "HTTP/", 5))      /* a proxy's or a 1xx answer's headers were before these */
        forget_headers(req);
    keep_header(line, len, "Content-Type", req->content_type, sizeof(req->content_type));
    keep_header(line, len, "Content-Encoding", req->encoding, sizeof(req->encoding));
    keep_header(line, len, "Retry-After", req->retry_after, sizeof(req->retry_after));
    keep_header(line, len, "Date", req->date, sizeof(req->date));
    keep_header(line, len, "request-id", req->request_id, sizeof(req->request_id));
    if (!req->request_id[0])
        keep_header(line, len, "x-ms-request-id", req->request_id, sizeof(req->request_id));
    keep_header(line, len, "WWW-Authenticate", req->authenticate, sizeof(req->authenticate));
    return len;
}

/* The answer's body. */

static bool body_begins(struct http_request *req)
{
    long status = 0;

    req->begun = true;
    curl_easy_getinfo(req->easy, CURLINFO_RESPONSE_CODE, &status);
    req->to_sink = req->has_sink && status == 200;
    if (req->has_sink && !req->to_sink)
        req->body.limit = HTTP_ERROR_BODY_MAX;
    if (!req->encoding[0] || !strcasecmp(req->encoding, "identity"))
        return true;
    if (strcasecmp(req->encoding, "gzip") && strcasecmp(req->encoding, "x-gzip")) {
        snprintf(req->why, sizeof(req->why), "the answer is encoded as '%s', asked was for gzip", req->encoding);
        return false;
    }
    req->gzip = true;
    if (req->http->inflaters_kept) {
        req->inflater = req->http->inflaters[--req->http->inflaters_kept];
        inflater_reset(req->inflater);
    } else {
        req->inflater = inflater_new();
    }
    return true;
}

static bool on_decoded(void *ctx, const char *bytes, size_t len)
{
    struct http_request *req = ctx;

    if (req->to_sink) {
        if (req->sink.data(req->ctx, bytes, len))
            return true;
        req->fault = HTTP_STOPPED;
        return false;
    }
    if (buf_add(&req->body, bytes, len))
        return true;
    if (req->has_sink)      /* the rest of a long error page is of no use, and its status counts all the same */
        return true;
    req->fault = HTTP_GARBLED;
    snprintf(req->why, sizeof(req->why), "the answer is larger than %zu bytes", req->body.limit);
    return false;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct http_request *req = ctx;
    size_t len = size * count;

    if (!req->begun && !body_begins(req)) {
        req->fault = HTTP_GARBLED;
        return 0;
    }
    if (req->to_sink && !req->sink.ready(req->ctx)) {
        req->held = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    req->wire_bytes += len;
    if (!req->gzip)
        return on_decoded(req, bytes, len) ? len : 0;
    switch (inflater_run(req->inflater, bytes, len, on_decoded, req)) {
    case INFLATE_OK:
        return len;
    case INFLATE_STOPPED:
        return 0;
    default:
        req->fault = HTTP_GARBLED;
        snprintf(req->why, sizeof(req->why), "the gzip encoding of the answer is broken");
        return 0;
    }
}

void http_resume_all(struct http *http)
{
    struct http_request *req, *next;

    for (req = http->first; req; req = next) {
        next = req->next;
        if (!req->held)
            continue;
        req->held = false;
        curl_easy_pause(req->easy, CURLPAUSE_CONT);
    }
}

/* Starting. */

static void add_header(struct http_request *req, const char *line)
{
    struct curl_slist *longer = curl_slist_append(req->headers, line);

    if (!longer)
        log_die("out of memory");
    req->headers = longer;
}

static void add_headers(struct http_request *req, const struct http_spec *spec)
{
    char id[TEXT_GUID_MAX];
    char *line;
    size_t i;

    add_header(req, "Accept-Encoding: gzip");
    add_header(req, "Accept: application/json");
    add_header(req, "Expect:");
    text_new_guid(id);
    line = mem_format("client-request-id: %s", id);
    add_header(req, line);
    free(line);
    if (spec->authorization) {
        line = mem_format("Authorization: %s", spec->authorization);
        add_header(req, line);
        mem_free_secret(line);
    }
    for (i = 0; spec->headers && spec->headers[i]; i++)
        add_header(req, spec->headers[i]);
}

static void set_route(CURL *easy, const struct http_request *req)
{
    const struct http_route *route = req->route;
    bool no_name = route->loopback_name && url_is_loopback(req->url);

    curl_easy_setopt(easy, CURLOPT_CAINFO, route->ca_file ? route->ca_file : tls_ca_bundle());
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);   /* else the host's folder is read for each new connection */
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, req->unverified ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, no_name || req->unverified ? 0L : 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (route->proxy) {
        curl_easy_setopt(easy, CURLOPT_PROXY, route->proxy);
        if (*route->proxy)      /* a proxy of the configuration is meant for every host, whatever no_proxy says */
            curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    }
}

static void set_trace(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);       /* one that was not verified must not serve another */
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);    /* a resumed session shows no certificate */
}

static void set_transfer(CURL *easy, struct http_request *req, const struct http_spec *spec)
{
    curl_easy_setopt(easy, CURLOPT_URL, req->url);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, req);
    curl_easy_setopt(easy, CURLOPT_SHARE, req->http->share);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, req->curl_error);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https,http");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, USER_AGENT);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, req->headers);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, req);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, req);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT,
                     (long)(spec->connect_timeout_s ? spec->connect_timeout_s : CONNECT_TIMEOUT_S));
    if (req->has_sink) {
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)SLOWEST_BYTES_A_S);
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)spec->timeout_s);
    } else {
        curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)spec->timeout_s);
    }
    if (req->form)
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, req->form);
    if (spec->method)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, spec->method);
}

/* What curl would refuse only after a connection, or not clearly. */
static bool may_be_sent(struct http_request *req)
{
    const char *ca = req->route->ca_file ? req->route->ca_file : tls_ca_bundle();

    if (!text_starts(req->url, "https://")) {
        if (text_starts(req->url, "http://") && url_is_loopback(req->url))
            return true;
        snprintf(req->why, sizeof(req->why), "the address is not https");
    } else if (!ca) {
        req->unsendable = TROUBLE_NO_CA;
        snprintf(req->why, sizeof(req->why), "looked for %s", tls_ca_places());
    } else if (!file_readable(ca)) {
        req->unsendable = TROUBLE_CA_FILE;
    } else {
        return true;
    }
    return false;
}

struct http_request *http_start(struct http *http, const struct http_spec *spec)
{
    struct http_request *req = mem_alloc(sizeof(*req));

    req->http = http;
    req->url = mem_text(spec->url);
    req->form = mem_text(spec->form);
    req->route = spec->route;
    req->done = spec->done;
    req->ctx = spec->ctx;
    req->body = BUF_INIT(HTTP_BODY_MAX);
    req->started_ms = clock_ms();
    req->traced = spec->traced;
    req->unsendable = TROUBLE_NO_CONNECTION;
    req->unverified = spec->traced && spec->unverified;
    assert(!req->unverified || (!spec->form && !spec->authorization));
    if (spec->sink) {
        req->sink = *spec->sink;
        req->has_sink = true;
    }
    if (!may_be_sent(req)) {
        req->fault = HTTP_BAD_REQUEST;
        list_put(&http->unsent, req);
        timer_set(http->loop, &http->unsent_timer, req->started_ms);
        return req;
    }
    req->easy = curl_easy_init();
    if (!req->easy)
        log_die("out of memory: libcurl has no room for one more transfer");
    add_headers(req, spec);
    set_route(req->easy, req);
    set_transfer(req->easy, req, spec);
    if (req->traced)
        set_trace(req->easy);
    list_put(&http->first, req);
    curl_multi_add_handle(http->multi, req->easy);
    return req;
}

/* Ending. */

static enum http_fault fault_of(struct http_request *req, CURLcode code)
{
    long proxy_status = 0;

    switch (code) {
    case CURLE_OK:
        if (!req->gzip || inflater_done(req->inflater))
            return HTTP_DONE;
        snprintf(req->why, sizeof(req->why), "the answer ends inside its gzip stream");
        return HTTP_CUT;
    case CURLE_COULDNT_RESOLVE_HOST:
        return HTTP_NO_NAME;
    case CURLE_COULDNT_CONNECT:
        return HTTP_NO_CONNECTION;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
        return HTTP_NO_PROXY;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CIPHER:
        return HTTP_NO_TLS;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_TIMEOUT;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return HTTP_BAD_REQUEST;
    default:
        curl_easy_getinfo(req->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
        return proxy_status >= 400 ? HTTP_NO_PROXY : HTTP_CUT;
    }
}

/* Packets that a firewall swallows end as a timeout: how far did it get? */
static enum trouble trouble_of_timeout(CURL *easy)
{
    curl_off_t name_us = 0, connect_us = 0;

    curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &name_us);
    curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connect_us);
    return !name_us ? TROUBLE_NO_NAME : !connect_us ? TROUBLE_NO_CONNECTION : TROUBLE_CUT;
}

static enum trouble trouble_of(const struct http_request *req, enum http_fault fault)
{
    switch (fault) {
    case HTTP_NO_NAME: return TROUBLE_NO_NAME;
    case HTTP_NO_CONNECTION: return TROUBLE_NO_CONNECTION;
    case HTTP_NO_PROXY: return TROUBLE_NO_PROXY;
    case HTTP_NO_TLS: return TROUBLE_NO_TLS;
    case HTTP_TIMEOUT: return trouble_of_timeout(req->easy);
    case HTTP_BAD_REQUEST: return req->unsendable;
    default: return TROUBLE_CUT;
    }
}

/* curl has words of its own for what a callback refused, and they say less than ours. */
static const char *words_for(const struct http_request *req, CURLcode code)
{
    if (req->why[0])
        return req->why;
    return req->curl_error[0] ? req->curl_error : code ? curl_easy_strerror(code) : "";
}

static void describe(struct http_request *req, CURLcode code, struct http_result *result)
{
    const char *why = words_for(req, code);
    const char *ca_file = req->route->ca_file ? req->route->ca_file : tls_ca_bundle();
    CLEANUP(mem_freep) char *host = url_host(req->url);
    struct buf text = BUF_INIT(sizeof(result->reason) - 1);
    long proxy_status = 0;

    if (result->fault == HTTP_DONE)
        return;
    if (req->easy)
        curl_easy_getinfo(req->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    if (result->fault == HTTP_NO_PROXY && proxy_status == 407)
        why = "it wants a user name and password, or refuses those given (HTTP 407)";
    result->trouble = trouble_of(req, result->fault);
    trouble_add_text(&text, result->trouble, result->trouble == TROUBLE_CA_FILE ? ca_file : host);
    if (*why)
        buf_add_format(&text, ": %s", why);
    if (result->fault == HTTP_NO_TLS)
        buf_add_format(&text, " (CA file %s)", ca_file);
    snprintf(result->reason, sizeof(result->reason), "%s", buf_text(&text));
    buf_free(&text);
}

/* The organisation or the common name out of "C = US, O = DigiCert Inc, CN = ..." (or with no blanks around '='). */
static void name_issuer(const char *line, char *to, size_t size)
{
    static const char *const keys[] = { "O", "CN" };
    const char *at, *end;
    size_t i;

    for (i = 0; i < COUNT_OF(keys) && !*to; i++) {
        for (at = line; at; at = (at = strchr(at, ',')) ? at + 1 : NULL) {
            at += strspn(at, " ");
            if (strncmp(at, keys[i], strlen(keys[i])) || !strchr(" =", at[strlen(keys[i])]))
                continue;
            at += strlen(keys[i]);
            at += strspn(at, " =");
            end = *at == '"' ? strchr(at + 1, '"') : strchr(at, ',');
            at += *at == '"';
            snprintf(to, size, "%.*s", end ? (int)(end - at) : (int)strlen(at), at);
            break;
        }
    }
}

static void read_issuer(CURL *easy, struct http_trace *trace)
{
    static const char prefix[] = "Issuer:";
    struct curl_certinfo *chain = NULL;
    struct curl_slist *line;

    if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) || !chain || chain->num_of_certs < 1)
        return;
    for (line = chain->certinfo[0]; line; line = line->next)
        if (text_starts(line->data, prefix))
            name_issuer(line->data + strlen(prefix), trace->issuer, sizeof(trace->issuer));
}

static int phase_ms(CURL *easy, CURLINFO phase)
{
    curl_off_t us = 0;

    return !curl_easy_getinfo(easy, phase, &us) && us > 0 ? (int)((us + 999) / 1000) : -1;
}

static void read_trace(CURL *easy, struct http_trace *trace)
{
    char *address = NULL;

    *trace = (struct http_trace){ .name_ms = phase_ms(easy, CURLINFO_NAMELOOKUP_TIME_T),
                                  .connect_ms = phase_ms(easy, CURLINFO_CONNECT_TIME_T),
                                  .tls_ms = phase_ms(easy, CURLINFO_APPCONNECT_TIME_T) };
    if (!curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address) && address)
        snprintf(trace->address, sizeof(trace->address), "%s", address);
    read_issuer(easy, trace);
}

static void give_result(struct http_request *req, CURLcode code)
{
    struct http_trace trace = { .name_ms = -1, .connect_ms = -1, .tls_ms = -1 };
    struct http_result result = { .fault = req->fault, .body = buf_text(&req->body), .body_len = req->body.len,
                                  .content_type = req->content_type, .request_id = req->request_id,
                                  .authenticate = req->authenticate, .wire_bytes = req->wire_bytes,
                                  .retry_after_ms = -1 };
    long status = 0, connects = 0;
    http_done_fn *done = req->done;
    void *ctx = req->ctx;

    if (req->easy) {
        if (result.fault == HTTP_DONE)
            result.fault = fault_of(req, code);
        curl_easy_getinfo(req->easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(req->easy, CURLINFO_NUM_CONNECTS, &connects);
        result.reused = connects == 0;
        if (req->traced)
            read_trace(req->easy, &trace);
    }
    result.trace = req->traced ? &trace : NULL;
    result.status = (int)status;
    describe(req, code, &result);
    if (!http_date_ms(req->date, &result.date_ms))
        result.date_ms = 0;
    if (req->retry_after[0])
        result.retry_after_ms = retry_after_ms(req->retry_after, result.date_ms ? result.date_ms : clock_wall_ms());
    result.duration_ms = (int)(clock_ms() - req->started_ms);
    done(ctx, &result);
    request_free(req);
}

void http_transfer_ended(CURL *easy, CURLcode code)
{
    struct http_request *req = NULL;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&req);
    curl_multi_remove_handle(req->http->multi, easy);
    give_result(req, code);
}

static void unsent_fire(void *ctx, int64_t now_ms UNUSED)
{
    struct http *http = ctx;

    while (http->unsent)
        give_result(http->unsent, CURLE_OK);
}

/* Judging. */

static bool looks_like_html(const struct http_result *result)
{
    const char *at = result->body + strspn(result->body, " \t\r\n\xEF\xBB\xBF");

    return strcasestr(result->content_type, "html") || *at == '<';
}

/* The row of a status, and what its blank holds. */
static enum trouble trouble_of_status(const struct http_result *result)
{
    if (looks_like_html(result))
        return TROUBLE_WEB_PAGE;
    if (result->status == 407)
        return TROUBLE_NO_PROXY;
    if (result->status == 429)
        return TROUBLE_HTTP_429;
    return result->status >= 400 && result->status < 500 ? TROUBLE_HTTP_4XX : TROUBLE_HTTP_5XX;
}

static void say_status(const struct http_result *result, struct err *err, enum err_kind kind)
{
    enum trouble trouble = trouble_of_status(result);
    bool is_named = trouble == TROUBLE_WEB_PAGE || trouble == TROUBLE_NO_PROXY;     /* its text has no status */
    struct buf detail = BUF_INIT(256);
    char status[16];

    snprintf(status, sizeof(status), "%d", result->status);
    if (is_named)
        buf_add_format(&detail, " (HTTP %s)", status);
    if (*result->request_id)
        buf_add_format(&detail, " (request-id %s)", result->request_id);
    trouble_set(err, kind, trouble, &(struct trouble_facts){ .text = is_named ? NULL : status,
                                                             .detail = buf_text(&detail) });
    buf_free(&detail);
}

static bool fault_check(const struct http_result *result, struct err *err)
{
    struct buf text = BUF_INIT(sizeof(err->text));

    buf_add_text(&text, result->reason);
    trouble_add_advice(&text, result->trouble, NULL);
    err_set(err, ERR_RETRY, "%s", buf_text(&text));
    buf_free(&text);
    return false;
}

bool http_check(const struct http_result *result, struct err *err)
{
    int64_t wait_ms = result->retry_after_ms;
    int status = result->status;

    if (result->fault != HTTP_DONE)
        return fault_check(result, err);
    if (status >= 200 && status < 300)
        return true;
    if (status == 429 || status == 408 || status >= 500 || status < 200 || (status >= 300 && status < 400)) {
        say_status(result, err, ERR_RETRY);
        if (wait_ms < 0)
            wait_ms = retry_after_in_body_ms(result->body, result->body_len);
        err->wait_ms = wait_ms > 0 ? wait_ms : 0;
        return false;
    }
    if (status == 407 || looks_like_html(result))
        say_status(result, err, ERR_RETRY);
    else
        say_status(result, err, ERR_INPUT);
    return false;
}
