#include "collect/target.h"

#include "base/mem.h"
#include "microsoft/hosts.h"
#include "microsoft/signin.h"
#include "splunk/proxy.h"

/* The tables of microsoft/api.c are indexed by the enums of splunk/input.h, which neither may include of the other. */
_Static_assert(API_CLOUDS == (int)CLOUD_COUNT, "each cloud needs its hosts in microsoft/api.c and api_*.c");
_Static_assert(API_KINDS == (int)API_COUNT, "each choice of the parameter api needs its struct api");

void target_of(const struct input *input, struct target *ret)
{
    const struct api *api = api_at(input->api);

    *ret = (struct target){ .api = api,
                            .login_url = input->login_url ? input->login_url : login_host(input->cloud),
                            .base_url = input->api_url ? input->api_url : api->host[input->cloud],
                            .resource = input->resource ? input->resource : api->resource[input->cloud] };
}

bool target_has_own_url(const struct input *input)
{
    return input->api_url && hosts_serve(input->api_url, "");
}

void target_with_api(const struct input *input, int api_kind, struct target *ret)
{
    struct input other = *input;

    if (api_kind != input->api) {
        other.api = api_kind;
        other.resource = NULL;
        other.api_url = target_has_own_url(input) ? NULL : input->api_url;
    }
    target_of(&other, ret);
}

void target_graph(const struct input *input, struct target *ret)
{
    target_with_api(input, input->api == API_INCIDENTS ? API_INCIDENTS : API_GRAPH, ret);
}

struct destination target_destination(const struct target *target)
{
    return (struct destination){ target->login_url, target->base_url, target->resource };
}

struct principal_spec target_principal(const struct input *input, const struct destination *to,
                                       const struct http_route *route)
{
    return (struct principal_spec){ .tenant_id = input->tenant_id,
                                    .client_id = input->client_id,
                                    .login_url = to->login_url,
                                    .certificate = input->client_certificate,
                                    .assertion = input->client_assertion,
                                    .route = route };
}

char *target_sign_in_as(const struct input *input)
{
    struct target target;

    target_of(input, &target);
    return mem_format("%s at %s for %s", input->client_id, target.login_url, target.resource);
}

char *target_sign_in_address(const struct input *input)
{
    struct target target;

    target_of(input, &target);
    return signin_address(target.login_url, input->tenant_id, input->client_id, input->redirect_uri, target.resource,
                          target.api->v1_token);
}

char *target_proxy(const struct input *input, const char *stored_password)
{
    if (!input->proxy)
        return NULL;
    return proxy_with_password(input->proxy, input->proxy_password ? input->proxy_password : stored_password);
}
