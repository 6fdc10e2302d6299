/* command/session.h - splunkd's REST interface for a command that a person started. */
#pragma once

#include "command/console.h"
#include "splunk/rest.h"

#define SERVER_URI "https://127.0.0.1:8089"

/* Reads the session key from the console. server_uri NULL: the address in the XML that has the key, else SERVER_URI.
 * Returns NULL with err if there is no key. Caller frees with rest_free(). */
struct rest *session_open(struct console *console, struct loop *loop, struct http *http, const char *server_uri,
                          struct err *err);
