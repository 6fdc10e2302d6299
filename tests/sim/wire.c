/* Transfers over connections that break, fall silent and are shared. */
#include "wire.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MOST 200
#define IDLE_MOST        (118 * SECOND)

struct easy *transfers[TRANSFERS_MOST];
size_t transfer_count;
static struct connection connections[CONNECTIONS_MOST];
static int64_t numbers; /* of connections and sendings */
struct rng wire;

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
    *oldest = (struct connection){ .key = strdup(key), .hash = text_hash(key), .number = ++numbers, .used = now() };
    return oldest;
}

/* Gives the transfer a connection to the origin, one that is open if it may be. */
static void connect_transfer(struct easy *easy, const char *host)
{
    struct connection *found = NULL;
    char key[700];
    uint32_t hash;

    snprintf(key, sizeof(key), "%s %s", host, easy->ca_file ? easy->ca_file : "");
    hash = text_hash(key);
    for (size_t i = 0; i < CONNECTIONS_MOST && !easy->fresh; i++)
        if (connections[i].key && connections[i].hash == hash && !strcmp(connections[i].key, key) &&
            now() - connections[i].used < IDLE_MOST)
            found = &connections[i];
    easy->opened = !found;
    if (!found)
        found = open_connection(key);
    found->used = now();
    easy->connection = found->number;
}

/* Transfers. */

struct easy *wire_find(int64_t number)
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
    struct easy *easy = wire_find(number);
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
    struct easy *easy = wire_find(number);

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

    *path = start + len;
    len = len < size ? len : size - 1;
    memcpy(host, start, len);
    host[len] = '\0';
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

static void ask_service(void *ctx, int64_t number);

/* Sends a transfer off. One that opens its connection takes longer. */
static void set_off(struct easy *easy, const char *host)
{
    connect_transfer(easy, host);
    at(now() + rng_between(&wire, 2, 8) + (easy->opened ? 25 : 0), ask_service, NULL, easy->number);
}

static struct request request_of(const struct easy *easy)
{
    struct request ret = { .method = easy->method ? easy->method
                                     : easy->form ? "POST"
                                                  : "GET",
                           .url = easy->url,
                           .form = easy->form,
                           .authorization = header_of(easy, "Authorization: ") };

    host_of(easy->url, ret.host, sizeof(ret.host), &ret.path);
    return ret;
}

/* The request has reached the service. If another transfer was to open the connection and failed, it needs one yet. */
static void ask_service(void *ctx, int64_t number)
{
    struct easy *easy = wire_find(number);
    struct request request;
    struct connection *connection;

    (void)ctx;
    if (!easy || easy->stage != SENT || machine_dead())
        return;
    request = request_of(easy);
    connection = connection_of(easy->connection);
    if (!connection) {
        set_off(easy, request.host);
        return;
    }
    easy->sent = true;
    if (connection->silent) {
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

void wire_deliver(struct easy *easy)
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

void wire_forget_reply(struct easy *easy)
{
    text_drop(&easy->reply.headers);
    text_drop(&easy->reply.body);
    easy->reply = (struct reply){ 0 };
}

void wire_send(struct easy *easy)
{
    const char *path;
    char host[300];

    wire_forget_reply(easy);
    host_of(easy->url, host, sizeof(host), &path);
    easy->number = ++numbers;
    easy->stage = SENT;
    easy->ready = easy->paused = easy->told = easy->sent = easy->reported = false;
    easy->at = 0;
    transfers[transfer_count++] = easy;
    set_off(easy, host);
}
