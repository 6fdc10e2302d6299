/* splunkd: what it writes to the program's stdin, and its REST interface. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#define APP          "TA-defender-mssp"
#define ENTRIES_MOST (4 * CUSTOMERS_MOST)
#define SESSION      "session^key"
#define SESSION_MOST (90 * SECOND) /* how long a process lives that has no session, while splunkd has no other trouble */

static struct {
    char *name, *value;
    uint32_t hash; /* of the name */
} entries[ENTRIES_MOST];
static size_t entry_count;
static struct text config;
static int sessions; /* that there were; the key of the last one is accepted, unless it is lost */
static bool session_gone;
static int64_t session_refused; /* since when the process knows; NEVER */
static int64_t failed_last;     /* when a call failed for another reason: such calls are repeated for a minute */

static const char *const api_names[] = { "graph", "endpoint", "siem", "incidents" };

static void put_param(const char *name, const char *value)
{
    text_say(&config, "<param name=\"%s\">%s</param>", name, value);
}

static void put_stanza(const struct customer *customer)
{
    struct text refresh = { 0 };
    char value[80];

    text_say(&config, "<stanza name=\"defender_alerts://%s\" app=\"search\">", customer->name);
    put_param("tenant_id", customer->tenant);
    put_param("client_id", customer->client);
    put_param("api", api_names[customer->api]);
    put_param("ca_file", "/sim/ca.pem");
    snprintf(value, sizeof(value), "%lld", (long long)plan.poll_s);
    put_param("poll_interval", value);
    snprintf(value, sizeof(value), "%lld", (long long)plan.overlap_s);
    put_param("overlap", value);
    secret_write(value, customer, customer->entered);
    put_param("client_secret", customer->masked ? "********" : value);
    refresh_write(&refresh, customer, 0);
    if (customer->user)
        put_param("refresh_token", customer->masked ? "********" : refresh.data);
    text_drop(&refresh);
    text_say(&config, "</stanza>");
}

const char *splunkd_config(void)
{
    return config.data;
}

void splunkd_boot(void)
{
    text_drop(&config);
    session_gone = false;
    session_refused = NEVER;
    text_say(&config,
             "<input><server_host>sim</server_host><server_uri>https://127.0.0.1:8089</server_uri>"
             "<session_key>" SESSION "%d</session_key><checkpoint_dir>%s</checkpoint_dir><configuration>",
             ++sessions, SIM_FOLDER);
    for (int i = 0; i < plan.customers; i++)
        put_stanza(&customers[i]);
    text_say(&config, "</configuration></input>");
}

static int find(const char *name)
{
    uint32_t hash = text_hash(name);

    for (size_t i = 0; i < entry_count; i++)
        if (entries[i].hash == hash && !strcmp(entries[i].name, name))
            return (int)i;
    return -1;
}

uint64_t splunkd_refresh(const struct customer *customer)
{
    char name[240], generation[20];
    unsigned long long which = 0;
    int number, found, len;

    len = snprintf(name, sizeof(name), "refresh_token.%s.%s", customer->tenant, customer->client);
    found = find(name);
    if (found >= 0 && sscanf(entries[found].value, APP " parts %16s", generation) == 1) { /* its first piece */
        snprintf(name + len, sizeof(name) - (size_t)len, ".part.%s.0", generation);
        found = find(name);
    }
    if (found >= 0)
        sscanf(entries[found].value, "r3fresh.%d.%llu", &number, &which);
    return which;
}

static void put_json(struct text *ret, const char *value)
{
    size_t len;

    for (; *value; value += len) {
        len = strcspn(value, "\"\\");
        if (!len) {
            text_put(ret, "\\", 1);
            len = 1;
        }
        text_put(ret, value, len);
    }
}

static void put_entry(struct text *ret, size_t i)
{
    text_add(ret, "{\"name\":\"" APP ":");
    put_json(ret, entries[i].name);
    text_add(ret, ":\",\"content\":{\"realm\":\"" APP "\",\"username\":\"");
    put_json(ret, entries[i].name);
    text_add(ret, "\",\"clear_password\":\"");
    put_json(ret, entries[i].value);
    text_add(ret, "\"}}");
}

