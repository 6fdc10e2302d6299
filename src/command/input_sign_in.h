/* command/input_sign_in.h - the credentials of one input, for a command that reads its alerts: as a running input has
 * them, from its stanza and from Splunk's password store. A refresh token is used only if its successor could be
 * stored. */
#pragma once

#include "auth/principal.h"
#include "auth/token_source.h"
#include "collect/target.h"
#include "command/check_store.h"
#include "splunk/input.h"

enum input_sign_in_state {
    INPUT_WAITS,    /* for the password store: call again when a proof is there */
    INPUT_READY,    /* the token source may be asked */
    INPUT_REFUSED,  /* err says why: a stored secret may not go to the input's hosts */
    INPUT_NOT_TRIED /* err says why nothing is tried */
};

struct input_sign_in {
    const struct input *input;
    const struct target *target;
    struct check_store *store;
    struct principals *principals;
    const struct http_route *route; /* to the sign-in service */
    void (*changed)(void *ctx);     /* the token source has changed */
    void *ctx;
    /* The result: */
    struct principal *principal;
    struct token_source *source;
    bool ready; /* the principal has its credentials */
    /* private: */
    struct token_listener listener;
};

/* Returns the proxy for http_route.proxy, or NULL: none. A secret; the caller frees it with mem_free_secret(). Returns
 * false if the stored password may not go to the input's proxy. The store has been read. */
bool input_sign_in_proxy(const struct input *input, const struct check_store *store, char **ret, struct err *err);

/* Takes the next step. Set the first members before, and keep them as they are. */
enum input_sign_in_state input_sign_in_step(struct input_sign_in *in, struct err *err);
