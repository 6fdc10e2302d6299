/* command/token_once.h - access tokens for one input, for a command that acts for it beside the collector.
 *
 * The credential is what the input brings, else what is stored. A new refresh token is discarded: Microsoft does not
 * revoke the old one, which the running input goes on with. */
#pragma once

#include "auth/binding.h"
#include "auth/principal.h"
#include "auth/token_source.h"

struct token_once_spec {
    struct principals *principals; /* made without a password store */
    const struct input *input;
    const struct destination *to; /* binding_allows_input() was asked */
    bool v1;                      /* the token endpoint's version */
    const struct http_route *route;
    const struct passwords *passwords;
};

/* Returns the source, owned by the principals, with the listener added. */
struct token_source *token_once(const struct token_once_spec *spec, struct token_listener *listener);
