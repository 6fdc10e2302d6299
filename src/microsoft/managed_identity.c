#include "microsoft/managed_identity.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "messages/remedy.h"
#include "microsoft/token_file.h"
#include "net/url.h"

#define VM_ENDPOINT  "http://" URL_METADATA_HOST "/metadata/identity/oauth2/token"
#define ARC_ENDPOINT "http://localhost:40342/metadata/identity/oauth2/token"
#define ARC_PROGRAM  "/opt/azcmagent/bin/himds"
#define ARC_KEYS     "/var/opt/azcmagent/tokens"
#define KEY_ENDING   ".key"
#define KEY_MAX      4096
#define QUOTE_MAX    200
#define GONE_WAIT_MS 10000 /* 410: an update of the metadata service, 70 s at most */
#define LIFE_MOST_S  (7 * 86400)

static bool blame(struct err *err)
{
    return remedy_set(err, "managed_identity", ACT_PROVIDER,
                      "give this Azure VM or Arc-enabled server the managed identity, or correct client_assertion");
}

const char *identity_audience(const char *login_url)
{
    CLEANUP(mem_freep) char *host = url_host(login_url);
    size_t len = strlen(host);

    if (len > 3 && !strcasecmp(host + len - 3, ".us"))
        return "api://AzureADTokenExchangeUSGov";
    return "api://AzureADTokenExchange";
}

/* The place. */

struct identity_hints identity_hints_read(void)
{
    return (struct identity_hints){ .identity_endpoint = getenv("IDENTITY_ENDPOINT"),
                                    .imds_endpoint = getenv("IMDS_ENDPOINT"),
                                    .has_agent = access(ARC_PROGRAM, F_OK) == 0 };
}

/* The key that the agent asks for opens the machine's identity: it goes to no other host, whatever a variable says. */
static bool is_agent(const char *url, struct err *err)
{
    if (text_starts(url, "http://") && url_is_loopback(url) && !strpbrk(url, "?#@ "))
        return true;
    err_set(err, ERR_AUTH,
            "client_assertion is a managed identity, but IDENTITY_ENDPOINT in splunkd's environment is no http address "
            "of this host. Our administrator: remove it, or set it to " ARC_ENDPOINT);
    return blame(err);
}

bool identity_find(const struct identity_hints *hints, struct identity_service *ret, struct err *err)
{
    bool told = !text_empty(hints->identity_endpoint) && !text_empty(hints->imds_endpoint);

    *ret = (struct identity_service){ .arc = told || hints->has_agent, .key_folder = ARC_KEYS };
    ret->url = told ? hints->identity_endpoint : ret->arc ? ARC_ENDPOINT : VM_ENDPOINT;
    return !ret->arc || is_agent(ret->url, err);
}

void identity_address(const struct identity_service *service, const char *audience, const char *client_id,
                      struct buf *ret)
{
    buf_add_format(ret, "%s?api-version=%s", service->url, service->arc ? "2020-06-01" : "2018-02-01");
    buf_add_form(ret, "resource", audience);
    if (client_id)
        buf_add_form(ret, "client_id", client_id);
}

/* Arc's key. */

static bool refuse_key(struct err *err, const char *why)
{
    err_set(err, ERR_AUTH,
            "the Azure Arc agent asked for a key to its managed identity, but %s. Our administrator: add Splunk's user "
            "to the group himds and restart Splunk",
            why);
    return remedy_set(err, "managed_identity", ACT_PROVIDER, "add Splunk's user to the group himds and restart Splunk");
}

/* Returns the path in "Basic realm=/path"; NULL: it may not be read. Caller frees. */
static char *key_path(const struct identity_service *service, const char *authenticate)
{
    static const char start[] = "Basic realm=";
    size_t folder = strlen(service->key_folder), ending = strlen(KEY_ENDING), len;
    CLEANUP(mem_freep) char *path = NULL;
    const char *from = authenticate + strlen(start);

    if (strncasecmp(authenticate, start, strlen(start)) != 0)
        return NULL;
    len = strlen(from);
    if (len >= 2 && *from == '"' && from[len - 1] == '"') {
        from++;
        len -= 2;
    }
    path = mem_text_n(from, len);
    if (len <= folder + 1 + ending || strncmp(path, service->key_folder, folder) != 0 || path[folder] != '/' ||
        strchr(path + folder + 1, '/') || strcmp(path + len - ending, KEY_ENDING) != 0)
        return NULL;
    return mem_take(&path);
}

