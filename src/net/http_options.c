#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/die.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http_private.h"
#include "net/tls.h"
#include "net/url.h"

#define CONNECT_TIMEOUT_S 15
#define SLOWEST_BYTES_A_S 64 /* a transfer to a sink ends if it is slower than this for its whole timeout */
#define USER_AGENT        "TA-defender-mssp/" VERSION

const char *http_ca_file(const struct http_request *req)
{
    return req->route->ca_file ? req->route->ca_file : tls_ca_bundle();
}

bool http_may_be_sent(struct http_request *req)
{
    const char *ca = http_ca_file(req);
    struct err err;

    if (!text_starts(req->url, "https://")) {
        if (text_starts(req->url, "http://") &&
            (url_is_loopback(req->url) || (req->metadata && url_is_metadata(req->url))))
            return true;
        snprintf(req->failure.why, sizeof(req->failure.why), "the address is not https");
    } else if (!ca) {
        req->failure.unsendable = DIAGNOSIS_NO_CA;
        snprintf(req->failure.why, sizeof(req->failure.why), "looked for %s", tls_ca_places());
    } else if (!file_usable(ca, TLS_CA_MAX, &err)) { /* libcurl would wait for a pipe in its place */
        req->failure.unsendable = DIAGNOSIS_CA_FILE;
        snprintf(req->failure.why, sizeof(req->failure.why), "%s", err.text);
    } else {
        return true;
    }
    return false;
}

static void add_header(struct http_request *req, const char *line)
{
    struct curl_slist *longer = curl_slist_append(req->headers, line);

    if (!longer)
        die("out of memory: libcurl cannot copy a header");
    req->headers = longer;
}

static void add_value(struct http_request *req, const char *name, const char *value)
{
    struct buf line = BUF_INIT(HTTP_BODY_MAX);

    buf_add_text(&line, name);
    buf_add_text(&line, value);
    add_header(req, buf_text(&line));
    buf_free_secret(&line);
}

static void add_headers(struct http_request *req, const struct http_spec *spec)
{
    char id[RANDOM_GUID_MAX];
    size_t i;

    add_header(req, "Accept-Encoding: gzip");
    add_header(req, "Accept: application/json");
    add_header(req, "User-Agent: " USER_AGENT); /* CURLOPT_USERAGENT would cost more */
    if (spec->form || spec->json)
        add_header(req, "Expect:");
    if (spec->json)
        add_header(req, "Content-Type: application/json");
    random_guid(id);
    add_value(req, "client-request-id: ", id);
    if (spec->authorization)
        add_value(req, "Authorization: ", spec->authorization);
    for (i = 0; spec->headers && spec->headers[i]; i++)
        add_header(req, spec->headers[i]);
}

/* Opens a socket only to this machine: a host name that means it by its spelling may be resolved to another. */
static curl_socket_t open_loopback_socket(void *ctx UNUSED, curlsocktype purpose UNUSED, struct curl_sockaddr *peer)
{
    if (!url_peer_is_loopback(&peer->addr))
        return CURL_SOCKET_BAD;
    return socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);
}

/* Opens a socket only to Azure's metadata service. */
static curl_socket_t open_metadata_socket(void *ctx UNUSED, curlsocktype purpose UNUSED, struct curl_sockaddr *peer)
{
    if (!url_peer_is_metadata(&peer->addr))
        return CURL_SOCKET_BAD;
    return socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);
}

/* No proxy has any business between two programs on this machine, and http: would show it the secret. */
static void set_loopback(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_loopback_socket);
}

static void set_route(CURL *easy, const struct http_request *req)
{
    const struct http_route *route = req->route;
    bool loopback = url_is_loopback(req->url), no_name = route->loopback_name && loopback;

    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* else curl reads the host's folder for each new connection */
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, req->unverified ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, no_name || req->unverified ? 0L : 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (loopback) {
        set_loopback(easy);
    } else if (req->metadata) {
        curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* a proxy would ask the metadata service of its own host */
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_metadata_socket);
    } else if (route->proxy) {
        curl_easy_setopt(easy, CURLOPT_PROXY, route->proxy);
        if (*route->proxy) /* a configured proxy is for every host, whatever no_proxy says */
            curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    }
}

/* libcurl reuses a connection only if it was verified with a CA file of the same name. "/." in front of the path makes
 * another name for the same file. After 64 generations their connections are long closed. */
void http_set_generation(struct http_request *req)
{
    const char *ca = http_ca_file(req);
    struct buf path = BUF_INIT(HTTP_BODY_MAX);
    unsigned i;

    if (!ca) /* plain HTTP needs none */
        return;
    for (i = 0; i < req->attempt.generation % 64; i++)
        buf_add_text(&path, *ca == '/' ? "/." : "./");
    buf_add_text(&path, ca);
    curl_easy_setopt(req->easy, CURLOPT_CAINFO, buf_text(&path));
    buf_free(&path);
}

static void set_trace(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L); /* an unverified connection must not serve other requests */
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L); /* a resumed session has no certificate to show */
}

/* Sets the request, and the connections that it may use. */
static void set_message(CURL *easy, struct http_request *req, const struct http_spec *spec)
{
    curl_easy_setopt(easy, CURLOPT_URL, req->url);
    curl_easy_setopt(easy, CURLOPT_SHARE, req->http->share);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* Without it the end of a transfer would wait for the thread that resolves the name, and block the whole loop. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https,http");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    /* Only TLS can negotiate HTTP/2. Without TLS, waiting would serialize all requests to the host. */
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, req->is_tls ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, req->headers);
    if (req->form || spec->json)
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, spec->json ? spec->json : req->form);
    if (spec->method)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, spec->method);
    if (spec->connect_only)
        curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
}

static void set_answer(CURL *easy, struct http_request *req)
{
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &req->transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, req->failure.curl_error);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, req);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, req);
}

static void set_limits(CURL *easy, const struct http_request *req, const struct http_spec *spec)
{
    int connect_s = spec->connect_timeout_s ? spec->connect_timeout_s : CONNECT_TIMEOUT_S;

    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)connect_s);
    if (req->has_sink) {
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)SLOWEST_BYTES_A_S);
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)spec->timeout_s);
    } else {
        curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)spec->timeout_s);
    }
}

void http_set_options(struct http_request *req, const struct http_spec *spec)
{
    add_headers(req, spec);
    set_route(req->easy, req);
    set_message(req->easy, req, spec);
    set_answer(req->easy, req);
    set_limits(req->easy, req, spec);
    http_watch_sockets(req->easy);
    if (spec->once) /* curl sends again what a connection that was open before has lost */
        curl_easy_setopt(req->easy, CURLOPT_FRESH_CONNECT, 1L);
    if (req->traced)
        set_trace(req->easy);
}
