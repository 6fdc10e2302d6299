#include "share/token.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"
#include "splunk/secret_hosts.h"

#define SEPARATORS " ,\t\r\n"
#define HOSTS_MAX  8192

char *share_token_name(const char *group)
{
    return mem_format("share_token.%s", group);
}

char *share_next_url(const char **rest)
{
    const char *at = *rest + strspn(*rest, SEPARATORS);
    size_t len = strcspn(at, SEPARATORS);

    *rest = at + len;
    while (len && at[len - 1] == '/')
        len--;
    return len ? mem_text_n(at, len) : NULL;
}

char *share_token_hosts(const char *urls)
{
    struct buf hosts = BUF_INIT(HOSTS_MAX);
    char *url;

    while ((url = share_next_url(&urls))) {
        CLEANUP(mem_freep) char *origin = url_origin(url);

        if (origin && !secret_hosts_hold(buf_text(&hosts), origin))
            buf_add_format(&hosts, "%s%s", hosts.len ? " " : "", origin);
        mem_freep(&url);
    }
    return buf_take(&hosts);
}

/* Returns the first address that the token may not be sent to; NULL: there is none. The caller frees it. */
static char *find_unbound(const char *hosts, const char *urls)
{
    char *url;

    while ((url = share_next_url(&urls))) {
        CLEANUP(mem_freep) char *origin = url_origin(url);

        if (!origin || !secret_hosts_hold(hosts, origin))
            return url;
        mem_freep(&url);
    }
    return NULL;
}

const char *share_token_find(const struct passwords *passwords, const char *group, const char *urls, struct err *err)
{
    CLEANUP(mem_freep) char *name = share_token_name(group);
    const char *token = passwords_get(passwords, name);
    CLEANUP(mem_freep) char *unbound = token ? find_unbound(passwords_hosts(passwords, name), urls) : NULL;

    if (!token)
        err_set(
            err, ERR_AUTH,
            "this forwarder has no token for the shared store (group '%s'): its administrator has to enter one with "
            "'defender_alerts share token'",
            group);
    else if (unbound)
        err_set(err, ERR_AUTH,
                "the token of group '%s' was entered for other addresses than '%.200s', so it is not sent there: the "
                "administrator of this forwarder has to correct share_url, or enter the token again with "
                "'defender_alerts share token'",
                group, unbound);
    return unbound ? NULL : token;
}
