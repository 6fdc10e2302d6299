#include "command/input_sign_in.h"

#include "base/mem.h"
#include "messages/log_events.h"
#include "splunk/secret_name.h"

bool input_sign_in_proxy(const struct input *input, const struct check_store *store, char **ret, struct err *err)
{
    CLEANUP(mem_freep) char *name = secret_name_proxy(input->name);

    *ret = NULL;
    if (!input->proxy_password && !binding_allows_proxy(check_store_passwords(store), input, err))
        return false;
    *ret = target_proxy(input, check_store_secret(store, name));
    return true;
}

static enum input_sign_in_state not_tried(const struct err *why, struct err *err)
{
    struct err reason = *why;

    err_set(err, ERR_AUTH, "the sign-in was not tried: %s", reason.text);
    err_blame(err, &reason);
    return INPUT_NOT_TRIED;
}

/* Sets the stored refresh token once it may be used. */
static enum input_sign_in_state refresh_ready(struct input_sign_in *in, bool *delegated, struct err *err)
{
    const struct input *input = in->input;
    CLEANUP(mem_freep) char *name = secret_name_refresh(input->tenant_id, input->client_id);
    const char *stored = check_store_secret(in->store, name);
    struct destination to = target_destination(in->target);

    *delegated = false;
    if (stored && !binding_allows(check_store_passwords(in->store), "refresh_token", name, &to, err))
        return INPUT_REFUSED;
    if (!stored && input->refresh_token) {
        err_set(err, ERR_AUTH,
                "the refresh token is still in inputs.conf, so its successor could not be stored; the running input "
                "moves it to Splunk's password store first");
        event_blame(err, EVENT_SECRET_WAITS);
        return not_tried(err, err);
    }
    if (!stored)
        return INPUT_READY;
    switch (check_store_prove(in->store, name, stored, err)) {
    case PROOF_WAIT: return INPUT_WAITS;
    case PROOF_FAILED:
        err_prefix(err, "a refresh token is stored, but its successor could not be");
        return not_tried(err, err);
    case PROOF_OK: break;
    }
    principal_set_refresh_token(in->principal, check_store_secret(in->store, name),
                                passwords_hosts(check_store_passwords(in->store), name));
    *delegated = true;
    return INPUT_READY;
}

static void principal_begin(struct input_sign_in *in)
{
    const struct input *input = in->input;
    CLEANUP(mem_freep) char *name = secret_name_client(input->client_id);
    const struct passwords *passwords = check_store_passwords(in->store);
    const char *secret = input->client_secret ? input->client_secret : check_store_secret(in->store, name);
    struct destination to = target_destination(in->target);
    struct principal_spec as = target_principal(input, &to, in->route);
    CLEANUP(mem_freep) char *api = binding_api(&to);
    CLEANUP(mem_freep) char *hosts = binding_hosts(&to); /* of a secret in the stanza */

    in->principal = principal_get(in->principals, &as);
    if (secret)
        principal_set_secret(in->principal, secret, input->client_secret ? hosts : passwords_hosts(passwords, name));
    in->source = token_source_get(in->principal, in->target->resource, in->target->api->v1_token, api);
    in->listener = (struct token_listener){ .changed = in->changed, .ctx = in->ctx };
    token_source_listen(in->source, &in->listener);
}

enum input_sign_in_state input_sign_in_step(struct input_sign_in *in, struct err *err)
{
    const struct input *input = in->input;
    struct destination to = target_destination(in->target);
    enum input_sign_in_state state;
    bool delegated;

    if (in->ready)
        return INPUT_READY;
    if (!binding_allows_input(check_store_passwords(in->store), input, &to, err))
        return INPUT_REFUSED;
    if (!in->principal)
        principal_begin(in);
    state = refresh_ready(in, &delegated, err);
    if (state != INPUT_READY)
        return state;
    if (!binding_allows_app(input, &to, delegated, err))
        return INPUT_REFUSED;
    if (!delegated && !input->client_secret && !input->client_certificate && !input->client_assertion &&
        !check_store_known(in->store, err))
        return not_tried(err, err);
    in->ready = true;
    return INPUT_READY;
}
