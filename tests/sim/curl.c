/* libcurl, as far as the program uses it: transfers over connections that break, fall silent and are shared. URLs and
 * lists of headers are the real libcurl's. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt
#undef curl_share_setopt

#define TRANSFERS_MOST   400
#define CONNECTIONS_MOST 200
#define IDLE_MOST        (118 * SECOND)

typedef size_t data_fn(char *bytes, size_t size, size_t count, void *ctx);

struct connection {
    char *key; /* NULL: free */
    int64_t number, used;
    bool silent;
};

enum stage { IDLE, SENT, ARRIVING, ENDED };

struct easy {
    char *url, *form, *method, *ca_file;
    struct curl_slist *headers;
    data_fn *on_header, *on_body;
    void *header_ctx, *body_ctx, *private;
    char *error;
    long timeout_s, silence_s, connect_s;
    bool fresh, connect_only;

    int64_t number; /* of this sending; 0: not in the multi handle */
    enum stage stage;
    int64_t connection; /* number */
    bool opened;        /* the connection is its own */
    int times;          /* that it was sent */
    bool ready, paused, told, sent;
    struct reply reply;
    size_t at, chunk;
    CURLcode code;
    bool reported;
    CURLMsg message;
};

static struct easy *transfers[TRANSFERS_MOST];
static size_t transfer_count;
static struct connection connections[CONNECTIONS_MOST];
static int64_t numbers;
static struct rng wire;

void curl_boot(void)
{
    for (size_t i = 0; i < CONNECTIONS_MOST; i++) {
        free(connections[i].key);
        connections[i] = (struct connection){ 0 };
    }
    if (!wire.state)
        wire = rng_of(plan.seed, "wire", 0);
}

bool curl_ready(void)
{
    for (size_t i = 0; i < transfer_count; i++)
        if ((transfers[i]->ready && !transfers[i]->paused) || (transfers[i]->stage == ENDED && !transfers[i]->reported))
            return true;
    return false;
}

/* Connections. */

static struct connection *connection_of(int64_t number)
{
    for (size_t i = 0; i < CONNECTIONS_MOST; i++)
        if (connections[i].key && connections[i].number == number)
            return &connections[i];
    return NULL;
}

static void close_connection(struct connection *connection)
{
    free(connection->key);
    *connection = (struct connection){ 0 };
}

static struct connection *open_connection(const char *key)
{
    struct connection *oldest = &connections[0];

    for (size_t i = 0; i < CONNECTIONS_MOST; i++) {
        if (!connections[i].key) {
            oldest = &connections[i];
            break;
        }
        if (connections[i].used < oldest->used)
            oldest = &connections[i];
    }
    close_connection(oldest);
    *oldest = (struct connection){ .key = strdup(key), .number = ++numbers, .used = now() };
    return oldest;
}

/* Gives the transfer a connection to the origin, one that is open if it may be. */
static void connect_transfer(struct easy *easy, const char *host)
{
    struct connection *found = NULL;
    char key[700];

    snprintf(key, sizeof(key), "%s %s", host, easy->ca_file ? easy->ca_file : "");
    for (size_t i = 0; i < CONNECTIONS_MOST && !easy->fresh; i++)
        if (connections[i].key && !strcmp(connections[i].key, key) && now() - connections[i].used < IDLE_MOST)
            found = &connections[i];
    easy->opened = !found;
    if (!found)
        found = open_connection(key);
    found->used = now();
    easy->connection = found->number;
}

/* Transfers. */

static struct easy *transfer_of(int64_t number)
{
    for (size_t i = 0; i < transfer_count; i++)
        if (transfers[i]->number == number)
            return transfers[i];
    return NULL;
}

static void end(struct easy *easy, CURLcode code, const char *why)
{
    if (easy->stage == ENDED)
        return;
    easy->stage = ENDED;
    easy->ready = false;
    easy->code = code;
    if (code && easy->error)
        snprintf(easy->error, CURL_ERROR_SIZE, "%s", why);
}

static void time_out(void *ctx, int64_t number)
{
    struct easy *easy = transfer_of(number);
    struct connection *connection;

    (void)ctx;
    if (!easy || easy->paused)
        return;
    connection = connection_of(easy->connection);
    if (connection && easy->opened)
        close_connection(connection);
    end(easy, CURLE_OPERATION_TIMEDOUT, "Operation too slow");
}

static void wait_for_time_out(struct easy *easy)
{
    int64_t wait = easy->silence_s ? easy->silence_s : easy->timeout_s;

    at(now() + wait * SECOND, time_out, NULL, easy->number);
}

