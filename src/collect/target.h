/* collect/target.h - where an input's requests go: its own parameters first, else the hosts of its API in its cloud.
 *
 * The one place where the parameters of splunk/input.h meet the services of microsoft/api.h. URLs have no trailing
 * slash: splunk/value.c removes it. */
#pragma once

#include "auth/binding.h"
#include "auth/principal.h"
#include "microsoft/api.h"
#include "splunk/input.h"

struct target {
    const struct api *api;
    const char *login_url; /* of the sign-in service: scheme, host, port */
    const char *base_url;  /* of the API: scheme, host, port */
    const char *resource;  /* audience of the access tokens */
};

/* Fills *ret. The texts belong to the input or are constants. */
void target_of(const struct input *input, struct target *ret);

/* The same with another API. An api_url of Microsoft's own and a resource are of the input's own API, so they are left
 * out; another api_url may be a gateway to all of them. */
void target_with_api(const struct input *input, int api_kind, struct target *ret);
/* Fills *ret with where Microsoft Graph is for the input: for what is asked besides alerts. */
void target_graph(const struct input *input, struct target *ret);
/* Returns true if the input's api_url is Microsoft's: it goes with the input's API only. */
bool target_has_own_url(const struct input *input);

/* Returns the same as the places that secrets and tokens go to. Borrows the texts. */
struct destination target_destination(const struct target *target);

/* Returns what the input signs in as there, by that way. Borrows the texts and the route. */
struct principal_spec target_principal(const struct input *input, const struct destination *to,
                                       const struct http_route *route);

/* Returns the app, the sign-in service and the audience as a text: an input that has another one signs in as somebody
 * else. Caller frees. */
char *target_sign_in_as(const struct input *input);

/* Returns the address at which a user signs in, for an authorization code. Caller frees. */
char *target_sign_in_address(const struct input *input);

/* Returns the proxy with its password, for http_route.proxy: the password of the input, else stored_password (NULL:
 * none is stored). NULL: the input names no proxy. A secret: caller frees with mem_free_secret(). */
char *target_proxy(const struct input *input, const char *stored_password);
