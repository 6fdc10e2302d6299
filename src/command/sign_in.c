#include "command/sign_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/console.h"
#include "command/options.h"
#include "microsoft/aad.h"
#include "microsoft/api.h"
#include "microsoft/assertion.h"
#include "microsoft/signin.h"
#include "microsoft/token.h"
#include "splunk/params.h"
#include "splunk/splunkd.h"

#define LINE_MAX          65536
#define SECRET_FILE_MAX   16384
#define FORM_MAX          (256 * 1024)
#define REQUEST_TIMEOUT_S 30
#define SERVER_URI        "https://127.0.0.1:8089"
#define INTERVAL_S        5             /* RFC 8628: when the service names none, and what slow_down adds */
#define VERIFIER_MISMATCH 501481

struct sign_in {
    /* as asked for */
    const char *values[8];      /* by `parameters` */
    const char *secret_file, *server_uri;
    bool        device, store, secret_stdin;

    struct console console;
    struct input   input;
    const struct api *api;
    const char    *login_url, *resource;
    struct http_route route;
    char          *client_secret;   /* secret */
    bool           secret_is_new;   /* given here, not found in the store */
    struct assertion_key *key;
    enum assertion_form form;
    char          *verifier;        /* secret; NULL: without PKCE */
    char          *code;            /* secret: the authorization code or the device code */
    char          *refresh_token;   /* secret */
    int64_t        interval_s, give_up_ms;
    int            to_store;        /* secrets still on their way */

    struct loop    *loop;
    struct http    *http;
    struct splunkd *splunkd;
    struct timer    timer;
    int             status;
};

/* Options that are parameters of an input, checked as such. */
static const struct { const char *option, *parameter, *argument, *help; } parameters[8] = {
    { "--tenant", "tenant_id", "TENANT", "the customer's tenant: GUID or domain" },
    { "--client-id", "client_id", "GUID", "application (client) id" },
    { "--client-certificate", "client_certificate", "FILE", "PEM file with certificate and key, instead of a secret" },
    { "--api", "api", "API", "graph (preset), endpoint, siem or incidents" },
    { "--cloud", "cloud", "CLOUD", "commercial (preset), gcc, gcc_high or dod" },
    { "--login-url", "login_url", "URL", "instead of the cloud's sign-in service" },
    { "--redirect-uri", "redirect_uri", "URI", "as registered; preset https://SiemMsspConnector" },
    { "--ca-file", "ca_file", "FILE", "PEM file of the authorities to trust instead of the system's" }
};

static const char usage[] =
    "usage: defender_alerts sign-in --tenant TENANT --client-id GUID [OPTION ...]\n"
    "Signs a user in and prints the refresh token once, or stores it in Splunk's password store (--store).\n"
    "Prints the address to open; then asks for the address of the page that the sign-in ended on.\n"
    "Secrets are no arguments, since every user of this host can see those. They are asked for, or, where stdin is\n"
    "no terminal, read from it, one line each in this order:\n"
    "  1. with --store: Splunk's session key, or the XML of print-modinput-config, which holds it\n"
    "  2. the client secret, if the app has one\n"
    "  3. the pasted address or the code (when stdin ends before it, it is asked for on the terminal)\n";

static void end(struct sign_in *s, int status)
{
    s->status = status;
    loop_stop(s->loop);
}

static void fail(struct sign_in *s, const char *text)
{
    console_progress(NULL);
    log_error("%s", text);
    end(s, 1);
}

/* The result. */

static void print_token(struct sign_in *s)
{
    printf("Signed in. The refresh token is a secret; enter it as refresh_token in the input. It is shown only this "
           "once:\n%s\n", s->refresh_token);
    end(s, fflush(stdout) == 0 ? 0 : 1);
}

static void secret_stored(void *ctx, bool ok, const struct err *err)
{
    struct sign_in *s = ctx;

    if (!ok) {
        s->to_store = -1;
        log_error("signed in, but Splunk's password store did not take the secret, so nothing was kept; sign in again "
                  "when this is mended: %s", err->text);
        end(s, 1);
        return;
    }
    if (--s->to_store == 0) {
        printf("Signed in. The refresh token is in Splunk's password store for tenant %s and app %s; inputs of both "
               "use it.\n", s->input.tenant_id, s->input.client_id);
        end(s, 0);
    }
}

static void store_all(struct sign_in *s)
{
    CLEANUP(mem_freep) char *token = secret_name_refresh(s->input.tenant_id, s->input.client_id);
    CLEANUP(mem_freep) char *secret = secret_name_client(s->input.client_id);

    s->to_store = 1 + s->secret_is_new;
    splunkd_store_secret(s->splunkd, token, s->refresh_token, secret_stored, s);
    if (s->secret_is_new)
        splunkd_store_secret(s->splunkd, secret, s->client_secret, secret_stored, s);
}

