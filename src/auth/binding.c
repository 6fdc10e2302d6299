#include "auth/binding.h"

#include "base/mem.h"
#include "base/text.h"
#include "messages/remedy.h"
#include "microsoft/hosts.h"
#include "net/url.h"
#include "splunk/secret_hosts.h"
#include "splunk/secret_name.h"

#define HOSTS_MAX   4096
#define HOSTS_SHOWN 300

static bool login_is_free(const struct destination *to)
{
    return hosts_sign_in(to->login_url);
}

static bool api_is_free(const struct destination *to)
{
    return !to->api_url || hosts_serve(to->api_url, to->resource);
}

static void add_origin(struct buf *hosts, const char *url)
{
    CLEANUP(mem_freep) char *origin = url_origin(url);

    if (origin && !secret_hosts_hold(buf_text(hosts), origin))
        buf_add_format(hosts, "%s%s", hosts->len ? " " : "", origin);
}

char *binding_hosts(const struct destination *to)
{
    struct buf hosts = BUF_INIT(HOSTS_MAX);
    char *text;

    if (!login_is_free(to))
        add_origin(&hosts, to->login_url);
    if (!api_is_free(to))
        add_origin(&hosts, to->api_url);
    text = mem_text(buf_text(&hosts));
    buf_free(&hosts);
    return text;
}

char *binding_api(const struct destination *to)
{
    return api_is_free(to) ? NULL : url_origin(to->api_url);
}

char *binding_proxy_hosts(const char *proxy)
{
    return proxy ? url_origin(proxy) : NULL;
}

static bool holds(const char *hosts, const char *url)
{
    CLEANUP(mem_freep) char *origin = url_origin(url);

    return origin && secret_hosts_hold(hosts, origin);
}

/* Returns the places a secret may go to, for a sentence. Caller frees. */
static char *allowed_text(const char *hosts)
{
    if (text_empty(hosts))
        return mem_text("only Microsoft's own hosts");
    return mem_format("only Microsoft's own hosts and %.*s", HOSTS_SHOWN, hosts);
}

static bool blame(struct err *err)
{
    return remedy_set(err, "secret_host", ACT_PROVIDER, "enter the secret again in the input, or correct its address");
}

static bool refuse(struct err *err, const char *param, const char *hosts, const char *url, const char *where)
{
    CLEANUP(mem_freep) char *allowed = allowed_text(hosts);

    err_set(
        err, ERR_AUTH,
        "the stored %s may go to %s, not to %s (%s). Our administrator: enter %s again in this input, or correct %s",
        param, allowed, url, where, param, where);
    return blame(err);
}

bool binding_allows(const struct passwords *passwords, const char *param, const char *name,
                    const struct destination *to, struct err *err)
{
    const char *hosts = passwords_hosts(passwords, name);

    if (!passwords_get(passwords, name))
        return true;
    if (!login_is_free(to) && !holds(hosts, to->login_url))
        return refuse(err, param, hosts, to->login_url, "login_url");
    if (!api_is_free(to) && !holds(hosts, to->api_url))
        return refuse(err, param, hosts, to->api_url, "api_url");
    return true;
}

bool binding_allows_code(const struct passwords *passwords, const char *name, const struct destination *to,
                         struct err *err)
{
    const struct destination sign_in = { .login_url = to->login_url };

    return binding_allows(passwords, "refresh_token", name, &sign_in, err);
}

bool binding_allows_proxy(const struct passwords *passwords, const struct input *input, struct err *err)
{
    CLEANUP(mem_freep) char *name = secret_name_proxy(input->name);
    const char *hosts = passwords_hosts(passwords, name);

    if (!input->proxy || !passwords_get(passwords, name) || holds(hosts, input->proxy))
        return true;
    err_set(
        err, ERR_AUTH,
        "the stored password of the proxy may go to %s%.*s, not to %s. Our administrator: enter proxy again in this "
        "input, with its password, or correct its address",
        hosts ? "" : "no proxy yet", HOSTS_SHOWN, hosts ? hosts : "", input->proxy);
    return blame(err);
}

bool binding_allows_assertion(const char *login_url, struct err *err)
{
    if (hosts_sign_in(login_url))
        return true;
    err_set(
        err, ERR_AUTH,
        "the token of client_assertion may go to only Microsoft's own sign-in hosts, not to %s (login_url), since "
        "whoever has it can sign in as the app. Our administrator: correct login_url, or use a client secret, which "
        "is bound to it when it is entered",
        login_url);
    return blame(err);
}

bool binding_allows_app(const struct input *input, const struct destination *to, bool delegated, struct err *err)
{
    const char *param = input->client_assertion ? "client_assertion" : "client_certificate";

    if (input->client_assertion && !binding_allows_assertion(to->login_url, err))
        return false;
    if (delegated || (!input->client_assertion && !input->client_certificate) || !login_is_free(to) || api_is_free(to))
        return true;
    err_set(err, ERR_AUTH,
            "tokens that come by %s may go to only Microsoft's own hosts, not to %s (api_url). "
            "Our administrator: correct api_url, or use a client secret, which is bound to it when it is entered",
            param, to->api_url);
    return blame(err);
}

/* Returns true if the input signs in with a refresh token. */
static bool is_delegated(const struct passwords *passwords, const struct input *input, const char *name)
{
    return input->refresh_token || input->authorization_code || passwords_get(passwords, name);
}

bool binding_allows_input(const struct passwords *passwords, const struct input *input, const struct destination *to,
                          struct err *err)
{
    CLEANUP(mem_freep) char *client = secret_name_client(input->client_id);
    CLEANUP(mem_freep) char *refresh = secret_name_refresh(input->tenant_id, input->client_id);

    if (!input->proxy_password && !binding_allows_proxy(passwords, input, err))
        return false;
    if (!input->client_certificate && !input->client_assertion && !input->client_secret &&
        !binding_allows(passwords, "client_secret", client, to, err))
        return false;
    if (!binding_allows_app(input, to, is_delegated(passwords, input, refresh), err))
        return false;
    if (input->refresh_token)
        return true;
    return input->authorization_code ? binding_allows_code(passwords, refresh, to, err)
                                     : binding_allows(passwords, "refresh_token", refresh, to, err);
}
