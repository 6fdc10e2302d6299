/* bench/server.c - Microsoft's login and alert services and splunkd's password store, fast enough not to be the limit.
 *
 * One thread, epoll, OpenSSL, HTTP/2 by nghttp2 and HTTP/1.1 by hand. Alerts are made by alerts.c and compressed in
 * pieces of PIECE alerts that end on a byte (Z_FULL_FLUSH), so an answer is the concatenation of pieces: any span of
 * time and any $top cost a copy and a few CRC combinations. Whole pieces are kept; those at the edges of a span are
 * made when asked for and kept too.
 *
 * As the documented services: $filter with ge / lt on the update time, $top, $skip, $count, newest first, an @odata.nextLink
 * from Graph when more is there and none from Endpoint, Date header, gzip. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "alerts.h"

#define PIECE       16
#define PORTS       3
#define OUT_FILL    65536
#define REQUEST_MAX 65536

enum port { PORT_LOGIN, PORT_API, PORT_SPLUNKD };
static const char *const port_names[PORTS] = { "login", "api", "splunkd" };

struct bytes {
    char  *data;
    size_t len, cap;
};

struct listener {
    int      fd, port;
    enum port what;
    unsigned open, peak, total, requests;
};

struct answer {
    int          status;
    const char  *type;
    bool         gzip;
    struct bytes body;
};

/* A request on its way to its answer. */
struct exchange {
    struct connection *con;
    int32_t      stream;
    char         method[8];
    struct bytes path, authorization, body;
    struct answer answer;
    size_t       sent;
    int64_t      due_us;
    struct exchange *next;      /* waiting for its time */
};

struct connection {
    int          fd;
    SSL         *ssl;
    struct listener *from;
    nghttp2_session *h2;
    bool         ready, dead;
    unsigned     waiting;       /* exchanges that wait for their time */
    struct bytes in, out;       /* HTTP/1.1 request; bytes to be encrypted */
    size_t       out_sent;
    uint32_t     events;
};

/* A compressed run of alerts. */
struct piece {
    struct piece *next;
    uint32_t      tenant, from, to;
    bool          first;        /* no comma in front */
    uint32_t      crc, plain_len, len;
    unsigned char data[];
};

static struct feed feed;
static struct listener listeners[PORTS];
static SSL_CTX *tls;
static int epoll_fd;
static FILE *log_file;
static int64_t delay_us;
static unsigned long top_max;           /* a larger $top is answered with 400; 0: no limit */
static struct exchange *delayed, **delayed_end = &delayed;
static struct piece **pieces;
static size_t piece_slots;
static uint64_t body_bytes;

