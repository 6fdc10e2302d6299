#include "splunk/value.h"

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
#include "splunk/value_refusal.h"

#define DIGITS     "0123456789"
#define SEPARATORS " ,"
#define LETTERS    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

enum {
    TEXT_MOST = 1024,
    FILTER_MOST = 2000,  /* it travels in a URL */
    SECRET_MOST = 16384, /* refresh tokens take 1 to 3 KB; a pasted address holds a code and more */
    DOMAIN_MOST = 253,
    ADDRESSES_MOST = 8,
    GROUP_MOST = 40,
    BACK_MOST_S = 50 * 365 * 86400
};

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
    case PARAM_URI: return is_absolute_uri(value) && !value_holds_code(value) && take_text(slot, value);
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
    value_refuse(param, value, &refusal);
    return err_set(err, ERR_INPUT, "%s: %s", refusal.text, why.text);
}

bool value_parse(const struct param *param, const char *value, enum file_check check, struct input *input,
                 struct err *err)
{
    if (!is_clean(param, value) || !take_value(param, value, input))
        return value_refuse(param, value, err);
    if (param->type == PARAM_FILE ? !check : param->type != PARAM_ASSERTION || check != CHECK_FILES)
        return true;
    return check_file(param, value, input, err);
}
