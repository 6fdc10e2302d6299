#include "splunk/params.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "splunk/value.h"

#define STANZA_PREFIX SCHEME_NAME "://"
#define FILE_NAME_MOST 240  /* what a checkpoint's name may take of a file system's 255 bytes, its endings left room */

static const struct choice api_choices[] = {
    [API_GRAPH] = { "graph", "Microsoft Graph alerts (recommended)" },
    [API_ENDPOINT] = { "endpoint", "Defender for Endpoint alerts" },
    [API_SIEM] = { "siem", "SIEM alert exporter (deprecated by Microsoft)" },
    [API_INCIDENTS] = { "incidents", "Microsoft Graph incidents" },
    [API_COUNT] = { NULL, NULL }
};

static const struct choice cloud_choices[] = {
    [CLOUD_COMMERCIAL] = { "commercial", "Commercial (worldwide)" },
    [CLOUD_GCC] = { "gcc", "US Government GCC" },
    [CLOUD_GCC_HIGH] = { "gcc_high", "US Government GCC High" },
    [CLOUD_DOD] = { "dod", "US Department of Defense" },
    [CLOUD_COUNT] = { NULL, NULL }
};

#define AT(member) .offset = offsetof(struct input, member)

const struct param params[] = {
    { .name = "tenant_id", .type = PARAM_TENANT, AT(tenant_id), .required = true, .title = "Tenant ID",
      .help = "The customer's Microsoft Entra tenant: its directory (tenant) ID or one of its verified domains, such "
              "as contoso.onmicrosoft.com." },
    { .name = "client_id", .type = PARAM_GUID, AT(client_id), .required = true, .title = "Client ID",
      .help = "Application (client) ID of the app registration that reads the alerts, a GUID." },
    { .name = "client_secret", .type = PARAM_SECRET, AT(client_secret), .title = "Client secret",
      .help = "The secret's value, not its ID. It is moved to Splunk's password store and shared by all inputs with "
              "this client ID; leave it empty to keep the stored one." },
    { .name = "api", .type = PARAM_CHOICE, AT(api), .choices = api_choices, .default_text = "graph", .title = "Service",
      .help = "Which Microsoft service is asked: graph (alerts of all Defender products), endpoint (Defender for "
              "Endpoint API), siem (the older alert exporter) or incidents (Graph incidents)." },
    { .name = "cloud", .type = PARAM_CHOICE, AT(cloud), .choices = cloud_choices, .default_text = "commercial",
      .title = "Cloud",
      .help = "The Microsoft cloud that holds the customer's tenant: commercial, gcc, gcc_high or dod." },
    { .name = "start_time", .type = PARAM_START, AT(start_time), .default_text = "-30d", .title = "Start time",
      .help = "Where a new input begins: so long ago, such as -12h or -30d, or a moment, such as 2026-11-01 or "
              "2026-11-01T08:00:00+02:00. Without an effect once the input has read alerts." },
    { .name = "client_certificate", .type = PARAM_FILE, AT(client_certificate), .rare = true,
      .title = "Client certificate",
      .help = "Instead of a client secret: full path of a PEM file that holds the app's certificate and its private "
              "key." },
    { .name = "refresh_token", .type = PARAM_SECRET, AT(refresh_token), .rare = true, .title = "Refresh token",
      .help = "Only for delegated sign-in: a refresh token of the user whose rights are used. It is moved to Splunk's "
              "password store and renewed there; leave it empty to keep the stored one." },
    { .name = "authorization_code", .type = PARAM_SECRET, AT(authorization_code), .rare = true,
      .title = "Authorization code",
      .help = "Only for delegated sign-in, instead of a refresh token. Enter ? and save to be shown the address to "
              "open; sign in there, then enter the whole address of the page on which the sign-in ended, or only its "
              "code. Used once, within ten minutes, then cleared." },
    { .name = "redirect_uri", .type = PARAM_URI, AT(redirect_uri), .default_text = "https://SiemMsspConnector", .rare = true,
      .title = "Redirect URI",
      .help = "Only for delegated sign-in: the redirect URI, spelt exactly as in the app registration." },
    { .name = "poll_interval", .type = PARAM_SECONDS, AT(poll_interval), .min = 1, .max = 86400, .default_text = "60",
      .rare = true, .title = "Poll interval",
      .help = "Seconds between two looks for new alerts, 1 to 86400." },
    { .name = "overlap", .type = PARAM_SECONDS, AT(overlap), .min = 0, .max = 86400, .default_text = "900", .rare = true,
      .title = "Overlap",
      .help = "Seconds before the newest update that every poll reads again, for alerts that become visible late; 0 to "
              "86400. What was read before is not written again." },
    { .name = "filter", .type = PARAM_FILTER, AT(filter), .rare = true, .title = "Filter",
      .help = "OData expression that alerts must also meet, such as severity eq 'high'. Not for the SIEM alert "
              "exporter." },
    { .name = "login_url", .type = PARAM_BASE_URL, AT(login_url), .rare = true, .title = "Login URL",
      .help = "Instead of the cloud's sign-in service: scheme, host and port, such as "
              "https://login.microsoftonline.com." },
    { .name = "api_url", .type = PARAM_BASE_URL, AT(api_url), .rare = true, .title = "API URL",
      .help = "Instead of the cloud's host of the chosen service: scheme, host and port, such as "
              "https://eu.api.security.microsoft.com." },
    { .name = "resource", .type = PARAM_TEXT, AT(resource), .rare = true, .title = "Resource",
      .help = "Audience of the access token, for a host that wants another than the chosen service's own; an App ID "
              "URI or a GUID." },
    { .name = "proxy", .type = PARAM_PROXY, AT(proxy), .rare = true, .title = "Proxy",
      .help = "Proxy towards Microsoft, as http://host:port; where it asks for a login, with user:password@ in front "
              "of the host. The password is moved to Splunk's password store. Empty: the proxy of the environment, if "
              "there is one." },
    { .name = "ca_file", .type = PARAM_FILE, AT(ca_file), .rare = true, .title = "CA file",
      .help = "Full path of a PEM file with the certificate authorities to trust instead of the system's, for a proxy "
              "that opens TLS." }
};
const size_t params_count = COUNT_OF(params);