/* Asking the token endpoint. */

static void ask(struct sign_in *s);

static bool says(const struct http_result *result, const char *error)
{
    CLEANUP(json_freep) cJSON *root = json_parse(result->body, result->body_len);

    return text_same(json_text(root, "error"), error);
}

static void show_wait(struct sign_in *s, int64_t now_ms)
{
    int64_t left_s = (s->give_up_ms - now_ms) / 1000;
    char text[80];

    snprintf(text, sizeof(text), "Waiting for the sign-in, %lld:%02lld left (Ctrl-C ends this) ",
             (long long)left_s / 60, (long long)left_s % 60);
    console_progress(text);
}

/* Not signed in on the other device yet, or a passing fault. */
static void ask_later(struct sign_in *s, const struct http_result *result, const struct err *err)
{
    int64_t now_ms = clock_ms(), wait_ms;

    if (says(result, "slow_down"))
        s->interval_s += INTERVAL_S;
    wait_ms = s->interval_s * 1000;
    if (err->wait_ms > wait_ms)
        wait_ms = err->wait_ms;
    if (now_ms + wait_ms >= s->give_up_ms) {
        fail(s, "nobody signed in before the code expired; start the sign-in again");
        return;
    }
    show_wait(s, now_ms);
    timer_set(s->loop, &s->timer, now_ms + wait_ms);
}

/* Once more in another way, if the answer hints at one. */
static bool ask_otherwise(struct sign_in *s, const struct err *err)
{
    if (s->key && s->form == ASSERTION_PS256 && assertion_refused(err)) {
        s->form = ASSERTION_RS256;
    } else if (s->verifier && aad_code_in(err) == VERIFIER_MISMATCH) {
        /* The code was asked for with an address that an inputs page gave, which has no challenge. */
        mem_free_secretp(&s->verifier);
    } else {
        return false;
    }
    ask(s);
    return true;
}

static void token_answered(void *ctx, const struct http_result *result)
{
    struct sign_in *s = ctx;
    enum token_grant grant = s->device ? GRANT_DEVICE_CODE : GRANT_AUTHORIZATION_CODE;
    struct token token = { 0 };
    struct err err;

    if (!token_read(result, grant, clock_ms(), &token, &err)) {
        if (s->device && err.kind == ERR_RETRY)
            ask_later(s, result, &err);
        else if (!ask_otherwise(s, &err))
            fail(s, err.text);
        return;
    }
    console_progress(NULL);
    s->refresh_token = mem_take(&token.refresh_token);
    token_release(&token);
    if (s->store)
        store_all(s);
    else
        print_token(s);
}

static void ask(struct sign_in *s)
{
    struct buf url = BUF_INIT(FORM_MAX), form = BUF_INIT(FORM_MAX);
    CLEANUP(mem_free_secretp) char *assertion = NULL;
    struct token_request request = {
        .login_url = s->login_url, .tenant_id = s->input.tenant_id, .client_id = s->input.client_id,
        .client_secret = s->client_secret, .resource = s->resource, .v1 = s->api->v1_token,
        .grant = s->device ? GRANT_DEVICE_CODE : GRANT_AUTHORIZATION_CODE, .code = s->code,
        .code_verifier = s->verifier, .redirect_uri = s->input.redirect_uri };
    struct err err;

    if (s->key) {
        request.client_assertion = assertion = assertion_new(s->key, s->form, &request, clock_wall_ms(), 0, &err);
        if (!assertion) {
            fail(s, err.text);
            return;
        }
    }
    token_build(&request, &url, &form);
    http_start(s->http, &(struct http_spec){ .url = buf_text(&url), .form = buf_text(&form), .route = &s->route,
                                             .done = token_answered, .ctx = s, .timeout_s = REQUEST_TIMEOUT_S });
    buf_free(&url);
    buf_free_secret(&form);
}

static void timer_fired(void *ctx, int64_t now_ms UNUSED)
{
    ask(ctx);
}

/* Device code. */

static bool device_read(struct sign_in *s, const struct http_result *result, struct err *err)
{
    CLEANUP(json_freep) cJSON *root = json_parse(result->body, result->body_len);
    const char *device = json_text(root, "device_code"), *user = json_text(root, "user_code");
    const char *where = json_text(root, "verification_uri");
    int64_t life_s;

    if (!where)
        where = json_text(root, "verification_url");    /* the v1 endpoint */
    if (text_empty(device) || text_empty(user) || text_empty(where) ||
        !json_int64(root, "expires_in", 1, 86400, &life_s))
        return err_set(err, ERR_INPUT, "the sign-in service's answer holds no device code");
    if (!json_int64(root, "interval", 1, 3600, &s->interval_s))
        s->interval_s = INTERVAL_S;
    s->code = mem_text(device);
    s->give_up_ms = clock_ms() + life_s * 1000;
    printf("Open %s and enter the code %s\n", where, user);
    fflush(stdout);
    return true;
}

