#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "net/http_private.h"

/* The headers. */

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

static void forget_headers(struct http_request *req)
{
    req->content_type[0] = req->encoding[0] = req->retry_after[0] = req->date[0] = '\0';
    req->request_id[0] = req->authenticate[0] = '\0';
}

size_t http_on_header(char *line, size_t size, size_t count, void *ctx)
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

/* The body. */

static bool body_begins(struct http_request *req)
{
    long status = 0;

    req->begun = true;
    curl_easy_getinfo(req->easy, CURLINFO_RESPONSE_CODE, &status);
    req->to_sink = req->has_sink && status == 200;
    req->collects = req->collects && req->to_sink;
    if (req->has_sink && !req->to_sink)
        req->body.limit = HTTP_ERROR_BODY_MAX;
    if (!req->encoding[0] || !strcasecmp(req->encoding, "identity"))
        return true;
    if (strcasecmp(req->encoding, "gzip") && strcasecmp(req->encoding, "x-gzip")) {
        snprintf(req->why, sizeof(req->why), "the answer is encoded as '%s', asked was for gzip", req->encoding);
        return false;
    }
    req->gzip = true;
    return true;
}

static struct inflater *inflater_taken(struct http *http)
{
    struct inflater *inflater;

    if (!http->inflaters_kept)
        return inflater_new(INFLATE_SMALL);
    inflater = http->inflaters[--http->inflaters_kept];
    inflater_reset(inflater);
    return inflater;
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

static bool decode(struct http_request *req, const char *bytes, size_t len)
{
    if (!req->gzip)
        return on_decoded(req, bytes, len);
    if (!req->inflater)
        req->inflater = inflater_taken(req->http);
    switch (inflater_run(req->inflater, bytes, len, on_decoded, req)) {
    case INFLATE_OK:
        return true;
    case INFLATE_STOPPED:
        return false;
    default:
        req->fault = HTTP_GARBLED;
        snprintf(req->why, sizeof(req->why), "the gzip encoding of the answer is broken");
        return false;
    }
}

static bool decode_collected(struct http_request *req)
{
    req->collects = false;
    return decode(req, buf_text(&req->collected), req->collected.len);
}

/* Most polls bring, byte for byte, what the one before brought: to see that costs a twentieth of reading it again. */
bool http_answer_ends(struct http_request *req)
{
    if (!req->collects || !req->begun)
        return true;
    req->print = hash128_of(buf_text(&req->collected), req->collected.len);
    req->unchanged = req->print.high == req->seen.high && req->print.low == req->seen.low;
    if (req->unchanged)
        return true;
    if (!req->sink.ready(req->ctx))
        return false;
    decode_collected(req);
    return true;
}

size_t http_on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct http_request *req = ctx;
    size_t len = size * count;

    if (!req->begun && !body_begins(req)) {
        req->fault = HTTP_GARBLED;
        return 0;
    }
    if (req->collects && buf_add(&req->collected, bytes, len)) {
        req->wire_bytes += len;
        return len;
    }
    if (req->to_sink && !req->sink.ready(req->ctx)) {
        req->held = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    req->wire_bytes += len;
    if (req->wire_bytes > PATIENT_BYTES && !req->hurried)
        http_hurry(req, true);
    if (req->collects && !decode_collected(req))
        return 0;
    return decode(req, bytes, len) ? len : 0;
}

void http_answer_free(struct http_request *req)
{
    struct http *http = req->http;

    if (req->inflater && http->inflaters_kept < INFLATERS_KEPT)
        http->inflaters[http->inflaters_kept++] = req->inflater;
    else
        inflater_free(req->inflater);
    buf_free(&req->collected);
    buf_free_secret(&req->body);
}
