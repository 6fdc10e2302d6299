/* splunk/rest.h - the REST interface of the splunkd that started us, or of another one.
 *
 * A connection that the endpoints share: passwords (storage/passwords), data_inputs (data/inputs/defender_alerts) and
 * notices (messages).
 * Each endpoint owns its own state and its requests (rest_call.h).
 * TLS is verified against the CA that Splunk itself uses (rest_ca.h). The host name is not compared on loopback.
 * Proxies never see these calls. Everything is asynchronous on the loop.
 *
 * Another splunkd is asked with an authentication token ("Authorization: Bearer"), and its certificate has to name the host
 * of its address, on loopback too. http is for loopback only. */
#pragma once

#include "base/err.h"
#include "net/http.h"

struct rest;

/* The end of a call to an endpoint. err->kind on failure: ERR_RETRY (connection, splunkd starting, 503), ERR_AUTH
 * (401: the session key is not valid), ERR_INPUT (refused: 400, 403, ...). */
typedef void rest_done_fn(void *ctx, bool ok, const struct err *err);

/* Copies the texts. splunk_home (where server.conf is) may be NULL. loop and http must outlive it. Never returns
 * NULL. */
struct rest *rest_new(struct loop *loop, struct http *http, const char *server_uri, const char *session_key,
                      const char *splunk_home);
/* The same for another splunkd. ca_file NULL: the CA that Splunk uses on this host. The token may be set later. */
struct rest *rest_new_remote(struct loop *loop, struct http *http, const char *server_uri, const char *ca_file,
                             const char *splunk_home);
/* Sets the token, a secret, for the calls that start from now on. NULL: none, and no header is sent. */
void rest_set_token(struct rest *rest, const char *token);
bool rest_is_remote(const struct rest *rest);
const char *rest_address(const struct rest *rest); /* for messages; without a slash at its end */
/* Says that a person entered the session key, for the words of a 401: such a key may be mistyped. Otherwise splunkd gave
 * it, and it has become invalid. */
void rest_key_is_entered(struct rest *rest);
/* Calls refused() at each 401 of any endpoint, before the end of the call is told. */
void rest_listen(struct rest *rest, void (*refused)(void *ctx), void *ctx);
void rest_free(struct rest *rest); /* after its endpoints; NULL is allowed; overwrites the session key */

/* Makes the calls that start from now on end soon, for a person who waits: nothing is tried twice, and splunkd may be
 * silent for timeout_s at most. 0: no hurry, as after rest_new(): calls are repeated for up to a minute while splunkd
 * starts. */
void rest_hurry(struct rest *rest, int timeout_s);
