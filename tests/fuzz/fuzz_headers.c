/* Header lines of a response, each ended by a line feed: what is kept is what a plain reader of the same lines keeps. */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "net/http_private.h"
#include "net/retry_after.h"

static struct http *http;

/* The value of the last line of that name after the last status line, without blanks around it, cut to size - 1. */
static void model(const uint8_t *data, size_t size, const char *name, char *ret, size_t room)
{
    size_t at, len, name_len = strlen(name), n;

    ret[0] = '\0';
    for (at = 0; at < size; at += len) {
        const char *line = (const char *)data + at, *end;
        const uint8_t *feed = memchr(data + at, '\n', size - at);

        len = feed ? (size_t)(feed - data) - at + 1 : size - at;
        if (len > 5 && !memcmp(line, "HTTP/", 5))
            ret[0] = '\0';
        if (len <= name_len || line[name_len] != ':' || strncasecmp(line, name, name_len))
            continue;
        end = line + len;
        line += name_len + 1;
        while (line < end && (*line == ' ' || *line == '\t'))
            line++;
        while (line < end && (!end[-1] || strchr(" \t\r\n", end[-1])))
            end--;
        n = (size_t)(end - line) < room - 1 ? (size_t)(end - line) : room - 1;
        memcpy(ret, line, n);
        ret[n] = '\0';
    }
}

static void feed_lines(struct http_request *req, const uint8_t *data, size_t size)
{
    size_t at, len;

    for (at = 0; at < size; at += len) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        char *line;

        len = end ? (size_t)(end - data) - at + 1 : size - at;
        line = mem_text_n((const char *)data + at, len); /* of its own, so that a read past its end is seen */
        need(http_on_header(line, 1, len, req) == len, "a header is taken");
        free(line);
    }
}

static void check_kept(const struct http_request *req, const uint8_t *data, size_t size)
{
    char want[HEADER_TEXT_MAX];

    model(data, size, "Content-Type", want, sizeof(req->head.content_type));
    need(!strcmp(req->head.content_type, want), "Content-Type");
    model(data, size, "Content-Encoding", want, sizeof(req->head.encoding));
    need(!strcmp(req->head.encoding, want), "Content-Encoding");
    model(data, size, "Retry-After", want, sizeof(req->head.retry_after));
    need(!strcmp(req->head.retry_after, want), "Retry-After");
    model(data, size, "Date", want, sizeof(req->head.date));
    need(!strcmp(req->head.date, want), "Date");
    model(data, size, "WWW-Authenticate", want, sizeof(req->head.authenticate));
    need(!strcmp(req->head.authenticate, want), "WWW-Authenticate");
    need(utf8_is_plain(req->head.request_id) && !strpbrk(req->head.request_id, " =\"'\\"), "an ID is one plain word");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_request *req;
    int64_t date_ms;

    if (!http)
        http = http_new(loop_new());
    req = mem_alloc(sizeof(*req));
    req->http = http;
    req->attempt.pool = pool_find(&http->pools, "https://x", NULL, "ca");
    feed_lines(req, data, size);
    check_kept(req, data, size);
    if (!http_date_ms(req->head.date, &date_ms))
        date_ms = 0;
    need(retry_after_ms(req->head.retry_after, date_ms) >= -1, "a wait or none");
    free(req);
    return 0;
}
