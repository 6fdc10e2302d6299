/* `share token`: asks for the token of the shared store, tries it at each address, and stores it on this forwarder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/share_end.h"
#include "command/share_private.h"
#include "command/share_probe.h"
#include "command/share_session.h"
#include "share/token.h"

#define TOKEN_MAX 65536

struct token_command {
    struct share_session session;
    char *token; /* secret */
    struct share_probe *probes;
    size_t count, finished;
};

static void fail(struct token_command *command, const char *text)
{
    struct err err;

    err_set(&err, ERR_INPUT, "%s", text);
    share_session_fail(&command->session, &err);
}

/* The token. */

static void tell_purpose(const struct share_session *session)
{
    fprintf(
        stderr,
        "The token is for the KV store at %s, by which the forwarders of group '%s' share their inputs.\n"
        "Make it there, in Splunk Web: Settings > Tokens, for a user who has the role defender_mssp_share and no other.\n"
        "It is stored in the password store of this forwarder%s%s, and sent to no other address.\n",
        session->inputs.urls, session->inputs.group, session->name ? ", " : "", session->name ? session->name : "");
}

/* Returns false, with a sentence for the person, if the text is no token that could be used. */
static bool check_token(const char *token, int64_t now_s, struct err *err)
{
    struct buf text = BUF_INIT(200);

    if (text_empty(token))
        return err_set(err, ERR_INPUT, "no token was entered; nothing was changed");
    if (!share_token_is_plain(token))
        return err_set(err, ERR_INPUT,
                       "what was entered is no token: it has characters that a token never has, such as a blank in the "
                       "middle; nothing was changed");
    if (share_end_add(&text, share_token_ends_s(token), now_s) == SHARE_END_PAST)
        err_set(err, ERR_INPUT, "this token %s, so it was not stored: create a new one (Settings > Tokens)",
                buf_text(&text));
    else
        err->text[0] = '\0';
    buf_free(&text);
    return !*err->text;
}

/* Returns the token without the word with which it is sent, which people copy, too. */
static const char *bare(const char *text)
{
    static const char word[] = "Bearer ";

    return text_starts(text, word) ? text + strlen(word) : text;
}

static bool ask(struct token_command *command, struct err *err)
{
    struct buf line = BUF_INIT(TOKEN_MAX + 16);

    if (command->session.console.is_terminal || isatty(STDERR_FILENO))
        tell_purpose(&command->session);
    console_line(&command->session.console, "Token (not shown): ", true, &line);
    command->token = mem_text(bare(buf_text(&line)));
    buf_free_secret(&line);
    return check_token(command->token, clock_wall_ms() / 1000, err);
}

/* Stores it. */

static void stored(void *ctx, bool ok, const struct err *err)
{
    struct token_command *command = ctx;
    struct err why;

    if (ok) {
        share_session_end(&command->session);
        return;
    }
    err_set(&why, err->kind, "the token works, but Splunk's password store did not take it: %s", err->text);
    share_session_fail(&command->session, &why);
}

static void store(struct token_command *command)
{
    const struct share_inputs *inputs = &command->session.inputs;
    CLEANUP(mem_freep) char *name = share_token_name(inputs->group);
    CLEANUP(mem_freep) char *hosts = share_token_hosts(inputs->urls);

    passwords_store(command->session.passwords, name, command->token, hosts, stored, command);
}

/* Tries it. */

static void print_probe(const struct share_probe *probe)
{
    if (probe->ok)
        printf("%s: works; an own write was read back after %lld ms.\n", probe->url, (long long)probe->seen_ms);
    else
        printf("%s: %s.\n", probe->url, probe->err.text);
}

/* Decides once all addresses were tried. One that is away for now is no reason against the token. */
static void judge(struct token_command *command)
{
    size_t i, good = 0, refused = 0;

    for (i = 0; i < command->count; i++) {
        print_probe(&command->probes[i]);
        good += command->probes[i].ok;
        refused += !command->probes[i].ok && command->probes[i].err.kind != ERR_RETRY;
    }
    if (refused)
        fail(command, "the token was not stored: see above who has to act");
    else if (!good)
        fail(command, "the token was not stored, since no address could try it: see above who has to act");
    else
        store(command);
}

