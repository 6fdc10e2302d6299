#include "command/sign_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/device_code.h"
#include "command/redeem.h"
#include "command/session.h"
#include "command/sign_in_options.h"
#include "command/sign_in_words.h"
#include "microsoft/signin.h"
#include "splunk/passwords.h"
#include "splunk/secret_name.h"

#define LINE_MAX 65536

struct sign_in {
    struct sign_in_options asked;
    struct console console;
    char *client_secret; /* secret; NULL: none */
    bool secret_is_new;  /* given here, not found in the store */
    char *verifier;      /* secret */
    char *code;          /* secret: the pasted one */
    struct device_code device;
    char *refresh_token; /* secret */
    int to_store;        /* secrets whose stores have not ended */

    struct loop *loop;
    struct http *http;
    struct rest *rest;
    struct passwords *passwords;
    struct device_code_ask *ask;
    struct redeem *redeem;
    int status;
};

static void sign_in_end(struct sign_in *s, int status)
{
    s->status = status;
    loop_stop(s->loop);
}

static void say_error(const char *text)
{
    CLEANUP(mem_freep) char *words = sign_in_words(text);

    log_error("%s", words);
}

static void sign_in_fail(struct sign_in *s, const char *text)
{
    console_progress(NULL);
    say_error(text);
    sign_in_end(s, 1);
}

/* The result. */

static void print_token(struct sign_in *s)
{
    printf("Signed in. The refresh token is a secret; enter it as refresh_token in the input. It is shown only this "
           "once:\n%s\n",
           s->refresh_token);
    sign_in_end(s, fflush(stdout) == 0 ? 0 : 1);
}

static void secret_stored(void *ctx, bool ok, const struct err *err)
{
    struct sign_in *s = ctx;

    if (!ok) {
        s->to_store = -1;
        log_error("signed in, but Splunk's password store did not take the secret, so nothing was kept; sign in again "
                  "when this is fixed: %s",
                  err->text);
        sign_in_end(s, 1);
        return;
    }
    if (--s->to_store == 0) {
        printf("Signed in. The refresh token is in Splunk's password store for tenant %s and app %s; inputs of both "
               "use it.\n",
               s->asked.input.tenant_id, s->asked.input.client_id);
        sign_in_end(s, 0);
    }
}

static void store_all(struct sign_in *s)
{
    CLEANUP(mem_freep) char *token = secret_name_refresh(s->asked.input.tenant_id, s->asked.input.client_id);
    CLEANUP(mem_freep) char *secret = secret_name_client(s->asked.input.client_id);
    struct destination to = target_destination(&s->asked.target);
    CLEANUP(mem_freep) char *hosts = binding_hosts(&to);

    s->to_store = 1 + s->secret_is_new;
    passwords_store(s->passwords, token, s->refresh_token, hosts, secret_stored, s);
    if (s->secret_is_new)
        passwords_store(s->passwords, secret, s->client_secret, hosts, secret_stored, s);
}

static void redeemed(void *ctx, const char *refresh_token, const struct err *err)
{
    struct sign_in *s = ctx;

    if (!refresh_token) {
        sign_in_fail(s, err->text);
        return;
    }
    console_progress(NULL);
    s->refresh_token = mem_text(refresh_token);
    if (s->asked.store)
        store_all(s);
    else
        print_token(s);
}

/* Getting a code, in the browser or with a device code. */

static struct token_request request_of(const struct sign_in *s, enum token_grant grant, const char *code)
{
    const struct input *input = &s->asked.input;
    const struct target *target = &s->asked.target;

    return (struct token_request){ .login_url = target->login_url,
                                   .tenant_id = input->tenant_id,
                                   .client_id = input->client_id,
                                   .client_secret = s->client_secret,
                                   .resource = target->resource,
                                   .v1 = target->api->v1_token,
                                   .grant = grant,
                                   .code = code,
                                   .code_verifier = s->verifier,
                                   .redirect_uri = input->redirect_uri };
}

static void sign_in_redeem(struct sign_in *s, enum token_grant grant, const char *code)
{
    s->redeem = redeem_start(&(struct redeem_spec){ .loop = s->loop,
                                                    .http = s->http,
                                                    .route = &s->asked.route,
                                                    .request = request_of(s, grant, code),
                                                    .key = s->asked.key,
                                                    .assertion = s->asked.input.client_assertion,
                                                    .interval_s = s->device.interval_s,
                                                    .give_up_ms = s->device.give_up_ms },
                             redeemed, s);
}

static void device_answered(void *ctx, struct device_code *device, const struct err *err)
{
    struct sign_in *s = ctx;

    if (!device) {
        sign_in_fail(s, err->text);
        return;
    }
    s->device = *device;
    fputs("Open ", stdout);
    console_put(device->where, stdout);
    fputs(" and enter the code ", stdout);
    console_put(device->user_code, stdout);
    putchar('\n');
    fflush(stdout);
    sign_in_redeem(s, GRANT_DEVICE_CODE, s->device.code);
}

static void device_begin(struct sign_in *s)
{
    struct token_request who = request_of(s, GRANT_DEVICE_CODE, NULL);

    s->ask = device_code_ask(s->http, &s->asked.route, &who, device_answered, s);
}

static void print_address(struct sign_in *s)
{
    CLEANUP(mem_freep) char *plain = target_sign_in_address(&s->asked.input);
    struct buf address = BUF_INIT(LINE_MAX);

    buf_add_text(&address, plain);
    signin_add_challenge(&address, s->verifier);
    printf("Open this address and sign in:\n%s\nThe sign-in ends on a page that does not load. Copy its whole address "
           "and paste it here.\n",
           buf_text(&address));
    fflush(stdout);
    buf_free(&address);
}