static void die(const char *what)
{
    fprintf(stderr, "bench server: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void bytes_add(struct bytes *to, const void *data, size_t len)
{
    if (to->len + len + 1 > to->cap) {
        to->cap = (to->len + len + 1) * 3 / 2 + 64;
        to->data = realloc(to->data, to->cap);
        if (!to->data)
            die("memory");
    }
    memcpy(to->data + to->len, data, len);
    to->len += len;
    to->data[to->len] = '\0';
}

static void bytes_text(struct bytes *to, const char *text)
{
    bytes_add(to, text, strlen(text));
}

static void bytes_free(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){ NULL, 0, 0 };
}

/* Pieces. */

static struct piece *piece_make(uint32_t tenant, uint32_t from, uint32_t to, bool first)
{
    static char plain[(PIECE + 1) * ALERT_MAX];
    static unsigned char packed[(PIECE + 1) * ALERT_MAX + 4096];
    z_stream stream = { .zalloc = NULL };
    struct piece *piece;
    size_t len = 0;
    uint32_t i;

    for (i = from; i < to; i++) {
        if (!(first && i == from))
            plain[len++] = ',';
        len += alert_write(&feed, tenant, i, plain + len);
    }
    deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    stream.next_in = (Bytef *)plain;
    stream.avail_in = (uInt)len;
    stream.next_out = packed;
    stream.avail_out = sizeof(packed);
    deflate(&stream, Z_FULL_FLUSH);
    piece = malloc(sizeof(*piece) + stream.total_out);
    if (!piece)
        die("memory");
    *piece = (struct piece){ NULL, tenant, from, to, first, 0, (uint32_t)len, (uint32_t)stream.total_out };
    memcpy(piece->data, packed, stream.total_out);
    piece->crc = (uint32_t)crc32(0, (Bytef *)plain, (uInt)len);
    deflateEnd(&stream);
    return piece;
}

static const struct piece *piece_get(uint32_t tenant, uint32_t from, uint32_t to, bool first)
{
    size_t slot = ((tenant * UINT64_C(2654435761)) ^ (from * UINT64_C(40503)) ^ (to * UINT64_C(69069)) ^ first) % piece_slots;
    struct piece *piece;

    for (piece = pieces[slot]; piece; piece = piece->next)
        if (piece->tenant == tenant && piece->from == from && piece->to == to && piece->first == first)
            return piece;
    piece = piece_make(tenant, from, to, first);
    piece->next = pieces[slot];
    pieces[slot] = piece;
    return piece;
}

/* A gzip body. */

struct gzip {
    struct bytes *body;
    uint32_t crc, plain_len;
};

static void gzip_begin(struct gzip *gz, struct bytes *body)
{
    gz->body = body;
    gz->crc = gz->plain_len = 0;
    bytes_add(body, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
}

static void gzip_text(struct gzip *gz, const char *text)        /* a stored block */
{
    uint32_t len = (uint32_t)strlen(text);
    unsigned char head[5] = { 0, len & 255, len >> 8, ~len & 255, (~len >> 8) & 255 };

    bytes_add(gz->body, head, 5);
    bytes_add(gz->body, text, len);
    gz->crc = (uint32_t)crc32(gz->crc, (const Bytef *)text, len);
    gz->plain_len += len;
}

static void gzip_piece(struct gzip *gz, uint32_t tenant, uint32_t from, uint32_t to, bool first)
{
    const struct piece *piece = piece_get(tenant, from, to, first);

    bytes_add(gz->body, piece->data, piece->len);
    gz->crc = (uint32_t)crc32_combine(gz->crc, piece->crc, piece->plain_len);
    gz->plain_len += piece->plain_len;
}

static void gzip_end(struct gzip *gz)
{
    unsigned char tail[10] = { 3, 0 };      /* an empty last block */
    int i;

    for (i = 0; i < 4; i++) {
        tail[2 + i] = (unsigned char)(gz->crc >> (8 * i));
        tail[6 + i] = (unsigned char)(gz->plain_len >> (8 * i));
    }
    bytes_add(gz->body, tail, 10);
}

static void records(struct gzip *gz, uint32_t tenant, uint32_t from, uint32_t to)
{
    uint32_t end, start = from;

    for (; from < to; from = end) {
        end = (from / PIECE + 1) * PIECE;
        if (end > to)
            end = to;
        gzip_piece(gz, tenant, from, end, from == start);
    }
}

/* Adds the member with this name at the start of a record, up to the end of its text. */
static size_t add_member(char *to, const char *record, const char *name)
{
    const char *at = strstr(record, name), *end = at ? strchr(at + strlen(name), '"') : NULL;

    return end ? (size_t)sprintf(to, "%.*s", (int)(end + 1 - at), at) : 0;
}

/* The same records with ID and update time only. */
static void short_records(struct gzip *gz, uint32_t tenant, uint32_t from, uint32_t to)
{
    static char record[ALERT_MAX + 1], text[512];
    size_t len;

    for (uint32_t at = from; at < to; at++) {
        record[alert_write(&feed, tenant, at, record)] = '\0';
        len = (size_t)sprintf(text, at == from ? "{" : ",{");
        len += add_member(text + len, record, "\"id\":\"");
        len += (size_t)sprintf(text + len, ",");
        len += add_member(text + len, record, feed.kind == FEED_GRAPH ? "\"lastUpdateDateTime\":\"" : "\"lastUpdateTime\":\"");
        snprintf(text + len, sizeof(text) - len, "}");
        gzip_text(gz, text);
    }
}

/* Services. */

static void plain_answer(struct answer *answer, int status, const char *text)
{
    answer->status = status;
    answer->type = "application/json; charset=utf-8";
    bytes_text(&answer->body, text);
}

static void decode(const char *from, struct bytes *to)
{
    unsigned value;
    char c;

    for (; *from; from++) {
        c = *from == '+' ? ' ' : *from;
        if (c == '%' && sscanf(from + 1, "%2x", &value) == 1) {
            c = (char)value;
            from += 2;
        }
        bytes_add(to, &c, 1);
    }
}

static int64_t bound(const char *query, const char *word, int64_t otherwise)
{
    const char *at = strstr(query, word);

    return at ? time_read(at + strlen(word)) : otherwise;
}

static void alerts_answer(struct exchange *ex)
{
    struct bytes query = { NULL, 0, 0 };
    const char *at, *bearer = strstr(ex->authorization.data ? ex->authorization.data : "", "bench-");
    uint32_t tenant = bearer ? (uint32_t)strtoul(bearer + 6, NULL, 10) : UINT32_MAX, from, to, skip = 0, top = 1000, count;
    bool more = false;
    struct gzip gz;
    char text[1024];

    decode(ex->path.data, &query);
    if (tenant >= feed.tenants) {
        plain_answer(&ex->answer, 401, "{\"error\":{\"code\":\"Unauthorized\",\"message\":\"no such token\"}}");
        bytes_free(&query);
        return;
    }
    if ((at = strstr(query.data, "$top=")))
        top = (uint32_t)strtoul(at + 5, NULL, 10);
    else if (feed.kind == FEED_ENDPOINT)
        top = 10000;
    if ((at = strstr(query.data, "$skip=")))
        skip = (uint32_t)strtoul(at + 6, NULL, 10);
    if (top_max && top > top_max) {
        plain_answer(&ex->answer, 400, "{\"error\":{\"code\":\"BadRequest\",\"message\":\"$top is too large\"}}");
        bytes_free(&query);
        return;
    }
    alert_range(&feed, tenant, bound(query.data, "Time ge ", INT64_MIN + 1), bound(query.data, "Time lt ", INT64_MAX), &from, &to);
    count = to - from;
    from = from + skip < to ? from + skip : to;
    if (to - from > top) {
        to = from + top;
        more = feed.kind == FEED_GRAPH;
    }
    ex->answer.status = 200;
    ex->answer.type = "application/json; odata.metadata=minimal";
    ex->answer.gzip = true;
    gzip_begin(&gz, &ex->answer.body);
    gzip_text(&gz, feed.kind == FEED_GRAPH ? "{\"@odata.context\":\"https://graph.example/v1.0/$metadata#security/alerts_v2\","
                                           : "{\"@odata.context\":\"https://api.example/api/$metadata#Alerts\",");
    if (strstr(query.data, "$count=true")) {
        snprintf(text, sizeof(text), "\"@odata.count\":%u,", count);
        gzip_text(&gz, text);
    }
    if (more) {
        snprintf(text, sizeof(text), "\"@odata.nextLink\":\"https://127.0.0.1:%d%.*s&$skip=%u\",", ex->con->from->port,
                 (int)(strstr(ex->path.data, "&$skip=") ? strstr(ex->path.data, "&$skip=") - ex->path.data
                                                        : (long)ex->path.len), ex->path.data, skip + top);
        gzip_text(&gz, text);
    }
    gzip_text(&gz, "\"value\":[");
    if (strstr(query.data, "$select="))
        short_records(&gz, tenant, from, to);
    else
        records(&gz, tenant, from, to);
    gzip_text(&gz, "]}");
    gzip_end(&gz);
    bytes_free(&query);
}

static void login_answer(struct exchange *ex)
{
    char text[4096], filler[1200];
    const char *guid = strstr(ex->path.data, "00000000-0000-4000-8000-");
    unsigned long tenant = guid ? strtoul(guid + 24, NULL, 10) : 0;

    memset(filler, 'x', sizeof(filler) - 1);        /* real tokens are that long */
    filler[sizeof(filler) - 1] = '\0';
    snprintf(text, sizeof(text), "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"ext_expires_in\":3599,\"access_token\":"
             "\"bench-%lu-%s\"}", tenant, filler);
    plain_answer(&ex->answer, 200, text);
}

/* The password store: the app's secret, and the note that binds it to this server (src/splunk/secret_hosts.h). */
static void splunkd_answer(struct exchange *ex)
{
#define ENTRY "{\"content\":{\"realm\":\"TA-defender-mssp\",\"username\":\"client_secret.11111111-1111-4111-8111-111111111111"
    char text[1024];

    snprintf(text, sizeof(text), "{\"entry\":[" ENTRY "\",\"clear_password\":\"a secret of the bench\"}},"
             ENTRY ".hosts\",\"clear_password\":\"TA-defender-mssp hosts "
             "3526fa46069c1a2e878f3c5f75db4a0151b0d6c82e8ee672498bc13e22698fe6 https://127.0.0.1:%d "
             "https://127.0.0.1:%d\"}}],\"messages\":[]}", listeners[PORT_LOGIN].port, listeners[PORT_API].port);
    plain_answer(&ex->answer, 200, text);
}

static void stats_answer(struct answer *answer)
{
    char text[512];
    struct bytes all = { NULL, 0, 0 };
    int i;

    snprintf(text, sizeof(text), "{\"body_bytes\": %llu", (unsigned long long)body_bytes);
    bytes_text(&all, text);
    for (i = 0; i < PORTS; i++) {
        struct listener *l = &listeners[i];

        snprintf(text, sizeof(text), ", \"%s\": {\"open\": %u, \"peak\": %u, \"total\": %u, \"requests\": %u}",
                 port_names[i], l->open, l->peak, l->total, l->requests);
        bytes_text(&all, text);
        l->peak = l->open;
        l->total = l->requests = 0;
    }
    body_bytes = 0;
    bytes_text(&all, "}");
    plain_answer(answer, 200, all.data);
    bytes_free(&all);
}

static void make_answer(struct exchange *ex)
{
    struct listener *from = ex->con->from;

    if (!strncmp(ex->path.data, "/stats", 6)) {
        stats_answer(&ex->answer);
        return;
    }
    if (!strncmp(ex->path.data, "/log", 4)) {
        if (log_file) {
            rewind(log_file);
            if (ftruncate(fileno(log_file), 0))
                die("log");
        }
        plain_answer(&ex->answer, 200, "{}");
        return;
    }
    from->requests++;
    if (log_file && from->what != PORT_SPLUNKD) {
        fprintf(log_file, "%s\thttps://127.0.0.1:%d%s\t%s\t%s\n", ex->method, from->port, ex->path.data,
                ex->authorization.len ? ex->authorization.data : "-", ex->body.len ? ex->body.data : "-");
        fflush(log_file);
    }
    if (from->what == PORT_LOGIN)
        login_answer(ex);
    else if (from->what == PORT_SPLUNKD)
        splunkd_answer(ex);
    else
        alerts_answer(ex);
    body_bytes += ex->answer.body.len;
}

static void exchange_free(struct exchange *ex)
{
    bytes_free(&ex->path);
    bytes_free(&ex->authorization);
    bytes_free(&ex->body);
    bytes_free(&ex->answer.body);
    free(ex);
}

static const char *http_date(void)
{
    static char text[64];
    time_t now = time(NULL);

    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", gmtime(&now));
    return text;
}

/* Connections: bytes out. */

static void connection_close(struct connection *con)
{
    if (con->dead)
        return;
    con->dead = true;
    con->from->open--;
    epoll_ctl(epoll_fd, EPOLL_CTL_DEL, con->fd, NULL);
    SSL_free(con->ssl);
    close(con->fd);
    if (con->h2)
        nghttp2_session_del(con->h2);
    con->h2 = NULL;
    bytes_free(&con->in);
    bytes_free(&con->out);
}

static void want(struct connection *con, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = con };

    if (events == con->events)
        return;
    con->events = events;
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, con->fd, &event);
}

