#include "splunk/value_refusal.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "splunk/mask.h"
#include "splunk/value_hint.h"

#define DIGITS "0123456789"

enum {
    SHOWN_MOST = 80,  /* bytes of a bad value that a message repeats */
    SECRET_LEAST = 16 /* Entra's have 34 and more */
};

const char *value_wanted(const struct param *param)
{
    static char text[192];
    const struct choice *choice;
    size_t len;

    switch (param->type) {
    case PARAM_TENANT: return "the customer's tenant as a GUID or a domain, such as contoso.onmicrosoft.com";
    case PARAM_GUID: return "a GUID, such as 01234567-89ab-cdef-0123-456789abcdef";
    case PARAM_SECRET: return "the secret itself, without line ends or other control characters";
    case PARAM_FILE: return "the full path of a file that Splunk's user can read";
    case PARAM_ASSERTION:
        return "managed_identity, managed_identity:<client ID of a user-assigned identity> or file:<full path of a "
               "token file that Splunk's user can read>";
    case PARAM_URI: return "an absolute URI without a fragment, such as https://SiemMsspConnector";
    case PARAM_BASE_URL:
        return "https://host or https://host:port with nothing after it (http:// only for this "
               "machine)";
    case PARAM_TEXT: return "one word without blanks, such as https://graph.microsoft.com";
    case PARAM_FILTER:
        return "an OData expression with all quotes and parentheses closed, such as "
               "severity eq 'high'";
    case PARAM_START:
        return "a time back from now, such as -12h, -30d, -90m, -45s or -2w (50 years at most), or a "
               "date and time since 1970 such as 2026-11-01 or 2026-11-01T08:00:00Z";
    case PARAM_PROXY: return "http://[user:password@]host:port";
    case PARAM_SHARE_URLS:
        return "1 to 8 management addresses, each https://host:port with nothing after it (http:// only for this "
               "machine), with blanks or commas between";
    case PARAM_GROUP: return "1 to 40 letters, digits, hyphens and underscores";
    case PARAM_SECONDS:
        snprintf(text, sizeof(text), "a whole number of %s from %lld to %lld", param->unit ? param->unit : "seconds",
                 (long long)param->min, (long long)param->max);
        return text;
    case PARAM_CHOICE:
        len = (size_t)snprintf(text, sizeof(text), "one of");
        for (choice = param->choices; choice->value; choice++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s %s", choice == param->choices ? "" : ",",
                                    choice->value);
        return text;
    }
    return "";
}

/* Returns the end of the part that may hold a password, which a message must not repeat: the last '@' of an address, or
 * the end of a proxy without '@' whose first ':' is not followed by a port. NULL: nothing is hidden. */
static const char *hidden_end(const struct param *param, const char *start)
{
    bool address = param->type == PARAM_PROXY || param->type == PARAM_BASE_URL || param->type == PARAM_URI ||
                   param->type == PARAM_SHARE_URLS;
    const char *sign = address ? strrchr(start, '@') : NULL;
    const char *colon = param->type == PARAM_PROXY && !sign ? strchr(start, ':') : NULL;

    if (colon && colon[1 + strspn(colon + 1, DIGITS "/")])
        return colon + strlen(colon);
    return sign;
}

bool value_holds_code(const char *value)
{
    return strstr(value, "?code=") || strstr(value, "&code=") || strstr(value, "#code=");
}

/* Returns the value for a message: truncated, and without a possible password. Caller frees. */
static char *shown(const struct param *param, const char *value)
{
    const char *slashes = strstr(value, "://");
    const char *start = slashes ? slashes + 3 : value;
    const char *rest = hidden_end(param, start);
    size_t len = 0, step, left;

    if (!rest)
        start = rest = value;
    for (left = strlen(rest); len < left && len < SHOWN_MOST; len += step ? step : 1)
        step = utf8_length((const unsigned char *)rest + len, left - len);
    return mem_format("%.*s%s%.*s%s", start - value > SHOWN_MOST ? 0 : (int)(start - value), value,
                      rest == value ? "" : SECRET_MASK, (int)len, rest, len < left ? "..." : "");
}

/* Returns true for a mistyped GUID: dashes in the right places, or no other characters than a GUID's. */
static bool looks_like_guid(const char *text)
{
    size_t len = strlen(text);

    return strspn(text, DIGITS "ABCDEFabcdef-{}") == len ||
           (len == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-');
}

/* Returns true if a secret may have been typed into the wrong field: a key instead of its file, the page that a sign-in
 * ended on instead of the redirect URI, the secret in the row of the client ID. Entra's secrets have a '~', which no
 * domain has. */
static bool may_be_secret(const struct param *param, const char *value)
{
    switch (param->type) {
    case PARAM_FILE: return strstr(value, "-----BEGIN") != NULL;
    case PARAM_ASSERTION: return strstr(value, "eyJ") != NULL || strchr(value, '~') || strstr(value, "-----BEGIN");
    case PARAM_URI:
    case PARAM_BASE_URL: return value_holds_code(value);
    case PARAM_TENANT: return strchr(value, '~') != NULL;
    case PARAM_GUID: return strlen(value) >= SECRET_LEAST && !looks_like_guid(value);
    default: return false;
    }
}

bool value_refuse(const struct param *param, const char *value, struct err *err)
{
    CLEANUP(mem_freep) char *text = shown(param, value);

    if (may_be_secret(param, value))
        return err_set(err, ERR_INPUT,
                       "%s has %zu bytes that may be a secret (they are not shown here), but it "
                       "should be %s%s",
                       param->name, strlen(value), value_wanted(param), value_hint(param, value));
    if (param->type == PARAM_SECRET)
        return err_set(err, ERR_INPUT,
                       "%s has %zu bytes that cannot be a secret (they are not shown here); it "
                       "should be %s",
                       param->name, strlen(value), value_wanted(param));
    return err_set(err, ERR_INPUT, "%s is '%s', but it should be %s%s", param->name, text, value_wanted(param),
                   value_hint(param, value));
}
