#include "splunk/rest.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "splunk/rest_ca.h"
#include "splunk/rest_private.h"

enum {
    TRY_FOR_MS = 60 * 1000, /* splunkd opens its REST port well within a minute of its start */
    REQUEST_TIMEOUT_S = 20,
    CONNECT_TIMEOUT_S = 5
};

struct rest *rest_new(struct loop *loop, struct http *http, const char *server_uri, const char *session_key,
                      const char *splunk_home)
{
    struct rest *rest = mem_alloc(sizeof(*rest));
    size_t len = strlen(server_uri);

    while (len && server_uri[len - 1] == '/')
        len--;
    rest->loop = loop;
    rest->http = http;
    rest->server_uri = mem_text_n(server_uri, len);
    rest->authorization = mem_format("Splunk %s", session_key);
    rest->ca_file = rest_ca_file(splunk_home);
    rest_hurry(rest, 0);
    rest->route = (struct http_route){ .ca_file = rest->ca_file, .proxy = "", .loopback_name = true };
    return rest;
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
