#include "messages/log_events.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NOTHING "nothing"
#define ADVISED EVENT_ADVISED
#define CAPPED  EVENT_CAPPED
#define LATEST  EVENT_LATEST

/* clang-format off */
const struct event_entry event_table[EVENT_COUNT] = {
    [EVENT_REFUSED] = { "refused", LOG_ERROR, 0,
        "Microsoft refuses the sign-in or the request; the rest of the line says which of the two, with Entra's code "
        "or the HTTP status; or a stored secret may not go to the host that the input names",
        { ACT_AS_SAID, "do what the line says; the input tries again after 15 minutes, later after up to 4 hours, and "
          "at once when the input or its secret changes" } },
    [EVENT_LOST] = { "customer_lost", LOG_WARN, ADVISED,
        "a customer that worked before with the same sign-in is refused in a way that means: consent withdrawn, the app "
        "removed, the tenant gone, or the subscription lapsed; said once a day. Its condition is lost, its state refused",
        { ACT_PROVIDER, "ask the customer whether that is meant; if so, disable the input, otherwise let the customer's "
          "administrator consent again or renew the subscription; then the input goes on" } },
    [EVENT_BACK] = { "customer_back", LOG_INFO, 0,
        "a customer that was lost works again; what it had meanwhile is read",
        { ACT_NOBODY, NOTHING } },
    [EVENT_TROUBLE] = { "trouble", LOG_WARN, CAPPED,
        "a failure that is usually transient: no connection, a busy service, an incomplete answer",
        { ACT_NOBODY, "nothing at first; if it lasts, do what the line says, and run check to find out where the "
          "connection fails" } },
    [EVENT_RECOVERED] = { "recovered", LOG_INFO, CAPPED,
        "requests succeed again after failures",
        { ACT_NOBODY, NOTHING } },
    [EVENT_BAD_INPUT] = { "bad_input", LOG_ERROR, ADVISED,
        "a stanza of inputs.conf holds a value that cannot be used",
        { ACT_PROVIDER, "correct the parameter that the line names; the other inputs run" } },
    [EVENT_BAD_START] = { "bad_start", LOG_ERROR, ADVISED,
        "the program cannot read what splunkd writes to its stdin",
        { ACT_PROVIDER, "look at 'splunk cmd splunkd print-modinput-config defender_alerts'; to start the program by "
          "hand, use one of the commands of --help" } },
    [EVENT_BAD_RECORD] = { "bad_record", LOG_ERROR, CAPPED,
        "the service sent a record that is not JSON or is larger than 16 MiB; it was written once, as an event of the "
        "source type ms:defender:unreadable, and the records before and after it were read. A line without record= is "
        "about a window of update times whose response breaks; nothing of it was written, and it is tried again",
        { ACT_NOBODY, "open a case with Microsoft if it repeats; the event holds the record, and the line names the "
          "position" } },
    [EVENT_QUARANTINED] = { "quarantined", LOG_WARN, CAPPED,
        "a window of update times keeps failing while the service answers others; it was set aside so that everything "
        "around it can be read, and it is requested again after 15 seconds, later every 15 minutes to 4 hours",
        { ACT_NOBODY, "open a case with Microsoft if it lasts; the line names the window" } },
    [EVENT_ODD_RECORD] = { "odd_record", LOG_WARN, CAPPED,
        "alerts arrived without an id or an update time",
        { ACT_NOBODY, "nothing: they were written as they are" } },
    [EVENT_REPLACED] = { "replaced", LOG_WARN, CAPPED,
        "alerts held bytes that are not UTF-8, or characters that Splunk's input protocol cannot carry",
        { ACT_NOBODY, "nothing: each of these characters is U+FFFD in the event" } },
    [EVENT_FORM] = { "form", LOG_WARN, CAPPED,
        "the service keeps answering 400 to a request; for a while the input uses a simpler form of the request",
        { ACT_NOBODY, "nothing: the full form is tried again after ten minutes, later after up to 4 hours, and what "
          "the simpler one left out is then read again" } },
    [EVENT_FORM_FULL] = { "form", LOG_INFO, CAPPED,
        "the service takes the full form of the request again, or alerts that were written without all of their "
        "content are read again",
        { ACT_NOBODY, NOTHING } },
    [EVENT_ORDER] = { "order", LOG_WARN, 0,
        "the service does not sort its records by update time as it was asked to, or does not count them; a backfill is "
        "then read in windows of update times, which takes more requests and loses nothing",
        { ACT_NOBODY, "nothing: the order is tried again after four hours" } },
    [EVENT_WAITING] = { "waiting", LOG_WARN, 0,
        "the input cannot start yet: another process still holds its checkpoint, or the checkpoint folder cannot be "
        "used",
        { ACT_PROVIDER, "nothing if it passes within seconds; otherwise check the permissions and the free space of "
          "the folder that the line names" } },
    [EVENT_CHECKPOINT_FAILED] = { "checkpoint_failed", LOG_ERROR, ADVISED,
        "the checkpoint cannot be written: disk full, permissions, file system read-only; until it can, the input "
        "holds its events back and loses none",
        { ACT_PROVIDER, "free disk space or correct the permissions of the checkpoint folder" } },
    [EVENT_CHECKPOINT_BAD] = { "checkpoint_bad", LOG_ERROR, 0,
        "the checkpoint's content cannot be read, and the file was kept as .bad; or its times are in the future by "
        "the service's clock",
        { ACT_NOBODY, "nothing, but alerts since start_time are written again" } },
    [EVENT_CHECKPOINT_RENEWED] = { "checkpoint_renewed", LOG_INFO, 0,
        "tenant_id or api of the input was changed",
        { ACT_NOBODY, NOTHING } },
    [EVENT_CHECKPOINT] = { "checkpoint", LOG_INFO, 0,
        "the checkpoint can be written again",
        { ACT_NOBODY, NOTHING } },
    [EVENT_LEDGER] = { "ledger", LOG_WARN, ADVISED,
        "the ledger of an input, from which it is proven that Splunk has its alerts, cannot be written or used; alerts "
        "are written as before, and the days that it lacks are unknown, never equal",
        { ACT_PROVIDER, "correct the permissions or the free space of the folder 'ledger' in the checkpoint folder; "
          "nothing if the file was removed or restored on purpose" } },
    [EVENT_MANIFEST] = { "manifest", LOG_INFO, 0,
        "how many alert versions with an update time of that day were written, and the sum of their hashes, for the "
        "comparison with the index",
        { ACT_NOBODY, NOTHING } },
    [EVENT_AUDIT] = { "audit", LOG_INFO, 0,
        "a day of an input was compared with what Microsoft lists: result=equal if every version that is listed was "
        "written, result=behind if polls or backfill have not passed the day yet, result=unknown if it cannot be compared; "
        "why= says why",
        { ACT_NOBODY, "nothing; the day is tried again within hours, except for why=no_ledger: the program does not know "
          "all that it wrote on that day" } },
    [EVENT_AUDIT_DIFFERS] = { "audit", LOG_WARN, 0,
        "a day of an input was compared with what Microsoft lists, and versions were missing: result=repaired if they "
        "have been written now, missing if some are missing still. result=partial: it is not certain that the list was "
        "whole",
        { ACT_NOBODY, "nothing at first: missing and partial are tried again within hours. If repaired repeats, raise "
          "overlap above found_after_s of the lines event=audit_missing; if missing lasts, open a case with Microsoft "
          "about the alerts that these lines name" } },
    [EVENT_AUDIT_MISSING] = { "audit_missing", LOG_WARN, 0,
        "an alert version that Microsoft lists had not been written; found_after_s= is how long after its update time "
        "the audit found that",
        { ACT_NOBODY, "nothing if result=repaired: it has been written now" } },
    [EVENT_SECRET_STORED] = { "secret_stored", LOG_INFO, 0,
        "a secret was entered and is now in Splunk's password store",
        { ACT_NOBODY, NOTHING } },
    [EVENT_SECRET_NOT_STORED] = { "secret_not_stored", LOG_WARN, ADVISED,
        "Splunk's password store did not accept a secret; until it does, the secret stays readable in inputs.conf",
        { ACT_PROVIDER, "resolve the problem that splunkd reports" } },
    [EVENT_SECRET_WAITS] = { "secret_waits", LOG_WARN, 0,
        "a secret cannot be stored or used yet, because splunkd or Microsoft does not answer",
        { ACT_NOBODY, "nothing; it is tried again every few seconds" } },
    [EVENT_SECRET_DAMAGED] = { "secret_damaged", LOG_WARN, ADVISED,
        "a long secret is kept in the password store in pieces, and one of them is missing",
        { ACT_PROVIDER, "enter the secret again in an input that uses it" } },
    [EVENT_NOT_MASKED] = { "not_masked", LOG_WARN, ADVISED,
        "splunkd rejected the change that replaces a secret by asterisks in inputs.conf; common with inputs that a "
        "deployment server owns",
        { ACT_PROVIDER, "replace it there by eight asterisks by hand; it is in the password store" } },
    [EVENT_STORE_UNREADABLE] = { "store_unreadable", LOG_ERROR, 0,
        "splunkd's password store cannot be read: splunkd refuses, or has not answered as it should for a minute. The "
        "status lines of the inputs that wait for it say so within 5 s",
        { ACT_PROVIDER, "resolve the problem that splunkd reports in the line" } },
    [EVENT_STORE_FAILED] = { "store_failed", LOG_WARN, ADVISED,
        "a renewed refresh token could not be stored, so its access token is not used yet",
        { ACT_PROVIDER, "resolve the problem that splunkd reports" } },
    [EVENT_SESSION_KEY] = { "session_key", LOG_WARN, 0,
        "splunkd no longer accepts the session key that it gave the program",
        { ACT_NOBODY, "nothing: the process ends within a minute and gets a new one" } },
    [EVENT_SIGNED_IN] = { "signed_in", LOG_INFO, 0,
        "an authorization code was exchanged for a refresh token",
        { ACT_NOBODY, NOTHING } },
    [EVENT_CODE_REFUSED] = { "code_refused", LOG_ERROR, 0,
        "an authorization code was used before, is older than ten minutes, or belongs to another app, tenant or "
        "redirect URI",
        { ACT_SIGN_IN, "open the address in the line, sign in, and save the new page's address as "
          "authorization_code" } },
    [EVENT_NOT_TRIED] = { "not_tried", LOG_WARN, 0,
        "an input could not be tried, or not to the end, while it was saved; Splunk Web says so in its menu Messages, "
        "unless the line says why it does not",
        { ACT_AS_SAID, "do what the line says; nothing if the sign-in was not tried on purpose. The input tries again "
          "in any case, and check or its status tells whether it works" } },
    [EVENT_DUPLICATE] = { "duplicate", LOG_WARN, 0,
        "an input was saved that reads the same alerts as another one: the same tenant and API, and filters that do "
        "not exclude each other. Each of these alerts is written twice",
        { ACT_PROVIDER, "disable or remove one of the two, or give them filters that exclude each other" } },
    [EVENT_UPDATED] = { "update", LOG_INFO, 0,
        "the alert action has changed an alert or incident at Microsoft; the change comes back as the next version of it",
        { ACT_NOBODY, NOTHING } },
    [EVENT_UPDATE_FAILED] = { "update", LOG_ERROR, 0,
        "the alert action has not changed an alert or incident at Microsoft, or not completely; result= is bad_input, "
        "refused, throttled, failed or unknown, and why= says what was wrong",
        { ACT_AS_SAID, "do what the line says, and run the action again" } },
    [EVENT_UPDATE_UNTOLD] = { "update_untold", LOG_WARN, ADVISED,
        "the result events of the alert action could not be written to the index; the line of the update itself says "
        "what was done",
        { ACT_PROVIDER, "give the user who owns the search the capability edit_tcp, or see why splunkd refuses or does not answer" } },
    [EVENT_ASSERTION] = { "assertion", LOG_INFO, 0,
        "the tenant does not accept the newer form of a signed assertion",
        { ACT_NOBODY, NOTHING } },
    [EVENT_CERTIFICATE_READ] = { "certificate", LOG_INFO, 0,
        "the file of client_certificate has changed and was read",
        { ACT_NOBODY, NOTHING } },
    [EVENT_CERTIFICATE_UNUSABLE] = { "certificate", LOG_WARN, ADVISED,
        "the file of client_certificate has changed, and the new one cannot be used; the key that was read before "
        "stays in use",
        { ACT_PROVIDER, "correct the file" } },
    [EVENT_CERTIFICATE_ENDS] = { "certificate_ends", LOG_WARN, ADVISED,
        "the certificate expires in 30, 7 or 1 days",
        { ACT_PROVIDER, "make a new one, upload it to the app registration, then replace the file" } },
    [EVENT_SECRET_ENDS] = { "secret_ends", LOG_WARN, ADVISED,
        "the client secret that is in use ends in 30, 7 or 1 days, as the app registration says",
        { ACT_PROVIDER, "make a new secret in the app registration and enter it in one input of this client ID" } },
    [EVENT_EXPIRY_UNKNOWN] = { "expiry_unknown", LOG_INFO, ADVISED,
        "when the credentials of an app end could not be read from its registration; nothing else depends on it",
        { ACT_PROVIDER, "to be warned before a secret ends, grant the app the application permission "
          "Application.Read.All of Microsoft Graph in its home tenant" } },
    [EVENT_FILE_SHARED] = { "file_shared", LOG_WARN, ADVISED,
        "the file of client_certificate, which has a private key, can be read or changed by others on this host",
        { ACT_PROVIDER, "take their permission away: chmod 600 for a file of Splunk's user, or 640 with Splunk's group" } },
    [EVENT_API_ENDS] = { "api_ends", LOG_WARN, ADVISED,
        "Microsoft ends the service that inputs read (api = endpoint: the Defender for Endpoint API); one line for all "
        "of them at the start and each day, with the days left",
        { ACT_PROVIDER, "see with 'check --compare graph' what Microsoft Graph would bring, grant its permission where "
          "it is missing, and move the inputs with 'import --set'" } },
    [EVENT_BACKFILL_DONE] = { "backfill_done", LOG_INFO, CAPPED,
        "the older alerts of a new input, or of an outage, have been read",
        { ACT_NOBODY, NOTHING } },
    [EVENT_CLOCK] = { "clock", LOG_WARN, CAPPED,
        "the Date of a response contradicts this host's clock and what was known before; one wrong Date decides "
        "nothing, but a second one that says the same is believed",
        { ACT_NOBODY, "nothing if it stays a single line; if it repeats, check this host's clock (NTP)" } },
    [EVENT_STATUS] = { "status", LOG_INFO, LATEST,
        "the state of an input; why= holds the reason if it is not ok",
        { ACT_NOBODY, NOTHING } },
    [EVENT_KVSTORE] = { "kvstore", LOG_WARN, ADVISED,
        "the state of the customers cannot be written into Splunk's KV store, or what is there cannot be read: it is off "
        "or still starting, or refuses. Alerts are collected as usual; the customers page shows no state meanwhile",
        { ACT_PROVIDER, "nothing if it is only starting or is off on purpose; otherwise see 'splunk show "
          "kvstore-status', and restart splunkd once after the app was installed" } },
    [EVENT_KVSTORE_BACK] = { "kvstore", LOG_INFO, 0,
        "the state of the customers is in Splunk's KV store again",
        { ACT_NOBODY, NOTHING } },
    [EVENT_SHARE] = { "share", LOG_INFO, LATEST,
        "how this forwarder shares the inputs with others: every five minutes, and when it changes",
        { ACT_NOBODY, NOTHING } },
    [EVENT_SHARE_JOINED] = { "share_joined", LOG_INFO, 0,
        "the forwarder takes part: its heartbeat is in the shared store, and it reads there who has which input",
        { ACT_NOBODY, NOTHING } },
    [EVENT_SHARE_TAKEN] = { "share_taken", LOG_INFO, 0,
        "inputs came to this forwarder; they begin 20 seconds later, with the checkpoint in the shared store",
        { ACT_NOBODY, NOTHING } },
    [EVENT_SHARE_GIVEN] = { "share_given", LOG_INFO, 0,
        "inputs went from this forwarder to another one",
        { ACT_NOBODY, NOTHING } },
    [EVENT_SHARE_PAUSED] = { "share_paused", LOG_WARN, 0,
        "nothing has confirmed for 15 seconds that this forwarder still has its inputs: the shared store does not answer, "
        "answers late, or the process stood still. Nothing is asked for or written meanwhile",
        { ACT_PROVIDER, "nothing if it lasts a minute at most; otherwise see to it that the Splunk instance of share_url "
          "runs and can be reached from this host; check on this forwarder tries each address" } },
    [EVENT_SHARE_ALONE] = { "share_alone", LOG_WARN, 0,
        "no address of share_url has answered as it should for a minute; each forwarder goes on with the inputs it had. If only this "
        "one is cut off, its alerts come twice until it is back",
        { ACT_PROVIDER, "see to it that the Splunk instance of share_url runs and can be reached from this host" } },
    [EVENT_SHARE_BACK] = { "share_back", LOG_INFO, 0,
        "the shared store answers again, after share_paused or share_alone",
        { ACT_NOBODY, NOTHING } },
    [EVENT_SHARE_DEAD] = { "share_dead", LOG_WARN, 0,
        "another forwarder has stopped writing its heartbeat; its inputs go to the others",
        { ACT_PROVIDER, "see to that forwarder, unless it was stopped on purpose" } },
    [EVENT_SHARE_REFUSED] = { "share_refused", LOG_ERROR, 0,
        "this forwarder has no token for the shared store, or the store refuses it: 401 for its token, 403 for the rights "
        "of the token's role on the collections, 404 if this app is not installed there",
        { ACT_AS_SAID, "do what the line says; it is tried again all the time" } },
    [EVENT_SHARE_STORE_HERE] = { "share_store_here", LOG_WARN, ADVISED,
        "an address of share_url is this forwarder itself: the store dies with it, just when the others need it",
        { ACT_PROVIDER, "name another Splunk instance in share_url, best the deployment server" } },
    [EVENT_SHARE_UNFIT] = { "share_unfit", LOG_ERROR, ADVISED,
        "the self-test found that the shared store does not do what sharing relies on, above all to refuse an insert under "
        "a key that is taken; it is tested again every ten minutes",
        { ACT_PROVIDER, "use the KV store of another Splunk instance for share_url, and report the line with that "
          "instance's version" } },
    [EVENT_SHARE_ROLLED_BACK] = { "share_rolled_back", LOG_WARN, ADVISED,
        "the shared store has lost writes that it had confirmed, as after a failover; for at most 30 seconds an input may "
        "have been read twice",
        { ACT_PROVIDER, "nothing after a failover that is known; otherwise look at the KV store's replication with 'splunk "
          "show kvstore-status'" } },
    [EVENT_SHARE_TWIN] = { "share_twin", LOG_ERROR, ADVISED,
        "two forwarders have the same server name, as after a host was cloned",
        { ACT_PROVIDER, "give each forwarder a serverName of its own in server.conf" } },
    [EVENT_SHARE_TWIN_GONE] = { "share_twin", LOG_INFO, 0,
        "the other forwarder of this name is gone",
        { ACT_NOBODY, NOTHING } },
    [EVENT_SHARE_NEWER] = { "share_newer", LOG_ERROR, ADVISED,
        "another forwarder of the group has a newer version of this app, whose records this one cannot read",
        { ACT_PROVIDER, "upgrade this app on all forwarders of the group" } },
    [EVENT_SHARE_LEFT_OUT] = { "share_left_out", LOG_WARN, ADVISED,
        "inputs were read before, and no forwarder that is alive has them now",
        { ACT_PROVIDER, "nothing if they were removed; otherwise enable them, with their secrets, on a forwarder" } },
    [EVENT_SHARE_NO_SECRET] = { "share_no_secret", LOG_WARN, ADVISED,
        "an input's secret is not in this forwarder's password store, so this forwarder can never read it",
        { ACT_PROVIDER, "enter the secret on this forwarder, too; it is taken up within a minute" } },
    [EVENT_SHARE_BAD_RECORD] = { "share_record", LOG_WARN, ADVISED,
        "a record of the shared store, or the file share.own.json, cannot be used or written",
        { ACT_PROVIDER, "nothing if it comes once; otherwise find out who wrote the record and delete it, or see to the "
          "checkpoint folder" } },
    [EVENT_SHARE_CHECKPOINT] = { "share_checkpoint", LOG_WARN, 0,
        "checkpoints could not be saved in the shared store, or not read or used, so that an input begins with an older one "
        "or this forwarder's own; alerts may come twice",
        { ACT_PROVIDER, "look at the KV store of share_url with 'splunk show kvstore-status'" } },
    [EVENT_SHARE_TOKEN_ENDS] = { "share_token_ends", LOG_WARN, ADVISED,
        "this forwarder's token for the shared store ends in 30, 7 or 1 days, or has ended",
        { ACT_PROVIDER, "make a new token on the Splunk instance of share_url, and enter it with 'defender_alerts share "
          "token' on this forwarder" } },
    [EVENT_METRICS] = { "metrics", LOG_INFO, LATEST,
        "the resources that the process uses",
        { ACT_NOBODY, NOTHING } },
    [EVENT_LOG_LOST] = { "log_lost", LOG_WARN, ADVISED,
        "splunkd did not read the program's stderr for long: the lines that waited for it in memory reached 4 MiB, and "
        "lines= after them were lost; no alert was",
        { ACT_PROVIDER, "find out what blocks splunkd on this host: its disk, its load, its own log" } },
    [EVENT_START] = { "start", LOG_INFO, 0,
        "the process starts",
        { ACT_NOBODY, NOTHING } },
    [EVENT_STOP] = { "stop", LOG_INFO, 0,
        "the process ends; reason= says why",
        { ACT_NOBODY, "nothing: splunkd starts it again when it should run" } },
    [EVENT_STOP_KEY] = { "stop", LOG_WARN, 0,
        "the process ends because splunkd no longer accepts its session key",
        { ACT_NOBODY, "nothing: splunkd starts it again with a new one" } },
    [EVENT_STOPPED] = { "stopped", LOG_INFO, 0,
        "the process has ended normally",
        { ACT_NOBODY, NOTHING } },
    [EVENT_FATAL] = { "fatal", LOG_ERROR, 0,
        "this host is out of memory or random bytes, or lacks what the libraries need",
        { ACT_PROVIDER, "check the host; the process ends, splunkd starts it again, and it continues from its "
          "checkpoints" } }
};
/* clang-format on */