bool identity_key(const struct identity_service *service, const char *authenticate, char **ret, struct err *err)
{
    CLEANUP(mem_freep) char *path = key_path(service, authenticate);
    CLEANUP(buf_free_secret) struct buf file = BUF_INIT(KEY_MAX);
    CLEANUP(mem_free_secretp) char *key = NULL;
    struct err why;

    if (!path) {
        err_set(err, ERR_AUTH,
                "the Azure Arc agent asked for a key to its managed identity that is no file *" KEY_ENDING
                " in " ARC_KEYS ", so it gets none. Our administrator: see which program answers at %s",
                service->url);
        return blame(err);
    }
    if (!file_read(path, &file, &why))
        return refuse_key(err, why.text);
    key = text_trimmed(buf_text(&file));
    if (!*key || key[strcspn(key, "\r\n\t ")])
        return refuse_key(err, "the file has none");
    *ret = mem_format("Basic %s", key);
    return true;
}

/* Answers. */

/* Sets err from an answer other than 200, with the service's own words. */
static bool refused(const struct identity_service *service, const struct http_result *result, struct err *err)
{
    CLEANUP(json_freep) cJSON *root = json_parse(result->body, result->body_len);
    CLEANUP(buf_free) struct buf words = BUF_INIT(QUOTE_MAX + 64);
    const char *said = json_text(root, "error_description");
    int status = result->status;
    bool passes = status == 404 || status == 408 || status == 410 || status == 429 || status >= 500 || status == 401;

    if (said) {
        buf_add_text(&words, ", '");
        buf_add_foreign(&words, said, QUOTE_MAX);
        buf_add_char(&words, '\'');
    }
    if (passes) {
        err_set(err, ERR_RETRY, "no token of the managed identity: %s answers HTTP %d%s%s", service->url, status,
                buf_text(&words), status == 410 ? ", it is being updated, which takes 70 s at most" : "");
        err->wait_ms = status == 410 ? GONE_WAIT_MS : result->retry_after_ms > 0 ? result->retry_after_ms : 0;
        return remedy_set(err, "managed_identity", ACT_NOBODY, "nothing: it is tried again automatically");
    }
    err_set(err, ERR_AUTH,
            "no token of the managed identity: %s answers HTTP %d%s. Our administrator: give this machine the identity "
            "that client_assertion names, or correct client_assertion",
            service->url, status, buf_text(&words));
    return blame(err);
}

static bool not_reached(const struct identity_service *service, const struct http_result *result, struct err *err)
{
    err_set(err, ERR_RETRY, "no token of the managed identity: %s does not answer (%s). Our administrator: %s",
            service->url, result->reason,
            service->arc ? "start the Azure Arc agent (azcmagent show tells its state)"
                         : "use client_assertion = managed_identity on an Azure VM or an Arc-enabled server only");
    return blame(err);
}

static bool unreadable(const struct identity_service *service, const char *what, struct err *err)
{
    err_set(err, ERR_RETRY, "no token of the managed identity: the answer of %s %s", service->url, what);
    return remedy_set(err, "managed_identity", ACT_NOBODY, "nothing: it is tried again automatically");
}

/* Returns the life of the token in the answer in seconds; 0: it does not tell, or has ended. */
static int64_t life_s(const cJSON *root)
{
    int64_t seconds;

    if (json_int64(root, "expires_in", 1, LIFE_MOST_S, &seconds))
        return seconds;
    if (json_int64(root, "expires_on", 1, INT64_C(1) << 40, &seconds))
        seconds -= clock_wall_ms() / 1000;
    else
        seconds = 0;
    return seconds > 0 && seconds <= LIFE_MOST_S ? seconds : 0;
}

static bool is_asked_identity(const struct identity_service *service, const char *client_id, const cJSON *root,
                              struct err *err)
{
    const char *named = json_text(root, "client_id");

    if (!client_id || (!service->arc && !named) || (named && text_same_nocase(named, client_id)))
        return true;
    err_set(err, ERR_AUTH,
            "the managed identity %s was asked for, and %s answered with another one. Our administrator: update the "
            "agent and give this machine the identity, or leave the client ID out of client_assertion",
            client_id, service->url);
    return blame(err);
}

bool identity_read(const struct identity_service *service, const char *client_id, const struct http_result *result,
                   int64_t now_ms, struct identity_token *ret, struct err *err)
{
    CLEANUP(json_freep) cJSON *root = NULL;
    const char *text;
    int64_t seconds;

    if (!http_status_counts(result))
        return not_reached(service, result, err);
    if (result->status != 200)
        return refused(service, result, err);
    root = json_parse(result->body, result->body_len);
    text = json_text(root, "access_token");
    seconds = life_s(root);
    if (!text || !token_is_jwt(text))
        return unreadable(service, "has no token in it", err);
    if (!seconds)
        return unreadable(service, "does not tell how long its token is valid", err);
    if (!is_asked_identity(service, client_id, root, err))
        return false;
    *ret = (struct identity_token){ .text = mem_text(text),
                                    .expires_ms = now_ms + seconds * 1000,
                                    .lifetime_ms = seconds * 1000 };
    return true;
}
