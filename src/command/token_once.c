#include "command/token_once.h"

#include "base/mem.h"
#include "collect/target.h"
#include "splunk/secret_name.h"

/* Sets the credentials that were typed, else the stored ones, and where their tokens may go. */
static void set_credentials(const struct token_once_spec *spec, struct principal *principal)
{
    const struct input *input = spec->input;
    CLEANUP(mem_freep) char *hosts = binding_hosts(spec->to); /* of a secret that was typed */
    CLEANUP(mem_freep) char *client = secret_name_client(input->client_id);
    CLEANUP(mem_freep) char *refresh = secret_name_refresh(input->tenant_id, input->client_id);
    const char *stored = passwords_get(spec->passwords, client), *token = passwords_get(spec->passwords, refresh);

    principal_set_secret(principal, input->client_secret ? input->client_secret : stored,
                         input->client_secret ? hosts : passwords_hosts(spec->passwords, client));
    if (input->refresh_token || token)
        principal_set_refresh_token(principal, input->refresh_token ? input->refresh_token : token,
                                    input->refresh_token ? hosts : passwords_hosts(spec->passwords, refresh));
}

struct token_source *token_once(const struct token_once_spec *spec, struct token_listener *listener)
{
    const struct input *input = spec->input;
    CLEANUP(mem_freep) char *api = binding_api(spec->to);
    struct principal_spec as = target_principal(input, spec->to, spec->route);
    struct principal *principal = principal_get(spec->principals, &as);
    struct token_source *source = token_source_get(principal, spec->to->resource, spec->v1, api);

    token_source_listen(source, listener);
    set_credentials(spec, principal);
    return source;
}
