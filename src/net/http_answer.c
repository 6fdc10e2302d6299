#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "net/http_private.h"

/* Copies the header's value into to[0..size) if the line has that name. */
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
    len = len < size ? len : size - 1;
    memcpy(to, line, len);
    to[len] = '\0';
}

/* The same for an ID that messages repeat. One with other characters than Microsoft's IDs have is not kept. */
static void keep_id(const char *line, size_t len, const char *name, char *to, size_t size)
{
    keep_header(line, len, name, to, size);
    if (to[strspn(to, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._")])
        to[0] = '\0';
}

static void clear_headers(struct http_request *req)
{
    req->head.content_type[0] = req->head.encoding[0] = req->head.retry_after[0] = req->head.date[0] = '\0';
    req->head.request_id[0] = req->head.authenticate[0] = '\0';
}

/* Notes that the connection is alive, and what it speaks. */
static void hear(struct http_request *req, const char *line, size_t len)
{
    if (len > 5 && !strncmp(line, "HTTP/", 5))
        req->attempt.http2 = line[5] == '2';
    req->attempt.heard = true;
    pool_heard(req->attempt.pool, req->attempt.generation, req->attempt.http2, loop_now(req->http->loop));
}

size_t http_on_header(char *line, size_t size, size_t count, void *ctx)
{
    struct http_request *req = ctx;
    size_t len = size * count;

    hear(req, line, len);
    if (len > 5 && !strncmp(line, "HTTP/", 5)) /* the headers of a proxy or of a 1xx answer came before */
        clear_headers(req);
    keep_header(line, len, "Content-Type", req->head.content_type, sizeof(req->head.content_type));
    keep_header(line, len, "Content-Encoding", req->head.encoding, sizeof(req->head.encoding));
    keep_header(line, len, "Retry-After", req->head.retry_after, sizeof(req->head.retry_after));
    keep_header(line, len, "Date", req->head.date, sizeof(req->head.date));
    keep_id(line, len, "request-id", req->head.request_id, sizeof(req->head.request_id));
    if (!req->head.request_id[0])
        keep_id(line, len, "x-ms-request-id", req->head.request_id, sizeof(req->head.request_id));
    keep_header(line, len, "WWW-Authenticate", req->head.authenticate, sizeof(req->head.authenticate));
    return len;
}

/* Decides where the body goes and how it is decoded. Returns false for an encoding that was not asked for. */
static bool body_begins(struct http_request *req)
{
    long status = 0;

    req->begun = true;
    curl_easy_getinfo(req->easy, CURLINFO_RESPONSE_CODE, &status);
    req->body.to_sink = req->has_sink && status == 200;
    if (req->has_sink && !req->body.to_sink)
        req->body.text.limit = HTTP_ERROR_BODY_MAX;
    if (!req->head.encoding[0] || !strcasecmp(req->head.encoding, "identity"))
        return true;
    if (strcasecmp(req->head.encoding, "gzip") && strcasecmp(req->head.encoding, "x-gzip")) {
        snprintf(req->failure.why, sizeof(req->failure.why), "the answer is encoded as '%s', but gzip was requested",
                 req->head.encoding);
        return false;
    }
    req->body.gzip = true;
    return true;
}

/* Returns one of the inflaters that are kept, else a new one. The caller owns it. */
static struct inflater *inflater_take(struct http *http)
{
    struct inflater *inflater;

    if (!http->inflaters_kept)
        return inflater_new();
    inflater = http->inflaters[--http->inflaters_kept];
    inflater_reset(inflater);
    return inflater;
}

void http_give_up(void *ctx)
{
    struct http_request *req = ctx;

    buf_free_secret(&req->body.text);
    req->failure.fault = HTTP_GARBLED;
    snprintf(req->failure.why, sizeof(req->failure.why),
             "the answer is the largest of too many unfinished ones, and waits for the others");
}

/* Adds to a body that is kept here. Returns false if there is no memory for it. */
static bool keep_body(struct http_request *req, const char *bytes, size_t len)
{
    if (!buf_add(&req->body.text, bytes, len)) {
        if (req->has_sink) /* the rest of a long error page is not needed, its status still counts */
            return true;
        req->failure.fault = HTTP_GARBLED;
        snprintf(req->failure.why, sizeof(req->failure.why), "the answer is larger than %zu bytes",
                 req->body.text.limit);
        return false;
    }
    if (budget_hold(&req->http->budget, &req->body.holding, req->body.text.cap))
        return true;
    http_give_up(req);
    return false;
}

static bool on_decoded(void *ctx, const char *bytes, size_t len)
{
    struct http_request *req = ctx;

    if (req->body.to_sink) {
        if (req->sink.data(req->ctx, bytes, len))
            return true;
        req->failure.fault = HTTP_STOPPED;
        return false;
    }
    return keep_body(req, bytes, len);
}

static bool decode(struct http_request *req, const char *bytes, size_t len)
{
    if (!req->body.gzip)
        return on_decoded(req, bytes, len);
    if (!req->body.inflater)
        req->body.inflater = inflater_take(req->http);
    switch (inflater_run(req->body.inflater, bytes, len, on_decoded, req)) {
    case INFLATE_OK: return true;
    case INFLATE_STOPPED: return false;
    default:
        req->failure.fault = HTTP_GARBLED;
        snprintf(req->failure.why, sizeof(req->failure.why), "the gzip encoding of the answer is broken");
        return false;
    }
}

size_t http_on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct http_request *req = ctx;
    size_t len = size * count;

    pool_heard(req->attempt.pool, req->attempt.generation, req->attempt.http2, loop_now(req->http->loop));
    if (req->failure.fault != HTTP_DONE) /* it was given up */
        return 0;
    if (!req->begun && !body_begins(req)) {
        req->failure.fault = HTTP_GARBLED;
        return 0;
    }
    /* One connection can bring the answers of all tenants at once, and each of them a lot of work. */
    if (req->body.to_sink && (loop_signaled() || !http_may_deliver(req))) {
        req->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (req->body.to_sink)
        http_delivers(req, len);
    req->wire_bytes += len;
    return decode(req, bytes, len) ? len : 0;
}

void http_answer_free(struct http_request *req)
{
    struct http *http = req->http;

    if (req->body.inflater && http->inflaters_kept < INFLATERS_KEPT)
        http->inflaters[http->inflaters_kept++] = req->body.inflater;
    else
        inflater_free(req->body.inflater);
    budget_release(&req->body.holding);
    buf_free_secret(&req->body.text);
}
