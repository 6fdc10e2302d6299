#include "command/sign_in_options.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/options.h"
#include "command/session.h"
#include "splunk/proxy.h"

#define LINE_MAX        65536
#define SECRET_FILE_MAX 16384

/* Options that are parameters of an input. */
/* clang-format off */
static const struct { const char *option, *parameter, *argument, *help; } parameters[] = {
    { "--tenant", "tenant_id", "TENANT", "the customer's tenant: GUID or domain" },
    { "--client-id", "client_id", "GUID", "application (client) id" },
    { "--client-certificate", "client_certificate", "FILE", "PEM file with certificate and key, instead of a secret" },
    { "--client-assertion", "client_assertion", "WORD", "managed_identity[:ID] or file:/path, instead of a secret" },
    { "--api", "api", "API", "graph (default), endpoint, siem or incidents" },
    { "--cloud", "cloud", "CLOUD", "commercial (default), gcc, gcc_high or dod" },
    { "--login-url", "login_url", "URL", "instead of the cloud's sign-in service" },
    { "--api-url", "api_url", "URL", "instead of the API's own host; the stored token may go there" },
    { "--resource", "resource", "URI", "audience of the token; default by --api and --cloud" },
    { "--redirect-uri", "redirect_uri", "URI", "as registered; default https://SiemMsspConnector" },
    { "--proxy", "proxy", "URL", "http://[user@]host:port; default: the environment's" },
    { "--ca-file", "ca_file", "FILE", "PEM file of the authorities to trust instead of the system's" }
};
/* clang-format on */

const char *sign_in_option_of(const char *word, size_t len)
{
    size_t i;

    for (i = 0; i < COUNT_OF(parameters); i++)
        if (strlen(parameters[i].parameter) == len && !memcmp(parameters[i].parameter, word, len))
            return parameters[i].option;
    return NULL;
}

static const char usage[] =
    "usage: defender_alerts sign-in --tenant TENANT --client-id GUID [OPTION ...]\n"
    "Signs a user in and prints the refresh token once, or stores it in Splunk's password store (--store).\n"
    "Prints the address to open; then asks for the address of the page that the sign-in ended on.\n"
    "Secrets are not arguments, since every user of this host can see those. They are asked for, or, if stdin is not\n"
    "a terminal, read from it, one line each in this order:\n"
    "  1. with --store: Splunk's session key, or the XML of print-modinput-config, which has it\n"
    "  2. the client secret, if the app has one\n"
    "  3. the pasted address or the code (when stdin ends before it, it is asked for on the terminal)\n"
    "A proxy's password comes from --proxy-password-file, or is asked for on the terminal.\n"
    "Ctrl-C ends it at any time. Exit status 0: signed in; 1: not.\n";

static bool read_input(const char *const *values, struct input *ret, struct err *err)
{
    struct raw_param raw[COUNT_OF(parameters)];
    struct raw_stanza stanza = { .name = (char[]){ "sign-in" }, .app = NULL, .params = raw };
    bool ok;
    size_t i;

    for (i = 0; i < COUNT_OF(parameters); i++)
        if (values[i])
            raw[stanza.count++] = (struct raw_param){ mem_text(parameters[i].parameter), mem_text(values[i]) };
    ok = input_from_stanza(&stanza, CHECK_FILES, ret, err);
    for (i = 0; i < stanza.count; i++) {
        free(raw[i].name);
        mem_free_secret(raw[i].value);
    }
    return ok;
}

static bool read_secret_file(const char *path, char **ret, struct err *err)
{
    struct buf text = BUF_INIT(SECRET_FILE_MAX);
    bool ok = file_read_passed(path, &text, err);

    if (ok)
        *ret = text_trimmed(buf_text(&text));
    buf_free_secret(&text);
    return ok;
}

static bool read_proxy(struct sign_in_options *options, const char *password_file, struct console *console,
                       struct err *err)
{
    const char *proxy = options->input.proxy;
    CLEANUP(mem_free_secretp) char *password = NULL;
    struct buf line = BUF_INIT(LINE_MAX);

