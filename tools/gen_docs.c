/* Prints docs/troubleshooting.md: what the program may say, why, whose move it is and what to do. Entra's codes and the
 * parameters come from the program's own tables; its log events are in the table below, and tests/generated.sh sees to
 * it that none is missing. */
#include <stdio.h>

#include "base/buf.h"
#include "microsoft/aad.h"
#include "splunk/params.h"
#include "splunk/value.h"

#define OUT_MAX (1024 * 1024)
#define OURS    "our administrator"
#define THEIRS  "the customer's administrator"
#define NOBODY  "nobody's"

/* What is said, what lies behind it, whose move it is, what to do. */
struct trouble {
    const char *text, *cause, *mover, *advice;
};

static const struct trouble events[] = {
    { "refused", "Microsoft refuses the sign-in or the request; the rest of the line says which of the two, with Entra's "
      "code or the HTTP status", "as the line says", "do what the line says; the input tries again by itself after 15 "
      "minutes, later after up to 4 hours, and at once when the input or its secret changes" },
    { "trouble", "something that passes by itself: no connection, a busy service, an answer that was cut off", NOBODY,
      "nothing at first; if it lasts, the tables below and `check` tell where the way ends" },
    { "recovered", "requests that had failed get answers again", NOBODY, "nothing" },
    { "bad_input", "a stanza of inputs.conf holds a value that cannot be used", OURS,
      "correct the parameter that the line names; the other inputs run" },
    { "bad_start", "what splunkd writes to the program's stdin cannot be read", OURS,
      "look at `splunk cmd splunkd print-modinput-config defender_alerts`; if a person started the program, it wants one of "
      "the commands of `--help`" },
    { "bad_record", "the service sent a record that is no JSON; what is before and behind it was read", NOBODY,
      "open a case with Microsoft if it repeats; the line names the place" },
    { "odd_record", "alerts came without an id or an update time", NOBODY, "nothing: they were written as they are" },
    { "replaced", "alerts held bytes that are no UTF-8, or characters that Splunk's input protocol cannot carry", NOBODY,
      "nothing: each such character is U+FFFD in the event" },
    { "form", "the service answered 400 to a request; it is asked in a simpler form", NOBODY, "nothing" },
    { "waiting", "the input cannot begin yet: another process still holds its checkpoint, or the checkpoint folder cannot "
      "be used", OURS, "the first passes within seconds; else see to rights and room of the folder that the line names" },
    { "checkpoint_failed", "the checkpoint cannot be written: disk full, rights, file system read-only", OURS,
      "make room or mend the rights; until then the input holds its events back and loses none" },
    { "checkpoint_bad", "the checkpoint's content cannot be read; the file was kept as .bad", OURS,
      "nothing, but alerts since start_time come once more" },
    { "checkpoint_renewed", "tenant_id or api of the input was changed", NOBODY, "nothing" },
    { "checkpoint", "the checkpoint can be written again", NOBODY, "nothing" },
    { "secret_stored", "a secret was typed and is now in Splunk's password store", NOBODY, "nothing" },
    { "secret_not_stored", "Splunk's password store did not take a secret", OURS,
      "see what splunkd says in the line; until then the secret stays readable in inputs.conf" },
    { "secret_waits", "a secret cannot be put in place yet, since splunkd or Microsoft does not answer", NOBODY,
      "nothing; it is tried again every few seconds" },
    { "not_masked", "splunkd did not take the change that replaces a secret by asterisks in inputs.conf", OURS,
      "replace it by eight asterisks by hand; it is in the password store. Common with inputs that a deployment server owns" },
    { "store_unreadable", "splunkd does not give out its password store", OURS, "see what splunkd says in the line" },
    { "store_failed", "a renewed refresh token could not be stored, so its access token is not used yet", OURS,
      "see what splunkd says in the line" },
    { "session_key", "splunkd no longer takes the key that it gave the program", NOBODY,
      "nothing: the process ends within a minute and gets a new one" },
    { "signed_in", "an authorization code was exchanged for a refresh token", NOBODY, "nothing" },
    { "code_refused", "an authorization code was used before, is older than ten minutes, or belongs to another app, tenant or "
      "redirect URI", "somebody must sign in", "open the address in the line, sign in, and save the new page's address as "
      "authorization_code" },
    { "not_tried", "while an input was saved, its sign-in could not be tried", NOBODY,
      "nothing; `check` or the input's status tells whether it works" },
    { "assertion", "the tenant does not take the newer form of a signed assertion", NOBODY, "nothing" },
    { "certificate", "the file of client_certificate has changed", OURS,
      "nothing if it was read; else the line says what is wrong with the new file" },
    { "certificate_ends", "the certificate ends in 30, 7 or 1 days", OURS,
      "make a new one, upload it to the app registration, then replace the file" },
    { "backfill_done", "the older alerts of a new input, or of an outage, have been read", NOBODY, "nothing" },
    { "status", "how an input stands; `why` holds the reason when it is not `ok`", NOBODY, "nothing" },
    { "metrics", "what the process uses", NOBODY, "nothing" },
    { "start", "the process begins", NOBODY, "nothing" },
    { "stop", "the process ends; `reason` says why", NOBODY, "nothing: splunkd starts it again when it should run" },
    { "stopped", "the process has ended in order", NOBODY, "nothing" }
};

