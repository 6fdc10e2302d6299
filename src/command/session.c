#include "command/session.h"

#include <stdlib.h>

#include "base/mem.h"

struct rest *session_open(struct console *console, struct loop *loop, struct http *http, const char *server_uri,
                          struct err *err)
{
    CLEANUP(mem_free_secretp) char *key = NULL;
    CLEANUP(mem_freep) char *uri = NULL;
    struct rest *rest;

    if (!console_session(console, &key, &uri, err))
        return NULL;
    if (!key) {
        err_set(err, ERR_INPUT, "Splunk's session key is needed as the first line of stdin; see --help");
        return NULL;
    }
    if (!server_uri)
        server_uri = uri ? uri : SERVER_URI;
    rest = rest_new(loop, http, server_uri, key, getenv("SPLUNK_HOME"));
    rest_key_is_entered(rest);
    return rest;
}