static void arrive(void *ctx, int64_t number)
{
    struct easy *easy = transfer_of(number);

    (void)ctx;
    if (easy && easy->stage == SENT) {
        easy->stage = ARRIVING;
        easy->ready = true;
    }
}

static void host_of(const char *url, char *host, size_t size, const char **path)
{
    const char *start = strstr(url, "://") + 3;
    size_t len = strcspn(start, "/?");

    snprintf(host, size, "%.*s", (int)len, start);
    *path = start + len;
}

static const char *header_of(const struct easy *easy, const char *name)
{
    for (const struct curl_slist *line = easy->headers; line; line = line->next)
        if (!strncasecmp(line->data, name, strlen(name)))
            return line->data + strlen(name);
    return NULL;
}

static void refuse_connection(struct easy *easy)
{
    struct connection *connection = connection_of(easy->connection);

    if (connection && easy->opened)
        close_connection(connection);
    easy->sent = !easy->opened;
    end(easy, easy->opened ? CURLE_COULDNT_CONNECT : CURLE_RECV_ERROR, "Connection refused");
}

static void choose_chunks(struct easy *easy)
{
    static const size_t sizes[] = { 16384, 16384, 16384, 4000, 1000, 97 };

    easy->chunk = sizes[rng_between(&wire, 0, 5)];
    if (easy->reply.body.len > 200 * easy->chunk)
        easy->chunk = 16384;
}

/* The request has reached the service. */
static void ask_service(void *ctx, int64_t number)
{
    struct easy *easy = transfer_of(number);
    struct request request = { 0 };
    struct connection *connection;

    (void)ctx;
    if (!easy || easy->stage != SENT || machine_dead())
        return;
    connection = connection_of(easy->connection);
    easy->sent = true;
    request = (struct request){ .method = easy->method ? easy->method : easy->form ? "POST" : "GET",
                                .url = easy->url,
                                .form = easy->form,
                                .authorization = header_of(easy, "Authorization: "),
                                .again = easy->times > 1 };
    host_of(easy->url, request.host, sizeof(request.host), &request.path);
    if (!connection || connection->silent) {
        service_silent(&request);
        wait_for_time_out(easy);
        return;
    }
    if (!strncmp(request.host, "127.0.0.1", 9))
        splunkd_answer(&request, &easy->reply);
    else
        service_answer(&request, &easy->reply);
    choose_chunks(easy);
    if (easy->reply.end == REPLY_REFUSED)
        refuse_connection(easy);
    else if (easy->reply.end == REPLY_SILENT || easy->reply.delay > 100 * SECOND)
        wait_for_time_out(easy);
    else
        at(now() + easy->reply.delay, arrive, NULL, number);
}

void connections_silent(void)
{
    for (size_t i = 0; i < CONNECTIONS_MOST; i++)
        connections[i].silent = true;
    for (size_t i = 0; i < transfer_count; i++) {
        if (transfers[i]->stage == ENDED || transfers[i]->paused)
            continue;
        transfers[i]->ready = false;
        wait_for_time_out(transfers[i]);
    }
}

void connections_break(void)
{
    for (size_t i = 0; i < transfer_count; i++)
        end(transfers[i], rng_chance(&wire, 0.5) ? CURLE_HTTP2 : CURLE_RECV_ERROR, "the peer went away");
    for (size_t i = 0; i < CONNECTIONS_MOST; i++)
        if (connections[i].key)
            close_connection(&connections[i]);
}

/* Delivering. */

static void tell_headers(struct easy *easy)
{
    char *line = easy->reply.headers.data, *next;

    easy->told = true;
    for (; line && *line; line = next) {
        next = strchr(line, '\n') + 1;
        easy->on_header(line, 1, (size_t)(next - line), easy->header_ctx);
    }
}

static void end_of_reply(struct easy *easy)
{
    if (easy->reply.end == REPLY_CUT) {
        end(easy, rng_chance(&wire, 0.5) ? CURLE_PARTIAL_FILE : CURLE_RECV_ERROR, "transfer closed with data left");
        return;
    }
    end(easy, CURLE_OK, "");
}

static void deliver(struct easy *easy)
{
    size_t whole = easy->reply.end == REPLY_CUT && easy->reply.cut_at < easy->reply.body.len ? easy->reply.cut_at
                                                                                              : easy->reply.body.len;
    size_t len = whole - easy->at < easy->chunk ? whole - easy->at : easy->chunk, done;

    if (easy->reply.end == REPLY_RESET) {
        end(easy, easy->opened ? CURLE_RECV_ERROR : CURLE_HTTP2_STREAM, "Connection reset by peer");
        return;
    }
    if (!easy->told)
        tell_headers(easy);
    if (len) {
        char *copy = malloc(len); /* so that the sanitizer sees reads beyond the chunk */

        memcpy(copy, easy->reply.body.data + easy->at, len);
        done = easy->on_body(copy, 1, len, easy->body_ctx);
        free(copy);
        if (done == CURL_WRITEFUNC_PAUSE) {
            easy->paused = true;
            return;
        }
        if (done != len) {
            end(easy, CURLE_WRITE_ERROR, "Failed writing received data");
            return;
        }
        easy->at += len;
    }
    if (easy->at == whole)
        end_of_reply(easy);
}

