#include "command/once.h"

#include <stdlib.h>

static void session_lost(void *ctx UNUSED)
{
}

void once_open(struct once *once, const char *server_uri, const char *session_key, int answer_s, unsigned requests_most)
{
    once->loop = loop_new();
    once->http = http_new(once->loop);
    once->limiter = limiter_new(once->loop, requests_most, requests_most);
    once->rest = rest_new(once->loop, once->http, server_uri, session_key, getenv("SPLUNK_HOME"));
    rest_hurry(once->rest, answer_s);
    once->passwords = passwords_new(once->rest);
    once->inputs = data_inputs_new(once->rest);
    once->principals = principals_new(once->loop, once->http, once->limiter, NULL, session_lost, NULL);
}

void once_close(struct once *once)
{
    principals_free(once->principals);
    passwords_free(once->passwords);
    data_inputs_free(once->inputs);
    rest_free(once->rest);
    http_free(once->http);
    limiter_free(once->limiter);
    loop_free(once->loop);
}
