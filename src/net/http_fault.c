#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "net/http_private.h"
#include "net/url.h"

#define SAME_TIME_MS 5000 /* requests that wait for one connection end at the same time */

enum http_fault http_fault_of(struct http_request *req, CURLcode code)
{
    long proxy_status = 0;

    switch (code) {
    case CURLE_OK:
        if (!req->body.gzip || inflater_done(req->body.inflater))
            return HTTP_DONE;
        snprintf(req->failure.why, sizeof(req->failure.why), "the answer ends inside its gzip stream");
        return HTTP_CUT;
    case CURLE_COULDNT_RESOLVE_HOST: return HTTP_NO_NAME;
    case CURLE_COULDNT_CONNECT: return HTTP_NO_CONNECTION;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY: return HTTP_NO_PROXY;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CIPHER: return HTTP_NO_TLS;
    case CURLE_OPERATION_TIMEDOUT: return HTTP_TIMEOUT;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return HTTP_BAD_REQUEST;
    default:
        curl_easy_getinfo(req->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
        return proxy_status >= 300 ? HTTP_NO_PROXY : HTTP_CUT;
    }
}

bool http_was_sent(CURL *easy)
{
    long bytes = 0;

    return !curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &bytes) && bytes > 0;
}

static bool has_name(CURL *easy)
{
    curl_off_t us = 0;

    return !curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &us) && us > 0;
}

/* Returns true if the host's name was looked up, by the request or by the one whose connection it waited for. */
static bool name_was_found(const struct http_request *req)
{
    const struct http_request *other;
    struct pool *pool = req->attempt.pool;
    int64_t now_ms = loop_now(req->http->loop);

    for (other = req->http->in_flight; other; other = other->next)
        if (other->attempt.pool == pool && has_name(other->easy))
            pool->named_ms = now_ms;
    return pool->named_ms && now_ms - pool->named_ms < SAME_TIME_MS;
}

static bool environment_has(const char *name)
{
    const char *value = getenv(name);

    return value && *value;
}

/* Returns true if a connection that was not made was one to a proxy: of the route, or of the environment. curl's text
 * names the host that it tried to reach. */
static bool was_to_proxy(const struct http_request *req)
{
    static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy" };
    CLEANUP(mem_freep) char *host = url_host(req->url);
    bool set = false;
    size_t i;

    if (url_is_loopback(req->url))
        return false;
    if (req->route->proxy)
        return *req->route->proxy != '\0';
    for (i = 0; i < COUNT_OF(names); i++)
        set = set || environment_has(names[i]);
    if (!set)
        return false;
    return strstr(req->failure.curl_error, "Unsupported proxy") ||
           (strstr(req->failure.curl_error, "connect to ") && !strstr(req->failure.curl_error, host));
}

static enum diagnosis no_connection(const struct http_request *req)
{
    return was_to_proxy(req) ? DIAGNOSIS_PROXY_DEAD : DIAGNOSIS_NO_CONNECTION;
}

/* Returns true if the proxy of the route had not answered CONNECT when the request failed: what listens there is no
 * proxy, hangs, or is about to end. */
