/* auth/binding.h - where stored secrets and their tokens may go.
 *
 * A stored secret goes only to Microsoft's own hosts (microsoft/hosts.h) and to origins that were named in the same
 * input when the secret was entered (splunk/secret_hosts.h); its tokens go to hosts of their audience and to the same
 * origins. Otherwise whoever may edit one input could send every stored secret to a host of his own, already by
 * validating it. A secret that the input itself brings in plaintext may go where the input says. */
#pragma once

#include "base/err.h"
#include "splunk/input.h"
#include "splunk/passwords.h"

/* Where an input's requests go. */
struct destination {
    const char *login_url;
    const char *api_url;  /* NULL: no token is used */
    const char *resource; /* audience of the tokens */
};

/* Returns the origins of the destination that are not Microsoft's own, separated by blanks: those that a secret is
 * bound to when it is entered. Caller frees. */
char *binding_hosts(const struct destination *to);
/* Returns the origin that tokens go to if it is no host of their audience, for token_source_get(); NULL: it is one.
 * Caller frees. */
char *binding_api(const struct destination *to);
/* The same as binding_hosts() for the password of a proxy: the proxy's origin; NULL without a proxy. Caller frees. */
char *binding_proxy_hosts(const char *proxy);

/* Returns true if the stored secret of that name may go there, or if none is stored. param: its parameter. On failure
 * err is ERR_AUTH: a person has to enter the secret again. */
bool binding_allows(const struct passwords *passwords, const char *param, const char *name,
                    const struct destination *to, struct err *err);
/* Returns true if a code may be exchanged there although a refresh token of that name is stored, which the new one would
 * replace: a host that could not be sent the stored one must not replace it either. */
bool binding_allows_code(const struct passwords *passwords, const char *name, const struct destination *to,
                         struct err *err);
/* The same as binding_allows() for the stored password of the input's proxy. */
bool binding_allows_proxy(const struct passwords *passwords, const struct input *input, struct err *err);
/* Returns true if the sign-in service may be sent an assertion that somebody else issued (client_assertion). Only
 * Microsoft's own may: such an assertion does not name the service that it is for, so whoever receives it can sign in
 * as the app at all customers. It is not entered, so it can be bound to no other host, loopback included. */
bool binding_allows_assertion(const char *login_url, struct err *err);
/* The same as binding_allows() for what an app shows in place of a stored secret: a certificate or an assertion. Neither
 * is stored, so they are bound to nothing: tokens of Microsoft's sign-in service go to Microsoft's own hosts only.
 * Another sign-in service can do nothing with what a certificate signs, which names it as its audience. delegated: the
 * tokens come by a refresh token or a code, which is bound. */
bool binding_allows_app(const struct input *input, const struct destination *to, bool delegated, struct err *err);

/* Checks whatever the input would use without bringing it: proxy password, client secret or certificate, refresh
 * token. */
bool binding_allows_input(const struct passwords *passwords, const struct input *input, const struct destination *to,
                          struct err *err);
