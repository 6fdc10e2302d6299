#include "splunk/rest.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "splunk/rest_ca.h"
#include "splunk/rest_private.h"

enum {
    TRY_FOR_MS = 60 * 1000, /* splunkd opens its REST port well within a minute of its start */
    REQUEST_TIMEOUT_S = 20,
    CONNECT_TIMEOUT_S = 5
};

/* Returns a connection without a key. Takes the path of the CA file over. */
static struct rest *connection(struct loop *loop, struct http *http, const char *server_uri, char *ca_file)
{
    struct rest *rest = mem_alloc(sizeof(*rest));
    size_t len = strlen(server_uri);

    while (len && server_uri[len - 1] == '/')
        len--;
    rest->loop = loop;
    rest->http = http;
    rest->server_uri = mem_text_n(server_uri, len);
    rest->ca_file = ca_file;
    rest->route = (struct http_route){ .ca_file = rest->ca_file, .proxy = "" };
    rest_hurry(rest, 0);
    return rest;
}

struct rest *rest_new(struct loop *loop, struct http *http, const char *server_uri, const char *session_key,
                      const char *splunk_home)
{
    struct rest *rest = connection(loop, http, server_uri, rest_ca_file(splunk_home));

    rest->authorization = mem_format("Splunk %s", session_key);
    rest->route.loopback_name = true;
    return rest;
}

struct rest *rest_new_remote(struct loop *loop, struct http *http, const char *server_uri, const char *ca_file,
                             const char *splunk_home)
{
    struct rest *rest = connection(loop, http, server_uri,
                                   text_empty(ca_file) ? rest_ca_file(splunk_home) : mem_text(ca_file));

    rest->is_remote = true;
    return rest;
}

void rest_set_token(struct rest *rest, const char *token)
{
    mem_free_secret(rest->authorization);
    rest->authorization = token ? mem_format("Bearer %s", token) : NULL;
}

bool rest_is_remote(const struct rest *rest)
{
    return rest->is_remote;
}

const char *rest_address(const struct rest *rest)
{
    return rest->server_uri;
}

void rest_hurry(struct rest *rest, int timeout_s)
{
    rest->try_for_ms = timeout_s ? 0 : TRY_FOR_MS;
    rest->timeout_s = timeout_s ? timeout_s : REQUEST_TIMEOUT_S;
    rest->connect_timeout_s = timeout_s ? timeout_s : CONNECT_TIMEOUT_S;
}

void rest_key_is_entered(struct rest *rest)
{
    rest->key_is_entered = true;
}

void rest_listen(struct rest *rest, void (*refused)(void *ctx), void *ctx)
{
    rest->refused = refused;
    rest->refused_ctx = ctx;
}

void rest_free(struct rest *rest)
{
    if (!rest)
        return;
    free(rest->server_uri);
    free(rest->ca_file);
    mem_free_secret(rest->authorization);
    free(rest);
}