static void fill_out(struct connection *con)
{
    const uint8_t *data;
    ssize_t len;

    while (con->h2 && con->out.len < OUT_FILL && (len = nghttp2_session_mem_send(con->h2, &data)) > 0)
        bytes_add(&con->out, data, (size_t)len);
}

static void push(struct connection *con)
{
    int done;

    for (;;) {
        if (con->out_sent == con->out.len) {
            con->out.len = con->out_sent = 0;
            fill_out(con);
            if (!con->out.len) {
                want(con, EPOLLIN);
                return;
            }
        }
        done = SSL_write(con->ssl, con->out.data + con->out_sent, (int)(con->out.len - con->out_sent));
        if (done <= 0) {
            if (SSL_get_error(con->ssl, done) == SSL_ERROR_WANT_WRITE)
                want(con, EPOLLIN | EPOLLOUT);
            else
                connection_close(con);
            return;
        }
        con->out_sent += (size_t)done;
    }
}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *to, size_t len, uint32_t *flags,
                         nghttp2_data_source *source, void *ctx)
{
    struct exchange *ex = source->ptr;
    size_t left = ex->answer.body.len - ex->sent;

    (void)session, (void)stream, (void)ctx;
    if (len > left)
        len = left;
    memcpy(to, ex->answer.body.data + ex->sent, len);
    ex->sent += len;
    if (ex->sent == ex->answer.body.len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

#define NV(n, v) (nghttp2_nv){ (uint8_t *)(uintptr_t)(n), (uint8_t *)(uintptr_t)(v), strlen(n), strlen(v), NGHTTP2_NV_FLAG_NONE }

static void send_answer(struct exchange *ex)
{
    struct connection *con = ex->con;
    struct answer *a = &ex->answer;
    char status[16], length[24], head[512];

    snprintf(status, sizeof(status), "%d", a->status);
    snprintf(length, sizeof(length), "%zu", a->body.len);
    if (con->h2) {
        nghttp2_nv fields[] = { NV(":status", status), NV("content-type", a->type), NV("date", http_date()),
                                NV("request-id", "0b7d7d2e-6a53-4a5c-9f0b-3a4a36b1c8aa"), NV("content-length", length),
                                NV("content-encoding", "gzip") };
        nghttp2_data_provider provider = { .source.ptr = ex, .read_callback = read_body };

        nghttp2_submit_response(con->h2, ex->stream, fields, a->gzip ? 6 : 5, &provider);
        return;         /* the caller pushes; freed when its stream closes */
    }
    snprintf(head, sizeof(head), "HTTP/1.1 %s OK\r\nContent-Type: %s\r\nDate: %s\r\nrequest-id: "
             "0b7d7d2e-6a53-4a5c-9f0b-3a4a36b1c8aa\r\nContent-Length: %s\r\n%s\r\n", status, a->type, http_date(), length,
             a->gzip ? "Content-Encoding: gzip\r\n" : "");
    bytes_text(&con->out, head);
    bytes_add(&con->out, a->body.data, a->body.len);
    exchange_free(ex);
    push(con);
}

static void answer(struct exchange *ex)
{
    make_answer(ex);
    if (!delay_us || ex->con->from->what == PORT_SPLUNKD) {
        send_answer(ex);
        return;
    }
    ex->con->waiting++;
    ex->due_us = now_us() + delay_us;
    *delayed_end = ex;
    delayed_end = &ex->next;
}

static int send_delayed(void)
{
    struct exchange *ex;
    struct connection *con;
    int64_t now = now_us();

    while (delayed && delayed->due_us <= now) {
        ex = delayed;
        con = ex->con;
        delayed = ex->next;
        if (!delayed)
            delayed_end = &delayed;
        con->waiting--;
        if (con->dead) {
            exchange_free(ex);
            continue;
        }
        send_answer(ex);
        if (con->h2)
            push(con);
    }
    return delayed ? (int)((delayed->due_us - now) / 1000) + 1 : -1;
}

/* Connections: bytes in. */

static int on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct exchange *ex;

    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    ex = calloc(1, sizeof(*ex));
    ex->con = ctx;
    ex->stream = frame->hd.stream_id;
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, ex);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *ctx)
{
    struct exchange *ex = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

    (void)flags, (void)ctx;
    if (!ex)
        return 0;
    if (name_len == 7 && !memcmp(name, ":method", 7))
        snprintf(ex->method, sizeof(ex->method), "%.*s", (int)value_len, (const char *)value);
    else if (name_len == 5 && !memcmp(name, ":path", 5))
        bytes_add(&ex->path, value, value_len);
    else if (name_len == 13 && !memcmp(name, "authorization", 13))
        bytes_add(&ex->authorization, value, value_len);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t len, void *ctx)
{
    struct exchange *ex = nghttp2_session_get_stream_user_data(session, stream);

    (void)flags, (void)ctx;
    if (ex && ex->body.len < REQUEST_MAX)
        bytes_add(&ex->body, data, len);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct exchange *ex;

    (void)ctx;
    if ((frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    ex = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (ex && ex->path.len)
        answer(ex);
    return 0;
}

static int on_stream_end(nghttp2_session *session, int32_t stream, uint32_t code, void *ctx)
{
    struct exchange *ex = nghttp2_session_get_stream_user_data(session, stream);

    (void)code, (void)ctx;
    if (ex && !(ex->due_us && ex->due_us > now_us()))
        exchange_free(ex);
    return 0;
}

static void begin_h2(struct connection *con)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_settings_entry settings[] = { { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100 } };

    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_end);
    nghttp2_session_server_new(&con->h2, callbacks, con);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(con->h2, NGHTTP2_FLAG_NONE, settings, 1);
}

