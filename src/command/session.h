/* command/session.h - splunkd as a command reaches it that a person started: with a session key from stdin. */
#pragma once

#include "command/console.h"
#include "splunk/rest.h"

#define SERVER_URI "https://127.0.0.1:8089"

/* Reads the key and gives the client of the splunkd at server_uri; NULL: where the key's XML says, or SERVER_URI. NULL
 * with a sentence when there is no key. Caller frees with splunkd_free(). */
struct rest *session_open(struct console *console, struct loop *loop, struct http *http, const char *server_uri,
                             struct err *err);