bool event_blame(struct err *err, enum event event)
{
    const struct event_entry *entry = &event_table[event];

    return remedy_set(err, entry->word, entry->remedy.responsible, entry->remedy.advice);
}

/* Returns the length of what a text has in common with the lines that it replaces: "event=status input=a ". */
static size_t subject_length(const char *text)
{
    static const char key[] = "input=";
    const char *at = text + strcspn(text, " ");

    at += *at == ' ';
    if (strncmp(at, key, strlen(key)) == 0) {
        at += strlen(key);
        at += *at == '"' ? 1 + strcspn(at + 1, "\"") : strcspn(at, " ");
        at += *at != '\0';
    }
    return (size_t)(at - text);
}

static void write_event(enum event event, const char *fmt, va_list args)
{
    const struct event_entry *entry = &event_table[event];
    char text[LOG_LINE_MAX];
    int len = snprintf(text, sizeof(text), "event=%s ", entry->word);

    vsnprintf(text + len, sizeof(text) - (size_t)len, fmt, args);
    if (entry->flags & EVENT_ADVISED)
        remedy_append(text, sizeof(text), entry->remedy.responsible, entry->remedy.advice);
    log_line(entry->level, text, entry->flags & EVENT_LATEST ? subject_length(text) : 0);
}

static void PRINTF(2, 3) put_event(enum event event, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    write_event(event, fmt, args);
    va_end(args);
}

void log_event_lost(void)
{
    unsigned long count = log_take_lost();

    if (count)
        put_event(EVENT_LOG_LOST, "lines=%lu lines of this log were lost, since nobody read them", count);
}

void log_event(enum event event, const char *fmt, ...)
{
    int saved = errno;
    va_list args;

    if (!log_has_level(event_table[event].level))
        return;
    log_event_lost();
    va_start(args, fmt);
    write_event(event, fmt, args);
    va_end(args);
    errno = saved;
}
