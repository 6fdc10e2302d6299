/* splunk/rest_call.h - one request to splunkd, repeated for up to a minute while splunkd starts.
 *
 * For the endpoints on struct rest. A call lives inside its owner. */
#pragma once

#include "base/buf.h"
#include "base/json.h"
#include "net/loop.h"
#include "splunk/rest.h"

#define REST_SLOW_MS 3000

/* The end of a call. ok: a 2xx answer. Otherwise err says why, and result->status may tell more (404, 409). The call
 * may be started again, and its owner freed, from here. */
typedef void rest_call_fn(void *ctx, const struct http_result *result, bool ok, const struct err *err);

struct rest_call {
    /* Set by the owner before rest_call_start(). */
    struct rest *rest;
    rest_call_fn *done;
    void *ctx;
    struct buf *body; /* where a large answer goes; NULL: into the result */
    /* Reports why a call is not done REST_SLOW_MS after its start, and with each further failure; it is tried again.
     * NULL: nobody is told. */
    void (*trying)(void *ctx, const struct err *err);
    const char *rights; /* capabilities that a 403 lacks; NULL: those of the password store and of inputs */
    bool once;          /* what it does must not be done twice: tried again only if it was not done */
    const char *json;   /* body in place of a form, not a secret; stays until the call ends; NULL: none */

    struct http_request *request; /* NULL: none in flight */
    struct timer timer;
    const char *method;
    char *url;
    char *form; /* secret */
    int64_t give_up_ms;
    int failures;
    struct timer slow; /* set for the first REST_SLOW_MS */
    struct err failed; /* the last try */
};

/* Returns the URL of an endpoint of an app ("-": of all apps; NULL: outside of the apps), or of one of its entries: name
 * is escaped, NULL: none. query: NULL, or more of it ("count=0"). Caller frees. */
char *rest_url(const struct rest *rest, const char *app, const char *endpoint, const char *name, const char *query);

/* Starts the request. method NULL: GET, or POST with a form. Takes url and form over. The form is a secret; NULL:
 * none. */
void rest_call_start(struct rest_call *call, const char *method, char *url, char *form);
/* Drops the request. Harmless if none is in flight. */
void rest_call_stop(struct rest_call *call);

/* Deletes a tree whose texts are secrets, overwriting them first. For CLEANUP(). */
void rest_json_freep(cJSON **tree);
