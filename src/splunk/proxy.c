#include "splunk/proxy.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "splunk/mask.h"

#define SCHEME      "http://"
#define ADDRESS_MAX 4096

/* Escapes the characters that a URL's user part cannot carry. A valid %XX counts as escaped already. */
static void add_user_part(struct buf *buf, const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        bool escaped = c == '%' && len - i > 2 && isxdigit((unsigned char)text[i + 1]) &&
                       isxdigit((unsigned char)text[i + 2]);

        if (escaped || (c < 0x80 && isalnum(c)) || (c && strchr("-._~", c)))
            buf_add_char(buf, (char)c);
        else
            buf_add_format(buf, "%%%02X", c);
    }
}

/* Returns the length of the host at the start: a name, IPv4 or [IPv6]. 0: none. */
static size_t host_length(const char *text)
{
    size_t len;

    if (*text == '[') {
        len = 1 + strspn(text + 1, "0123456789abcdefABCDEF:.");
        return len > 2 && text[len] == ']' ? len + 1 : 0;
    }
    for (len = 0; isalnum((unsigned char)text[len]) || (text[len] && strchr("-._", text[len]));)
        len++;
    return len;
}

/* Returns the length of a text that is "host:port" or "host:port/", without the slash. 0: it is not. */
static size_t host_port_length(const char *text)
{
    size_t host = host_length(text), digits;
    int64_t port;

    if (!host || text[host] != ':')
        return 0;
    digits = strspn(text + host + 1, "0123456789");
    if (!text_number(text + host + 1, digits, 1, 65535, &port))
        return 0;
    text += host + 1 + digits;
    return !*text || strcmp(text, "/") == 0 ? host + 1 + digits : 0;
}

bool proxy_parse(const char *text, char **ret_proxy, char **ret_password)
{
    struct buf proxy = BUF_INIT(ADDRESS_MAX);
    const char *user, *sign, *colon;
    size_t host;

    if (strncasecmp(text, SCHEME, strlen(SCHEME)) != 0)
        return false;
    user = text + strlen(SCHEME);
    sign = strrchr(user, '@'); /* the last: a plain password may contain one */
    host = host_port_length(sign ? sign + 1 : user);
    colon = sign ? memchr(user, ':', (size_t)(sign - user)) : NULL;
    if (!host || sign == user || colon == user)
        return false;
    buf_add_text(&proxy, SCHEME);
    if (sign) {
        add_user_part(&proxy, user, (size_t)((colon ? colon : sign) - user));
        buf_add_char(&proxy, '@');
    }
    buf_add(&proxy, sign ? sign + 1 : user, host);
    *ret_password = colon ? mem_text_n(colon + 1, (size_t)(sign - colon - 1)) : NULL;
    if (mask_matches(*ret_password))
        mem_free_secretp(ret_password);
    *ret_proxy = buf_take(&proxy);
    return true;
}

bool proxy_has_user(const char *proxy)
{
    return proxy && strchr(proxy, '@');
}

/* Returns the address with ":password" before its '@'. */
static char *with_password(const char *proxy, const char *password, bool escape)
{
    const char *sign = strchr(proxy, '@');
    struct buf whole = BUF_INIT(ADDRESS_MAX + 3 * strlen(password));

    buf_add(&whole, proxy, (size_t)(sign - proxy));
    buf_add_char(&whole, ':');
    if (escape)
        add_user_part(&whole, password, strlen(password));
    else
        buf_add_text(&whole, password);
    buf_add_text(&whole, sign);
    return buf_take(&whole);
}

char *proxy_with_password(const char *proxy, const char *password)
{
    if (text_empty(password) || !proxy_has_user(proxy))
        return mem_text(proxy);
    return with_password(proxy, password, true);
}

char *proxy_masked(const char *proxy)
{
    return proxy_has_user(proxy) ? with_password(proxy, SECRET_MASK, false) : mem_text(proxy);
}
