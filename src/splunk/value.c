#include "splunk/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "net/http.h"
#include "net/tls.h"
#include "net/url.h"
#include "splunk/input.h"
#include "splunk/mask.h"
#include "splunk/proxy.h"
#include "splunk/value_hint.h"

#define DIGITS     "0123456789"
#define SEPARATORS " ,"
#define LETTERS    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

enum {
    SHOWN_MOST = 80, /* bytes of a bad value that a message repeats */
    TEXT_MOST = 1024,
    FILTER_MOST = 2000,  /* it travels in a URL */
    SECRET_MOST = 16384, /* refresh tokens take 1 to 3 KB; a pasted address holds a code and more */
    SECRET_LEAST = 16,   /* Entra's have 34 and more */
    DOMAIN_MOST = 253,
    ADDRESSES_MOST = 8,
    GROUP_MOST = 40,
    BACK_MOST_S = 50 * 365 * 86400
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

/* Returns true for the address of a page on which a sign-in ended. */
static bool holds_code(const char *value)
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
    case PARAM_BASE_URL: return holds_code(value);
    case PARAM_TENANT: return strchr(value, '~') != NULL;
    case PARAM_GUID: return strlen(value) >= SECRET_LEAST && !looks_like_guid(value);
    default: return false;
    }
}

static bool refuse_value(const struct param *param, const char *value, struct err *err)
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

/* Returns true for well-formed UTF-8 without control characters, no longer than the type allows. */
static bool is_clean(const struct param *param, const char *value)
{
    size_t most = param->type == PARAM_SECRET ? SECRET_MOST : param->type == PARAM_FILTER ? FILTER_MOST : TEXT_MOST;
    size_t left = strlen(value), step;

    if (left > most)
        return false;
    for (; left; value += step, left -= step) {
        step = utf8_length((const unsigned char *)value, left);
        if (!step || (unsigned char)*value < 0x20 || *value == 0x7f)
            return false;
    }
    return true;
}

static bool take_text(char **slot, const char *value)
{
    *slot = mem_text(value);
    return true;
}

static bool take_lower(char **slot, const char *value)
{
    char *c;

    *slot = mem_text(value);
    for (c = *slot; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c | 0x20);
    return true;
}

/* Returns true for at least two labels, the last not all digits: neither "common" nor an IPv4 address. */
static bool is_domain(const char *text)
{
    size_t labels, len;

    if (strlen(text) > DOMAIN_MOST)
        return false;
    for (labels = 1;; labels++, text += len + 1) {
        len = strspn(text, LETTERS DIGITS "-");
        if (!len || len > 63 || text[0] == '-' || text[len - 1] == '-')
            return false;
        if (!text[len])
            return labels >= 2 && strspn(text, DIGITS) != len;
        if (text[len] != '.')
            return false;
    }
}

/* Checks RFC 3986 section 4.3 with the characters of section 2. RFC 6749 section 3.1.2 forbids a fragment. */
static bool is_absolute_uri(const char *text)
{
    size_t scheme = strspn(text, LETTERS DIGITS "+-.");
    const char *rest = text + scheme + 1, *at;
    bool web = strncasecmp(text, "https:", 6) == 0 || strncasecmp(text, "http:", 5) == 0;

    if (!scheme || !strchr(LETTERS, *text) || text[scheme] != ':' || !*rest)
        return false;
    if (web && (!text_starts(rest, "//") || !rest[2] || strchr("/?:@", rest[2])))
        return false;
    for (at = rest; *at; at++) {
        if (!strchr(LETTERS DIGITS "-._~:/?[]@!$&'()*+,;=%", *at))
            return false;
        if (*at == '%' && strspn(at + 1, DIGITS "ABCDEFabcdef") < 2)
            return false;
    }
    return true;
}

static bool take_base_url(char **slot, const char *value)
{
    size_t len = strlen(value);

    if ((strncasecmp(value, "https://", 8) != 0 && strncasecmp(value, "http://", 7) != 0) || !url_is_base(value))
        return false;
    *slot = mem_text_n(value, value[len - 1] == '/' ? len - 1 : len);
    return true;
}

/* Returns true if each word is an address with a port: a management port is never the default of its scheme. */
static bool are_addresses(const char *text)
{
    size_t len, count = 0;

    for (; *(text += strspn(text, SEPARATORS)); text += len) {
        CLEANUP(mem_freep) char *address = NULL, *base = NULL;
        const char *colon;

        len = strcspn(text, SEPARATORS);
        address = mem_text_n(text, len);
        colon = strrchr(address, ':');
        if (++count > ADDRESSES_MOST || !colon || !strchr(DIGITS, colon[1]) || !colon[1] ||
            !take_base_url(&base, address))
            return false;
    }
    return count > 0;
}

static bool is_group(const char *text)
{
    size_t len = strlen(text);

    return len <= GROUP_MOST && strspn(text, LETTERS DIGITS "_-") == len;
}

/* Returns true if quotes and parentheses are closed, so that "(filter) and time ge ..." means what it says. OData
 * doubles a quote inside a text, so pairs stay pairs. */
