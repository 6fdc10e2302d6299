/* share/link.h - the connection to the KV store that forwarders share: one or more addresses, tried in turn.
 *
 * Each address is a splunkd's management port with this app installed, asked with an authentication token ("Bearer").
 * TLS: chain and name are verified (http only on loopback). One address is used at a time; a call that fails because
 * the address is away, off, or refuses the token goes on to the next address for the calls after it. Calls last
 * SHARE_CALL_MS at most and are tried once. */
#pragma once

#include "net/http.h"
#include "share/core.h"
#include "splunk/kvstore.h"

struct share_link;

struct share_link_spec {
    struct loop *loop;
    struct http *http;
    const char *urls;    /* share_url: blanks or commas between */
    const char *ca_file; /* NULL: Splunk's own CA */
    const char *splunk_home;
    const char *token; /* secret; NULL: not known yet */
};

/* Copies the texts. Never returns NULL. */
struct share_link *share_link_new(const struct share_link_spec *spec);
void share_link_free(struct share_link *link); /* NULL is allowed; calls in flight get no answer */
void share_link_set_token(struct share_link *link, const char *token); /* of later calls */
bool share_link_has_token(const struct share_link *link);

/* Makes a call of the core; done as in kvstore.h. The call is copied as far as needed. */
void share_link_call(struct share_link *link, const struct share_call *call, kvstore_done_fn *done, void *ctx);
/* The same for large bodies and many queries (kvstore_save(), kvstore_find_each()). */
void share_link_save(struct share_link *link, const char *collection, struct buf *records, kvstore_done_fn *done,
                     void *ctx);
void share_link_find_each(struct share_link *link, const char *collection, const char *queries, kvstore_done_fn *done,
                          void *ctx);
/* Asks for the keys of the records that the query finds, at most SHARE_KEYS_MOST: what Splunk returns by default. */
#define SHARE_KEYS_MOST 50000
void share_link_find_keys(struct share_link *link, const char *collection, const char *query, kvstore_done_fn *done,
                          void *ctx);
/* The calls in flight with this ctx get no answer: their owner goes. */
void share_link_forget(struct share_link *link, const void *ctx);

size_t share_link_count(const struct share_link *link);              /* of addresses */
const char *share_link_url(const struct share_link *link, size_t i); /* valid as long as the link */
size_t share_link_present(const struct share_link *link);            /* number of the one in use */

/* Returns the end of the token by its own "exp", in seconds since 1970; 0: it has none, or is no JWT. */
int64_t share_token_ends_s(const char *token);
/* Returns true if the text can be a token: it is not empty, and has no blank, line end or other odd character. */
bool share_token_is_plain(const char *token);