static void status(struct reply *reply, int code)
{
    reply->status = code;
    text_say(&reply->headers, "HTTP/1.1 %d x\r\nContent-Type: application/json\r\n\r\n", code);
}

static void list(struct reply *reply, int only)
{
    status(reply, 200);
    text_say(&reply->body, "{\"entry\":[");
    for (size_t i = 0, n = 0; i < entry_count; i++) {
        if (only >= 0 && (size_t)only != i)
            continue;
        text_add(&reply->body, n++ ? "," : "");
        put_entry(&reply->body, i);
    }
    text_say(&reply->body, "]}");
}

static void store_later(void *ctx, int64_t number);

/* Returns what the store keeps of the value: old versions of Splunk keep 255 characters. */
static char *kept(char *value)
{
    if (value && plan.rate[FAULT_store_truncates] > 0 && strlen(value) > 255)
        value[255] = '\0';
    return value;
}

static void create(const struct request *request, struct reply *reply)
{
    char *name = form_get(request->form, "name"), *value = kept(form_get(request->form, "password"));

    if (name && value && find(name) < 0 && entry_count < ENTRIES_MOST) {
        entries[entry_count].name = strdup(name);
        entries[entry_count].hash = text_hash(name);
        entries[entry_count++].value = strdup(value);
        status(reply, 201);
        text_say(&reply->body, "{\"entry\":[]}");
    } else {
        status(reply, name && find(name) >= 0 ? 409 : 400);
    }
    free(name);
    free(value);
}

/* Returns the entry that the path names; -1: there is none. */
static int entry_of(const char *path)
{
    const char *id = strstr(path, "storage/passwords/") + 18;
    char *plain = form_decode(id, strcspn(id, "?"));
    int found;

    if (strlen(plain) > strlen(APP) + 2)
        plain[strlen(plain) - 1] = '\0';
    found = strncmp(plain, APP ":", strlen(APP) + 1) ? -1 : find(plain + strlen(APP) + 1);
    free(plain);
    return found;
}

static void passwords(const struct request *request, struct reply *reply)
{
    int found;

    if (!strstr(request->path, "storage/passwords/")) {
        if (request->form)
            create(request, reply);
        else
            list(reply, -1);
        return;
    }
    found = entry_of(request->path);
    if (found < 0) {
        status(reply, 404);
    } else if (!strcmp(request->method, "DELETE")) {
        free(entries[found].name);
        free(entries[found].value);
        entries[found] = entries[--entry_count];
        status(reply, 200);
    } else if (request->form) {
        free(entries[found].value);
        entries[found].value = kept(form_get(request->form, "password"));
        status(reply, 200);
        text_say(&reply->body, "{\"entry\":[]}");
    } else {
        list(reply, found);
    }
}

void splunkd_store_secret(struct customer *customer)
{
    char name[200], value[80];
    int found;

    snprintf(name, sizeof(name), "client_secret.%s", customer->client);
    found = find(name);
    secret_write(value, customer, customer->secret);
    if (found < 0) { /* nothing is stored yet: the input's own secret would replace it */
        at(now() + MINUTE, store_later, customer, 0);
        return;
    }
    free(entries[found].value);
    entries[found].value = strdup(value);
    customer->entered = customer->secret; /* in inputs.conf as well, unless it is masked there */
    trace("%s: the new secret is entered", customer->name);
}

static void store_later(void *ctx, int64_t number)
{
    (void)number;
    splunkd_store_secret(ctx);
}

static void edit_input(const struct request *request, struct reply *reply)
{
    const char *id = strstr(request->path, "data/inputs/defender_alerts/") + 28;
    char *name = form_decode(id, strcspn(id, "?")), *mask = form_get(request->form, "client_secret");

    for (int i = 0; i < plan.customers; i++)
        if (!strcmp(customers[i].name, name) && mask && !strcmp(mask, "********"))
            customers[i].masked = true;
    status(reply, 200);
    text_say(&reply->body, "{\"entry\":[]}");
    free(name);
    free(mask);
}

