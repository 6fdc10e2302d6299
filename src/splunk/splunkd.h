/* splunk/splunkd.h - REST client of the splunkd that started us: its password store and our inputs' stanzas.
 *
 * TLS is verified against the CA that Splunk itself uses; the host name is not compared on loopback; proxies never
 * see these calls. Facts: storage/passwords lists 30 entries unless count=0; create answers 409 when the entry exists;
 * a blank password is refused; old versions cut a secret at 255 characters, so each write is read back and compared.
 * Everything is asynchronous on the loop.
 *
 * Where the store cuts, a secret N is split. Its pieces are entries "N.part.<generation>.<number>" of at most 240
 * bytes, and N itself holds "TA-defender-mssp parts <generation> <count> <length> <sha256>". A new value goes into a
 * new generation first, then N is switched over, then the pieces of other generations are deleted: after a crash at
 * any point N gives the old or the new value, whole. */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "net/http.h"
#include "splunk/config.h"

struct splunkd;

/* Why a call failed: kind ERR_RETRY (splunkd starting, 503, connection), ERR_AUTH (session key no longer valid: 401),
 * ERR_INPUT (refused: 400, 403 ...). */
typedef void splunkd_done_fn(void *ctx, bool ok, const struct err *err);

/* Copies what it needs of the config. splunk_home may be NULL. The loop times the pauses between tries. */
struct splunkd *splunkd_new(struct loop *loop, struct http *http, const struct config *config,
                            const char *splunk_home);
void splunkd_free(struct splunkd *splunkd);         /* overwrites the secrets; pending calls get no answer */

/* Reads all our entries (realm TA-defender-mssp) into memory. Retries by itself for a minute while splunkd starts
 * (refused, 503); then, or on 401 / 403, fails. A second wish replaces the first, which gets no answer. */
void splunkd_load_secrets(struct splunkd *splunkd, splunkd_done_fn *done, void *ctx);

/* The stored secret of that name, NULL if none. Borrowed until the next store or load. */
const char *splunkd_secret(const struct splunkd *splunkd, const char *name);

/* Creates or updates, reads back, and only then calls done(ok). Several at once are fine; two with one name are done
 * one after the other, the later one wins. */
void splunkd_store_secret(struct splunkd *splunkd, const char *name, const char *value, splunkd_done_fn *done,
                          void *ctx);

/* Names in the store. Caller frees. */
char *secret_name_client(const char *client_id);                          /* client_secret.<client_id> */
char *secret_name_refresh(const char *tenant_id, const char *client_id);  /* refresh_token.<tenant_id>.<client_id> */
char *secret_name_proxy(const char *input_name);                          /* proxy_password.<encoded input name> */

/* POSTs the given parameters of one input (NULL-terminated name, value, name, value list) to data/inputs in the app
 * where its stanza lives. splunkd then ends and restarts us. */
void splunkd_edit_input(struct splunkd *splunkd, const char *app, const char *input_name,
                        const char *const *name_value, splunkd_done_fn *done, void *ctx);

/* Creates an input in our app; the list holds its name too. */
void splunkd_create_input(struct splunkd *splunkd, const char *const *name_value, splunkd_done_fn *done, void *ctx);

/* All inputs of our kind, of every app: an array of { name, acl: { app }, content }. The list is gone after done. */
typedef void splunkd_inputs_fn(void *ctx, bool ok, const cJSON *list, const struct err *err);
void splunkd_list_inputs(struct splunkd *splunkd, splunkd_inputs_fn *done, void *ctx);

/* The CA file for splunkd by Splunk's own settings; NULL: none found. Caller frees. Exposed for tests and `check`. */
char *splunkd_ca_file(const char *splunk_home);
