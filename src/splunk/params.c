#include "splunk/params.h"

#include "base/text.h"
#include "splunk/input.h"

static const struct choice api_choices[] = { [API_GRAPH] = { "graph", "Microsoft Graph alerts (recommended)" },
                                             [API_ENDPOINT] = { "endpoint", "Defender for Endpoint alerts" },
                                             [API_SIEM] = { "siem", "SIEM alert exporter (deprecated by Microsoft)" },
                                             [API_INCIDENTS] = { "incidents", "Microsoft Graph incidents" },
                                             [API_COUNT] = { NULL, NULL } };

static const struct choice cloud_choices[] = { [CLOUD_COMMERCIAL] = { "commercial", "Commercial (worldwide)" },
                                               [CLOUD_GCC] = { "gcc", "US Government GCC" },
                                               [CLOUD_GCC_HIGH] = { "gcc_high", "US Government GCC High" },
                                               [CLOUD_DOD] = { "dod", "US Department of Defense" },
                                               [CLOUD_COUNT] = { NULL, NULL } };

static const struct choice allow_update_choices[] = {
    [ALLOW_UPDATE_NO] = { "no", "No" }, [ALLOW_UPDATE_YES] = { "yes", "Yes" }, [ALLOW_UPDATE_COUNT] = { NULL, NULL }
};

static const struct choice share_lost_choices[] = { [SHARE_LOST_CONTINUE] = { "continue", "Continue" },
                                                    [SHARE_LOST_STOP] = { "stop", "Stop" },
                                                    [SHARE_LOST_COUNT] = { NULL, NULL } };

#define AT(member) .offset = offsetof(struct input, member)