/* kvstore.c has records of an input that is disabled, and of one that is gone. */
static void show_input(const struct request *request, struct reply *reply)
{
    const char *id = strstr(request->path, "data/inputs/defender_alerts/") + 28;
    char *name = form_decode(id, strcspn(id, "?"));

    status(reply, strcmp(name, "gone") ? 200 : 404);
    if (reply->status == 200)
        text_say(&reply->body, "{\"entry\":[{\"name\":\"%s\",\"content\":{\"disabled\":%s}}]}", name,
                 strcmp(name, "asleep") ? "false" : "true");
    free(name);
}

void splunkd_forget_session(void)
{
    session_gone = true;
}

bool splunkd_session_lost(void)
{
    return session_refused != NEVER;
}

/* A process whose session key was refused ends, whether it makes more calls or not. number: of the session. */
static void look_at_session(void *ctx, int64_t number)
{
    int64_t since = failed_last > session_refused ? failed_last : session_refused;

    (void)ctx;
    if (number != sessions || !machine_alive() || !faults_on())
        return;
    if (now() - since < SESSION_MOST)
        at(since + SESSION_MOST, look_at_session, NULL, number);
    else
        broken("session", "splunkd refused the session key %lld s ago, and the process does not end",
               (long long)(now() - session_refused) / 1000);
}

static void refuse_session(struct reply *reply)
{
    if (session_refused == NEVER) {
        session_refused = now();
        at(now() + SESSION_MOST, look_at_session, NULL, sessions);
    }
    trouble(NULL, now() + 5 * MINUTE);
    status(reply, 401);
    text_say(&reply->body, "{\"messages\":[{\"type\":\"WARN\",\"text\":\"call not properly authenticated\"}]}");
}

static void check_session(const struct request *request)
{
    char expected[40];

    snprintf(expected, sizeof(expected), "Splunk " SESSION "%d", sessions);
    if (!request->authorization || strcmp(request->authorization, expected) != 0)
        broken("secrets", "splunkd was sent '%s'", request->authorization ? request->authorization : "nothing");
}

/* What happens to an answer on its way. The request has had its effect. */
static void lose(struct reply *reply)
{
    if (fault_strikes(FAULT_store_lost, NULL))
        reply->end = rng_chance(luck(), 0.5) ? REPLY_RESET : REPLY_SILENT;
    if (fault_strikes(FAULT_store_slow, NULL))
        reply->delay += rng_between(luck(), 100, 9 * SECOND);
}

void splunkd_answer(const struct request *request, struct reply *reply)
{
    reply->delay = rng_between(luck(), 1, 20);
    check_session(request);
    if (store_down_until > now()) {
        if (rng_chance(luck(), 0.5))
            reply->end = REPLY_REFUSED;
        else
            status(reply, 503);
    } else if (session_gone) {
        refuse_session(reply);
    } else if (plan.month && strstr(request->path, "storage/collections")) {
        status(reply, 503); /* a forwarder may have no KV store; half of the time of a month would go there */
    } else if (strstr(request->path, "storage/collections/")) {
        kv_answer(request, reply);
    } else if (fault_strikes(FAULT_store_500, NULL)) {
        status(reply, rng_chance(luck(), 0.5) ? 500 : 503);
    } else if (strstr(request->path, "storage/passwords")) {
        passwords(request, reply);
        lose(reply);
    } else if (strstr(request->path, "data/inputs/defender_alerts/")) {
        if (request->form)
            edit_input(request, reply);
        else
            show_input(request, reply);
        lose(reply);
    } else {
        status(reply, 200);
        text_say(&reply->body, "{\"entry\":[]}");
    }
    if (reply->end != REPLY_WHOLE || reply->status >= 500 || reply->delay > SECOND)
        failed_last = now() + reply->delay + (reply->end == REPLY_SILENT ? 20 * SECOND : 0);
    trace("splunkd: %s %.150s -> %d", request->method, request->path, reply->status);
}
