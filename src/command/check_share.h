/* command/check_share.h - what `check` finds of the store that forwarders share: at each address the connection, the
 * self-test of what sharing relies on, the forwarders and the newest table; and on this forwarder the token and secrets.
 *
 * All addresses are tried at once, for ten seconds at most. Nothing stays in the store: the self-test removes its record. */
#pragma once

#include "command/check_host.h"
#include "command/check_store.h"
#include "net/http.h"
#include "splunk/config.h"

struct check_share;
struct endpoint; /* command/check_endpoint.h */
struct endpoints;

struct check_share_spec {
    struct loop *loop;
    struct http *http;
    struct endpoints *endpoints; /* their done() calls check_share_tried() */
    const struct check_store *store;
    const struct config *config;
    void (*done)(void *ctx);
    void *ctx;
};

/* Returns NULL if no enabled input is shared. */
struct check_share *check_share_new(const struct check_share_spec *spec);
void check_share_free(struct check_share *share); /* before http; NULL is allowed */

/* Starts; the password store was read, or could not be. done() is called once, at once or later. */
void check_share_begin(struct check_share *share);
/* An endpoint was tried, maybe one of ours. NULL share: does nothing. */
void check_share_tried(struct check_share *share, const struct endpoint *endpoint);
bool check_share_is_done(const struct check_share *share); /* true for NULL */

/* Returns what was found, owned by share: a section for each address, and the last for this forwarder. NULL share: none. */
const struct host_section *check_share_sections(struct check_share *share, size_t *count);