static void device_answered(void *ctx, const struct http_result *result)
{
    struct sign_in *s = ctx;
    struct err err;

    if (!http_check(result, &err)) {
        aad_read_error(result->body, result->body_len, result->status, &err);
        fail(s, err.text);
        return;
    }
    if (!device_read(s, result, &err)) {
        fail(s, err.text);
        return;
    }
    show_wait(s, clock_ms());
    timer_set(s->loop, &s->timer, clock_ms() + s->interval_s * 1000);
}

static void device_start(struct sign_in *s)
{
    struct buf url = BUF_INIT(FORM_MAX), form = BUF_INIT(FORM_MAX);
    CLEANUP(mem_freep) char *scope = mem_format("%s/.default offline_access", s->resource);

    buf_add_format(&url, "%s/", s->login_url);
    buf_add_url(&url, s->input.tenant_id);
    buf_add_text(&url, s->api->v1_token ? "/oauth2/devicecode" : "/oauth2/v2.0/devicecode");
    buf_add_form(&form, "client_id", s->input.client_id);
    buf_add_form(&form, s->api->v1_token ? "resource" : "scope", s->api->v1_token ? s->resource : scope);
    http_start(s->http, &(struct http_spec){ .url = buf_text(&url), .form = buf_text(&form), .route = &s->route,
                                             .done = device_answered, .ctx = s, .timeout_s = REQUEST_TIMEOUT_S });
    buf_free(&url);
    buf_free(&form);
}

/* Authorization code. */

static void print_address(struct sign_in *s)
{
    CLEANUP(mem_freep) char *plain = signin_address(s->login_url, s->input.tenant_id, s->input.client_id,
                                                    s->input.redirect_uri, s->resource, s->api->v1_token);
    struct buf address = BUF_INIT(LINE_MAX);

    buf_add_text(&address, plain);
    signin_add_challenge(&address, s->verifier);
    printf("Open this address and sign in:\n%s\nThe sign-in ends on a page that does not load. Copy its whole address "
           "and paste it here.\n", buf_text(&address));
    fflush(stdout);
    buf_free(&address);
}

static bool looks_like_address(const struct buf *line)
{
    return strstr(buf_text(line), "code=") || strstr(buf_text(line), "error=");
}

/* The pasted address. Through a pipe a line in front of it is the client secret, unless that was given otherwise: an
 * address and a secret can be told apart, and of a bare code and a secret the secret comes first. */
static bool read_code(struct sign_in *s, struct err *err)
{
    struct buf line = BUF_INIT(LINE_MAX), second = BUF_INIT(LINE_MAX);
    bool ok = console_line(&s->console, "Address: ", false, &line);
    bool piped = !s->console.is_terminal;

    if (ok && piped && !s->secret_is_new && !s->key && !looks_like_address(&line) &&
        console_line(&s->console, "Address: ", false, &second)) {
        mem_free_secret(s->client_secret);
        s->client_secret = mem_text(buf_text(&line));
        s->secret_is_new = true;
        ok = signin_code(buf_text(&second), &s->code, err);
    } else if (ok) {
        ok = signin_code(buf_text(&line), &s->code, err);
    } else {
        err_set(err, ERR_INPUT, "stdin ended before the address came");
    }
    buf_free_secret(&line);
    buf_free_secret(&second);
    return ok;
}

static void go_on(struct sign_in *s)
{
    struct err err;

    if (s->device) {
        device_start(s);
        return;
    }
    s->verifier = signin_verifier();
    print_address(s);
    if (read_code(s, &err))
        ask(s);
    else
        fail(s, err.text);
}

/* What is needed first. */

static bool read_secret_file(struct sign_in *s, struct err *err)
{
    struct buf text = BUF_INIT(SECRET_FILE_MAX);
    bool ok = file_read(s->secret_file, &text, err);

    if (ok) {
        s->client_secret = text_trimmed(buf_text(&text));
        s->secret_is_new = true;
    }
    buf_free_secret(&text);
    return ok;
}

static void ask_secret(struct sign_in *s)
{
    struct buf line = BUF_INIT(LINE_MAX);

    if (console_line(&s->console, "Client secret (not shown; Enter for none): ", true, &line) && line.len) {
        s->client_secret = mem_text(buf_text(&line));
        s->secret_is_new = true;
    }
    buf_free_secret(&line);
}

static void find_secret(struct sign_in *s)
{
    CLEANUP(mem_freep) char *name = secret_name_client(s->input.client_id);
    const char *stored = s->store ? splunkd_secret(s->splunkd, name) : NULL;

    if (s->client_secret || s->key)
        return;
    if (stored && !s->secret_stdin)
        s->client_secret = mem_text(stored);
    else if (s->secret_stdin || (s->console.is_terminal && !s->device))
        ask_secret(s);
}

