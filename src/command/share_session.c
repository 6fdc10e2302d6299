#include "command/share_session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "command/session.h"
#include "share/token.h"
#include "splunk/app.h"
#include "splunk/data_inputs.h"

#define ANSWER_S 10 /* for splunkd on this host, while a person waits */

void share_session_end(struct share_session *session)
{
    loop_stop(session->loop);
}

void share_session_fail(struct share_session *session, const struct err *err)
{
    session->failed = true;
    session->err = *err;
    loop_stop(session->loop);
}

void share_session_refuse(struct share_session *session, const char *fmt, ...)
{
    char text[sizeof(session->err.text)];
    struct err err;
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    err_set(&err, ERR_INPUT, "%s", text);
    share_session_fail(session, &err);
}

struct share_link *share_session_link(const struct share_session *session, const char *urls, const char *token)
{
    return share_link_new(&(struct share_link_spec){ .loop = session->loop,
                                                     .http = session->http,
                                                     .urls = urls,
                                                     .ca_file = session->inputs.ca_file,
                                                     .splunk_home = getenv("SPLUNK_HOME"),
                                                     .token = token });
}

/* Options of `share token` take the place of parameters that are not there yet. One that says something else than the
 * inputs is refused: the program would not find the token, or would not send it. */
static bool take_options(struct share_session *session, struct err *err)
{
    struct share_inputs *inputs = &session->inputs;

    if (inputs->urls && session->urls && !text_same(inputs->urls, session->urls))
        return err_set(
            err, ERR_INPUT,
            "--url is '%.300s', but share_url of the inputs is '%.300s'; leave --url out, or correct share_url "
            "first",
            session->urls, inputs->urls);
    if (inputs->urls && session->group && !text_same(inputs->group, session->group))
        return err_set(err, ERR_INPUT,
                       "--group is '%.80s', but share_group of the inputs is '%.80s'; leave --group out",
                       session->group, inputs->group);
    if (session->urls && !inputs->urls)
        inputs->urls = mem_text(session->urls);
    if (session->group) {
        free(inputs->group);
        inputs->group = mem_text(session->group);
    }
    if (session->ca_file) {
        free(inputs->ca_file);
        inputs->ca_file = mem_text(session->ca_file);
    }
    return true;
}

static bool read_inputs(struct share_session *session, struct err *err)
{
    struct share_inputs *inputs = &session->inputs;

    share_inputs_read(&session->config, inputs);
    if (!take_options(session, err))
        return false;
    if (!inputs->urls)
        return err_set(err, ERR_INPUT,
                       "no enabled input of this forwarder is shared: our administrator has to set share_url in the "
                       "stanza [" SCHEME_NAME "]%s",
                       session->is_without_token ? ", or give --url" : "");
    return share_inputs_check(session->urls ? "--url" : "share_url", inputs->urls,
                              session->group ? "--group" : "share_group", inputs->group, err);
}

static bool open_link(struct share_session *session, struct err *err)
{
    const struct share_inputs *inputs = &session->inputs;
    const char *token;

    if (session->is_without_token)
        return true;
    token = share_token_find(session->passwords, inputs->group, inputs->urls, err);
    if (!token)
        return false;
    session->link = share_session_link(session, inputs->urls, token);
    return true;
}

static void passwords_read(void *ctx, bool ok, const struct err *err)
{
    struct share_session *session = ctx;
    struct err why;

    rest_hurry(session->rest, 0);
    if (!ok) {
        err_set(&why, err->kind, "Splunk's password store could not be read: %s", err->text);
        share_session_fail(session, &why);
    } else if (!open_link(session, &why)) {
        share_session_fail(session, &why);
    } else {
        session->ready(session->ctx);
    }
}

static void begin(struct share_session *session)
{
    struct err err;

    if (!read_inputs(session, &err))
        share_session_fail(session, &err);
    else
        passwords_load(session->passwords, passwords_read, session);
}

static void inputs_listed(void *ctx, bool ok, const cJSON *list, const struct err *err)
{
    struct share_session *session = ctx;

    if (!ok) {
        share_session_fail(session, err);
        return;
    }
    share_inputs_list(list, &session->config);
    begin(session);
}

static void open_splunkd(struct share_session *session)
{
    const struct config *config = &session->config;
    const char *uri = session->server_uri ? session->server_uri : config->server_uri;

    session->loop = loop_new();
    session->http = http_new(session->loop);
    session->rest = rest_new(session->loop, session->http, text_empty(uri) ? SERVER_URI : uri, config->session_key,
                             getenv("SPLUNK_HOME"));
    rest_key_is_entered(session->rest);
    rest_hurry(session->rest, ANSWER_S);
    session->passwords = passwords_new(session->rest);
    session->listing = data_inputs_new(session->rest);
}

bool share_session_run(struct share_session *session, struct err *err)
{
    struct config *config = &session->config;

    console_start(&session->console, session->stopped);
    if (!console_config(&session->console, config, err))
        return false;
    if (text_empty(config->session_key))
        return err_set(err, ERR_INPUT,
                       "the XML of 'splunk cmd splunkd print-modinput-config " SCHEME_NAME "', or Splunk's session key "
                       "as the first line, is needed on stdin; see --help");
    session->name = session->forwarder                ? session->forwarder
                    : text_empty(config->server_host) ? NULL
                                                      : config->server_host;
    open_splunkd(session);
    if (config->server_host) /* the XML came, and its inputs with it */
        begin(session);
    else
        data_inputs_list(session->listing, inputs_listed, session);
    loop_run(session->loop);
    if (session->failed)
        *err = session->err;
    return !session->failed;
}

void share_session_free(struct share_session *session)
{
    share_link_free(session->link);
    data_inputs_free(session->listing);
    if (session->passwords)
        passwords_free(session->passwords);
    rest_free(session->rest);
    http_free(session->http);
    if (session->loop)
        loop_free(session->loop);
    share_inputs_free(&session->inputs);
    config_free(&session->config);
}
