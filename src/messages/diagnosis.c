#include "messages/diagnosis.h"

#include <string.h>

#define ADMIN_CONSENT "grant admin consent to the permission {that api needs (README.md names it)}"

/* clang-format off */
const struct diagnosis_entry diagnosis_table[DIAGNOSIS_COUNT] = {
    [DIAGNOSIS_NO_NAME] = { "the name {of the host} cannot be looked up",
        "the name is not known to this host's DNS, or the DNS does not answer",
        { ACT_PROVIDER, "correct the DNS of this host, or set proxy: then the proxy looks the name up" }, "no_name" },
    [DIAGNOSIS_NO_CONNECTION] = { "no connection to {the host}",
        "a firewall on the way, or nothing listens there",
        { ACT_PROVIDER, "let this host reach it on TCP 443, or set proxy (if proxy is set: check its address)" },
        "no_connection" },
    [DIAGNOSIS_NO_PROXY] = { "the proxy on the way to {the host} does not let us through",
        "the proxy is not found, refuses the host, or requires a user and password (HTTP 407)",
        { ACT_PROVIDER, "set proxy to http://user:password@host:port, or allow the host on the proxy without "
          "a sign-in" }, "no_proxy" },
    [DIAGNOSIS_PROXY_DEAD] = { "no connection to the proxy on the way to {the host}",
        "nothing answers at the address of the proxy, or something that is no proxy, its name is not known, or a "
        "firewall is on the way to it",
        { ACT_PROVIDER, "check that the proxy runs, and its address in proxy (or in the environment of splunkd)" },
        "proxy_dead" },
    [DIAGNOSIS_PROXY_TROUBLE] = { "the proxy on the way to {the host} is in trouble, or cannot reach it",
        "the proxy answered with 408, 429 or 5xx: it is overloaded, does not find the host's name or has no way to it",
        { ACT_PROVIDER, "check on the proxy that it finds the host's name and reaches it on TCP 443" },
        "proxy_trouble" },
    [DIAGNOSIS_NOT_TLS] = { "the answer for {the host} is not TLS",
        "a proxy or a gateway answers in plain text, or the port is not one for https",
        { ACT_PROVIDER, "check host and port of login_url and api_url if they are set, and the proxy or gateway on the "
          "way" }, "not_tls" },
    [DIAGNOSIS_NO_TLS] = { "no trusted TLS connection to {the host}",
        "no authority in the CA file issued the certificate; usually a proxy that opens TLS",
        { ACT_PROVIDER, "set ca_file to a PEM file that also holds the authority of that proxy; check shows who "
          "issued the certificate" }, "no_tls" },
    [DIAGNOSIS_NO_CA] = { "no CA certificates on this host",
        "the host has no bundle of public authorities",
        { ACT_PROVIDER, "install the package ca-certificates, or name a bundle in ca_file" }, "no_ca" },
    [DIAGNOSIS_CA_FILE] = { "CA file {of the input} cannot be read",
        "the file was removed, is a pipe or a folder, holds no certificate, or Splunk's user may not read it",
        { ACT_PROVIDER, "restore the file, or correct ca_file" }, "ca_file" },
    [DIAGNOSIS_CUT] = { "no complete response from {the host}",
        "the connection broke off or was too slow",
        { ACT_NOBODY, "nothing: tried again without end, at most 5 minutes apart; no alert is skipped" },
        "no_complete_response" },
    [DIAGNOSIS_WEB_PAGE] = { "a web page came in place of {the service's} answer",
        "most likely a proxy or a security gateway answers instead of Microsoft",
        { ACT_PROVIDER, "exempt the host on the proxy or gateway that sent it" }, "web_page" },
    [DIAGNOSIS_BAD_ANSWER] = { "the answer {of the service} is empty, not complete or not as documented",
        "the service broke it, or something on the way; or a record in it is not JSON",
        { ACT_NOBODY, "nothing: tried again without end; open a case with Microsoft if it lasts" }, "bad_answer" },
    [DIAGNOSIS_HTTP_400] = { "HTTP 400",
        "the service does not understand the request",
        { ACT_PROVIDER, "check api and api_url of the input" }, "http_400" },
    [DIAGNOSIS_HTTP_400_FILTER] = { "HTTP 400, with a filter set",
        "usually the filter names a field that this api does not have",
        { ACT_PROVIDER, "check filter of the input" }, "http_400_filter" },
    [DIAGNOSIS_HTTP_401] = { "HTTP 401",
        "the token is not meant for this service, and neither was a new one",
        { ACT_PROVIDER, "check api, api_url, cloud and resource of the input, and the clock of this host" },
        "http_401" },
    [DIAGNOSIS_HTTP_403] = { "HTTP 403",
        "the permission is missing, nobody has consented to it, or the tenant has no Defender",
        { ACT_CUSTOMER, ADMIN_CONSENT ", and check that the tenant has Defender and has not removed the app" },
        "http_403" },
    [DIAGNOSIS_PERMISSION] = { "HTTP 403: the token lacks the permission {that api needs}",
        "said by check, which reads the token: none of its roles or scopes is sufficient",
        { ACT_CUSTOMER, ADMIN_CONSENT }, "permission" },
    [DIAGNOSIS_POLICY] = { "HTTP 403 with insufficient_claims",
        "a conditional access policy asks for more than the app can give",
        { ACT_CUSTOMER, "exclude the app from the conditional access policy" }, "policy" },
    [DIAGNOSIS_HTTP_4XX] = { "HTTP {404 and other 4xx}",
        "no such service at this address",
        { ACT_PROVIDER, "check api, api_url, cloud and tenant_id of the input" }, "http_4xx" },
    [DIAGNOSIS_HTTP_429] = { "HTTP 429",
        "the service limits the requests of this app and tenant; state=throttled",
        { ACT_NOBODY, "nothing: the input waits as long as the service asks. If it lasts, another program uses the "
          "same app" }, "http_429" },
    [DIAGNOSIS_HTTP_5XX] = { "HTTP {500, 502, 503, 504}",
        "the service has a problem of its own",
        { ACT_NOBODY, "nothing: tried again without end, at most 5 minutes apart; no alert is skipped" }, "http_5xx" },
    [DIAGNOSIS_SPLUNKD_BUSY] = { "splunkd {at its address} does not answer as it should",
        "splunkd is starting or overloaded, or its password store is locked (HTTP 503)",
        { ACT_PROVIDER, "check splunkd on this host and its splunkd.log; the inputs go on as soon as it answers" },
        "splunkd_busy" },
    [DIAGNOSIS_SPLUNKD_TLS] = { "splunkd's certificate is not trusted",
        "the CA of splunkd is not found in Splunk's own settings",
        { ACT_PROVIDER, "set sslRootCAPath in [sslConfig] of $SPLUNK_HOME/etc/system/local/server.conf to the CA that "
          "issued it" }, "splunkd_tls" },
    [DIAGNOSIS_SPLUNKD_KEY] = { "splunkd no longer accepts the session key that it gave us (HTTP 401)",
        "the key is too old, or of another splunkd",
        { ACT_NOBODY, "nothing: the process ends and is started with a new one. If started by hand: take a new "
          "key" }, "splunkd_key" },
    [DIAGNOSIS_SPLUNKD_KEY_ENTERED] = { "the session key is not accepted by splunkd (HTTP 401)",
        "said to a person who entered the key: it is mistyped, too old, or of another splunkd",
        { ACT_PROVIDER, "enter it again or take a new one; 'splunk cmd splunkd print-modinput-config defender_alerts' "
          "prints one, and its output can be piped into this command" }, "splunkd_key" },
    [DIAGNOSIS_SPLUNKD_RIGHTS] = { "splunkd refuses access (HTTP 403)",
        "the user of the session key may not read the password store, change inputs or show a message",
        { ACT_PROVIDER, "give it {list_storage_passwords and edit_storage_passwords}, or admin_all_objects" },
        "splunkd_rights" },
    [DIAGNOSIS_STORE_AWAY] = { "the Splunk instance at {the address of share_url} does not answer as it should",
        "the Splunk instance whose KV store the forwarders share is away, starting or overloaded, or its KV store is off",
        { ACT_PROVIDER, "check splunkd there and 'splunk show kvstore-status'; sharing goes on as soon as it answers" },
        "store_away" },
    [DIAGNOSIS_STORE_TLS] = { "the certificate of the Splunk instance at {the address of share_url} is not trusted",
        "its chain does not end at the CA of share_ca_file (default: Splunk's own), or it does not name the host",
        { ACT_PROVIDER, "set share_ca_file to the CA that issued it, and name the host in share_url as its certificate "
          "does" }, "store_tls" },
    [DIAGNOSIS_STORE_CA] = { "the certificate of the Splunk instance at {the address of share_url} cannot be verified",
        "the file of share_ca_file (default: Splunk's own CA) was removed, holds no certificate or a damaged one, or "
        "Splunk's user may not read it",
        { ACT_PROVIDER, "set share_ca_file to a PEM file with the certificate of the CA that issued it, or restore that "
          "file" }, "store_ca" },
    [DIAGNOSIS_STORE_TOKEN] = { "the Splunk instance at {the address of share_url} does not accept the authentication "
        "token (HTTP 401)",
        "the token has ended, was disabled or deleted, or was made on another Splunk instance; or token authentication is "
        "off there",
        { ACT_PROVIDER, "create a token on that instance (Settings > Tokens) and store it on this forwarder with "
          "'defender_alerts share token'" }, "store_token" },
    [DIAGNOSIS_STORE_RIGHTS] = { "the user of the authentication token may not use the collection at {the address of "
        "share_url} (HTTP 403)",
        "the role of the token's user is not in the collection's access list, or may not read the app",
        { ACT_PROVIDER, "give the token's user the role defender_mssp_share there, or its role {read and write access to the "
          "collection}" }, "store_rights" },
    [DIAGNOSIS_STORE_APP] = { "the Splunk instance at {the address of share_url} does not know the collection (HTTP 404)",
        "TA-defender-mssp is not installed there, is older, is disabled, or was installed without a restart; or the token's "
        "role may not read the app",
        { ACT_PROVIDER, "install this version of TA-defender-mssp there and restart that Splunk instance" },
        "store_app" }
};
/* clang-format on */

