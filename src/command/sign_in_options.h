/* command/sign_in_options.h - the arguments of `sign-in`, validated like the parameters of an input. */
#pragma once

#include "collect/target.h"
#include "command/console.h"
#include "microsoft/assertion.h"
#include "splunk/stanza.h"

struct sign_in_options {
    bool help, device, store, secret_stdin;
    const char *server_uri; /* NULL: the default */

    struct input input;
    struct target target;
    struct http_route route;
    char *proxy;               /* secret: with its password; NULL: the environment's */
    char *client_secret;       /* secret: from a file; NULL: asked for later */
    struct assertion_key *key; /* NULL: no certificate */
};

/* Parses and validates them. With help set, nothing else is filled in. Asks for a proxy's password on the terminal.
 * Members point into argv. Release it also after a failure. */
bool sign_in_options_read(struct sign_in_options *ret, int argc, char **argv, struct console *console, struct err *err);
/* Returns the option of a parameter, such as "--tenant" for "tenant_id"; NULL: there is none. */
const char *sign_in_option_of(const char *word, size_t len);
void sign_in_options_release(struct sign_in_options *options);