    if (options->input.proxy_password)
        return err_set(err, ERR_INPUT,
                       "--proxy has a password, which every user of this host can see: leave it out; "
                       "it is asked for, or read from --proxy-password-file");
    if (password_file && !proxy_has_user(proxy))
        return err_set(err, ERR_INPUT,
                       "--proxy-password-file needs a --proxy that names its user: "
                       "http://user@host:port");
    console_warn_of_readers(password_file);
    if (password_file && !read_secret_file(password_file, &password, err))
        return false;
    if (!password && proxy_has_user(proxy)) {
        if (!console->is_terminal)
            return err_set(err, ERR_INPUT, "--proxy names a user; its password should come from --proxy-password-file");
        if (console_line(console, "Password of the proxy (not shown): ", true, &line))
            password = mem_text(buf_text(&line));
        buf_free_secret(&line);
    }
    options->proxy = proxy ? proxy_with_password(proxy, password) : NULL;
    return true;
}

static bool prepare(struct sign_in_options *options, const char *secret_file, struct err *err)
{
    const struct input *input = &options->input;

    console_warn_of_readers(secret_file);
    console_warn_of_readers(input->client_certificate);
    if (secret_file && input->client_certificate)
        return err_set(err, ERR_INPUT, "--client-secret-file and --client-certificate exclude each other");
    if (secret_file && input->client_assertion)
        return err_set(err, ERR_INPUT, "--client-secret-file and --client-assertion exclude each other");
    if (secret_file && !read_secret_file(secret_file, &options->client_secret, err))
        return false;
    if (input->client_certificate &&
        !(options->key = assertion_key_read(input->client_certificate, clock_wall_ms(), err)))
        return false;
    target_of(input, &options->target);
    if (input->client_assertion && !binding_allows_assertion(options->target.login_url, err))
        return false;
    options->route = (struct http_route){ .ca_file = input->ca_file, .proxy = options->proxy };
    return true;
}

bool sign_in_options_read(struct sign_in_options *ret, int argc, char **argv, struct console *console, struct err *err)
{
    const char *values[COUNT_OF(parameters)] = { NULL }, *secret_file = NULL, *password_file = NULL;
    const struct option_spec own[] = {
        { "--device-code", NULL, &ret->device, NULL, "sign in on another device with a short code" },
        { "--store", NULL, &ret->store, NULL, "put the token into Splunk's password store instead of printing it" },
        { "--server-uri", &ret->server_uri, NULL, "URL", "splunkd, for --store; default " SERVER_URI },
        { "--client-secret-file", &secret_file, NULL, "FILE", "file with the client secret" },
        { "--client-secret-stdin", NULL, &ret->secret_stdin, NULL, "the client secret comes on stdin" },
        { "--proxy-password-file", &password_file, NULL, "FILE", "file with the proxy's password" }
    };
    struct option_spec specs[COUNT_OF(parameters) + COUNT_OF(own)];
    size_t i;

    for (i = 0; i < COUNT_OF(parameters); i++)
        specs[i] = (struct option_spec){ parameters[i].option, &values[i], NULL, parameters[i].argument,
                                         parameters[i].help };
    for (i = 0; i < COUNT_OF(own); i++)
        specs[COUNT_OF(parameters) + i] = own[i];
    if (options_want_help(argc, argv)) {
        options_print(usage, specs, COUNT_OF(specs));
        return ret->help = true;
    }
    return options_read(specs, COUNT_OF(specs), argc, argv, err) && read_input(values, &ret->input, err) &&
           read_proxy(ret, password_file, console, err) && prepare(ret, secret_file, err);
}

void sign_in_options_release(struct sign_in_options *options)
{
    assertion_key_free(options->key);
    mem_free_secret(options->client_secret);
    mem_free_secret(options->proxy);
    input_free(&options->input);
}
