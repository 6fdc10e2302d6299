#include "splunk/value_hint.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/compiler.h"
#include "base/text.h"

#define DIGITS "0123456789"

enum { GUID_LEN = 36 };

/* Returns true for a GUID with something around it: quotes, braces, a label. */
static bool holds_guid(const char *value)
{
    char part[GUID_LEN + 1];
    size_t len;

    for (len = strlen(value); len >= GUID_LEN; len--, value++) {
        snprintf(part, sizeof(part), "%s", value);
        if (text_is_guid(part))
            return true;
    }
    return false;
}

/* Returns the hint for characters that look like others, or like none: from word processors, chats and web pages. */
static const char *hint_for_characters(const char *value)
{
    static const char *const invisible[] = { "\u00a0", "\u200b", "\u200c", "\u200d", "\u200e",
                                             "\u200f", "\u202f", "\u2060", "\ufeff" };
    static const char *const typographic[] = { "\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2018",
                                               "\u2019", "\u201c", "\u201d", "\u201e", "\u2212" };
    size_t i;

    for (i = 0; i < COUNT_OF(invisible); i++)
        if (strstr(value, invisible[i]))
            return ". It has a character that is not visible: type it in place of pasting it";
    for (i = 0; i < COUNT_OF(typographic); i++)
        if (strstr(value, typographic[i]))
            return ". It has a typographic dash or quote: type it in place of pasting it";
    return NULL;
}

static const char *hint_for_guid(const char *value)
{
    if (holds_guid(value))
        return ". Enter only the GUID in it";
    return strlen(value) == 32 && strspn(value, DIGITS "ABCDEFabcdef") == 32 ? ". Write the GUID with its hyphens" : "";
}

static const char *hint_for_tenant(const char *value)
{
    if (strstr(value, "tid="))
        return ". It is an address: enter only the GUID after tid=";
    if (strstr(value, "://"))
        return ". It is an address: enter only the tenant's GUID or domain";
    if (strpbrk(value, ",;"))
        return ". Each tenant needs an input of its own";
    return strchr(value, '@') ? ". It is an e-mail address: enter only the domain after the @" : hint_for_guid(value);
}

static const char *hint_for_client(const char *value)
{
    if (strstr(value, "://"))
        return ". It is an address: enter only the ID";
    return strchr(value, '~') ? ". A secret belongs in client_secret" : hint_for_guid(value);
}

static const char *hint_for_start(const char *value)
{
    size_t sign = strspn(value, "+-"), digits = strspn(value + sign, DIGITS);
    const char *rest = value + sign + digits;

    if (!digits)
        return "";
    if (strchr("./", *rest) ? *rest != '\0' : digits < 4 && *rest == '-')
        return ". Write a date as year-month-day";
    if (!*rest && digits >= 8) /* 20261129, or seconds since 1970 */
        return ". Write a date as year-month-day";
    if (!sign && *rest && strchr("smhdw", *rest) && !rest[1])
        return ". Put a minus sign before it";
    return digits < 4 ? ". Write a minus sign, the number and one letter, such as -30d" : "";
}

static const char *hint_for_assertion(const char *value)
{
    if (text_is_guid(value))
        return ". Write managed_identity: before the client ID of the identity";
    if (strncasecmp(value, "managed", strlen("managed")) == 0 && holds_guid(value))
        return ". Write managed_identity:, then only the client ID";
    if (strncasecmp(value, "managed", strlen("managed")) == 0 || text_same_nocase(value, "msi"))
        return strchr(value, ':') ? ". The identity is named by its client ID, a GUID" : ". Write managed_identity";
    if (*value == '/' || *value == '$')
        return ". Write file: before the path";
    return strncasecmp(value, "file:", 5) == 0 ? ". Write file: in small letters and the whole path, from / on" : "";
}

const char *value_hint(const struct param *param, const char *value)
{
    const char *characters = hint_for_characters(value);

    if (characters)
        return characters;
    switch (param->type) {
    case PARAM_TENANT: return hint_for_tenant(value);
    case PARAM_GUID: return hint_for_client(value);
    case PARAM_ASSERTION: return hint_for_assertion(value);
    case PARAM_START: return hint_for_start(value);
    case PARAM_PROXY: return strstr(value, "://") ? "" : ". Put http:// before host and port";
    default: return "";
    }
}