void diagnosis_fill(struct buf *to, const char *text, const char *value)
{
    const char *open = strchr(text, '{'), *close = open ? strchr(open, '}') : NULL;

    if (!close) {
        buf_add_text(to, text);
        return;
    }
    buf_add(to, text, (size_t)(open - text));
    if (value)
        buf_add_text(to, value);
    else
        buf_add(to, open + 1, (size_t)(close - open - 1));
    buf_add_text(to, close + 1);
}

void diagnosis_add_text(struct buf *to, enum diagnosis diagnosis, const char *value)
{
    diagnosis_fill(to, diagnosis_table[diagnosis].text, value);
}

void diagnosis_add_advice(struct buf *to, enum diagnosis diagnosis, const char *value)
{
    const struct remedy *remedy = &diagnosis_table[diagnosis].remedy;

    if (remedy->responsible == ACT_NOBODY)
        return;
    remedy_add(to, remedy->responsible, "");
    diagnosis_fill(to, remedy->advice, value);
}

bool diagnosis_blame(struct err *err, enum diagnosis diagnosis)
{
    const struct diagnosis_entry *entry = &diagnosis_table[diagnosis];

    return remedy_set(err, entry->word, entry->remedy.responsible, entry->remedy.advice);
}

bool diagnosis_set(struct err *err, enum err_kind kind, enum diagnosis diagnosis, const struct diagnosis_facts *facts)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(2 * sizeof(err->text));

    diagnosis_add_text(&text, diagnosis, facts->text);
    buf_add_text(&text, facts->detail ? facts->detail : "");
    diagnosis_add_advice(&text, diagnosis, facts->advice);
    err_set(err, kind, "%s", buf_text(&text));
    return diagnosis_blame(err, diagnosis);
}
