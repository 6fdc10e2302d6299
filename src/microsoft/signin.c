#include "microsoft/signin.h"

#include <string.h>
#include <strings.h>

#include "base/base64url.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "microsoft/aad.h"

#define ADDRESS_MAX 16384
#define CODE_MAX    16384

static void add_tenant(struct buf *address, const char *login_url, const char *tenant_id)
{
    size_t len = strlen(login_url);

    while (len && login_url[len - 1] == '/')
        len--;
    buf_add(address, login_url, len);
    buf_add_char(address, '/');
    buf_add_url(address, tenant_id);
}

char *signin_consent_address(const char *login_url, const char *tenant_id, const char *client_id,
                             const char *redirect_uri)
{
    struct buf address = BUF_INIT(ADDRESS_MAX);

    add_tenant(&address, login_url, tenant_id);
    buf_add_text(&address, "/adminconsent?");
    buf_add_form(&address, "client_id", client_id);
    buf_add_form(&address, "redirect_uri", redirect_uri);
    return buf_take(&address);
}

char *signin_address(const char *login_url, const char *tenant_id, const char *client_id, const char *redirect_uri,
                     const char *resource, bool v1)
{
    struct buf address = BUF_INIT(ADDRESS_MAX);
    CLEANUP(mem_freep) char *scope = mem_format("%s/.default offline_access", resource);

    add_tenant(&address, login_url, tenant_id);
    buf_add_text(&address, v1 ? "/oauth2/authorize?" : "/oauth2/v2.0/authorize?");
    buf_add_form(&address, "client_id", client_id);
    buf_add_form(&address, "response_type", "code");
    buf_add_form(&address, "redirect_uri", redirect_uri);
    buf_add_form(&address, "response_mode", "query");
    buf_add_form(&address, "prompt", "select_account");
    if (v1)
        buf_add_form(&address, "resource", resource);
    else
        buf_add_form(&address, "scope", scope);
    return buf_take(&address);
}

/* Verifier and challenge are 32 bytes in base64url: 43 characters, the minimum (RFC 7636, 4.1). */
static char *encoded(const unsigned char bytes[SHA256_BYTES])
{
    struct buf text = BUF_INIT(2 * SHA256_BYTES);

    base64url_add(&text, bytes, SHA256_BYTES);
    return buf_take(&text);
}

char *signin_verifier(void)
{
    unsigned char bytes[SHA256_BYTES];

    random_bytes(bytes, sizeof(bytes));
    return encoded(bytes);
}

void signin_add_challenge(struct buf *address, const char *verifier)
{
    unsigned char hash[SHA256_BYTES];
    CLEANUP(mem_freep) char *challenge = NULL;

    sha256_of(verifier, strlen(verifier), hash);
    challenge = encoded(hash);
    buf_add_form(address, "code_challenge", challenge);
    buf_add_form(address, "code_challenge_method", "S256");
}

/* Returns the text without blanks, tabs, line ends and quotes, which neither an address nor a code has: terminals wrap
 * a long address, mails indent and quote it. */
static char *squeezed(const char *pasted)
{
    char *text = mem_text(pasted), *to = text;
    const char *at;

    for (at = pasted; *at; at++)
        if (!strchr(" \t\r\n\"'<>", *at))
            *to++ = *at;
    explicit_bzero(to, strlen(to)); /* the bytes after the moved text are a secret too */
    return text;
}

/* Finds the value of the first parameter of that name in a query or fragment, not decoded. "&amp;" comes from an
 * address that was copied from the source of a web page. */
static bool find_parameter(const char *at, const char *name, const char **value, size_t *len)
{
    size_t name_len = strlen(name);

    for (; *at; at += strcspn(at, "?&#;"), at += *at != '\0') {
        if (strncmp(at, name, name_len) || at[name_len] != '=')
            continue;
        *value = at + name_len + 1;
        *len = strcspn(*value, "&#");
        return true;
    }
    return false;
}

/* Returns true for "https://host/?a=b", "?a=b", "code=...&state=...": anything but a bare code. */
static bool is_address(const char *text)
{
    const char *value;
    size_t len;

    return strstr(text, "://") || *text == '?' || find_parameter(text, "code", &value, &len) ||
           find_parameter(text, "error", &value, &len) || find_parameter(text, "state", &value, &len);
}

static char *decoded_parameter(const char *text, const char *name)
{
    const char *value;
    char *ret = NULL;
    size_t len;

    if (!find_parameter(text, name, &value, &len) || !text_url_decode(value, len, true, &ret))
        return NULL;
    return ret;
}

static bool refused(const char *address, struct err *err)
{
    CLEANUP(mem_freep) char *error = decoded_parameter(address, "error");
    CLEANUP(mem_freep) char *description = decoded_parameter(address, "error_description");

    aad_set_error(error, description, err);
    return err_prefix(err, "the sign-in ended with a refusal");
}

static bool usable_code(const char *code)
{
    for (; *code; code++)
        if (*code < 0x21 || *code > 0x7e)
            return false;
    return true;
}

/* Returns true for what is pasted in the place of a bare code: an e-mail address, a path, an access token or an ID. */
static bool is_something_else(const char *text)
{
    return strpbrk(text, "@<>\"\\{}") || *text == '/' || text_starts(text, "eyJ") || text_is_guid(text);
}

bool signin_code(const char *pasted, char **ret, struct err *err)
{
    CLEANUP(mem_free_secretp) char *text = squeezed(pasted);
    CLEANUP(mem_free_secretp) char *code = NULL;
    const char *value = text, *other;
    size_t len = strlen(text), other_len;

    if (is_address(text) && !find_parameter(text, "code", &value, &len)) {
        if (find_parameter(text, "error", &other, &other_len))
            return refused(pasted, err);
        return err_set(err, ERR_INPUT,
                       "the address has no code=: copy the whole address of the page that the "
                       "sign-in ended on, also the part after '?'");
    }
    if (!len)
        return err_set(err, ERR_INPUT, "the authorization code is empty");
    if (len > CODE_MAX)
        return err_set(err, ERR_INPUT, "the authorization code is longer than %d characters", CODE_MAX);
    /* '+' is kept: in a code it is a character, and Entra writes no blanks into codes. */
    if (!text_url_decode(value, len, false, &code) || !usable_code(code))
        return err_set(err, ERR_INPUT, "the authorization code has characters that no code has: copy it again");
    if (value == text && is_something_else(code))
        return err_set(err, ERR_INPUT,
                       "it is no authorization code: copy the whole address of the page that the "
                       "sign-in ended on");
    *ret = mem_take(&code);
    return true;
}