static bool is_filter(const char *text)
{
    int depth = 0;
    bool quoted = false;

    if (*text == '$') /* "$filter=..." pasted whole */
        return false;
    for (; *text; text++) {
        if (*text == '\'')
            quoted = !quoted;
        else if (!quoted && *text == '(')
            depth++;
        else if (!quoted && *text == ')' && --depth < 0)
            return false;
    }
    return depth == 0 && !quoted;
}

static bool take_start(struct start_time *ret, const char *value)
{
    static const char units[] = "smhdw";
    static const int64_t seconds[] = { 1, 60, 3600, 86400, 7 * 86400 };
    size_t digits = *value == '-' ? strspn(value + 1, DIGITS) : 0;
    const char *unit = digits && digits <= 10 && value[digits + 1] ? strchr(units, value[digits + 1]) : NULL;
    int64_t number;
    ticks time;

    if (*value == '-') {
        if (!unit || value[digits + 2] || !text_number(value + 1, digits, 0, BACK_MOST_S, &number))
            return false;
        *ret = (struct start_time){ .relative = true, .back_s = number * seconds[unit - units] };
        return ret->back_s <= BACK_MOST_S;
    }
    if (!ticks_parse(value, strlen(value), &time) || time < 0)
        return false;
    *ret = (struct start_time){ .time = time };
    return true;
}

static bool take_choice(int *ret, const struct choice *choices, const char *value)
{
    int i;

    for (i = 0; choices[i].value; i++) {
        if (text_same_nocase(choices[i].value, value)) {
            *ret = i;
            return true;
        }
    }
    return false;
}

/* Replaces $SPLUNK_HOME, which administrators write in conf files. */
static char *expanded_path(const char *value)
{
    static const char variable[] = "$SPLUNK_HOME/";
    const char *home = getenv("SPLUNK_HOME");

    if (!text_starts(value, variable) || text_empty(home))
        return mem_text(value);
    return mem_format("%s/%s", home, value + strlen(variable));
}

static bool take_file(char **slot, const char *value)
{
    CLEANUP(mem_freep) char *path = expanded_path(value);

    if (*path != '/')
        return false; /* the working directory is splunkd's choice */
    *slot = mem_take(&path);
    return true;
}

static bool take_assertion(char **slot, const char *value)
{
    size_t len = strlen(INPUT_IDENTITY);
    CLEANUP(mem_freep) char *path = NULL;

    if (text_starts(value, INPUT_TOKEN_FILE)) {
        if (!take_file(&path, value + strlen(INPUT_TOKEN_FILE)))
            return false;
        *slot = mem_format("%s%s", INPUT_TOKEN_FILE, path);
        return true;
    }
    if (strncasecmp(value, INPUT_IDENTITY, len) != 0 ||
        (value[len] && (value[len] != ':' || !text_is_guid(value + len + 1))))
        return false;
    return take_lower(slot, value);
}

/* Parses the value by type. Returns false if it is not of the type. */
static bool take_value(const struct param *param, const char *value, struct input *input)
{
    void *slot = (char *)input + param->offset;

    switch (param->type) {
    case PARAM_TENANT: return (text_is_guid(value) || is_domain(value)) && take_lower(slot, value);
    case PARAM_GUID: return text_is_guid(value) && take_lower(slot, value);
    case PARAM_SECRET: return mask_matches(value) || take_text(slot, value);
    case PARAM_FILE: return take_file(slot, value);
    case PARAM_ASSERTION: return take_assertion(slot, value);
    case PARAM_URI: return is_absolute_uri(value) && !holds_code(value) && take_text(slot, value);
    case PARAM_CHOICE: return take_choice(slot, param->choices, value);
    case PARAM_BASE_URL: return take_base_url(slot, value);
    case PARAM_TEXT: return !strchr(value, ' ') && take_text(slot, value);
    case PARAM_FILTER: return is_filter(value) && take_text(slot, value);
    case PARAM_START: return take_start(slot, value);
    case PARAM_SECONDS: return text_int64(value, param->min, param->max, slot);
    case PARAM_PROXY: return proxy_parse(value, slot, &input->proxy_password);
    case PARAM_SHARE_URLS: return are_addresses(value) && take_text(slot, value);
    case PARAM_GROUP: return is_group(value) && take_text(slot, value);
    }
    return false;
}

static bool check_file(const struct param *param, const char *value, const struct input *input, struct err *err)
{
    const char *path = *(char *const *)((const char *)input + param->offset);
    bool token = param->type == PARAM_ASSERTION;
    struct err why, refusal;

    if (token && !(path = input_token_file(path)))
        return true;
    if (file_usable(path, token ? INPUT_TOKEN_MAX : TLS_CA_MAX, &why))
        return true;
    refuse_value(param, value, &refusal);
    return err_set(err, ERR_INPUT, "%s: %s", refusal.text, why.text);
}

bool value_parse(const struct param *param, const char *value, enum file_check check, struct input *input,
                 struct err *err)
{
    if (!is_clean(param, value) || !take_value(param, value, input))
        return refuse_value(param, value, err);
    if (param->type == PARAM_FILE ? !check : param->type != PARAM_ASSERTION || check != CHECK_FILES)
        return true;
    return check_file(param, value, input, err);
}
