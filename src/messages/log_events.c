#include "messages/log_events.h"

#define NOTHING "nothing"

const struct event_entry event_table[EVENT_COUNT] = {
    [EVENT_REFUSED] = { "refused", LOG_ERROR, false, ACT_AS_SAID,
        "Microsoft refuses the sign-in or the request; the rest of the line says which of the two, with Entra's code "
        "or the HTTP status",
        "do what the line says; the input tries again by itself after 15 minutes, later after up to 4 hours, and at "
        "once when the input or its secret changes" },
    [EVENT_TROUBLE] = { "trouble", LOG_WARN, false, ACT_NOBODY,
        "something that mostly passes by itself: no connection, a busy service, an answer that was cut off",
        "nothing at first; if it lasts, do what the line says, and let check tell where the way ends" },
    [EVENT_RECOVERED] = { "recovered", LOG_INFO, false, ACT_NOBODY,
        "requests that had failed get answers again", NOTHING },
    [EVENT_BAD_INPUT] = { "bad_input", LOG_ERROR, true, ACT_PROVIDER,
        "a stanza of inputs.conf holds a value that cannot be used",
        "correct the parameter that the line names; the other inputs run" },
    [EVENT_BAD_START] = { "bad_start", LOG_ERROR, true, ACT_PROVIDER,
        "what splunkd writes to the program's stdin cannot be read",
        "look at 'splunk cmd splunkd print-modinput-config defender_alerts'; a person who starts the program wants "
        "one of the commands of --help" },
    [EVENT_BAD_RECORD] = { "bad_record", LOG_ERROR, false, ACT_NOBODY,
        "the service sent a record that is no JSON; what is before and behind it was read",
        "open a case with Microsoft if it repeats; the line names the place" },
    [EVENT_ODD_RECORD] = { "odd_record", LOG_WARN, false, ACT_NOBODY,
        "alerts came without an id or an update time", "nothing: they were written as they are" },
    [EVENT_REPLACED] = { "replaced", LOG_WARN, false, ACT_NOBODY,
        "alerts held bytes that are no UTF-8, or characters that Splunk's input protocol cannot carry",
        "nothing: each such character is U+FFFD in the event" },
    [EVENT_FORM] = { "form", LOG_INFO, false, ACT_NOBODY,
        "the service answered 400 to a request; it is asked in a simpler form", NOTHING },
    [EVENT_WAITING] = { "waiting", LOG_WARN, false, ACT_PROVIDER,
        "the input cannot begin yet: another process still holds its checkpoint, or the checkpoint folder cannot be "
        "used",
        "nothing if it passes within seconds; else see to rights and room of the folder that the line names" },
    [EVENT_CHECKPOINT_FAILED] = { "checkpoint_failed", LOG_ERROR, true, ACT_PROVIDER,
        "the checkpoint cannot be written: disk full, rights, file system read-only; until it can, the input holds its "
        "events back and loses none",
        "make room or mend the rights of the checkpoint folder" },
    [EVENT_CHECKPOINT_BAD] = { "checkpoint_bad", LOG_ERROR, false, ACT_NOBODY,
        "the checkpoint's content cannot be read, and the file was kept as .bad; or its times are still to come, by "
        "the service's clock",
        "nothing, but alerts since start_time come once more" },
    [EVENT_CHECKPOINT_RENEWED] = { "checkpoint_renewed", LOG_INFO, false, ACT_NOBODY,
        "tenant_id or api of the input was changed", NOTHING },
    [EVENT_CHECKPOINT] = { "checkpoint", LOG_INFO, false, ACT_NOBODY, "the checkpoint can be written again", NOTHING },
    [EVENT_SECRET_STORED] = { "secret_stored", LOG_INFO, false, ACT_NOBODY,
        "a secret was typed and is now in Splunk's password store", NOTHING },
    [EVENT_SECRET_NOT_STORED] = { "secret_not_stored", LOG_WARN, true, ACT_PROVIDER,
        "Splunk's password store did not take a secret; until it does, the secret stays readable in inputs.conf",
        "mend what splunkd says" },
    [EVENT_SECRET_WAITS] = { "secret_waits", LOG_WARN, false, ACT_NOBODY,
        "a secret cannot be put in place yet, since splunkd or Microsoft does not answer",
        "nothing; it is tried again every few seconds" },
    [EVENT_SECRET_DAMAGED] = { "secret_damaged", LOG_WARN, true, ACT_PROVIDER,
        "a long secret is kept in the password store in pieces, and one of them is missing",
        "type the secret again in an input that uses it" },
    [EVENT_NOT_MASKED] = { "not_masked", LOG_WARN, true, ACT_PROVIDER,
        "splunkd did not take the change that replaces a secret by asterisks in inputs.conf; common with inputs that a "
        "deployment server owns",
        "replace it there by eight asterisks by hand; it is in the password store" },
    [EVENT_STORE_UNREADABLE] = { "store_unreadable", LOG_ERROR, false, ACT_PROVIDER,
        "splunkd does not give out its password store", "mend what splunkd says in the line" },
    [EVENT_STORE_FAILED] = { "store_failed", LOG_WARN, true, ACT_PROVIDER,
        "a renewed refresh token could not be stored, so its access token is not used yet", "mend what splunkd says" },
    [EVENT_SESSION_KEY] = { "session_key", LOG_WARN, false, ACT_NOBODY,
        "splunkd no longer takes the key that it gave the program",
        "nothing: the process ends within a minute and gets a new one" },
    [EVENT_SIGNED_IN] = { "signed_in", LOG_INFO, false, ACT_NOBODY,
        "an authorization code was exchanged for a refresh token", NOTHING },
    [EVENT_CODE_REFUSED] = { "code_refused", LOG_ERROR, false, ACT_SIGN_IN,
        "an authorization code was used before, is older than ten minutes, or belongs to another app, tenant or "
        "redirect URI",
        "open the address in the line, sign in, and save the new page's address as authorization_code" },
    [EVENT_NOT_TRIED] = { "not_tried", LOG_WARN, false, ACT_NOBODY,
        "while an input was saved, its sign-in could not be tried",
        "nothing; check or the input's status tells whether it works" },
    [EVENT_ASSERTION] = { "assertion", LOG_INFO, false, ACT_NOBODY,
        "the tenant does not take the newer form of a signed assertion", NOTHING },
    [EVENT_CERTIFICATE_READ] = { "certificate", LOG_INFO, false, ACT_NOBODY,
        "the file of client_certificate has changed and was read", NOTHING },
    [EVENT_CERTIFICATE_UNUSABLE] = { "certificate", LOG_WARN, true, ACT_PROVIDER,
        "the file of client_certificate has changed, and the new one cannot be used; the key that was read before "
        "goes on",
        "mend the file" },
    [EVENT_CERTIFICATE_ENDS] = { "certificate_ends", LOG_WARN, true, ACT_PROVIDER,
        "the certificate ends in 30, 7 or 1 days",
        "make a new one, upload it to the app registration, then replace the file" },
    [EVENT_BACKFILL_DONE] = { "backfill_done", LOG_INFO, false, ACT_NOBODY,
        "the older alerts of a new input, or of an outage, have been read", NOTHING },
    [EVENT_STATUS] = { "status", LOG_INFO, false, ACT_NOBODY,
        "how an input stands; why= holds the reason when it is not ok", NOTHING },
    [EVENT_METRICS] = { "metrics", LOG_INFO, false, ACT_NOBODY, "what the process uses", NOTHING },
    [EVENT_START] = { "start", LOG_INFO, false, ACT_NOBODY, "the process begins", NOTHING },
    [EVENT_STOP] = { "stop", LOG_INFO, false, ACT_NOBODY, "the process ends; reason= says why",
        "nothing: splunkd starts it again when it should run" },
    [EVENT_STOP_KEY] = { "stop", LOG_WARN, false, ACT_NOBODY,
        "the process ends because splunkd no longer takes its key", "nothing: splunkd starts it again with a new one" },
    [EVENT_STOPPED] = { "stopped", LOG_INFO, false, ACT_NOBODY, "the process has ended in order", NOTHING },
    [EVENT_FATAL] = { "fatal", LOG_ERROR, false, ACT_PROVIDER,
        "this host has no memory or no random bytes left, or lacks what the libraries need",
        "see to the host; the process ends, splunkd starts it again, and it continues from its checkpoints" }
};

const char *log_level_text(enum log_level level)
{
    static const char *const names[] = { "INFO", "WARN", "ERROR" };

    return names[level];
}
