/* command/share_session.h - what the commands of `share` begin with: splunkd's session and the inputs from stdin, the
 * password store, and the shared store with this forwarder's token.
 *
 * stdin has the XML of print-modinput-config, or only a session key; splunkd then lists the inputs, and the name of this
 * forwarder has to be given where it is needed, since splunkd tells it to its inputs only. */
#pragma once

#include "command/console.h"
#include "command/options.h"
#include "command/share_inputs.h"
#include "share/link.h"
#include "splunk/passwords.h"

struct share_session {
    /* What was asked for; set before share_session_run(). */
    const char *server_uri, *forwarder; /* NULL: not given */
    const char *urls, *group, *ca_file; /* of `share token`; NULL: the inputs' */
    const char *stopped;                /* what Ctrl-C says */
    bool is_without_token;              /* link is made without the token */
    void (*ready)(void *ctx);           /* everything below is there */
    void *ctx;

    struct console console;
    struct config config;
    struct share_inputs inputs;
    struct loop *loop;
    struct http *http;
    struct rest *rest;
    struct passwords *passwords;
    struct share_link *link; /* NULL with is_without_token */
    const char *name;        /* of this forwarder; NULL: not known */

    /* private: */
    struct data_inputs *listing;
    bool failed;
    struct err err;
};

#define SHARE_SESSION_SPECS(session)                                                                                   \
    {                                                                                                                  \
        "--server-uri", &(session).server_uri, NULL, "URL",                                                            \
            "splunkd of this forwarder; default https://127.0.0.1:8089"                                                \
    }

/* Reads stdin, gets everything and calls ready(); returns after share_session_end() or _fail(). Returns false with err if
 * something is missing or failed. */
bool share_session_run(struct share_session *session, struct err *err);
void share_session_end(struct share_session *session);
void share_session_fail(struct share_session *session, const struct err *err);
/* The same with a sentence. */
void share_session_refuse(struct share_session *session, const char *fmt, ...) PRINTF(2, 3);
/* Frees all but what was asked for. What uses the link goes before. */
void share_session_free(struct share_session *session);

/* Returns a link to these addresses, by the session's CA file. token NULL: the link has none. */
struct share_link *share_session_link(const struct share_session *session, const char *urls, const char *token);