static void store_read(void *ctx, bool ok, const struct err *err)
{
    struct sign_in *s = ctx;

    if (!ok) {
        fail(s, err->text);
        return;
    }
    find_secret(s);
    go_on(s);
}

static bool read_input(struct sign_in *s, struct err *err)
{
    struct raw_param raw[COUNT_OF(parameters)];
    struct raw_stanza stanza = { .name = (char[]){ "sign-in" }, .app = NULL, .params = raw };
    bool ok;
    size_t i;

    for (i = 0; i < COUNT_OF(parameters); i++)
        if (s->values[i])
            raw[stanza.count++] = (struct raw_param){ mem_text(parameters[i].parameter), mem_text(s->values[i]) };
    ok = input_from_stanza(&stanza, true, &s->input, err);
    for (i = 0; i < stanza.count; i++) {
        free(raw[i].name);
        free(raw[i].value);
    }
    return ok;
}

static bool prepare(struct sign_in *s, struct err *err)
{
    if (!read_input(s, err))
        return false;
    if (s->secret_file && s->input.client_certificate)
        return err_set(err, ERR_INPUT, "--client-secret-file and --client-certificate exclude each other");
    if (s->secret_file && !read_secret_file(s, err))
        return false;
    if (s->input.client_certificate &&
        !(s->key = assertion_key_read(s->input.client_certificate, clock_wall_ms(), err)))
        return false;
    s->api = api_at(s->input.api);
    s->login_url = s->input.login_url ? s->input.login_url : login_host(s->input.cloud);
    s->resource = s->api->resource[s->input.cloud];
    s->route = (struct http_route){ .ca_file = s->input.ca_file };
    return true;
}

static bool start_splunkd(struct sign_in *s, struct err *err)
{
    CLEANUP(mem_free_secretp) char *key = NULL;
    CLEANUP(mem_freep) char *uri = NULL;
    struct config config;

    if (!console_session(&s->console, &key, &uri, err))
        return false;
    if (!key)
        return err_set(err, ERR_INPUT, "--store needs Splunk's session key as the first line of stdin");
    config = (struct config){ .session_key = key, .server_uri = uri };
    if (s->server_uri || !uri)
        config.server_uri = (char *)(s->server_uri ? s->server_uri : SERVER_URI);
    s->splunkd = splunkd_new(s->loop, s->http, &config, getenv("SPLUNK_HOME"));
    splunkd_load_secrets(s->splunkd, store_read, s);
    return true;
}

static bool run(struct sign_in *s, struct err *err)
{
    if (!prepare(s, err))
        return false;
    s->loop = loop_new();
    s->http = http_new(s->loop);
    s->timer = (struct timer){ .fire = timer_fired, .ctx = s };
    if (!s->store) {
        find_secret(s);
        go_on(s);
    } else if (!start_splunkd(s, err)) {
        return false;
    }
    loop_run(s->loop);
    return true;
}

static void release(struct sign_in *s)
{
    splunkd_free(s->splunkd);
    http_free(s->http);
    loop_free(s->loop);
    assertion_key_free(s->key);
    mem_free_secret(s->client_secret);
    mem_free_secret(s->verifier);
    mem_free_secret(s->code);
    mem_free_secret(s->refresh_token);
    input_free(&s->input);
}

int sign_in_run(int argc, char **argv)
{
    struct sign_in s = { .status = 1 };
    struct option_spec specs[COUNT_OF(parameters) + 5] = {
        { "--device-code", NULL, &s.device, NULL, "sign in on another device with a short code" },
        { "--store", NULL, &s.store, NULL, "put the token into Splunk's password store instead of printing it" },
        { "--server-uri", &s.server_uri, NULL, "URL", "splunkd, for --store; preset " SERVER_URI },
        { "--client-secret-file", &s.secret_file, NULL, "FILE", "file that holds the client secret" },
        { "--client-secret-stdin", NULL, &s.secret_stdin, NULL, "the client secret comes on stdin for certain" }
    };
    struct err err;
    size_t i;

    for (i = 0; i < COUNT_OF(parameters); i++)
        specs[5 + i] = (struct option_spec){ parameters[i].option, &s.values[i], NULL, parameters[i].argument,
                                             parameters[i].help };
    if (options_want_help(argc, argv)) {
        options_print(usage, specs, COUNT_OF(specs));
        return 0;
    }
    console_start(&s.console);
    if (!options_read(specs, COUNT_OF(specs), argc, argv, &err) || !run(&s, &err)) {
        log_error("%s", err.text);
        s.status = 1;
    }
    release(&s);
    return s.status;
}