static const struct trouble answers[] = {
    { "Could not resolve host", "the name is not known to this host's DNS", OURS,
      "mend the DNS, or set `proxy`: then the proxy looks the name up" },
    { "Failed to connect", "a firewall, or nothing listens there", OURS,
      "allow TCP 443 to the host in the line, or set `proxy`" },
    { "the proxy on the way to ... does not let us through", "the proxy refuses the host or wants a user and password "
      "(HTTP 407)", OURS, "set `proxy` to http://user:password@host:port, or allow the host on the proxy" },
    { "no trusted TLS connection", "the certificate shown was issued by nobody in the CA file; mostly a proxy that opens TLS",
      OURS, "set `ca_file` to a PEM file that holds the proxy's authority; `check` shows who issued the certificate" },
    { "no CA certificates on this host", "the host has no bundle of public authorities", OURS,
      "install the package ca-certificates, or set `ca_file`" },
    { "a web page came in place of the answer", "a proxy or a security gateway answers instead of Microsoft", OURS,
      "exempt the host on the proxy" },
    { "HTTP 400", "the service does not understand the request", OURS, "check `filter`, then `api` and `api_url`" },
    { "HTTP 401", "the token is not meant for this service", OURS, "check `api`, `api_url`, `cloud` and `resource`, and the "
      "clock of this host" },
    { "HTTP 403", "the permission is missing, nobody has consented to it, or the tenant has no Defender", THEIRS,
      "grant admin consent to the permission that the line names; see README.md for the permission of each service" },
    { "HTTP 404", "no such service at this address", OURS, "check `api_url` and `cloud`" },
    { "HTTP 429, state=throttled", "the service has had enough requests for now, from this app and tenant", NOBODY,
      "nothing: the wait that it asks for is kept. If it lasts, another program uses the same app" },
    { "HTTP 500, 502, 503, 504", "the service has trouble of its own", NOBODY,
      "nothing: tried again for ever, at most 5 minutes apart; no alert is passed over" },
    { "splunkd's certificate is not trusted", "the CA of splunkd is not found in Splunk's own settings", OURS,
      "set sslRootCAPath in [sslConfig] of $SPLUNK_HOME/etc/system/local/server.conf" }
};

static const struct trouble web[] = {
    { "Unable to initialize modular input \"defender_alerts\" ... script running failed", "splunkd could not run the "
      "program", OURS, "run `bin/defender_alerts --version` as Splunk's user; exit status 126: restore its mode 755" },
    { "Argument validation for scheme=defender_alerts: script running failed", "validation took too long or was killed", OURS,
      "see the lines of component=ExecProcessor around that time" },
    { "The inputs page is missing", "Splunk was not restarted after the installation", OURS, "restart Splunk" }
};

