#include "command/consent.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/consent_show.h"
#include "command/consent_watch.h"
#include "command/import_clean.h"
#include "command/options.h"
#include "command/session.h"
#include "splunk/params.h"
#include "splunk/value.h"

#define TEXT_MAX     (64u * 1024 * 1024)
#define HEIGHT       24
#define MINUTES_MOST (365 * 24 * 60)

struct consent {
    const char *path, *output, *server_uri, *redirect_uri, *minutes;
    bool as_csv, as_json, as_mail, watch;
    enum consent_format format;
    struct console console;
    struct input defaults; /* holds the redirect URI of --redirect-uri */
    struct import_rows rows;
    struct customers customers;
    struct loop *loop;
    struct http *http;
    struct rest *rest;
    struct passwords *passwords;
    struct data_inputs *inputs;
    struct consent_show show;
    bool shows;
};

/* Arguments. */

static bool choose_format(struct consent *consent, struct err *err)
{
    if (consent->as_csv + consent->as_json + consent->as_mail > 1)
        return err_set(err, ERR_INPUT, "--csv, --json and --mail exclude each other");
    consent->format = consent->as_csv    ? CONSENT_CSV
                      : consent->as_json ? CONSENT_JSON
                      : consent->as_mail ? CONSENT_MAIL
                                         : CONSENT_TEXT;
    if (!consent->watch && (consent->minutes || consent->server_uri))
        return err_set(err, ERR_INPUT, "%s is for --watch", consent->minutes ? "--minutes" : "--server-uri");
    if (consent->watch && consent->as_mail)
        return err_set(err, ERR_INPUT, "--mail writes the texts to send; --watch waits after they were sent");
    if (consent->watch && consent->output && consent->format == CONSENT_TEXT)
        return err_set(err, ERR_INPUT, "--output is for --csv and --json with --watch");
    return true;
}

static bool read_arguments(struct consent *consent, int64_t *minutes, struct err *err)
{
    const struct param *redirect = param_find("redirect_uri");

    *minutes = -1;
    if (!consent->path)
        return err_set(err, ERR_INPUT, "which file? See 'defender_alerts consent --help'");
    if (!choose_format(consent, err))
        return false;
    if (consent->minutes && !text_int64(consent->minutes, 0, MINUTES_MOST, minutes))
        return err_set(err, ERR_INPUT, "--minutes is '%.40s', but it should be a whole number from 0 to %d",
                       consent->minutes, MINUTES_MOST);
    if (consent->output && access(consent->output, F_OK) == 0)
        return err_set(err, ERR_INPUT, "'%s' exists; name another file, or remove it first", consent->output);
    if (!consent->redirect_uri || value_parse(redirect, consent->redirect_uri, CHECK_NO_FILES, &consent->defaults, err))
        return true;
    return err_prefix(err, "--redirect-uri");
}

/* Links, states. */

/* Writes to stdout, or to a new file of --output. */
static bool put(const struct consent *consent, bool states, struct err *err)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);

    customers_write(&consent->customers, consent->format, states, &text);
    if (consent->output) {
        if (!file_create(consent->output, buf_text(&text), text.len, err))
            return false;
        fputs("Written to ", stdout);
        console_put(consent->output, stdout);
        puts(".");
        return fflush(stdout) == 0;
    }
    return (fwrite(buf_text(&text), 1, text.len, stdout) == text.len && fflush(stdout) == 0) ||
           err_set(err, ERR_RETRY, "cannot write to stdout");
}

/* Tells about the rows that were refused, on stderr: stdout may be for a program. Returns false if there are any. */
static bool tell_refused(const struct consent *consent)
{
    size_t i, count = 0;

    for (i = 0; i < consent->customers.count; i++) {
        const struct customer *customer = &consent->customers.list[i];

        if (customer->state != CUSTOMER_REFUSED)
            continue;
        if (!count++)
            fputs("Refused:\n", stderr);
        fprintf(stderr, "line %zu  ", customer->row->line);
        console_put(customer->row->stanza.name, stderr);
        fputs(": ", stderr);
        console_put(customer->row->err.text, stderr);
        fputc('\n', stderr);
    }
    return !count;
}

/* Prints a text that fits the terminal. */
static void say(const char *text)
{
    struct wrap to = { .to = stdout, .width = wrap_width(STDOUT_FILENO) };

    wrap_line(&to, 0, 0, text);
    fflush(stdout);
}

/* Says what happens at the end of the consent, if nobody named a page. */
static void tell_redirect(const struct consent *consent)
{
    if (consent->format != CONSENT_TEXT || consent->redirect_uri || !isatty(STDOUT_FILENO))
        return;
    putchar('\n');
    say("The page at which the consent ends (redirect_uri) has to be registered for the app; --redirect-uri names one of "
        "yours. --mail writes texts to send; --watch waits for the consents and creates the inputs.");
}

static int print_links(struct consent *consent, struct err *err)
{
    if (!put(consent, false, err)) {
        log_error("%s", err->text);
        return 1;
    }
    tell_redirect(consent);
    return tell_refused(consent) ? 0 : 1;
}

/* Watching. */

static size_t terminal_height(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row ? HEIGHT : size.ws_row;
}

static void show_now(void *ctx)
{
    struct consent *consent = ctx;

    consent->show.to.width = wrap_width(STDOUT_FILENO);
    consent_show_now(&consent->show, clock_ms(), terminal_height());
}