static void header_value(const char *head, const char *name, struct bytes *to)
{
    const char *at = strcasestr(head, name);

    if (at) {
        at += strlen(name);
        at += strspn(at, " ");
        bytes_add(to, at, strcspn(at, "\r\n"));
    }
}

static void read_http1(struct connection *con)
{
    struct exchange *ex;
    struct bytes length = { NULL, 0, 0 };
    char *end, *path;
    size_t head_len, body_len;

    if (!con->in.len || !(end = strstr(con->in.data, "\r\n\r\n")))
        return;
    head_len = (size_t)(end - con->in.data) + 4;
    header_value(con->in.data, "\r\nContent-Length:", &length);
    body_len = length.len ? strtoul(length.data, NULL, 10) : 0;
    bytes_free(&length);
    if (con->in.len < head_len + body_len)
        return;
    ex = calloc(1, sizeof(*ex));
    ex->con = con;
    snprintf(ex->method, sizeof(ex->method), "%.*s", (int)strcspn(con->in.data, " "), con->in.data);
    path = con->in.data + strcspn(con->in.data, " ") + 1;
    bytes_add(&ex->path, path, strcspn(path, " \r"));
    end[2] = '\0';
    header_value(con->in.data, "\r\nAuthorization:", &ex->authorization);
    if (body_len)
        bytes_add(&ex->body, con->in.data + head_len, body_len);
    con->in.len = 0;
    answer(ex);
}

