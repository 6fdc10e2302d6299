#include "command/session.h"

#include <stdlib.h>

#include "base/mem.h"

struct splunkd *session_open(struct console *console, struct loop *loop, struct http *http, const char *server_uri,
                             struct err *err)
{
    CLEANUP(mem_free_secretp) char *key = NULL;
    CLEANUP(mem_freep) char *uri = NULL;
    struct config config;

    if (!console_session(console, &key, &uri, err))
        return NULL;
    if (!key) {
        err_set(err, ERR_INPUT, "Splunk's session key is needed as the first line of stdin; see --help");
        return NULL;
    }
    config = (struct config){ .session_key = key, .server_uri = uri };
    if (server_uri || !uri)
        config.server_uri = (char *)(server_uri ? server_uri : SERVER_URI);
    return splunkd_new(loop, http, &config, getenv("SPLUNK_HOME"));
}
