/* Which secrets an input may use, and who uses them. */
#include "auth/secret_intake_private.h"

#include "base/mem.h"
#include "base/text.h"

const char *const secret_param_names[SECRET_KINDS] = { "proxy", "client_secret", "refresh_token",
                                                       "authorization_code" };

char **secret_plaintext(const struct secret_intake *intake, enum secret_kind kind)
{
    struct input *input = intake->spec.input;

    switch (kind) {
    case SECRET_PROXY: return &input->proxy_password;
    case SECRET_CLIENT: return &input->client_secret;
    case SECRET_REFRESH: return &input->refresh_token;
    default: return &input->authorization_code;
    }
}

const char *secret_stored(const struct secret_intake *intake, enum secret_kind kind)
{
    return intake->names[kind] ? passwords_get(intake->spec.passwords, intake->names[kind]) : NULL;
}

bool secret_is_bound(const struct secret_intake *intake, enum secret_kind kind, struct err *err)
{
    const struct secret_intake_spec *spec = &intake->spec;

    if (intake->as_given[kind])
        return true;
    switch (kind) {
    case SECRET_PROXY: return binding_allows_proxy(spec->passwords, spec->input, err);
    case SECRET_CLIENT:
    case SECRET_REFRESH:
        return binding_allows(spec->passwords, secret_param_names[kind], intake->names[kind], &spec->to, err);
    default: return true;
    }
}

/* A code is entered in this stanza, and the token that it brings takes the place of the stored one, if its sign-in
 * service may. */
bool secrets_may_sign_in(const struct secret_intake *intake, struct err *err)
{
    const struct input *input = intake->spec.input;
    bool code = *secret_plaintext(intake, SECRET_CODE) != NULL;

    if (!binding_allows_app(input, &intake->spec.to, code || secret_stored(intake, SECRET_REFRESH), err))
        return false;
    if (!input->client_certificate && !input->client_assertion && !secret_is_bound(intake, SECRET_CLIENT, err))
        return false;
    return code ? binding_allows_code(intake->spec.passwords, intake->names[SECRET_REFRESH], &intake->spec.to, err)
                : secret_is_bound(intake, SECRET_REFRESH, err);
}

/* Returns the hosts that the value is bound to: what the store says of it, or for a value that the store did not take
 * those of the stanza that brought it. */
static const char *hosts_of(const struct secret_intake *intake, enum secret_kind kind, const char *value)
{
    if (text_same(value, secret_stored(intake, kind)))
        return passwords_hosts(intake->spec.passwords, intake->names[kind]);
    return intake->hosts[kind];
}

/* A principal that other inputs share keeps what it has if this one has none. */
void secret_hand_over(const struct secret_intake *intake, enum secret_kind kind, const char *value)
{
    const struct secret_intake_owner *owner = &intake->owner;

    switch (kind) {
    case SECRET_PROXY: owner->use_proxy(owner->ctx, intake->spec.input->proxy ? value : NULL); return;
    case SECRET_CLIENT:
        if (value)
            principal_set_secret(owner->principal(owner->ctx), value, hosts_of(intake, kind, value));
        return;
    case SECRET_REFRESH:
        if (value)
            principal_set_refresh_token(owner->principal(owner->ctx), value, hosts_of(intake, kind, value));
        return;
    default: return;
    }
}

void secret_hand_over_stored(const struct secret_intake *intake, enum secret_kind kind)
{
    struct err err;

    if (!intake->as_given[kind])
        secret_hand_over(intake, kind, secret_is_bound(intake, kind, &err) ? secret_stored(intake, kind) : NULL);
}