static void pull(struct connection *con)
{
    char data[16384];
    const unsigned char *proto;
    unsigned proto_len;
    int len;

    if (!con->ready) {
        len = SSL_accept(con->ssl);
        if (len <= 0) {
            len = SSL_get_error(con->ssl, len);
            ERR_clear_error();
            if (len != SSL_ERROR_WANT_READ && len != SSL_ERROR_WANT_WRITE)
                connection_close(con);
            return;
        }
        con->ready = true;
        SSL_get0_alpn_selected(con->ssl, &proto, &proto_len);
        if (proto_len == 2)
            begin_h2(con);
    }
    while (!con->dead && (len = SSL_read(con->ssl, data, sizeof(data))) > 0) {
        if (!con->h2) {
            bytes_add(&con->in, data, (size_t)len);
            read_http1(con);
        } else if (nghttp2_session_mem_recv(con->h2, (uint8_t *)data, (size_t)len) < 0) {
            connection_close(con);
        }
    }
    if (con->dead)
        return;
    if (SSL_get_error(con->ssl, len) != SSL_ERROR_WANT_READ)
        connection_close(con);
    else
        push(con);
    ERR_clear_error();
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                           unsigned in_len, void *ctx)
{
    const unsigned char *offer = ctx;

    (void)ssl;
    if (SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_len, offer, (unsigned)strlen((const char *)offer), in,
                              in_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    return SSL_TLSEXT_ERR_OK;
}

static void accept_all(struct listener *listener)
{
    struct epoll_event event = { .events = EPOLLIN };
    struct connection *con;
    int fd, one = 1;

    while ((fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        con = calloc(1, sizeof(*con));
        con->fd = fd;
        con->from = listener;
        con->ssl = SSL_new(tls);
        con->events = EPOLLIN;
        SSL_set_fd(con->ssl, fd);
        SSL_set_accept_state(con->ssl);
        event.data.ptr = con;
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
        listener->total++;
        if (++listener->open > listener->peak)
            listener->peak = listener->open;
    }
}

static void listen_all(void)
{
    struct epoll_event event = { .events = EPOLLIN };
    struct sockaddr_in addr;
    socklen_t len;
    int i;

    for (i = 0; i < PORTS; i++) {
        struct listener *l = &listeners[i];

        addr = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        len = sizeof(addr);
        l->what = (enum port)i;
        l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (bind(l->fd, (struct sockaddr *)&addr, len) || listen(l->fd, 1024) || getsockname(l->fd, (struct sockaddr *)&addr, &len))
            die("listen");
        l->port = ntohs(addr.sin_port);
        event.data.ptr = l;
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, l->fd, &event);
    }
}

static void warm(void)
{
    struct bytes body = { NULL, 0, 0 };
    struct gzip gz;
    uint32_t tenant;

    for (tenant = 0; tenant < feed.tenants; tenant++) {
        gzip_begin(&gz, &body);
        records(&gz, tenant, 0, feed.alerts);
        body.len = 0;
    }
    bytes_free(&body);
}

static void serve(void)
{
    struct epoll_event events[256];
    int count, i, wait = -1;

    for (;;) {
        count = epoll_wait(epoll_fd, events, 256, wait);
        for (i = 0; i < count; i++) {
            struct listener *l = events[i].data.ptr;
            struct connection *con = events[i].data.ptr;

            if (l >= listeners && l < listeners + PORTS)
                accept_all(l);
            else if (con->dead)
                continue;
            else if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                pull(con);
            else
                push(con);
        }
        wait = send_delayed();
    }
}

static void usage(void)
{
    fprintf(stderr, "usage: server --feed F --cert PEM [--http1] [--delay-ms N] [--top-max N] [--log FILE] [--cold]\n");
    exit(2);
}

int main(int argc, char **argv)
{
    const char *cert = NULL, *protocols = "\x02h2\x08http/1.1";
    bool cold = false;
    int i;

    for (i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--http1"))
            protocols = "\x08http/1.1";
        else if (!strcmp(argv[i], "--cold"))
            cold = true;
        else if (i + 1 == argc)
            usage();
        else if (!strcmp(argv[i], "--feed")) {
            if (!feed_parse(argv[++i], &feed))
                usage();
        } else if (!strcmp(argv[i], "--cert"))
            cert = argv[++i];
        else if (!strcmp(argv[i], "--delay-ms"))
            delay_us = atol(argv[++i]) * 1000;
        else if (!strcmp(argv[i], "--top-max"))
            top_max = strtoul(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--log"))
            log_file = fopen(argv[++i], "w+e");
        else
            usage();
    }
    if (!feed.tenants || !cert)
        usage();
    signal(SIGPIPE, SIG_IGN);
    piece_slots = (size_t)feed.tenants * (feed.alerts / PIECE + 4) + 1024;
    pieces = calloc(piece_slots, sizeof(*pieces));
    tls = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_alpn_select_cb(tls, choose_protocol, (void *)(uintptr_t)protocols);
    if (SSL_CTX_use_certificate_chain_file(tls, cert) != 1 || SSL_CTX_use_PrivateKey_file(tls, cert, SSL_FILETYPE_PEM) != 1)
        die("certificate");
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!cold)
        warm();
    listen_all();
    printf("%d %d %d\n", listeners[0].port, listeners[1].port, listeners[2].port);
    fflush(stdout);
    serve();
}
