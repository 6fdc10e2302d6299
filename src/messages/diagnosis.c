#include "messages/diagnosis.h"

#include <string.h>

#define ADMIN_CONSENT "grant admin consent to the permission {that api needs (README.md names it)}"

const struct diagnosis_entry diagnosis_table[DIAGNOSIS_COUNT] = {
    [DIAGNOSIS_NO_NAME] = { "the name {of the host} cannot be looked up", ACT_PROVIDER,
        "the name is not known to this host's DNS, or the DNS does not answer",
        "mend the DNS of this host, or set proxy: then the proxy looks the name up" },
    [DIAGNOSIS_NO_CONNECTION] = { "no connection to {the host}", ACT_PROVIDER,
        "a firewall on the way, or nothing listens there",
        "let this host reach it on TCP 443, or set proxy (a proxy that is set: check its address)" },
    [DIAGNOSIS_NO_PROXY] = { "the proxy on the way to {the host} does not let us through", ACT_PROVIDER,
        "the proxy is not found, refuses the host, or wants a user and password (HTTP 407)",
        "set proxy to http://user:password@host:port, or allow the host on the proxy" },
    [DIAGNOSIS_NO_TLS] = { "no trusted TLS connection to {the host}", ACT_PROVIDER,
        "the certificate shown was issued by nobody in the CA file; mostly a proxy that opens TLS",
        "set ca_file to a PEM file that also holds the authority that signs on the way; check shows whose "
        "certificate it is" },
    [DIAGNOSIS_NO_CA] = { "no CA certificates on this host", ACT_PROVIDER, "the host has no bundle of public "
        "authorities",
        "install the package ca-certificates, or name a bundle in ca_file" },
    [DIAGNOSIS_CA_FILE] = { "CA file {of the input} cannot be read", ACT_PROVIDER,
        "the file was removed, or Splunk's user may not read it", "restore the file, or correct ca_file" },
    [DIAGNOSIS_CUT] = { "no whole answer from {the host}", ACT_NOBODY, "the connection broke off or was too slow",
        "nothing: tried again for ever, at most 5 minutes apart; no alert is passed over" },
    [DIAGNOSIS_WEB_PAGE] = { "a web page came in place of {the service's} answer", ACT_PROVIDER,
        "most likely a proxy or a security gateway answers instead of Microsoft",
        "exempt the host on the proxy or gateway that sent it" },
    [DIAGNOSIS_HTTP_400] = { "HTTP 400", ACT_PROVIDER, "the service does not understand the request",
        "check api and api_url of the input" },
    [DIAGNOSIS_HTTP_400_FILTER] = { "HTTP 400, where a filter is set", ACT_PROVIDER,
        "mostly the filter names what this api does not have", "check filter of the input" },
    [DIAGNOSIS_HTTP_401] = { "HTTP 401", ACT_PROVIDER, "the token is not meant for this service, and neither was a "
        "new one",
        "check api, api_url, cloud and resource of the input, and the clock of this host" },
    [DIAGNOSIS_HTTP_403] = { "HTTP 403", ACT_CUSTOMER,
        "the permission is missing, nobody has consented to it, or the tenant has no Defender",
        ADMIN_CONSENT ", and see that the tenant has Defender and has not removed the app" },
    [DIAGNOSIS_PERMISSION] = { "HTTP 403: the token lacks the permission {that api needs}", ACT_CUSTOMER,
        "said by check, which reads the token: its roles or scopes hold nothing that would do", ADMIN_CONSENT },
    [DIAGNOSIS_POLICY] = { "HTTP 403 with insufficient_claims", ACT_CUSTOMER,
        "a conditional access policy asks for more than the app can give",
        "exclude the app from the conditional access policy" },
    [DIAGNOSIS_HTTP_4XX] = { "HTTP {404 and other 4xx}", ACT_PROVIDER, "no such service at this address",
        "check api, api_url, cloud and tenant_id of the input" },
    [DIAGNOSIS_HTTP_429] = { "HTTP 429", ACT_NOBODY,
        "the service has had enough requests for now, from this app and tenant; state=throttled",
        "nothing: the wait that it asks for is kept. If it lasts, another program uses the same app" },
    [DIAGNOSIS_HTTP_5XX] = { "HTTP {500, 502, 503, 504}", ACT_NOBODY, "the service has trouble of its own",
        "nothing: tried again for ever, at most 5 minutes apart; no alert is passed over" },
    [DIAGNOSIS_SPLUNKD_TLS] = { "splunkd's certificate is not trusted", ACT_PROVIDER,
        "the CA of splunkd is not found in Splunk's own settings",
        "set sslRootCAPath in [sslConfig] of $SPLUNK_HOME/etc/system/local/server.conf to the CA that issued it" },
    [DIAGNOSIS_SPLUNKD_KEY] = { "splunkd no longer takes the session key that it gave us (HTTP 401)", ACT_NOBODY,
        "the key is too old, or of another splunkd", "nothing: the process ends and is started with a new one. By "
        "hand: take a new key" },
    [DIAGNOSIS_SPLUNKD_RIGHTS] = { "splunkd refuses access (HTTP 403)", ACT_PROVIDER,
        "the user of the session key may not read the password store or change inputs",
        "give it list_storage_passwords and edit_storage_passwords, or admin_all_objects" }
};

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
    if (diagnosis_table[diagnosis].responsible == ACT_NOBODY)
        return;
    remedy_add(to, diagnosis_table[diagnosis].responsible, "");
    diagnosis_fill(to, diagnosis_table[diagnosis].advice, value);
}

bool diagnosis_set(struct err *err, enum err_kind kind, enum diagnosis diagnosis, const struct diagnosis_facts *facts)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(2 * sizeof(err->text));

    diagnosis_add_text(&text, diagnosis, facts->text);
    buf_add_text(&text, facts->detail ? facts->detail : "");
    diagnosis_add_advice(&text, diagnosis, facts->advice);
    return err_set(err, kind, "%s", buf_text(&text));
}