static void show_start(struct consent *consent)
{
    bool terminal = isatty(STDOUT_FILENO), dumb = text_same(getenv("TERM"), "dumb");

    consent->show = (struct consent_show){ .customers = &consent->customers,
                                           .to = { .to = stdout,
                                                   .width = wrap_width(STDOUT_FILENO),
                                                   .colors = wrap_colors(STDOUT_FILENO) },
                                           .live = terminal && !dumb,
                                           .quiet = consent->format != CONSENT_TEXT };
    consent_show_start(&consent->show);
    consent->shows = true;
}

static bool is_complete(const struct consent *consent)
{
    return customers_in(&consent->customers, CUSTOMER_DONE) == consent->customers.count;
}

static void tell_secrets(const struct consent *consent)
{
    CLEANUP(mem_freep) char *text = NULL;

    if (consent->format != CONSENT_TEXT || !import_has_secrets(&consent->rows.text))
        return;
    text = mem_format("The secrets are in Splunk's password store and still in %s; 'defender_alerts import "
                      "--remove-secrets' removes them there.",
                      consent->path);
    say(text);
}

/* Waits, and reports. Returns the exit status. */
static int watch(struct consent *consent, int64_t minutes, struct err *err)
{
    bool ok;

    consent->loop = loop_new();
    consent->http = http_new(consent->loop);
    consent->rest = session_open(&consent->console, consent->loop, consent->http, consent->server_uri, err);
    if (!consent->rest) {
        log_error("%s", err->text);
        return 1;
    }
    consent->passwords = passwords_new(consent->rest);
    consent->inputs = data_inputs_new(consent->rest);
    log_set_level(LOG_ERROR); /* the report has everything else */
    show_start(consent);
    ok = consent_watch(&(struct watch_spec){ .loop = consent->loop,
                                             .http = consent->http,
                                             .passwords = consent->passwords,
                                             .inputs = consent->inputs,
                                             .rows = &consent->rows,
                                             .customers = &consent->customers,
                                             .end_ms = minutes < 0 ? 0 : clock_ms() + minutes * 60 * 1000,
                                             .changed = show_now,
                                             .ctx = consent },
                       err);
    consent_show_end(&consent->show);
    if (ok)
        tell_secrets(consent);
    ok = ok && (consent->format == CONSENT_TEXT || put(consent, true, err));
    if (!ok)
        log_error("%s", err->text);
    return ok && is_complete(consent) ? 0 : 1;
}

/* The command. */

static const char usage[] =
    "usage: defender_alerts consent CUSTOMERS.csv [--csv | --json | --mail] [--output FILE] [--redirect-uri URI]\n"
    "       defender_alerts consent CUSTOMERS.csv --watch [--csv | --json] [--minutes N] [--server-uri URL]\n"
    "Prints the address at which each customer's administrator consents to the app, from the file of 'import'.\n"
    "With --watch it tries each customer's sign-in, at most once a minute, and creates or changes the input as soon as\n"
    "the customer has consented, as 'import' does. It can be ended and started again at any time.\n"
    "--watch reads Splunk's session key, or the XML of 'splunk cmd splunkd print-modinput-config', from stdin.\n"
    "Exit status 0: no row was refused, and with --watch all inputs are there; else 1.\n";

static bool read_file(struct consent *consent, struct err *err)
{
    console_start(&consent->console,
                  consent->watch ? "stopped: customers that have consented have their inputs; start it again to "
                                   "continue"
                                 : "stopped before anything was written");
    if (!import_rows_read(&consent->rows, consent->path, NULL, err))
        return false;
    if (consent->watch && import_has_secrets(&consent->rows.text) && consent->format == CONSENT_TEXT)
        console_warn_of_readers(consent->path);
    customers_of(&consent->rows, consent->defaults.redirect_uri, &consent->customers);
    return true;
}

static void consent_release(struct consent *consent)
{
    if (consent->shows)
        consent_show_free(&consent->show);
    passwords_free(consent->passwords);
    data_inputs_free(consent->inputs);
    rest_free(consent->rest);
    http_free(consent->http);
    loop_free(consent->loop);
    customers_release(&consent->customers);
    import_rows_release(&consent->rows);
    input_free(&consent->defaults);
}

int consent_run(int argc, char **argv)
{
    struct consent consent = { .path = NULL };
    const struct option_spec specs[] = {
        { "CUSTOMERS.csv", &consent.path, NULL, "FILE", "the file; 'import --template' prints one to fill in" },
        { "--csv", NULL, &consent.as_csv, NULL, "as a table" },
        { "--json", NULL, &consent.as_json, NULL, "as JSON" },
        { "--mail", NULL, &consent.as_mail, NULL, "as texts of mails, ready to send" },
        { "--output", &consent.output, NULL, "FILE", "write to this new file instead of stdout" },
        { "--redirect-uri", &consent.redirect_uri, NULL, "URI",
          "the registered page at which the consent ends, for rows without redirect_uri" },
        { "--watch", NULL, &consent.watch, NULL, "wait for the consents, and create the inputs" },
        { "--minutes", &consent.minutes, NULL, "N", "end after N minutes; 0: try each customer once" },
        { "--server-uri", &consent.server_uri, NULL, "URL", "splunkd, for --watch; default " SERVER_URI }
    };
    struct err err;
    int64_t minutes;
    int status = 1;

    if (options_want_help(argc, argv)) {
        options_print(usage, specs, COUNT_OF(specs));
        return 0;
    }
    if (!options_read(specs, COUNT_OF(specs), argc, argv, &err) || !read_arguments(&consent, &minutes, &err) ||
        !read_file(&consent, &err))
        log_error("%s", err.text);
    else
        status = consent.watch ? watch(&consent, minutes, &err) : print_links(&consent, &err);
    consent_release(&consent);
    return status;
}