/* clang-format off */
const struct param params[] = {
    { .name = "tenant_id", .type = PARAM_TENANT, AT(tenant_id), .required = true, .title = "Tenant ID",
      .help = "The customer's Microsoft Entra tenant: its directory (tenant) ID or one of its verified domains, such "
              "as contoso.onmicrosoft.com.",
      .hint = "Example: contoso.onmicrosoft.com" },
    { .name = "client_id", .type = PARAM_GUID, AT(client_id), .required = true, .title = "Client ID",
      .help = "Application (client) ID of the app registration that reads the alerts, a GUID.",
      .hint = "Example: 01234567-89ab-cdef-0123-456789abcdef" },
    { .name = "client_secret", .type = PARAM_SECRET, AT(client_secret), .title = "Client secret",
      .help = "The secret's value, not its ID. It is moved to Splunk's password store and shared by all inputs with "
              "this client ID; leave it empty to keep the stored one.",
      .hint = "In Entra, the column Value of the secret; it is shown only once." },
    { .name = "client_certificate", .type = PARAM_FILE, AT(client_certificate), .title = "Client certificate",
      .help = "Instead of a client secret: full path of a PEM file with the app's certificate and private key.",
      .hint = "Example: /opt/splunk/etc/auth/defender.pem" },
    { .name = "client_assertion", .type = PARAM_ASSERTION, AT(client_assertion), .title = "Client assertion",
      .help = "Instead of a client secret or certificate, for an app that trusts a federated credential: "
              "managed_identity (of this Azure VM or Arc-enabled server), managed_identity:CLIENT-ID (a user-assigned "
              "one), or file:/full/path of a token file that others renew.",
      .hint = "Example: managed_identity" },
    { .name = "api", .type = PARAM_CHOICE, AT(api), .choices = api_choices, .default_text = "graph", .title = "Service",
      .help = "The Microsoft service to collect from: graph (alerts of all Defender products), endpoint (Defender for "
              "Endpoint API), siem (the older alert exporter) or incidents (Graph incidents).",
      .hint = "Each service needs its own permission, and the customer's consent to it." },
    { .name = "cloud", .type = PARAM_CHOICE, AT(cloud), .choices = cloud_choices, .default_text = "commercial",
      .title = "Cloud",
      .help = "The Microsoft cloud that holds the customer's tenant: commercial, gcc, gcc_high or dod. The program's "
              "cryptography is not FIPS-validated, for gcc_high and dod neither.",
      .hint = "Commercial for most customers." },
    { .name = "start_time", .type = PARAM_START, AT(start_time), .default_text = "-30d", .title = "Start time",
      .help = "Where a new input starts: a time back from now, such as -12h or -30d, or a date and time, such as "
              "2026-11-01 or 2026-11-01T08:00:00+02:00. It has no effect once the input has read alerts.",
      .hint = "Example: -30d" },
    { .name = "refresh_token", .type = PARAM_SECRET, AT(refresh_token), .group = GROUP_DELEGATED,
      .title = "Refresh token",
      .help = "Only for delegated sign-in: a refresh token of the user whose permissions are used. It is moved to "
              "Splunk's password store and renewed there; leave it empty to keep the stored one.",
      .hint = "bin/defender_alerts sign-in prints one." },
    { .name = "authorization_code", .type = PARAM_SECRET, AT(authorization_code), .group = GROUP_DELEGATED,
      .title = "Authorization code",
      .help = "Only for delegated sign-in, instead of a refresh token. Enter ? and save to see the address to open; "
              "sign in there, then enter the whole address of the page on which the sign-in ended, or only its "
              "code. It is used once, within ten minutes, and then cleared.",
      .hint = "Begin with a question mark." },
    { .name = "redirect_uri", .type = PARAM_URI, AT(redirect_uri), .default_text = "https://SiemMsspConnector",
      .group = GROUP_DELEGATED, .title = "Redirect URI",
      .help = "Only for delegated sign-in: the redirect URI, spelled exactly as in the app registration.",
      .hint = "Example: https://SiemMsspConnector" },
    { .name = "poll_interval", .type = PARAM_SECONDS, AT(poll_interval), .min = 1, .max = 86400, .default_text = "60",
      .group = GROUP_MORE, .title = "Poll interval",
      .help = "Most seconds between polls, 1 to 86400. Polls come after half of it, and after a third while the newest "
              "alert is of the last ten minutes, if Microsoft's limits leave room, but not within ten seconds.",
      .hint = "Example: 60" },
    { .name = "overlap", .type = PARAM_SECONDS, AT(overlap), .min = 0, .max = 86400, .default_text = "900",
      .group = GROUP_MORE, .title = "Overlap",
      .help = "Every poll reads again this many seconds before the newest update, for alerts that become visible late; "
              "0 to 86400. Alerts that were read before are not written again.",
      .hint = "Example: 900" },
    { .name = "audit", .type = PARAM_SECONDS, AT(audit), .min = 0, .max = 35, .unit = "days", .default_text = "3",
      .group = GROUP_MORE, .title = "Audit",
      .help = "How many whole days (UTC) are compared each night with what Microsoft lists, 0 to 35; alerts that are "
              "missing are fetched. With 0 there is no such audit. No effect with the SIEM alert exporter.",
      .hint = "Example: 3" },
    { .name = "filter", .type = PARAM_FILTER, AT(filter), .group = GROUP_MORE, .title = "Filter",
      .help = "OData expression that alerts must match, such as severity eq 'high'. Not for the SIEM "
              "alert exporter.",
      .hint = "Example: severity eq 'high'" },
    { .name = "allow_update", .type = PARAM_CHOICE, AT(allow_update), .choices = allow_update_choices,
      .default_text = "no", .group = GROUP_MORE, .title = "Allow updates",
      .help = "Whether the alert action \"Update Defender alert or incident\" may change alerts and incidents of this "
              "customer: yes or no. It needs the permission SecurityAlert.ReadWrite.All or "
              "SecurityIncident.ReadWrite.All.",
      .hint = "Yes only if the customer has agreed." },
    { .name = "login_url", .type = PARAM_BASE_URL, AT(login_url), .group = GROUP_NETWORK, .title = "Login URL",
      .help = "Replaces the cloud's sign-in service: scheme, host and port, such as "
              "https://login.microsoftonline.com. If the host is not Microsoft's, enter the secret again.",
      .hint = "Example: https://login.microsoftonline.com" },
    { .name = "api_url", .type = PARAM_BASE_URL, AT(api_url), .group = GROUP_NETWORK, .title = "API URL",
      .help = "Replaces the chosen service's host: scheme, host and port, such as "
              "https://eu.api.security.microsoft.com. If the host is not Microsoft's, enter the secret again.",
      .hint = "Example: https://eu.api.security.microsoft.com" },
    { .name = "resource", .type = PARAM_TEXT, AT(resource), .group = GROUP_NETWORK, .title = "Resource",
      .help = "Audience of the access token, if the host needs another one than the chosen service's: an App ID URI "
              "or a GUID.",
      .hint = "Example: https://graph.microsoft.com" },
    { .name = "proxy", .type = PARAM_PROXY, AT(proxy), .group = GROUP_NETWORK, .title = "Proxy",
      .help = "Proxy for connections to Microsoft: http://host:port. If it needs a login, with user:password@ "
              "before the host. The password is moved to Splunk's password store, for this proxy only. Empty: the "
              "proxy of the environment, if there is one.",
      .hint = "Example: http://proxy.example.com:3128" },
    { .name = "ca_file", .type = PARAM_FILE, AT(ca_file), .group = GROUP_NETWORK, .title = "CA file",
      .help = "Full path of a PEM file with the certificate authorities to trust instead of the system's, for a proxy "
              "that inspects TLS.",
      .hint = "Example: /etc/ssl/certs/company-ca.pem" },
    { .name = "share_url", .type = PARAM_SHARE_URLS, AT(share_url), .group = GROUP_SHARED, .title = "Shared store",
      .help = "Only if several forwarders share the inputs: management addresses of the Splunk instance whose KV store "
              "they agree by, 1 to 8 with blanks or commas between, best that of the deployment server. Set it in the "
              "stanza [defender_alerts]; the same on all forwarders. Empty: the inputs are this forwarder's alone.",
      .hint = "Example: https://deployment.example.com:8089" },
    { .name = "share_group", .type = PARAM_GROUP, AT(share_group), .default_text = "default", .group = GROUP_SHARED,
      .title = "Group",
      .help = "Forwarders with the same word share their inputs: 1 to 40 letters, digits, hyphens and underscores.",
      .hint = "Example: europe" },
    { .name = "share_ca_file", .type = PARAM_FILE, AT(share_ca_file), .group = GROUP_SHARED,
      .title = "CA file of the shared store",
      .help = "Full path of a PEM file with the certificate authorities that the certificate of share_url is checked "
              "against. Empty: Splunk's own.",
      .hint = "Example: /opt/splunk/etc/auth/store-ca.pem" },
    { .name = "share_lost", .type = PARAM_CHOICE, AT(share_lost), .choices = share_lost_choices,
      .default_text = "continue", .group = GROUP_SHARED, .title = "Without the shared store",
      .help = "What to do while no address of share_url answers: continue (each forwarder goes on with what it read; "
              "alerts may come twice if it alone is cut off) or stop (nothing is read until an address answers).",
      .hint = "Continue, unless alerts that come twice are worse than alerts that come late." }
};
/* clang-format on */
const size_t params_count = COUNT_OF(params);

const struct param *param_find(const char *name)
{
    size_t i;

    for (i = 0; i < params_count; i++)
        if (text_same(params[i].name, name))
            return &params[i];
    return NULL;
}