static bool looks_like_address(const struct buf *line)
{
    return strstr(buf_text(line), "code=") || strstr(buf_text(line), "error=");
}

static void take_secret(struct sign_in *s, const struct buf *line)
{
    mem_free_secret(s->client_secret);
    s->client_secret = mem_text(buf_text(line));
    s->secret_is_new = true;
}

/* Returns true if the app shows something of its own in place of a secret. */
static bool needs_no_secret(const struct sign_in *s)
{
    return s->asked.key || s->asked.input.client_assertion;
}

/* Reads the pasted address or code. In a pipe the line before it may be the client secret, unless that is known
 * already: an address and a secret can be told apart, and a secret comes before a bare code. */
static bool read_code(struct sign_in *s, bool *ended, struct err *err)
{
    struct buf line = BUF_INIT(LINE_MAX), second = BUF_INIT(LINE_MAX);
    bool ok = console_line(&s->console, "Address: ", false, &line);
    bool piped = !s->console.is_terminal;

    if (ok && piped && !s->secret_is_new && !needs_no_secret(s) && !looks_like_address(&line) &&
        console_line(&s->console, "Address: ", false, &second)) {
        take_secret(s, &line);
        ok = signin_code(buf_text(&second), &s->code, err);
    } else if (ok) {
        ok = signin_code(buf_text(&line), &s->code, err);
    } else {
        *ended = true;
        err_set(err, ERR_INPUT, "stdin ended before the address came");
    }
    buf_free_secret(&line);
    buf_free_secret(&second);
    return ok;
}

/* Reads the code again after a wrong one was pasted: the address is still valid. */
static bool read_code_patiently(struct sign_in *s, struct err *err)
{
    bool ended = false;
    char *words;

    while (!read_code(s, &ended, err)) {
        if (ended || !s->console.is_terminal || err->kind != ERR_INPUT)
            return false;
        words = sign_in_words(err->text);
        fprintf(stderr, "%s\n", words);
        free(words);
    }
    return true;
}

static void get_code(struct sign_in *s)
{
    struct err err;

    if (s->asked.device) {
        device_begin(s);
        return;
    }
    s->verifier = signin_verifier();
    print_address(s);
    if (read_code_patiently(s, &err))
        sign_in_redeem(s, GRANT_AUTHORIZATION_CODE, s->code);
    else
        sign_in_fail(s, err.text);
}

/* Preparing. */

static void ask_secret(struct sign_in *s)
{
    struct buf line = BUF_INIT(LINE_MAX);

    if (console_line(&s->console, "Client secret (not shown; Enter for none): ", true, &line) && line.len)
        take_secret(s, &line);
    buf_free_secret(&line);
}

/* Returns false if the stored secret would be used, but may not go to this sign-in service. */
static bool find_secret(struct sign_in *s, struct err *err)
{
    CLEANUP(mem_freep) char *name = secret_name_client(s->asked.input.client_id);
    const char *stored = s->asked.store ? passwords_get(s->passwords, name) : NULL;
    struct destination to = target_destination(&s->asked.target);

    if (s->asked.client_secret) {
        s->client_secret = mem_text(s->asked.client_secret);
        s->secret_is_new = true;
    } else if (needs_no_secret(s)) {
        return true;
    } else if (stored && !s->asked.secret_stdin) {
        if (!binding_allows(s->passwords, "client_secret", name, &to, err))
            return false;
        s->client_secret = mem_text(stored);
    } else if (s->asked.secret_stdin || (s->console.is_terminal && !s->asked.device)) {
        ask_secret(s);
    }
    return true;
}

static void begin(struct sign_in *s)
{
    struct err err;

    if (find_secret(s, &err))
        get_code(s);
    else
        sign_in_fail(s, err.text);
}

static void sign_in_loaded(void *ctx, bool ok, const struct err *err)
{
    struct sign_in *s = ctx;

    if (!ok) {
        sign_in_fail(s, err->text);
        return;
    }
    begin(s);
}

static bool sign_in_start(struct sign_in *s, struct err *err)
{
    s->loop = loop_new();
    s->http = http_new(s->loop);
    if (s->asked.store) {
        s->rest = session_open(&s->console, s->loop, s->http, s->asked.server_uri, err);
        if (!s->rest)
            return false;
        s->passwords = passwords_new(s->rest);
        passwords_load(s->passwords, sign_in_loaded, s);
    } else {
        begin(s);
    }
    loop_run(s->loop);
    return true;
}

static void sign_in_release(struct sign_in *s)
{
    redeem_free(s->redeem);
    device_code_ask_free(s->ask);
    passwords_free(s->passwords);
    rest_free(s->rest);
    http_free(s->http);
    loop_free(s->loop);
    device_code_release(&s->device);
    mem_free_secret(s->client_secret);
    mem_free_secret(s->verifier);
    mem_free_secret(s->code);
    mem_free_secret(s->refresh_token);
    sign_in_options_release(&s->asked);
}

int sign_in_run(int argc, char **argv)
{
    struct sign_in s = { .status = 1 };
    struct err err;

    console_start(&s.console, "stopped before the sign-in was complete; start it again");
    if (!sign_in_options_read(&s.asked, argc, argv, &s.console, &err)) {
        say_error(err.text);
    } else if (s.asked.help) {
        s.status = 0;
    } else if (!sign_in_start(&s, &err)) {
        say_error(err.text);
        s.status = 1;
    }
    sign_in_release(&s);
    return s.status;
}