/* libcurl's functions. */

CURLcode __wrap_curl_global_init_mem(long flags, curl_malloc_callback m, curl_free_callback f, curl_realloc_callback r,
                                     curl_strdup_callback s, curl_calloc_callback c)
{
    (void)flags, (void)m, (void)f, (void)r, (void)s, (void)c;
    return CURLE_OK;
}

void __wrap_curl_global_cleanup(void)
{
}

CURLM *__wrap_curl_multi_init(void)
{
    return (CURLM *)&transfer_count;
}

CURLMcode __wrap_curl_multi_cleanup(CURLM *multi)
{
    (void)multi;
    if (transfer_count)
        broken("transfers", "%zu transfers are left in the multi handle at its end", transfer_count);
    return CURLM_OK;
}

CURLMcode __wrap_curl_multi_setopt(CURLM *multi, CURLMoption option, ...)
{
    (void)multi, (void)option;
    return CURLM_OK;
}

CURLSH *__wrap_curl_share_init(void)
{
    return (CURLSH *)&numbers;
}

CURLSHcode __wrap_curl_share_setopt(CURLSH *share, CURLSHoption option, ...)
{
    (void)share, (void)option;
    return CURLSHE_OK;
}

CURLSHcode __wrap_curl_share_cleanup(CURLSH *share)
{
    (void)share;
    return CURLSHE_OK;
}

CURL *__wrap_curl_easy_init(void)
{
    return calloc(1, sizeof(struct easy));
}

static void set_text(char **slot, const char *text)
{
    free(*slot);
    *slot = text ? strdup(text) : NULL;
}

CURLcode __wrap_curl_easy_setopt(CURL *handle, CURLoption option, ...)
{
    struct easy *easy = handle;
    va_list args;

    va_start(args, option);
    switch ((int)option) {
    case CURLOPT_URL: set_text(&easy->url, va_arg(args, char *)); break;
    case CURLOPT_POSTFIELDS: set_text(&easy->form, va_arg(args, char *)); break;
    case CURLOPT_CUSTOMREQUEST: set_text(&easy->method, va_arg(args, char *)); break;
    case CURLOPT_CAINFO: set_text(&easy->ca_file, va_arg(args, char *)); break;
    case CURLOPT_HTTPHEADER: easy->headers = va_arg(args, struct curl_slist *); break;
    case CURLOPT_HEADERFUNCTION: easy->on_header = va_arg(args, data_fn *); break;
    case CURLOPT_WRITEFUNCTION: easy->on_body = va_arg(args, data_fn *); break;
    case CURLOPT_HEADERDATA: easy->header_ctx = va_arg(args, void *); break;
    case CURLOPT_WRITEDATA: easy->body_ctx = va_arg(args, void *); break;
    case CURLOPT_PRIVATE: easy->private = va_arg(args, void *); break;
    case CURLOPT_ERRORBUFFER: easy->error = va_arg(args, char *); break;
    case CURLOPT_TIMEOUT: easy->timeout_s = va_arg(args, long); break;
    case CURLOPT_LOW_SPEED_TIME: easy->silence_s = va_arg(args, long); break;
    case CURLOPT_CONNECTTIMEOUT: easy->connect_s = va_arg(args, long); break;
    case CURLOPT_FRESH_CONNECT: easy->fresh = va_arg(args, long) != 0; break;
    case CURLOPT_CONNECT_ONLY: easy->connect_only = va_arg(args, long) != 0; break;
    default: break;
    }
    va_end(args);
    return CURLE_OK;
}

CURLcode __wrap_curl_easy_getinfo(CURL *handle, CURLINFO info, ...)
{
    struct easy *easy = handle;
    va_list args;
    void *ret;

    va_start(args, info);
    ret = va_arg(args, void *);
    va_end(args);
    switch ((int)info) {
    case CURLINFO_PRIVATE: *(void **)ret = easy->private; break;
    case CURLINFO_RESPONSE_CODE: *(long *)ret = easy->told ? easy->reply.status : 0; break;
    case CURLINFO_NUM_CONNECTS: *(long *)ret = easy->opened; break;
    case CURLINFO_REQUEST_SIZE: *(long *)ret = easy->sent ? 500 : 0; break;
    case CURLINFO_HTTP_CONNECTCODE: *(long *)ret = 0; break;
    case CURLINFO_NAMELOOKUP_TIME_T: *(curl_off_t *)ret = easy->opened ? 900 : 0; break;
    case CURLINFO_CONNECT_TIME_T: *(curl_off_t *)ret = easy->opened && easy->sent ? 20000 : 0; break;
    default: return CURLE_UNKNOWN_OPTION;
    }
    return CURLE_OK;
}