static bool ended_at_proxy(const struct http_request *req)
{
    const char *proxy = req->route->proxy;
    long status = 0, connects = 0;

    if (!proxy || !*proxy || url_is_loopback(req->url))
        return false;
    curl_easy_getinfo(req->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    curl_easy_getinfo(req->easy, CURLINFO_NUM_CONNECTS, &connects);
    return !status && connects; /* a connection that was reused has a tunnel */
}

/* Returns the diagnosis by the phase that the timeout ended: a firewall that drops packets looks like a timeout. On a
 * connection that was reused, libcurl has no times of the phases before the request. */
static enum diagnosis diagnosis_of_timeout(const struct http_request *req)
{
    curl_off_t connect_us = 0;

    if (http_was_sent(req->easy)) /* CONNECT counts too */
        return ended_at_proxy(req) ? DIAGNOSIS_PROXY_DEAD : DIAGNOSIS_CUT;
    curl_easy_getinfo(req->easy, CURLINFO_CONNECT_TIME_T, &connect_us);
    return !name_was_found(req) ? DIAGNOSIS_NO_NAME : !connect_us ? no_connection(req) : DIAGNOSIS_CUT;
}

/* Returns true for the answer to CONNECT of a proxy that will not do it, or of a server that is no proxy (501, 505). One
 * that answers another 5xx is in trouble itself. */
static bool proxy_refuses(long status)
{
    return (status >= 400 && status < 500 && status != 408 && status != 429) || status == 501 || status == 505;
}

/* Returns what a proxy wants that answered CONNECT with 407. We know only Basic. */
static const char *text_of_407(const struct http_request *req)
{
    long offered = 0;

    curl_easy_getinfo(req->easy, CURLINFO_PROXYAUTH_AVAIL, &offered);
    if (offered && !(offered & (long)CURLAUTH_BASIC))
        return "it offers only a sign-in that this program does not have, such as NTLM or Kerberos, and not Basic "
               "(HTTP 407)";
    return "it wants a user name and password, or refuses those given (HTTP 407)";
}

static enum diagnosis diagnosis_of_proxy(const struct http_request *req, CURLcode code)
{
    long status = 0;

    if (code == CURLE_COULDNT_RESOLVE_PROXY)
        return DIAGNOSIS_PROXY_DEAD;
    curl_easy_getinfo(req->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return status < 400 || proxy_refuses(status) ? DIAGNOSIS_NO_PROXY : DIAGNOSIS_PROXY_TROUBLE;
}

/* OpenSSL says this of a peer that answers in plain text. */
static enum diagnosis diagnosis_of_tls(const struct http_request *req, CURLcode code)
{
    if (code == CURLE_SSL_CACERT_BADFILE)
        return DIAGNOSIS_CA_FILE;
    return strstr(req->failure.curl_error, "wrong version number") ? DIAGNOSIS_NOT_TLS : DIAGNOSIS_NO_TLS;
}

static enum diagnosis diagnosis_of(const struct http_request *req, enum http_fault fault, CURLcode code)
{
    switch (fault) {
    case HTTP_NO_NAME: return DIAGNOSIS_NO_NAME;
    case HTTP_NO_CONNECTION: return no_connection(req);
    case HTTP_NO_PROXY: return diagnosis_of_proxy(req, code);
    case HTTP_NO_TLS: return diagnosis_of_tls(req, code);
    case HTTP_TIMEOUT: return diagnosis_of_timeout(req);
    case HTTP_BAD_REQUEST: return req->failure.unsendable;
    case HTTP_CUT: return ended_at_proxy(req) ? DIAGNOSIS_PROXY_DEAD : DIAGNOSIS_CUT;
    default: return DIAGNOSIS_CUT;
    }
}

/* Returns true for a request that was sent and had no complete response in time. */
static bool was_silent(const struct http_request *req, enum http_fault fault)
{
    return fault == HTTP_TIMEOUT && http_was_sent(req->easy);
}

/* Returns the text for a fault. Our own text comes first: curl's text for an answer that a callback refused says less.
 * */
static const char *text_of(const struct http_request *req, CURLcode code)
{
    if (req->failure.why[0])
        return req->failure.why;
    return req->failure.curl_error[0] ? req->failure.curl_error : code ? curl_easy_strerror(code) : "";
}

/* Returns true for a fault that stays until a person acts. A handshake that broke off may have been cut on the way. */
static bool is_definite(CURLcode code, const struct http_request *req, enum http_fault fault, long proxy_status)
{
    switch (fault) {
    case HTTP_NO_TLS: return code != CURLE_SSL_CONNECT_ERROR;
    case HTTP_NO_PROXY: return proxy_refuses(proxy_status);
    case HTTP_BAD_REQUEST: return req->failure.unsendable == DIAGNOSIS_CA_FILE;
    default: return false;
    }
}

void http_fault_describe(struct http_request *req, CURLcode code, struct http_result *result)
{
    const char *why = text_of(req, code), *ca_file = http_ca_file(req);
    CLEANUP(mem_freep) char *host = NULL;
    struct buf text = BUF_INIT(sizeof(result->reason) - 1);
    long proxy_status = 0;

    if (result->fault == HTTP_DONE)
        return;
    host = url_host(req->url);
    if (req->easy)
        curl_easy_getinfo(req->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    if (result->fault == HTTP_NO_PROXY && proxy_status == 407)
        why = text_of_407(req);
    if (code == CURLE_SSL_CACERT_BADFILE)
        why = "it holds no certificate, or a damaged one";
    result->diagnosis = diagnosis_of(req, result->fault, code);
    result->definite = is_definite(code, req, result->fault, proxy_status);
    diagnosis_add_text(&text, result->diagnosis, result->diagnosis == DIAGNOSIS_CA_FILE ? ca_file : host);
    if (was_silent(req, result->fault))
        buf_add_format(&text, " within %lld s", (long long)(clock_ms() - req->started_ms) / 1000);
    else if (*why)
        buf_add_format(&text, ": %s", why);
    if (result->diagnosis == DIAGNOSIS_NO_TLS)
        buf_add_format(&text, " (CA file %s)", ca_file);
    snprintf(result->reason, sizeof(result->reason), "%s", buf_text(&text));
    utf8_make_line(result->reason); /* curl repeats names of certificates and words of the peer */
    buf_free(&text);
}
