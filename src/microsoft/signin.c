#include "microsoft/signin.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "microsoft/aad.h"

#define ADDRESS_MAX 16384
#define CODE_MAX    16384

char *signin_address(const char *login_url, const char *tenant_id, const char *client_id, const char *redirect_uri,
                     const char *resource, bool v1)
{
    struct buf address = BUF_INIT(ADDRESS_MAX);
    CLEANUP(mem_freep) char *scope = mem_format("%s/.default offline_access", resource);
    size_t len = strlen(login_url);

    while (len && login_url[len - 1] == '/')
        len--;
    buf_add(&address, login_url, len);
    buf_add_char(&address, '/');
    buf_add_url(&address, tenant_id);
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

/* 32 bytes as base64url without padding, for both: the verifier has 43 characters, the least that is allowed. */
static char *base64url(const unsigned char bytes[SHA256_BYTES])
{
    unsigned char text[SHA256_BYTES * 2];
    char *at;

    EVP_EncodeBlock(text, bytes, SHA256_BYTES);
    for (at = (char *)text; *at; at++)
        *at = (char)(*at == '+' ? '-' : *at == '/' ? '_' : *at);
    return mem_text_n((char *)text, strcspn((char *)text, "="));
}

char *signin_verifier(void)
{
    unsigned char bytes[SHA256_BYTES];

    random_bytes(bytes, sizeof(bytes));
    return base64url(bytes);
}

void signin_add_challenge(struct buf *address, const char *verifier)
{
    unsigned char hash[SHA256_BYTES];
    CLEANUP(mem_freep) char *challenge = NULL;

    sha256_of(verifier, strlen(verifier), hash);
    challenge = base64url(hash);
    buf_add_form(address, "code_challenge", challenge);
    buf_add_form(address, "code_challenge_method", "S256");
}

/* The text without blanks, tabs, line ends and quotes: terminals wrap a long address, mails indent and quote it, and
 * neither an address nor a code holds any of them. */
static char *squeezed(const char *pasted)
{
    char *text = mem_text(pasted), *to = text;
    const char *at;

    for (at = pasted; *at; at++)
        if (!strchr(" \t\r\n\"'<>", *at))
            *to++ = *at;
    explicit_bzero(to, strlen(to));     /* what is behind the moved text is a secret too */
    return text;
}

/* The value of the first parameter of that name in a query or fragment, not decoded. "&amp;" is an address that was
 * copied out of a web page's source. */
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

/* "https://host/?a=b", "?a=b", "code=...&state=...": anything but a bare code. */
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

static bool usable(const char *code)
{
    for (; *code; code++)
        if (*code < 0x21 || *code > 0x7e)
            return false;
    return true;
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
        return err_set(err, ERR_INPUT, "the address holds no code=: copy the whole address of the page that the "
                       "sign-in ended on, also the part behind '?'");
    }
    if (!len)
        return err_set(err, ERR_INPUT, "the authorization code is empty");
    if (len > CODE_MAX)
        return err_set(err, ERR_INPUT, "the authorization code is longer than %d characters", CODE_MAX);
    /* '+' stays: in a code it is a character, and Entra does not write blanks into codes. */
    if (!text_url_decode(value, len, false, &code) || !usable(code))
        return err_set(err, ERR_INPUT, "the authorization code holds characters that no code has: copy it again");
    *ret = mem_take(&code);
    return true;
}