static void add_cell(struct buf *out, const char *text)
{
    buf_add_text(out, " ");
    for (; *text; text++) {
        if (*text == '|' || *text == '<')
            buf_add_char(out, '\\');
        buf_add_char(out, *text);
    }
    buf_add_text(out, " |");
}

static void add_head(struct buf *out, const char *title, const char *intro, const char *first)
{
    buf_add_format(out, "\n## %s\n\n%s\n\n| %s | cause | whose move | what to do |\n|---|---|---|---|\n", title, intro,
                   first);
}

static void add_troubles(struct buf *out, const struct trouble *list, size_t count, const char *mark)
{
    size_t i;

    for (i = 0; i < count; i++) {
        buf_add_format(out, "| %s%s%s |", mark, list[i].text, *mark ? "`" : "");
        add_cell(out, list[i].cause);
        add_cell(out, list[i].mover);
        add_cell(out, list[i].advice);
        buf_add_char(out, '\n');
    }
}

static void add_codes(struct buf *out)
{
    size_t i;

    for (i = 0; i < aad_codes_count; i++) {
        buf_add_format(out, "| AADSTS%d |", aad_codes[i].code);
        add_cell(out, aad_codes[i].meaning);
        add_cell(out, aad_codes[i].mover == MOVE_NONE ? NOBODY : aad_mover_text(aad_codes[i].mover));
        add_cell(out, aad_codes[i].advice);
        buf_add_char(out, '\n');
    }
}

static void add_parameters(struct buf *out)
{
    size_t i;

    buf_add_text(out, "\n## Values that are refused\n\nSaving an input, `event=bad_input`, `check` and `import` say it alike: "
                      "the parameter, what it held (never a secret), and what it should be. It is always our "
                      "administrator's move.\n\n| parameter | should be |\n|---|---|\n");
    for (i = 0; i < params_count; i++) {
        buf_add_format(out, "| `%s` |", params[i].name);
        add_cell(out, value_wanted(&params[i]));
        buf_add_char(out, '\n');
    }
    buf_add_text(out, "\n`filter` cannot go with `api = siem`, and `client_secret` not with `client_certificate`. The file of "
                      "`client_certificate` holds a certificate that is valid now and its RSA key of 2048 bits or more, "
                      "without a passphrase, both in PEM form; the message names what is wrong with it.\n");
}

int main(void)
{
    struct buf out = BUF_INIT(OUT_MAX);

    buf_add_text(&out, "# Troubleshooting\n\n<!-- Generated by tools/gen_docs.c; `make generate` writes it anew. -->\n\n"
                 "The quickest look at all inputs, from the app's folder:\n\n"
                 "    splunk cmd splunkd print-modinput-config defender_alerts | bin/defender_alerts check\n\n"
                 "The program's lines are in `index=_internal sourcetype=splunkd component=ExecProcessor`; each has "
                 "`event=...`, and where it is about one input, `input=...`. *Our administrator* is who runs this Splunk and "
                 "owns the app registration; *the customer's administrator* is who owns the tenant.\n");
    add_head(&out, "Lines in the log", "By the word behind `event=`.", "event");
    add_troubles(&out, events, COUNT_OF(events), "`");
    add_head(&out, "Answers and connections", "What stands in lines with `event=refused` and `event=trouble`, in `why` of "
             "`event=status`, and below the rows of `check`.", "text");
    add_troubles(&out, answers, COUNT_OF(answers), "");
    add_head(&out, "Entra's codes", "The sign-in service's refusals. Codes that are not here are said with Entra's own "
             "words.", "code");
    add_codes(&out);
    add_parameters(&out);
    add_head(&out, "In Splunk Web", "Messages of Splunk itself.", "text");
    add_troubles(&out, web, COUNT_OF(web), "");
    if (out.full || fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout))
        return 1;
    buf_free(&out);
    return 0;
}