static void probed(void *ctx, struct share_probe *probe UNUSED)
{
    struct token_command *command = ctx;

    if (++command->finished == command->count)
        judge(command);
}

static void on_ready(void *ctx)
{
    struct token_command *command = ctx;
    struct share_session *session = &command->session;
    const char *rest = session->inputs.urls;
    struct err err;
    size_t i;
    char *url;

    if (!ask(command, &err)) {
        share_session_fail(session, &err);
        return;
    }
    while ((url = share_next_url(&rest))) {
        command->count++;
        free(url);
    }
    command->probes = mem_alloc(command->count * sizeof(struct share_probe));
    for (i = 0, rest = session->inputs.urls; i < command->count; i++) {
        command->probes[i] = (struct share_probe){ .loop = session->loop,
                                                   .http = session->http,
                                                   .group = session->inputs.group,
                                                   .ca_file = session->inputs.ca_file,
                                                   .done = probed,
                                                   .ctx = command };
        url = share_next_url(&rest);
        share_probe_start(&command->probes[i], url, command->token);
        free(url);
    }
}

static int print_stored(const struct token_command *command)
{
    struct buf text = BUF_INIT(200);

    share_end_add(&text, share_token_ends_s(command->token), clock_wall_ms() / 1000);
    printf("Stored as share_token.%s. The token %s.\nA running program uses it within a minute or at its next start.\n",
           command->session.inputs.group, buf_text(&text));
    buf_free(&text);
    return fflush(stdout) ? 1 : 0;
}

static void command_free(struct token_command *command)
{
    size_t i;

    for (i = 0; i < command->count; i++)
        share_probe_release(&command->probes[i]);
    free(command->probes);
    mem_free_secret(command->token);
    share_session_free(&command->session);
}

static const char usage[] =
    "usage: " SHARE_PIPE "token [OPTION ...]\n"
    "Asks for the authentication token of the Splunk instance whose KV store the forwarders share (share_url), tries it\n"
    "there (insert, refusal of the same insert, reading, replacing, query, deletion), and stores it in the password store\n"
    "of this forwarder. It is not shown. Without a terminal it is read from stdin, in the line after the XML or the session\n"
    "key. Nothing is stored if an address refuses it. Exit status 0: stored; 1: not.\n";

/* A token is no argument: others on this host would see it. What was given is not repeated. */
static bool has_token_argument(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++)
        if (text_starts(argv[i], "eyJ") || (argv[i][0] != '-' && i == 1))
            return true;
    return false;
}

int share_token_run(int argc, char **argv)
{
    struct token_command command = { .session = { .stopped = "stopped; no token was stored",
                                                  .is_without_token = true,
                                                  .ready = on_ready,
                                                  .ctx = &command } };
    const struct option_spec specs[] = {
        { "--url", &command.session.urls, NULL, "URLS", "share_url, if no input has it yet" },
        { "--group", &command.session.group, NULL, "NAME", "share_group, if no input has it yet" },
        { "--ca-file", &command.session.ca_file, NULL, "FILE", "share_ca_file, if no input has it yet" },
        { "--forwarder", &command.session.forwarder, NULL, "NAME", "the name of this forwarder, for the text only" },
        SHARE_SESSION_SPECS(command.session)
    };
    struct err err;
    bool ok;
    int status = 1;

    if (options_want_help(argc, argv)) {
        options_print(usage, specs, COUNT_OF(specs));
        return 0;
    }
    log_set_level(LOG_ERROR);
    if (has_token_argument(argc, argv))
        ok = err_set(
            &err, ERR_INPUT,
            "a token is not given as an argument, where others on this host could see it: it is asked for, or read "
            "from stdin; 'share token -h' says more");
    else
        ok = options_read(specs, COUNT_OF(specs), argc, argv, &err) && share_session_run(&command.session, &err);
    if (ok)
        status = print_stored(&command);
    fflush(stdout);
    if (!ok)
        log_error("%s", err.text);
    command_free(&command);
    return status;
}