static void forget_reply(struct easy *easy)
{
    text_drop(&easy->reply.headers);
    text_drop(&easy->reply.body);
    easy->reply = (struct reply){ 0 };
}

CURLMcode __wrap_curl_multi_add_handle(CURLM *multi, CURL *handle)
{
    struct easy *easy = handle;
    const char *path;
    char host[300];

    (void)multi;
    if (easy->number)
        broken("curl", "a transfer was added twice");
    if (transfer_count == TRANSFERS_MOST)
        broken("requests_in_flight", "more than %d transfers at a time", TRANSFERS_MOST);
    forget_reply(easy);
    host_of(easy->url, host, sizeof(host), &path);
    connect_transfer(easy, host);
    easy->number = ++numbers;
    easy->times++;
    easy->stage = SENT;
    easy->ready = easy->paused = easy->told = easy->sent = easy->reported = false;
    easy->at = 0;
    transfers[transfer_count++] = easy;
    at(now() + rng_between(&wire, 2, 8) + (easy->opened ? 25 : 0), ask_service, NULL, easy->number);
    return CURLM_OK;
}

CURLMcode __wrap_curl_multi_remove_handle(CURLM *multi, CURL *handle)
{
    struct easy *easy = handle;

    (void)multi;
    for (size_t i = 0; i < transfer_count; i++) {
        if (transfers[i] != easy)
            continue;
        memmove(transfers + i, transfers + i + 1, (transfer_count - i - 1) * sizeof(*transfers));
        transfer_count--;
        break;
    }
    easy->number = 0;
    return CURLM_OK;
}

void __wrap_curl_easy_cleanup(CURL *handle)
{
    struct easy *easy = handle;

    if (easy->number)
        broken("curl", "a transfer was freed while it was in the multi handle");
    forget_reply(easy);
    free(easy->url);
    free(easy->form);
    free(easy->method);
    free(easy->ca_file);
    free(easy);
}

CURLcode __wrap_curl_easy_pause(CURL *handle, int what)
{
    ((struct easy *)handle)->paused = what != CURLPAUSE_CONT;
    return CURLE_OK;
}

CURLMcode __wrap_curl_multi_poll(CURLM *multi, struct curl_waitfd extra[], unsigned count, int wait, int *ready)
{
    struct pollfd fds[32];

    (void)multi, (void)ready;
    check_round();
    for (unsigned i = 0; i < count; i++)
        fds[i] = (struct pollfd){ .fd = extra[i].fd,
                                  .events = (short)((extra[i].events & CURL_WAIT_POLLIN ? POLLIN : 0) |
                                                    (extra[i].events & CURL_WAIT_POLLOUT ? POLLOUT : 0)) };
    machine_wait(fds, count, wait, true);
    for (unsigned i = 0; i < count; i++)
        extra[i].revents = (short)((fds[i].revents & (POLLIN | POLLERR) ? CURL_WAIT_POLLIN : 0) |
                                   (fds[i].revents & (POLLOUT | POLLERR) ? CURL_WAIT_POLLOUT : 0));
    return CURLM_OK;
}

CURLMcode __wrap_curl_multi_perform(CURLM *multi, int *running)
{
    int64_t turn[TRANSFERS_MOST];
    size_t count = transfer_count, i;

    (void)multi;
    for (i = 0; i < count; i++)
        turn[i] = transfers[i]->number;
    for (i = 0; i < count && !machine_dead(); i++) {
        struct easy *easy = transfer_of(turn[i]);

        if (easy && easy->ready && !easy->paused)
            deliver(easy);
    }
    *running = (int)transfer_count;
    return CURLM_OK;
}

CURLMsg *__wrap_curl_multi_info_read(CURLM *multi, int *left)
{
    (void)multi;
    *left = 0;
    for (size_t i = 0; i < transfer_count && !machine_dead(); i++) {
        struct easy *easy = transfers[i];

        if (easy->stage != ENDED || easy->reported)
            continue;
        easy->reported = true;
        easy->message = (CURLMsg){ .msg = CURLMSG_DONE, .easy_handle = easy };
        easy->message.data.result = easy->code;
        return &easy->message;
    }
    return NULL;
}