const struct param *param_find(const char *name)
{
    size_t i;

    for (i = 0; i < params_count; i++)
        if (text_same(params[i].name, name))
            return &params[i];
    return NULL;
}

void raw_stanza_free(struct raw_stanza *stanza)
{
    size_t i;

    for (i = 0; i < stanza->count; i++) {
        free(stanza->params[i].name);
        mem_free_secret(stanza->params[i].value);
    }
    free(stanza->params);
    free(stanza->name);
    free(stanza->app);
    *stanza = (struct raw_stanza){ 0 };
}

bool secret_is_mask(const char *value)
{
    return !value || value[strspn(value, "*")] == '\0';
}

/* The last one of that name, or NULL. */
static const char *raw_value(const struct raw_stanza *stanza, const char *name)
{
    size_t i;

    for (i = stanza->count; i > 0; i--)
        if (strcmp(stanza->params[i - 1].name, name) == 0)
            return stanza->params[i - 1].value;
    return NULL;
}

/* Values as splunkd's own conf parser takes them. */
static bool is_true(const char *value)
{
    static const char *const words[] = { "1", "true", "t", "yes", "y", "on" };
    CLEANUP(mem_freep) char *trimmed = text_trimmed(value ? value : "");
    size_t i;

    for (i = 0; i < COUNT_OF(words); i++)
        if (text_same_nocase(trimmed, words[i]))
            return true;
    return false;
}

const char *stanza_input_name(const struct raw_stanza *stanza)
{
    const char *name = stanza->name ? stanza->name : "";

    return text_starts(name, STANZA_PREFIX) ? name + strlen(STANZA_PREFIX) : name;
}

static bool take_name(const struct raw_stanza *stanza, struct input *input, struct err *err)
{
    struct buf file = BUF_INIT(FILE_NAME_MOST);
    const char *name = stanza_input_name(stanza);
    bool fits;

    if (!*name)
        return err_set(err, ERR_INPUT, "the input has no name; it should be called by a word that stands for the "
                                       "customer");
    buf_add_file_name(&file, name);
    fits = !file.full;
    buf_free(&file);
    if (!fits)
        return err_set(err, ERR_INPUT, "the input's name '%.60s...' is too long: it names a file, in which letters, "
                       "digits, '-' and '_' count one and every other byte counts three, and should come to %d at most",
                       name, FILE_NAME_MOST);
    input->name = mem_text(name);
    input->app = mem_text(stanza->app ? stanza->app : "");
    return true;
}

bool stanza_is_disabled(const struct raw_stanza *stanza)
{
    return is_true(raw_value(stanza, "disabled"));
}

/* splunkd's own keys, of which we only look at two. A sourcetype that is the input kind's name is what splunkd falls
 * back to, nobody's choice. */
static void take_own_keys(const struct raw_stanza *stanza, struct input *input)
{
    const char *sourcetype = raw_value(stanza, "sourcetype");

    input->disabled = stanza_is_disabled(stanza);
    input->has_sourcetype = !text_empty(sourcetype) && strcmp(sourcetype, SCHEME_NAME) != 0;
}

static bool take_param(const struct raw_stanza *stanza, const struct param *param, bool check_files,
                       struct input *input, struct err *err)
{
    const char *raw = raw_value(stanza, param->name);
    CLEANUP(mem_free_secretp) char *value = text_trimmed(raw ? raw : "");

    if (*value)
        return value_parse(param, value, check_files, input, err);
    if (param->required)
        return err_set(err, ERR_INPUT, "%s is missing; it should be %s", param->name, value_wanted(param));
    return !param->default_text || value_parse(param, param->default_text, check_files, input, err);
}

static bool check_together(const struct input *input, struct err *err)
{
    if (input->filter && input->api == API_SIEM)
        return err_set(err, ERR_INPUT, "filter is given with api 'siem', but the alert exporter knows no OData; filter "
                                       "should be empty, or api should be graph, endpoint or incidents");
    if (input->client_secret && input->client_certificate)
        return err_set(err, ERR_INPUT, "client_secret and client_certificate '%.200s' are both given, but the app "
                                       "signs in with one of them; one of the two should be empty",
                       input->client_certificate);
    return true;
}

bool input_from_stanza(const struct raw_stanza *stanza, bool check_files, struct input *ret, struct err *err)
{
    struct input input = { 0 };
    bool ok = take_name(stanza, &input, err);
    size_t i;

    for (i = 0; ok && i < params_count; i++)
        ok = take_param(stanza, &params[i], check_files, &input, err);
    if (!ok || !check_together(&input, err)) {
        input_free(&input);
        return false;
    }
    take_own_keys(stanza, &input);
    *ret = input;
    return true;
}
